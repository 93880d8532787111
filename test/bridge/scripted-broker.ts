// The other broker of a bridge, as bytes see it: it lets everybody in, grants and acknowledges everything, and keeps what was sent to it.
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import {
  type Connect,
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  NO_PROPERTIES,
  type Packet,
  type Version,
} from "../../src/protocol/index.ts";
import { until } from "./brokers.ts";

/** One connection of a bridge. */
export interface SeenConnection {
  readonly socket: Socket;
  readonly packets: Packet[];
  /** Of TLS. */
  readonly cipher: string | null;
}

/** One of them. */
export class ScriptedBroker {
  readonly connections: SeenConnection[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens until the test ends; with `tls` over TLS. */
  static async start(context: TestContext, tls: TlsOptions | null = null): Promise<ScriptedBroker> {
    const server = tls === null ? createServer() : createTlsServer(tls);
    const scripted = new ScriptedBroker(server);
    server.on(tls === null ? "connection" : "secureConnection", (socket: Socket) => scripted.#welcome(socket));
    // Who does not agree on TLS is no connection.
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    context.after(() => {
      for (const { socket } of scripted.connections) socket.destroy();
      server.close();
    });
    return scripted;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("it does not listen");
    return address.port;
  }

  #welcome(socket: Socket): void {
    const packets: Packet[] = [];
    const cipher = "getCipher" in socket ? (socket as TLSSocket).getCipher().name : null;
    this.connections.push({ socket, packets, cipher });
    const framer = new Framer(Number.POSITIVE_INFINITY);
    let version: Version = 4;
    socket.on("error", () => {});
    socket.on("data", (chunk: Uint8Array) => {
      framer.push(chunk);
      while (framer.next() === "packet") {
        const packet = decodePacket(framer.bytes.slice(), framer.start, framer.end, version, "client");
        if (isFault(packet)) throw new Error(packet.message);
        if (packet.type === "CONNECT") version = packet.version;
        packets.push(packet);
        const answer = answerTo(packet, version);
        if (answer !== null) socket.write(encodePacket(answer, version));
      }
    });
  }

  /** All packets of `type` so far, on all connections. */
  all<Type extends Packet["type"]>(type: Type): readonly Extract<Packet, { type: Type }>[] {
    return this.connections.flatMap(
      ({ packets }) => packets.filter((packet) => packet.type === type) as Extract<Packet, { type: Type }>[],
    );
  }

  /** Waits for the CONNECT of the connection of that number, from 0. */
  async connect(at: number = 0): Promise<Connect> {
    const found = (): Connect | undefined => this.all("CONNECT")[at];
    await until(
      () => found() !== undefined,
      () => `CONNECT number ${at}`,
    );
    return found() as Connect;
  }

  /** Waits until a PUBLISH of that topic has come. */
  async published(topicName: string): Promise<Extract<Packet, { type: "PUBLISH" }>> {
    const found = () => this.all("PUBLISH").find((publish) => publish.topicName === topicName);
    await until(
      () => found() !== undefined,
      () => `PUBLISH ${topicName} among ${JSON.stringify(this.all("PUBLISH").map((publish) => publish.topicName))}`,
    );
    return found() as Extract<Packet, { type: "PUBLISH" }>;
  }
}

function answerTo(packet: Packet, version: Version): Packet | null {
  switch (packet.type) {
    case "CONNECT":
      return { type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES };
    case "SUBSCRIBE": {
      const reasonCodes = packet.subscriptions.map(({ qos }) => qos);
      return { type: "SUBACK", packetId: packet.packetId, reasonCodes, properties: NO_PROPERTIES };
    }
    case "UNSUBSCRIBE": {
      const reasonCodes = version === 5 ? packet.topicFilters.map(() => 0) : [];
      return { type: "UNSUBACK", packetId: packet.packetId, reasonCodes, properties: NO_PROPERTIES };
    }
    case "PUBLISH":
      if (packet.qos === 0) return null;
      return { type: packet.qos === 1 ? "PUBACK" : "PUBREC", ...acknowledging(packet.packetId) };
    case "PUBREL":
      return { type: "PUBCOMP", ...acknowledging(packet.packetId) };
    case "PINGREQ":
      return { type: "PINGRESP" };
    default:
      return null;
  }
}

function acknowledging(packetId: number): {
  readonly packetId: number;
  readonly reasonCode: number;
  readonly properties: typeof NO_PROPERTIES;
} {
  return { packetId, reasonCode: 0, properties: NO_PROPERTIES };
}
