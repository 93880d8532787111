/** What would become of a message: each answer is held against what really becomes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Outcome, type TraceQuestion, trace } from "../../src/core/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";

const QUESTION: TraceQuestion = { topicName: "t", to: "sub", from: "pub", qos: 1, retain: false, payloadBytes: 10 };

/** Asks, then publishes, and says how many copies came. */
function askAndPublish(
  harness: BrokerHarness,
  change: Partial<TraceQuestion> = {},
): { outcome: Outcome; came: number } {
  const question = { ...QUESTION, ...change };
  const { outcome } = trace(harness.broker, question);
  const sub = harness.clients.find(({ connection }) => connection.clientId === question.to);
  sub?.publishes();
  const pub = harness.connect(question.from ?? "pub");
  const { qos, retain } = question;
  pub.publish(question.topicName, new Uint8Array(question.payloadBytes), { qos, retain });
  return { outcome, came: sub?.publishes().length ?? 0 };
}

test("one who is there and has subscribed gets it", () => {
  const harness = new BrokerHarness();
  harness.connect("sub").subscribe("t");
  assert.deepEqual(askAndPublish(harness), { outcome: { kind: "sent" }, came: 1 });
});

test("the QoS is the lower of the two", () => {
  const harness = new BrokerHarness();
  harness.connect("sub").subscribe("t", { qos: 1 });
  assert.equal(trace(harness.broker, { ...QUESTION, qos: 2 }).qos, 1);
  assert.equal(trace(harness.broker, { ...QUESTION, qos: 0 }).qos, 0);
});

test("an unknown client, a topic that is none, one below $SYS, one below $CONTROL", () => {
  const harness = new BrokerHarness();
  harness.connect("sub").subscribe("#");
  assert.equal(askAndPublish(harness, { to: "nobody" }).outcome.kind, "session-unknown");
  assert.equal(trace(harness.broker, { ...QUESTION, topicName: "a/+" }).outcome.kind, "publish-invalid");
  assert.deepEqual(askAndPublish(harness, { topicName: "$SYS/x" }), { outcome: { kind: "publish-denied" }, came: 0 });
  assert.deepEqual(askAndPublish(harness, { topicName: "$CONTROL/x" }), {
    outcome: { kind: "control-topic" },
    came: 0,
  });
});

test("a packet or payload that the broker does not take", () => {
  const harness = new BrokerHarness({ options: { maximumPacketSize: 1000, maximumPayloadBytes: 500 } });
  harness.connect("sub").subscribe("t");
  // Two bytes of the topic's length, one of it, two of the packet identifier, one for no properties, three of the fixed header.
  const most = 1000 - 9;
  for (const [payloadBytes, kind] of [
    [500, "sent"],
    [501, "dropped"],
    [most, "dropped"],
    [most + 1, "publish-invalid"],
  ] as const) {
    const { outcome, came } = askAndPublish(harness, { payloadBytes });
    assert.deepEqual([outcome.kind, came], [kind, kind === "sent" ? 1 : 0], `${payloadBytes} bytes`);
  }
});

test("no filter matches: the near misses are shown", () => {
  const harness = new BrokerHarness();
  harness.connect("sub").subscribe(["T", "other"]);
  assert.deepEqual(askAndPublish(harness), {
    outcome: { kind: "no-subscription-matches", nearMisses: [{ topicFilter: "T", kind: "letter-case" }] },
    came: 0,
  });
});

test("no local keeps a client's own messages from it, and not those of others", () => {
  const harness = new BrokerHarness();
  harness.connect("sub").subscribe("t", { noLocal: true });
  const { outcome } = trace(harness.broker, { ...QUESTION, from: "sub" });
  assert.deepEqual(outcome, { kind: "dropped", reason: "no-local" });
  assert.equal(askAndPublish(harness).outcome.kind, "sent");
});

test("one who is away: QoS 0 is lost, QoS 1 waits for a Session that lasts until its queue is full", () => {
  const harness = new BrokerHarness({ options: { maximumQueuedMessages: 2 } });
  harness.connect("sub", { cleanStart: false, properties: { sessionExpirySeconds: 60 } }).subscribe("t");
  harness.clients[0]!.drop();
  assert.deepEqual(askAndPublish(harness, { qos: 0 }).outcome, { kind: "dropped", reason: "session-offline" });
  assert.deepEqual(askAndPublish(harness).outcome, { kind: "queued" });
  assert.deepEqual(askAndPublish(harness).outcome, { kind: "queued" });
  assert.deepEqual(askAndPublish(harness).outcome, { kind: "dropped", reason: "queue-full" });
  const { session } = trace(harness.broker, QUESTION);
  assert.deepEqual([session?.isConnected, session?.queuedMessages, session?.expirySeconds], [false, 2, 60]);
});

test("a packet that is too large for the receiver", () => {
  const harness = new BrokerHarness();
  harness.connect("sub", { properties: { maximumPacketSize: 100 } }).subscribe("t");
  assert.deepEqual(askAndPublish(harness, { payloadBytes: 200 }), {
    outcome: { kind: "dropped", reason: "too-large-for-receiver" },
    came: 0,
  });
});

test("what the policies of publisher and receiver deny", () => {
  const policy = (deniesPublish: boolean, deniesReceive: boolean) => ({
    allowsAll: false,
    canPublish: () => !deniesPublish,
    canSubscribe: () => true,
    canReceive: () => !deniesReceive,
  });
  const harness = new BrokerHarness({
    authenticator: {
      authenticate: ({ clientId }) => ({
        kind: "accepted",
        principal: null,
        policy: policy(clientId === "mute", clientId === "deaf"),
      }),
    },
  });
  for (const id of ["sub", "deaf"]) harness.connect(id).subscribe("t");
  harness.connect("mute");
  assert.deepEqual(askAndPublish(harness, { from: "mute" }), { outcome: { kind: "publish-denied" }, came: 0 });
  const denied = { outcome: { kind: "dropped", reason: "receive-denied" }, came: 0 };
  assert.deepEqual(askAndPublish(harness, { to: "deaf" }), denied);
  const { outcome, isPublisherKnown } = trace(harness.broker, { ...QUESTION, from: "absent" });
  assert.deepEqual([outcome.kind, isPublisherKnown], ["sent", false]);
});

test("a shared subscription names the member whose turn it is, without taking it away", () => {
  const harness = new BrokerHarness();
  for (const id of ["sub", "sub2"]) harness.connect(id).subscribe("$share/g/t");
  for (let i = 0; i < 4; i++) {
    const { outcome } = trace(harness.broker, QUESTION);
    const { came } = askAndPublish(harness);
    if (came === 1) assert.deepEqual(outcome, { kind: "sent" });
    else assert.deepEqual(outcome, { kind: "shared-with", group: "$share/g/t", clientId: "sub2" });
  }
});
