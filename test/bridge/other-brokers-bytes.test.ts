// A bridge as bytes: the test is the other broker, which asks what brokers ask of each other, forgets, and lets nobody in.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import {
  encodePacket,
  NO_PROPERTIES,
  type Packet,
  publishOf,
  type Qos,
  type Version,
} from "../../src/protocol/index.ts";
import { bytesOfHex } from "../support/hex.ts";
import { isAttached, Listening, type OwnBroker, startOwn, until } from "./brokers.ts";

const VERSIONS = [
  [4, "mqttv311"],
  [5, "mqttv50"],
] as const;

/** One connection of the bridge. */
class Asked {
  readonly #socket: Socket;
  readonly #version: Version;
  #came: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, version: Version) {
    this.#socket = socket;
    this.#version = version;
    socket.on("data", (chunk) => {
      this.#came = Buffer.concat([this.#came, chunk]);
    });
    socket.on("error", () => {});
  }

  send(...packets: readonly Packet[]): void {
    this.#socket.write(Buffer.concat(packets.map((packet) => encodePacket(packet, this.#version))));
  }

  sendBytes(hex: string): void {
    this.#socket.write(bytesOfHex(hex));
  }

  /** Lets the bridge in, without a Session that it would know. */
  letIn(): void {
    this.send({ type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES });
  }

  /** Waits for exactly these packets, behind those that came before. */
  async expect(...packets: readonly Packet[]): Promise<void> {
    const expected = Buffer.concat(packets.map((packet) => encodePacket(packet, this.#version)));
    await until(
      () => this.#came.length >= expected.length,
      () => `${expected.toString("hex")}, only ${this.#came.toString("hex")} came`,
    );
    assert.equal(this.#came.subarray(0, expected.length).toString("hex"), expected.toString("hex"));
    this.#came = this.#came.subarray(expected.length);
  }

  /** Waits for the first packet, which is the CONNECT. */
  async asksToBeLetIn(): Promise<void> {
    const bytes = (): number => (this.#came.length < 2 ? Number.POSITIVE_INFINITY : 2 + this.#came[1]!);
    await until(
      () => this.#came.length >= bytes(),
      () => "a CONNECT",
    );
    assert.equal(this.#came[0], 0x10);
    this.#came = this.#came.subarray(bytes());
  }

  /** Closes the connection behind what was sent. */
  end(): void {
    this.#socket.end();
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.destroy();
  }

  /** Waits until the bridge has closed the connection, and returns what it said before that. */
  async leaves(): Promise<string> {
    await until(
      () => this.#socket.readableEnded || this.#socket.closed,
      () => "the end of the connection",
    );
    return this.#came.toString("hex");
  }
}

/** The other broker. */
class OtherBroker {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  readonly #version: Version;
  #taken = 0;

  private constructor(server: Server, version: Version) {
    this.#server = server;
    this.#version = version;
    server.on("connection", (socket) => this.#sockets.push(socket));
  }

  static async start(context: TestContext, version: Version): Promise<OtherBroker> {
    const other = new OtherBroker(createServer(), version);
    other.#server.listen(0, "127.0.0.1");
    await once(other.#server, "listening");
    context.after(() => {
      for (const socket of other.#sockets) socket.destroy();
      other.#server.close();
    });
    return other;
  }

  /** The next connection, which has asked to be let in. */
  async asked(): Promise<Asked> {
    const at = this.#taken++;
    await until(
      () => this.#sockets.length > at,
      () => `connection number ${at}`,
    );
    const connection = new Asked(this.#sockets[at]!, this.#version);
    await connection.asksToBeLetIn();
    return connection;
  }

  /** A broker of ours with a bridge to this one. */
  bridged(context: TestContext, protocol: string, ...lines: readonly string[]): Promise<OwnBroker> {
    const { port } = this.#server.address() as { port: number };
    return startOwn(context, [
      ...["connection test", `address 127.0.0.1:${port}`, "restart_timeout 0", "notifications false"],
      ...[`bridge_protocol_version ${protocol}`, "bridge_attempt_unsubscribe false", "bridge_max_topic_alias 0"],
      ...lines,
    ]);
  }
}

function publishing(topicName: string, qos: Qos, packetId: number, dup = false, retain = false): Packet {
  const payload = Buffer.from("x");
  return publishOf({ topicName, payload, qos, retain, dup, packetId, properties: NO_PROPERTIES });
}

function answering(type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP", packetId: number): Packet {
  return { type, packetId, reasonCode: 0, properties: NO_PROPERTIES };
}

function subscribing(version: Version, packetId: number, qos: Qos, topicFilter = "t"): Packet {
  const isFive = version === 5;
  const subscription = { topicFilter, qos, noLocal: isFive, retainAsPublished: isFive, retainHandling: 0 } as const;
  return { type: "SUBSCRIBE", packetId, subscriptions: [subscription], properties: NO_PROPERTIES };
}

// They wait for the bridge to come again, and can do so together.
describe("a bridge, to the other broker", { concurrency: true }, () => {
  for (const [version, protocol] of VERSIONS) {
    test(`${protocol}: PINGREQ is answered, and so is what is not known, without a reason code`, async (context) => {
      const other = await OtherBroker.start(context, version);
      await other.bridged(context, protocol, "topic t out 1");
      const bridge = await other.asked();
      bridge.letIn();
      bridge.send({ type: "PINGREQ" });
      await bridge.expect({ type: "PINGRESP" });
      bridge.send(answering("PUBACK", 2000), answering("PUBREC", 2001), answering("PUBREL", 2002));
      await bridge.expect(answering("PUBREL", 2001), answering("PUBCOMP", 2002));
      bridge.send(answering("PUBCOMP", 2003), publishing("t", 1, 180));
      await bridge.expect(answering("PUBACK", 180));
    });

    test(`${protocol}: what was under way goes on though the other broker has forgotten it, and identifiers count on`, async (context) => {
      const other = await OtherBroker.start(context, version);
      const here = await other.bridged(context, protocol, "topic t both 2");
      const first = await other.asked();
      first.letIn();
      await first.expect(subscribing(version, 1, 2));
      await new Listening(context, here.port).client.publish("t", "x", { qos: 2 });
      await first.expect(publishing("t", 2, 2));
      first.close();
      const second = await other.asked();
      second.letIn();
      await second.expect(subscribing(version, 3, 2), publishing("t", 2, 2, true));
      second.send(answering("PUBREC", 2));
      await second.expect(answering("PUBREL", 2));
      second.close();
      const third = await other.asked();
      third.letIn();
      await third.expect(subscribing(version, 4, 2), answering("PUBREL", 2));
      third.send(answering("PUBCOMP", 2), { type: "PINGREQ" });
      await third.expect({ type: "PINGRESP" });
      third.close();
      const fourth = await other.asked();
      fourth.letIn();
      fourth.send({ type: "PINGREQ" });
      await fourth.expect(subscribing(version, 5, 2), { type: "PINGRESP" });
    });

    test(`${protocol}: what is published while the bridge asks to be let in crosses it, at QoS 0 only if it is`, async (context) => {
      const other = await OtherBroker.start(context, version);
      const here = await other.bridged(context, protocol, "topic t out 0");
      const near = new Listening(context, here.port);
      const publish = async (topicName: string): Promise<void> => {
        await isAttached(here);
        await near.client.publish(topicName, "x", { qos: 0 });
        await near.client.publish("over", "", { qos: 1 });
      };
      const first = await other.asked();
      await publish("t");
      first.close();
      const second = await other.asked();
      await publish("t");
      second.letIn();
      second.send({ type: "PINGREQ" });
      await second.expect(publishing("t", 0, 0), { type: "PINGRESP" });
    });

    test(`${protocol}: retained messages come once, however often the bridge was not let in before`, async (context) => {
      const other = await OtherBroker.start(context, version);
      const here = await other.bridged(context, protocol, "topic t out 1");
      const first = await other.asked();
      first.letIn();
      first.send({ type: "PINGREQ" });
      await first.expect({ type: "PINGRESP" });
      await new Listening(context, here.port).client.publish("t", "x", { qos: 1, retain: true });
      await first.expect(publishing("t", 1, 1, false, true));
      first.send(answering("PUBACK", 1), { type: "PINGREQ" });
      await first.expect({ type: "PINGRESP" });
      first.close();
      for (let i = 0; i < 2; i++) {
        const refused = await other.asked();
        await isAttached(here);
        refused.close();
      }
      const last = await other.asked();
      last.letIn();
      await last.expect(publishing("t", 1, 2, false, true));
      last.send(answering("PUBACK", 2), { type: "PINGREQ" });
      await last.expect({ type: "PINGRESP" });
    });
  }

  test("a bridge that ends waits for the acknowledgements of what it has sent, and does not send it again", async (context) => {
    const other = await OtherBroker.start(context, 4);
    const here = await other.bridged(
      context,
      "mqttv311",
      "topic t out 1",
      "persistence true",
      "persistence_location FOLDER/",
    );
    const bridge = await other.asked();
    bridge.letIn();
    bridge.send({ type: "PINGREQ" });
    await bridge.expect({ type: "PINGRESP" });
    await new Listening(context, here.port).client.publish("t", "x", { qos: 1 });
    await bridge.expect(publishing("t", 1, 1));
    const stopped = here.stop();
    bridge.send(answering("PUBACK", 1));
    await stopped;
    assert.equal(await bridge.leaves(), "e000", "DISCONNECT");
    await here.start();
    const again = await other.asked();
    again.letIn();
    again.send({ type: "PINGREQ" });
    await again.expect({ type: "PINGRESP" });
  });

  test("what came just before the connection was lost is not published twice here", async (context) => {
    const other = await OtherBroker.start(context, 4);
    const here = await other.bridged(context, "mqttv311", "topic # in 1");
    const near = await new Listening(context, here.port).subscribe("#");
    const first = await other.asked();
    first.letIn();
    await first.expect(subscribing(4, 1, 1, "#"));
    // So many that this broker still takes them when the connection is gone.
    const topics = Array.from({ length: 150 }, (_, i) => `t/${i}`);
    first.send(...topics.map((topicName, i) => publishing(topicName, 1, i + 1)));
    first.end();
    const second = await other.asked();
    second.letIn();
    second.send(publishing("mark", 1, 1));
    await near.got("mark x q1");
    assert.deepEqual(
      near.messages,
      [...topics, "mark"].map((topicName) => `${topicName} x q1`),
    );
  });

  test("a topic name that is none ends the connection without a word", async (context) => {
    const other = await OtherBroker.start(context, 5);
    await other.bridged(context, "mqttv50", "topic # in 1");
    const bridge = await other.asked();
    bridge.letIn();
    await bridge.expect(subscribing(5, 1, 1, "#"));
    bridge.sendBytes("30 06 0002 612b 00 78");
    assert.equal(await bridge.leaves(), "");
  });
});
