// V17: queues and floods: a subscriber that never reads, as many wildcard filters as a client can have, "#" for everybody, and limits set
// to 0. The bounds hold, what is lost is counted to the message, and others go on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePacket, NO_PROPERTIES, type Packet, publishOf, type Qos } from "../../src/protocol/index.ts";
import { bytesOf, connectOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured, until } from "./configured-broker.ts";
import { RawSocket } from "./raw-socket.ts";

const QUOTA_EXCEEDED = 0x97;
const OPEN = ["allow_anonymous true", "sys_interval 0", "max_inflight_messages 0"];

/** Publishes so many messages of a kilobyte at once, `together` at a time, and returns how often each reason code came. */
async function publishMany(
  client: WireClient,
  topicName: string,
  count: number,
  qos: Qos,
): Promise<Map<number, number>> {
  const together = 500;
  const payload = new Uint8Array(1000);
  const codes = new Map<number, number>();
  for (let sent = 0; sent < count; sent += together) {
    const packets: Packet[] = Array.from({ length: together }, (_, i) =>
      publishOf({
        topicName,
        payload,
        qos,
        retain: false,
        dup: false,
        packetId: qos === 0 ? 0 : i + 1,
        properties: NO_PROPERTIES,
      }),
    );
    client.send(...packets);
    await client.settled();
    const answers = client.taken("PUBACK");
    if (qos === 1) assert.equal(answers.length, together);
    for (const { reasonCode } of answers) codes.set(reasonCode, (codes.get(reasonCode) ?? 0) + 1);
  }
  return codes;
}

/** A client that connects, subscribes and then reads nothing any more. */
async function stalled(broker: ConfiguredBroker, clientId: string, topicFilter: string, qos: Qos): Promise<RawSocket> {
  const subscriptions = [{ topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }] as const;
  const subscribe: Packet = { type: "SUBSCRIBE", packetId: 1, subscriptions, properties: NO_PROPERTIES };
  const socket = await RawSocket.open(broker.address, encodePacket(connectOf(5, clientId), 5));
  socket.write(encodePacket(subscribe, 5));
  await until(() => broker.server.broker.sessions.get(clientId)?.subscriptions.size === 1, "it has subscribed");
  socket.socket.pause();
  return socket;
}

test("20,000 messages for a subscriber that reads nothing: held up to its bound, the rest refused and counted, others served", async (context) => {
  const broker = await startConfigured(context, [...OPEN, "max_queued_messages 1000"]);
  const { sessions, counters } = broker.server.broker;
  const stuck = await stalled(broker, "stuck", "stuck/#", 1);
  const publisher = await WireClient.connect(broker.address, "publisher");
  const flood = publishMany(publisher, "stuck/t", 20_000, 1);
  const witness = await WireClient.connect(broker.address, "witness");
  await witness.subscribe("witness", { qos: 0 });
  let served = 0;
  let isOver = false;
  void flood.finally(() => {
    isOver = true;
  });
  for (; !isOver; served++) {
    await witness.publish("witness", "x", { qos: 1 });
    await witness.expect("PUBLISH");
  }
  const codes = await flood;
  const session = sessions.get("stuck");
  assert.equal(session?.queuedMessages, 1000);
  const held = 1000 + (session?.inflightMessages ?? 0);
  // A megabyte of output, and what the kernel took of it before.
  assert.ok(held < 10_000, `${held} are held`);
  assert.equal(codes.get(0), held);
  assert.equal(codes.get(QUOTA_EXCEEDED), 20_000 - held);
  assert.equal(counters.dropped["queue-full"], 20_000 - held);
  assert.match(
    broker.log,
    /Outgoing messages are being dropped for client stuck: the session's queue holds max_queued_messages/,
  );
  assert.ok(served > 10, `${served} served meanwhile`);
  await stuck.drop();
  await until(() => sessions.get("stuck") === undefined, "it is gone");
  assert.deepEqual([broker.server.broker.queueMemoryBytes, broker.server.broker.pendingOutputBytes], [0, 0]);
});

