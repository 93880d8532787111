// What every way in promises of its link: back-pressure that is counted and ends, last words that arrive, bytes that are counted.
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createWebSocketStream, WebSocket } from "ws";
import {
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  NO_PROPERTIES,
  type Packet,
  publishOf,
} from "../../src/protocol/index.ts";
import type { Listener, ListenerOptions } from "../../src/transport/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { ROOT } from "../support/repository.ts";
import { connectOf } from "../support/test-client.ts";
import { ListenerRig } from "./listener-rig.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");
const TLS = { certificates: [{ certFile: join(FIXTURES, "server.pem"), keyFile: join(FIXTURES, "leaf.key") }] };
const MESSAGES = 64;
const PAYLOAD_BYTES = 256 * 1024;
/** Many times what the two ends' kernels take without anybody reading. */
const FLOOD_BYTES = 128 * 1024 * 1024;

interface Way {
  readonly name: string;
  options(context: TestContext): Partial<ListenerOptions>;
  open(listener: Listener): Duplex;
}

function webSocketTo(url: string): Duplex {
  return createWebSocketStream(new WebSocket(url, "mqtt", { rejectUnauthorized: false }));
}

const WAYS: readonly Way[] = [
  { name: "TCP", options: () => ({}), open: ({ port }) => connectTcp(port, "127.0.0.1") },
  {
    name: "TLS",
    options: () => ({ tls: TLS }),
    open: ({ port }) => connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }),
  },
  { name: "WebSocket", options: () => ({ webSocket: {} }), open: ({ port }) => webSocketTo(`ws://127.0.0.1:${port}/`) },
  {
    name: "WebSocket over TLS",
    options: () => ({ webSocket: {}, tls: TLS }),
    open: ({ port }) => webSocketTo(`wss://127.0.0.1:${port}/`),
  },
  {
    name: "unix",
    options: (context) => ({ target: { kind: "unix", path: join(temporaryFolder(context), "mqtt.sock") } }),
    open: ({ address }) => connectTcp({ path: address }),
  },
];

/** A client that reads only when it is told to. */
class Reader {
  readonly stream: Duplex;
  readonly received: Packet[] = [];
  readonly #framer: Framer = new Framer(Number.POSITIVE_INFINITY);
  #onPacket: () => void = () => {};

  constructor(stream: Duplex) {
    this.stream = stream;
    stream
      .on("error", () => {})
      .on("data", (chunk: Uint8Array) => {
        this.#framer.push(chunk);
        while (this.#framer.next() === "packet") {
          const packet = decodePacket(this.#framer.bytes.slice(), this.#framer.start, this.#framer.end, 5, "server");
          assert.ok(!isFault(packet));
          this.received.push(packet);
        }
        this.#onPacket();
      });
  }

  send(packet: Packet): void {
    this.stream.write(encodePacket(packet, 5));
  }

  async until(count: number): Promise<readonly Packet[]> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => {
        this.#onPacket = resolve;
      });
    }
    return this.received;
  }
}

