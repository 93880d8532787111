// A broker for the generator's own tests: exact filters and "prefix/#", no Sessions, and faults to order.
// Never measured.
import { createServer, type Server, type Socket } from "node:net";
import * as wire from "./wire.ts";

export interface StubFaults {
  /** CONNACK code. */
  readonly connackCode?: number;
  /** Swallows every n-th message. */
  readonly losesEvery?: number;
  /** Delivers every n-th message twice. */
  readonly doublesEvery?: number;
  /** Writes a byte at a time, so that every packet is cut everywhere. */
  readonly dribbles?: boolean;
  /** Properties of a 5.0 CONNACK with their length. */
  readonly connackProperties?: Buffer;
}

export interface StubBroker {
  readonly port: number;
  /** Most messages of one connection that waited for their acknowledgement at once. */
  mostUnacknowledged(): number;
  close(): Promise<void>;
}

export async function startStubBroker(version: wire.Version, faults: StubFaults = {}): Promise<StubBroker> {
  const subscriptions = new Map<string, Set<Socket>>();
  const sockets = new Set<Socket>();
  let messages = 0;
  let most = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let rest = Buffer.alloc(0);
    const answers: Buffer[] = [];
    const unacknowledged = new Set<number>();
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const length = wire.packetBytes(rest, 0, rest.length);
        if (length <= 0 || length > rest.length) break;
        handle(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
      most = Math.max(most, unacknowledged.size);
      unacknowledged.clear(); // answered below, all at once
      send(socket, Buffer.concat(answers.splice(0)));
    });

    const handle = (packet: Buffer): void => {
      const head = packet[0] ?? 0;
      const body = wire.skipVarint(packet, 1);
      if (head >> 4 === 1) answers.push(connack());
      if (head >> 4 === 8) subscribe(packet.subarray(body));
      if (head >> 4 === wire.PUBLISH) publish(head, packet, body);
      if (head >> 4 === wire.PUBREC) answers.push(Buffer.from([0x62, 2, packet[body] ?? 0, packet[body + 1] ?? 0]));
      if (head >> 4 === wire.PUBREL) answers.push(Buffer.from([0x70, 2, packet[body] ?? 0, packet[body + 1] ?? 0]));
    };

    const connack = (): Buffer => {
      const properties = version === 5 ? (faults.connackProperties ?? Buffer.from([0])) : Buffer.alloc(0);
      return Buffer.concat([Buffer.from([0x20, 2 + properties.length, 0, faults.connackCode ?? 0]), properties]);
    };

    const subscribe = (body: Buffer): void => {
      const codes: number[] = [];
      for (let at = version === 5 ? 3 : 2; at < body.length; ) {
        const end = at + 2 + body.readUInt16BE(at);
        const filter = body.toString("utf8", at + 2, end);
        const holders = subscriptions.get(filter) ?? new Set();
        subscriptions.set(filter, holders.add(socket));
        codes.push(body[end] ?? 0);
        at = end + 1;
      }
      const properties = version === 5 ? [0] : [];
      const answer = [body[0] ?? 0, body[1] ?? 0, ...properties, ...codes];
      answers.push(Buffer.concat([Buffer.from([0x90]), wire.varint(answer.length), Buffer.from(answer)]));
    };

    const publish = (head: number, packet: Buffer, body: number): void => {
      const qos = (head >> 1) & 3;
      const topicEnd = body + 2 + packet.readUInt16BE(body);
      if (qos > 0) {
        answers.push(Buffer.from([qos === 1 ? 0x40 : 0x50, 2, packet[topicEnd] ?? 0, packet[topicEnd + 1] ?? 0]));
        unacknowledged.add(packet.readUInt16BE(topicEnd));
      }
      messages++;
      if (faults.losesEvery !== undefined && messages % faults.losesEvery === 0) return;
      const copies = faults.doublesEvery !== undefined && messages % faults.doublesEvery === 0 ? 2 : 1;
      const topicName = packet.toString("utf8", body + 2, topicEnd);
      for (const [filter, holders] of subscriptions) {
        const matches = filter.endsWith("/#") ? topicName.startsWith(filter.slice(0, -1)) : filter === topicName;
        if (matches) for (const holder of holders) for (let copy = 0; copy < copies; copy++) send(holder, packet);
      }
    };
  });

  const send = (socket: Socket, bytes: Buffer): void => {
    if (!faults.dribbles) socket.write(bytes);
    else for (let at = 0; at < bytes.length; at++) socket.write(bytes.subarray(at, at + 1));
  };
  await listening(server);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    mostUnacknowledged: () => most,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}