test("the same at QoS 0: dropped from a bound of bytes on, for it alone, each counted", async (context) => {
  const broker = await startConfigured(context, OPEN);
  const stuck = await stalled(broker, "stuck", "t", 0);
  const prompt = await WireClient.connect(broker.address, "prompt");
  await prompt.subscribe("t", { qos: 0 });
  const publisher = await WireClient.connect(broker.address, "publisher");
  const count = 30_000;
  await publishMany(publisher, "t", count, 0);
  let received = 0;
  await until(() => (received += prompt.taken("PUBLISH").length) === count, "the prompt one has everything");
  const { counters, pendingOutputBytes } = broker.server.broker;
  assert.ok(pendingOutputBytes < 18 * 1024 * 1024, `${pendingOutputBytes} bytes`);
  const dropped = counters.dropped["receiver-slow"];
  assert.ok(dropped > 0);
  stuck.socket.resume();
  const packetBytes = encodePacket(
    publishOf({
      topicName: "t",
      payload: new Uint8Array(1000),
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties: NO_PROPERTIES,
    }),
    5,
  ).length;
  await stuck.answered(packetBytes * (count - dropped));
  assert.equal(counters.publishSent, 2 * count - dropped);
  await stuck.drop();
});

test("20,000 filters of wildcards on one client: as many as it may have, the rest 0x97, and messages still find their way", async (context) => {
  const broker = await startConfigured(context, [...OPEN, "lacewing_max_subscriptions 10000"]);
  const { router } = broker.server.broker;
  const client = await WireClient.connect(broker.address, "greedy");
  const filters = Array.from({ length: 20_000 }, (_, i) => `+/+/${i % 100}/+/${Math.floor(i / 100)}/#`);
  const codes: number[] = [];
  for (let at = 0; at < filters.length; at += 2000) {
    const subscriptions = filters
      .slice(at, at + 2000)
      .map(
        (topicFilter) =>
          ({ topicFilter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const,
      );
    client.send({ type: "SUBSCRIBE", packetId: at + 1, subscriptions, properties: NO_PROPERTIES });
    codes.push(...(await client.expect("SUBACK")).reasonCodes);
  }
  assert.equal(codes.filter((code) => code === 0).length, 10_000);
  assert.equal(codes.filter((code) => code === QUOTA_EXCEEDED).length, 10_000);
  assert.equal(router.subscriptions, 10_000);
  const other = await WireClient.connect(broker.address, "other");
  await other.publish("a/b/7/c/99/d", "x", { qos: 1 });
  assert.equal((await client.expect("PUBLISH")).topicName, "a/b/7/c/99/d");
  await other.publish("a/b/7/c/100/d", "x", { qos: 1 });
  assert.equal(other.lastReasonCode, 0x10);
  await client.drop();
  await until(() => router.subscriptions === 0, "all are gone");
});

test('"#" for 300 clients: each gets every message', async (context) => {
  const broker = await startConfigured(context, OPEN);
  const clients = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const client = await WireClient.connect(broker.address, `all-${i}`);
      await client.subscribe("#", { qos: 0 });
      return client;
    }),
  );
  const publisher = await WireClient.connect(broker.address, "publisher");
  await publishMany(publisher, "t", 500, 0);
  const received = new Map(clients.map((client) => [client, 0]));
  const take = (): boolean => {
    for (const client of clients) received.set(client, (received.get(client) ?? 0) + client.taken("PUBLISH").length);
    return [...received.values()].every((count) => count === 500);
  };
  await until(take, "everybody has everything");
  assert.equal(broker.server.broker.counters.dropped["receiver-slow"], 0);
  await Promise.all(clients.map((client) => client.drop()));
});

test("every limit that may be 0 is 0: nothing divides by it, and nothing is refused", async (context) => {
  const zeros = [
    ...[
      "max_inflight_messages",
      "max_queued_messages",
      "max_queued_bytes",
      "max_inflight_bytes",
      "max_keepalive",
      "memory_limit",
    ],
    ...[
      "message_size_limit",
      "sys_interval",
      "max_topic_alias",
      "max_topic_alias_broker",
      "lacewing_max_subscriptions",
    ],
    ...["lacewing_max_connect_rate", "lacewing_max_connect_rate_per_address", "lacewing_max_message_rate"],
    ...["lacewing_max_byte_rate", "lacewing_max_login_failures"],
  ];
  const broker = await startConfigured(context, ["allow_anonymous true", ...zeros.map((name) => `${name} 0`)]);
  const client = await WireClient.connect(broker.address, "c");
  for (const qos of [0, 1, 2] as const) {
    await client.subscribe(`t/${qos}`, { qos });
    const packetId = await client.publish(`t/${qos}`, bytesOf("x"), { qos });
    if (qos === 2) await client.release(packetId);
    assert.equal((await client.expect("PUBLISH")).topicName, `t/${qos}`);
  }
  await client.settled();
});