async function connected(way: Way, context: TestContext) {
  const rig = new ListenerRig(context, { maximumInflightMessages: 0 });
  const listener = await rig.listen(way.options(context));
  const reader = new Reader(way.open(listener));
  reader.send(connectOf(5, "c"));
  assert.equal((await reader.until(1))[0]?.type, "CONNACK");
  const subscriptions = [
    { topicFilter: "t", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
  ] as const;
  reader.send({ type: "SUBSCRIBE", packetId: 1, subscriptions: [...subscriptions], properties: NO_PROPERTIES });
  await reader.until(2);
  const [connection] = rig.loop.broker.connections;
  assert.ok(connection !== undefined);
  return { rig, reader, connection };
}

for (const way of WAYS) {
  test(`${way.name}: who does not read is waited for, with what waits counted, and then gets everything in order`, async (context) => {
    const { rig, reader, connection } = await connected(way, context);
    const { broker } = rig.loop;
    reader.stream.pause();
    for (let i = 0; i < MESSAGES; i++) {
      const payload = new Uint8Array(PAYLOAD_BYTES).fill(i);
      broker.publish({
        topicName: "t",
        payload,
        qos: 1,
        retain: false,
        dup: false,
        packetId: 0,
        properties: NO_PROPERTIES,
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    // As much as the systems' buffers took, and about the bound of the output more: the rest waits in the Session.
    assert.ok(connection.backlogBytes > 0, "nothing waits");
    assert.ok(connection.backlogBytes < 3 * 1024 * 1024, `${connection.backlogBytes} bytes wait`);
    assert.equal(broker.pendingOutputBytes > 0, true);
    assert.ok((connection.session?.queuedMessages ?? 0) > MESSAGES / 4);
    reader.stream.resume();
    const received = await reader.until(2 + MESSAGES);
    received.slice(2).forEach((packet, at) => {
      assert.ok(packet.type === "PUBLISH");
      assert.equal(packet.end - packet.payloadStart, PAYLOAD_BYTES);
      assert.equal(packet.bytes[packet.payloadStart], at);
    });
    // What has left is not counted as waiting any more.
    while (broker.pendingOutputBytes > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(connection.backlogBytes, 0);
    reader.stream.destroy();
  });

  test(`${way.name}: the last words arrive before the end, and bytes are counted as MQTT has them`, async (context) => {
    const { rig, reader } = await connected(way, context);
    const { counters } = rig.loop.broker;
    const before = { in: counters.bytesReceived, out: counters.bytesSent };
    const publish = publishOf({
      ...{ topicName: "t", payload: new Uint8Array(1000), qos: 0, retain: false, dup: false },
      ...{ packetId: 0, properties: NO_PROPERTIES },
    } as const);
    const bytes = encodePacket(publish, 5);
    reader.stream.write(bytes);
    await reader.until(3);
    assert.deepEqual(
      [counters.bytesReceived - before.in, counters.bytesSent - before.out],
      [bytes.length, bytes.length],
    );
    reader.send({ type: "PUBREL", packetId: 7, reasonCode: 0, properties: NO_PROPERTIES });
    reader.stream.write(Buffer.from("f000", "hex")); // AUTH that nobody began
    const ended = new Promise((resolve) => reader.stream.once("end", resolve));
    const last = (await reader.until(5)).at(-1);
    assert.deepEqual([last?.type, last?.type === "DISCONNECT" && last.reasonCode], ["DISCONNECT", 0x82]);
    await ended;
  });

  test(`${way.name}: who says all it has to say and closes its half gets the answers, and then the end`, async (context) => {
    const rig = new ListenerRig(context);
    const reader = new Reader(way.open(await rig.listen(way.options(context))));
    const errors: Error[] = [];
    reader.stream.on("error", (error) => errors.push(error));
    const ended = new Promise((resolve) => reader.stream.once("end", resolve));
    const packets = [connectOf(5, "c"), { type: "PINGREQ" }] as const;
    reader.stream.end(Buffer.concat(packets.map((packet) => encodePacket(packet, 5))));
    assert.deepEqual(
      (await reader.until(2)).map(({ type }) => type),
      ["CONNACK", "PINGRESP"],
    );
    await ended;
    await rig.logged(/Client c \[[^\]]+\] disconnected: /);
    assert.deepEqual(errors, []);
  });

  test(`${way.name}: who goes without a word is gone`, async (context) => {
    const { rig, reader } = await connected(way, context);
    reader.stream.destroy();
    await rig.logged(/Client c \[[^\]]+\] disconnected: /);
    assert.equal(rig.loop.broker.connections.size, 0);
  });
}

for (const [what, first] of [
  ["has been told nothing", []],
  ["has been told of its fault", [encodePacket(connectOf(5, "c"), 5)]],
] as const) {
  test(`TCP: a flood is not read to its end when who sends it ${what}`, async (context) => {
    const rig = new ListenerRig(context);
    const { port } = await rig.listen({});
    const client = connectTcp(port, "127.0.0.1");
    // CONNACK of the server's own: a client never sends one.
    const flood = Buffer.concat([...first, Buffer.from("20020000", "hex"), Buffer.alloc(FLOOD_BYTES)]);
    const end = new Promise((resolve) => {
      client.on("error", () => resolve("reset"));
      client.write(flood, (error) => resolve(error instanceof Error ? "reset" : "taken"));
    });
    assert.equal(await end, "reset");
    client.destroy();
  });
}
