// Programs on ports of the loopback interface that are no brokers, or behave as none should.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";

/** Programs on ports that are no brokers. */
export interface OtherServers {
  readonly silent: number;
  readonly closing: number;
  readonly http: number;
  readonly greeting: number;
  /** A broker that ends connections which are idle for half a second. */
  readonly impatient: number;
  /** A broker that answers CONNECT and PINGREQ and nothing else, and keeps its connections. */
  readonly taciturn: number;
  /** A broker that waits for a PROXY header. */
  readonly proxied: number;
  /** Nothing listens there. */
  readonly refused: number;
  stop(): Promise<void>;
}

const IDLE_LIMIT_MS = 500;
const CONNECT = 0x10;
const PINGREQ = 0xc0;
const PINGRESP = Uint8Array.of(0xd0, 0);
const CONNACK_3_1_1 = Uint8Array.of(0x20, 2, 0, 0);

/** Starts them all. */
export async function startOtherServers(): Promise<OtherServers> {
  const silent = createServer((socket) => socket.on("error", () => {}));
  const closing = createServer((socket) => socket.on("error", () => {}).end());
  const greeting = createServer((socket) => socket.on("error", () => {}).write("220 mail.example ESMTP\r\n"));
  const http = createHttpServer((_request, response) => response.writeHead(404).end("no"));
  const impatient = createServer((socket) => {
    socket.setTimeout(IDLE_LIMIT_MS, () => socket.destroy());
    socket.on("error", () => {}).on("data", () => socket.write(CONNACK_3_1_1));
  });
  const taciturn = createServer((socket) => {
    socket
      .on("error", () => {})
      .on("data", ([first]) => {
        if (first === CONNECT) socket.write(CONNACK_3_1_1);
        else if (first === PINGREQ) socket.write(PINGRESP);
      });
  });
  const proxied = createServer((socket) => {
    socket
      .on("error", () => {})
      .on("data", (bytes) => {
        if (bytes.toString("latin1").startsWith("PROXY ")) socket.write(CONNACK_3_1_1);
        else socket.destroy();
      });
  });
  const none = createServer();
  const servers: readonly Server[] = [silent, closing, greeting, http, impatient, taciturn, proxied, none];
  const [silentPort, closingPort, greetingPort, httpPort, impatientPort, taciturnPort, proxiedPort, refused] =
    await Promise.all(servers.map(portOf));
  none.close();
  await once(none, "close");
  return {
    ...{ silent: silentPort!, closing: closingPort!, greeting: greetingPort!, http: httpPort!, refused: refused! },
    impatient: impatientPort!,
    taciturn: taciturnPort!,
    proxied: proxiedPort!,
    stop: async () => {
      http.closeAllConnections();
      for (const server of servers) server.close();
    },
  };
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A server of SNTP, and its port. */
export interface TimeServer {
  readonly port: number;
  stop(): void;
}

/** @param timeMs what it says, in milliseconds since 1970 */
export async function startTimeServer(timeMs: number): Promise<TimeServer> {
  const clock = createSocket("udp4");
  clock.on("message", (_question, from) => clock.send(answerOf(timeMs), from.port, from.address));
  clock.bind(0, "127.0.0.1");
  await once(clock, "listening");
  return { port: clock.address().port, stop: () => void clock.close() };
}

function answerOf(timeMs: number): Buffer {
  const answer = Buffer.alloc(48);
  answer[0] = 0x24;
  answer.writeUInt32BE(Math.floor(timeMs / 1000) + 2_208_988_800, 40);
  return answer;
}
