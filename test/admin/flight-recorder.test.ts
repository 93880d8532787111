/** What is remembered of connections: who ended them, by which rule, what passed before, and never more than the bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_RECORDER_OPTIONS } from "../../src/observe/index.ts";
import { BEGIN_MS, RecordedBroker } from "./recorded-broker.ts";

test("a connection that is there, with what passed on it", () => {
  const { harness, recorder } = new RecordedBroker();
  const client = harness.connect("c1", { version: 4, keepAliveSeconds: 30, username: "ann" });
  harness.advance(1000);
  client.publish("t", "x", { qos: 1 });
  const [record, ...others] = recorder.connectionsOf("c1");
  assert.deepEqual(others, []);
  assert.deepEqual(
    [record?.version, record?.keepAliveSeconds, record?.username, record?.openedMs, record?.endedMs, record?.reason],
    [4, 30, "ann", BEGIN_MS, null, null],
  );
  assert.deepEqual(
    record?.trail.map(({ direction, firstByte, firstPacketId, firstMs }) => [
      direction,
      firstByte >> 4,
      firstPacketId,
      firstMs - BEGIN_MS,
    ]),
    [
      ["received", 1, 0, 0],
      ["sent", 2, 0, 0],
      ["received", 3, 1, 1000],
      ["sent", 4, 1, 1000],
    ],
  );
  assert.equal(record?.lastReceivedMs, BEGIN_MS + 1000);
});

test("the end of a connection: by whom, by which rule, and how long it was silent", () => {
  const { harness, recorder } = new RecordedBroker({ options: { maximumTopicLevels: 3 } });
  harness.connect("silent", { keepAliveSeconds: 10 });
  harness.connect("polite").disconnect();
  const rude = harness.connect("rude");
  rude.publish("a/b/c/d", "x");
  harness.advance(20_000);
  const [silent] = recorder.connectionsOf("silent");
  assert.equal(silent?.reason, "keep-alive-timeout");
  assert.ok(silent.endedMs! - silent.lastReceivedMs >= 15_000 && silent.endedMs! - silent.lastReceivedMs < 16_000);
  assert.equal(recorder.connectionsOf("polite")[0]?.reason, "client-disconnected");
  const [broken] = recorder.connectionsOf("rude");
  assert.equal(broken?.reason, "topic-name-invalid");
  assert.match(broken.detail ?? "", /more than 3 levels/);
});

test("one who was refused is remembered, and that it was never let in", () => {
  const { harness, recorder } = new RecordedBroker({
    authenticator: { authenticate: () => ({ kind: "refused", reason: "bad-user-name-or-password" }) },
  });
  harness.open(4).connect("c1", { username: "ann" });
  const [record] = recorder.connectionsOf("c1");
  assert.deepEqual(
    [record?.wasAccepted, record?.reason, record?.username],
    [false, "bad-user-name-or-password", "ann"],
  );
});

test("a takeover names the address of the one who took over", () => {
  const { harness, recorder } = new RecordedBroker();
  harness.connect("c1");
  const second = harness.connect("c1");
  const [first, now] = recorder.connectionsOf("c1");
  assert.deepEqual([first?.reason, first?.takenOverBy], ["session-taken-over", second.link.remoteAddress]);
  assert.deepEqual([now?.endedMs, now?.takenOverBy], [null, null]);
});

test("what was denied on a connection, and what did not reach a Session, by topic and with counts", () => {
  const policy = {
    allowsAll: false,
    canPublish: (topicName: string) => topicName !== "secret",
    canSubscribe: (topicFilter: string) => topicFilter !== "#",
    canReceive: () => true,
  };
  const { harness, recorder } = new RecordedBroker({
    options: { maximumQueuedMessages: 1 },
    authenticator: { authenticate: () => ({ kind: "accepted", policy, principal: null }) },
  });
  const away = harness.connect("away", { cleanStart: false, properties: { sessionExpirySeconds: 60 } });
  away.subscribe(["t", "#"]);
  const session = away.connection.session!;
  away.drop();
  const pub = harness.connect("pub");
  for (let i = 0; i < 3; i++) pub.publish("t", "x", { qos: 1 });
  pub.publish("secret", "x");
  const brief = ({ kind, topic, count }: { kind: string; topic: string; count: number }) =>
    `${kind} ${topic} x${count}`;
  assert.deepEqual(recorder.lossesOf(session).map(brief), ["queue-full t x2"]);
  assert.deepEqual(recorder.connectionsOf("pub")[0]?.denied.map(brief), ["publish-denied secret x1"]);
  assert.deepEqual(recorder.connectionsOf("away")[0]?.denied.map(brief), ["subscribe-denied # x1"]);
});

test("keep-alive losses of many clients at once are a wave; of those of the same network it says how many", () => {
  const { harness, recorder } = new RecordedBroker();
  for (let i = 0; i < 5; i++) harness.connect(`c${i}`, { keepAliveSeconds: 10 });
  harness.advance(120_000);
  harness.connect("later", { keepAliveSeconds: 10 });
  harness.advance(20_000);
  assert.deepEqual(recorder.connectionsOf("c0")[0]?.lostWith, { all: 4, sameNetwork: 4 });
  assert.deepEqual(recorder.connectionsOf("later")[0]?.lostWith, { all: 0, sameNetwork: 0 });
});

test("the bounds hold: of all clients, and of one that comes and goes all the time", () => {
  const options = { ...DEFAULT_RECORDER_OPTIONS, endedConnections: 20, endedPerClient: 5 };
  const { harness, recorder } = new RecordedBroker({}, options);
  harness.connect("quiet").disconnect();
  for (let i = 0; i < 100; i++) harness.connect("flapping").disconnect();
  assert.equal(recorder.connectionsOf("flapping").length, 5);
  assert.equal(recorder.connectionsOf("quiet").length, 1);
  for (let i = 0; i < 30; i++) harness.connect(`c${i}`).disconnect();
  assert.equal(recorder.endedConnections, 20);
  assert.equal(recorder.connectionsOf("quiet").length, 0);
  assert.equal(recorder.connectionsOf("c29").length, 1);
});
