// Brokers and other programs, each of which goes wrong in its own way: mosquitto with a listener for each, and plain servers.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "../cli/tool-run.ts";
import { startMosquitto } from "../peers/mosquitto-process.ts";
import { startPeer } from "../support/peers.ts";
import { Certificates } from "../transport/certificates.ts";

/** mosquitto with a listener for each way in which a broker can refuse, and certificates for clients. */
export async function startFailingBroker(): Promise<FailingBroker> {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-doctor-"));
  const certificates = new Certificates(folder);
  const names = "DNS:localhost,IP:127.0.0.1";
  const usage = "serverAuth";
  certificates.make("good", { names, usage });
  certificates.make("expired", { names, usage, from: "20200101000000Z", until: "20210101000000Z" });
  certificates.make("future", { names, usage, from: "20450101000000Z", until: "20460101000000Z" });
  certificates.make("elsewhere", { names: "DNS:elsewhere.example", usage });
  certificates.make("client");
  certificates.makeSelfSigned("selfsigned");
  const path = (name: string): string => certificates.path(name);
  const tls = (name: string, file: string = `${name}-chain.pem`): string[] => [
    "allow_anonymous true",
    `certfile ${path(file)}`,
    `keyfile ${path(`${name}.key`)}`,
  ];
  writeFileSync(path("acl"), "topic read lacewing/#\n");
  writeFileSync(path("users"), "");
  await runTool("passwd", ["-b", path("users"), "somebody", "right"]);
  const broker = await startMosquitto({
    users: ["allow_anonymous false", `password_file ${path("users")}`],
    rules: ["allow_anonymous true", `acl_file ${path("acl")}`],
    noRetain: ["allow_anonymous true", "max_qos 1"],
    websockets: ["allow_anonymous true", "protocol websockets"],
    good: tls("good"),
    expired: tls("expired"),
    future: tls("future"),
    elsewhere: tls("elsewhere"),
    selfSigned: tls("selfsigned", "selfsigned.pem"),
    leafOnly: tls("good", "good.pem"),
    wantsCertificate: [...tls("good"), `cafile ${path("cas.pem")}`, "require_certificate true"],
  });
  // mosquitto has no highest version of TLS.
  const old = startPeer("openssl", [
    ..."s_server -accept 127.0.0.1:0 -tls1_2 -Verify 1 -www".split(" "),
    ...["-cert", path("good.pem"), "-key", path("good.key"), "-CAfile", path("cas.pem")],
  ]);
  const [, oldPort] = await old.printed(/ACCEPT \S+:(\d+)/);
  const stop = async (): Promise<void> => {
    await old.stop("SIGKILL");
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ports: { ...broker.ports, plain: broker.port, wantsCertificateOld: Number(oldPort) }, path, stop };
}

type ListenerName =
  | "plain"
  | "users"
  | "rules"
  | "noRetain"
  | "websockets"
  | "good"
  | "expired"
  | "future"
  | "elsewhere"
  | "selfSigned"
  | "leafOnly"
  | "wantsCertificate"
  | "wantsCertificateOld";

/** A broker with listeners for everything that can go wrong there. */
export interface FailingBroker {
  readonly ports: Readonly<Record<ListenerName, number>>;
  /** A file of its folder. */
  path(name: string): string;
  stop(): Promise<void>;
}

/** Programs on ports that are no brokers. */
export interface OtherServers {
  readonly silent: number;
  readonly closing: number;
  readonly http: number;
  readonly greeting: number;
  /** A broker that ends connections which are idle for half a second. */
  readonly impatient: number;
  /** A broker that waits for a PROXY header. */
  readonly proxied: number;
  /** Nothing listens there. */
  readonly refused: number;
  /** SNTP, with a time of its own. */
  readonly time: number;
  stop(): Promise<void>;
}

const IDLE_LIMIT_MS = 500;
const CONNACK_3_1_1 = Uint8Array.of(0x20, 2, 0, 0);

/** @param timeMs what the time server says, in milliseconds since 1970 */
export async function startOtherServers(timeMs: number): Promise<OtherServers> {
  const silent = createServer((socket) => socket.on("error", () => {}));
  const closing = createServer((socket) => socket.on("error", () => {}).end());
  const greeting = createServer((socket) => socket.on("error", () => {}).write("220 mail.example ESMTP\r\n"));
  const http = createHttpServer((_request, response) => response.writeHead(404).end("no"));
  const impatient = createServer((socket) => {
    socket.setTimeout(IDLE_LIMIT_MS, () => socket.destroy());
    socket.on("error", () => {}).on("data", () => socket.write(CONNACK_3_1_1));
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
  const servers: readonly Server[] = [silent, closing, greeting, http, impatient, proxied, none];
  const [silentPort, closingPort, greetingPort, httpPort, impatientPort, proxiedPort, refused] = await Promise.all(
    servers.map(portOf),
  );
  none.close();
  await once(none, "close");
  const clock = createSocket("udp4");
  clock.on("message", (_question, from) => clock.send(answerOf(timeMs), from.port, from.address));
  clock.bind(0, "127.0.0.1");
  await once(clock, "listening");
  return {
    ...{ silent: silentPort!, closing: closingPort!, greeting: greetingPort!, http: httpPort!, refused: refused! },
    impatient: impatientPort!,
    proxied: proxiedPort!,
    time: clock.address().port,
    stop: async () => {
      clock.close();
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

function answerOf(timeMs: number): Buffer {
  const answer = Buffer.alloc(48);
  answer[0] = 0x24;
  answer.writeUInt32BE(Math.floor(timeMs / 1000) + 2_208_988_800, 40);
  return answer;
}
