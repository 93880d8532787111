/** Requests to the running broker: the answers, who may ask, and what is said to requests that cannot be understood. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { REQUEST_TOPIC, RESPONSE_TOPIC, type Requests, TAP_TOPIC, type TapEvent } from "../../src/admin/index.ts";
import { decodePacket, isFault } from "../../src/protocol/index.ts";
import { type TestClient, textOf } from "../support/test-client.ts";
import { RecordedBroker } from "./recorded-broker.ts";

test("clients: those that are there and those whose Session lasts, page by page", () => {
  const broker = new RecordedBroker();
  const { harness } = broker;
  harness.connect("away", { properties: { sessionExpirySeconds: 60 } }).drop();
  harness.connect("here", { version: 4, keepAliveSeconds: 30 }).subscribe(["a", "b"]);
  const { clients, all } = broker.ask("clients", {});
  assert.equal(all, 3);
  assert.deepEqual(
    clients.map(({ clientId, version, keepAliveSeconds, subscriptions }) => [
      clientId,
      version,
      keepAliveSeconds,
      subscriptions,
    ]),
    [
      ["admin", 5, 0, 0],
      ["away", null, null, 0],
      ["here", 4, 30, 2],
    ],
  );
  const page = broker.ask("clients", { after: "admin", limit: 1 });
  assert.deepEqual(
    page.clients.map(({ clientId }) => clientId),
    ["away"],
  );
});

test("clients: whatever the order in which they came, the pages together are all of them, in order and once", () => {
  const broker = new RecordedBroker();
  const names = Array.from({ length: 40 }, (_, i) => `c${(i * 17) % 40}`);
  for (const name of names) broker.harness.connect(name);
  const seen: string[] = [];
  for (;;) {
    const { clients } = broker.ask("clients", { after: seen.at(-1) ?? "", limit: 7 });
    seen.push(...clients.map(({ clientId }) => clientId));
    if (clients.length < 7) break;
  }
  assert.deepEqual(seen, ["admin", ...names].sort());
});

test("top: the busiest of the time that was asked for, and all together", async () => {
  const broker = new RecordedBroker();
  const { harness, admin } = broker;
  const [busy, idle] = [harness.connect("busy"), harness.connect("idle")];
  for (let i = 0; i < 50; i++) idle.publish("t", "before");
  admin.publish(REQUEST_TOPIC, '{"command": "top", "seconds": 2, "limit": 2}');
  for (let i = 0; i < 10; i++) busy.publish("t", "x", { qos: 1 });
  harness.connect("late").publish("t", "x");
  assert.deepEqual(admin.publishes(), []);
  await harness.rest(2000);
  const [answer] = admin.publishes();
  assert.ok(answer !== undefined);
  const { data } = JSON.parse(textOf(answer.payload)) as { data: Requests["top"]["answer"] };
  assert.deepEqual(
    data.clients.map(({ clientId, receivedPerSecond, sentPerSecond }) => [clientId, receivedPerSecond, sentPerSecond]),
    [
      ["busy", 5, 5],
      ["late", 1, 0.5],
    ],
  );
  assert.deepEqual([data.connected, data.sentPerSecond], [4, 5.5]);
});

test("top: who has gone gets no answer, nor whoever has its Session now", async () => {
  const { harness } = new RecordedBroker();
  const first = harness.connect("asker", { properties: { sessionExpirySeconds: 60 } });
  first.publish(REQUEST_TOPIC, '{"command": "top", "seconds": 1}');
  first.drop();
  const second = harness.connect("asker", { cleanStart: false });
  await harness.rest(2000);
  assert.deepEqual(second.publishes(), []);
});

test("why: the last connections of a client, and names like it when it is not known", () => {
  const broker = new RecordedBroker();
  for (let i = 0; i < 3; i++) broker.harness.connect("sensor-1").disconnect();
  assert.equal(broker.ask("why", { clientId: "sensor-1" }).connections.length, 3);
  assert.equal(broker.ask("why", { clientId: "sensor-1", limit: 2 }).connections.length, 2);
  assert.deepEqual(broker.ask("why", { clientId: "Sensor" }).similar, ["sensor-1"]);
});

test("why-not: what would become of a message, and what became of those before it", () => {
  const broker = new RecordedBroker();
  const { harness } = broker;
  harness.connect("sub", { properties: { sessionExpirySeconds: 60 } }).subscribe("t");
  harness.clients[0]!.drop();
  harness.connect("pub").publish("t", "x");
  const question = { topicName: "t", to: "sub", from: null, qos: 0, retain: false, payloadBytes: 1 } as const;
  const { trace, losses } = broker.ask("why-not", question);
  assert.deepEqual(trace.outcome, { kind: "dropped", reason: "session-offline" });
  assert.deepEqual(
    losses.map(({ kind, topic, count }) => [kind, topic, count]),
    [["session-offline", "t", 1]],
  );
});

for (const [payload, error] of [
  ["{", /not JSON, as in/],
  ["[]", /is a JSON object/],
  ["{}", /"command" is missing/],
  ['{"command": "wy"}', /unknown command "wy"; there are clients, top, why/],
  ['{"command": "why"}', /"clientId" is missing/],
  ['{"command": "why", "clientId": 7}', /"clientId" is no text/],
  ['{"command": "clients", "limit": 0}', /"limit" must be a whole number from 1 to 1000/],
  ['{"command": "tap", "clientId": "x"}', /"seconds" must be a whole number/],
  ['{"command": "tap", "clientId": "admin", "seconds": 1}', /cannot record itself/],
] as const) {
  test(`${payload} is answered with what is allowed`, () => {
    const answer = new RecordedBroker().send(payload);
    assert.match("error" in answer ? answer.error : "no error", error);
  });
}

test("the answer goes to the Response Topic with the Correlation Data of the request", () => {
  const { admin } = new RecordedBroker();
  const correlationData = new Uint8Array([1, 2, 3]);
  admin.publish(REQUEST_TOPIC, '{"command": "clients"}', { properties: { responseTopic: "mine", correlationData } });
  const [answer] = admin.publishes();
  assert.deepEqual([answer?.topicName, answer?.properties.correlationData], ["mine", correlationData]);
});

test("where no rules say who may ask, only clients of this machine may", () => {
  const broker = new RecordedBroker();
  const stranger = broker.harness.connect("stranger");
  Object.defineProperty(stranger.link, "remoteAddress", { value: "10.1.2.3:50000" });
  stranger.publish(REQUEST_TOPIC, '{"command": "clients"}');
  const [answer] = stranger.publishes();
  assert.equal(answer?.topicName, RESPONSE_TOPIC);
  assert.match(textOf(answer.payload), /only clients on its own machine may/);
});

test("a rule that lets a client write the topic lets it ask, from anywhere", () => {
  const policy = { allowsAll: false, canPublish: () => true, canSubscribe: () => true, canReceive: () => true };
  const broker = new RecordedBroker({
    authenticator: { authenticate: () => ({ kind: "accepted", policy, principal: "ops" }) },
  });
  Object.defineProperty(broker.admin.link, "remoteAddress", { value: "10.1.2.3:50000" });
  assert.equal(broker.ask("clients", {}).all, 1);
});

function eventsOf(admin: TestClient): TapEvent[] {
  const events = admin.publishes().filter(({ topicName }) => topicName === TAP_TOPIC);
  return events.map(({ payload }) => JSON.parse(textOf(payload)) as TapEvent);
}

/** The packets in the bytes that went one way. */
function packetsOf(events: readonly TapEvent[], direction: "received" | "sent"): string[] {
  return events.flatMap((event) => {
    if (event.kind !== "bytes" || event.direction !== direction) return [];
    const bytes = Buffer.from(event.data, "base64");
    const packet = decodePacket(bytes, 0, bytes.length, 5, direction === "received" ? "client" : "server");
    return [isFault(packet) ? packet.message : packet.type];
  });
}

test("tap: from the CONNECT on, without its password, until the end of the connection", () => {
  const broker = new RecordedBroker();
  assert.deepEqual(broker.ask("tap", { clientId: "c1", seconds: 60 }), { isConnected: false, seconds: 60 });
  const client = broker.harness.connect("c1", { username: "ann", password: "geheim" });
  broker.harness.connect("other", { password: "geheim" }).publish("t", "not this");
  client.publish("t", "payload", { qos: 1 });
  client.disconnect();
  const events = eventsOf(broker.admin);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["opened", "bytes", "bytes", "bytes", "bytes", "bytes", "ended"],
  );
  assert.deepEqual(packetsOf(events, "received"), ["CONNECT", "PUBLISH", "DISCONNECT"]);
  assert.deepEqual(packetsOf(events, "sent"), ["CONNACK", "PUBACK"]);
  const all = events.map((event) =>
    event.kind === "bytes" ? Buffer.from(event.data, "base64").toString("latin1") : "",
  );
  assert.ok(!all.join("").includes("geheim"));
  assert.ok(all.join("").includes("******"));
  assert.equal(client.connection.tap === null || broker.ask("untap", { clientId: "c1" }).events === 7, true);
});

test("tap of a client that is there begins with what comes, and ends when its time is over", () => {
  const broker = new RecordedBroker();
  const client = broker.harness.connect("c1");
  assert.equal(broker.ask("tap", { clientId: "c1", seconds: 5 }).isConnected, true);
  client.publish("t", "x");
  assert.deepEqual(packetsOf(eventsOf(broker.admin), "received"), ["PUBLISH"]);
  broker.harness.advance(6000);
  assert.deepEqual(
    eventsOf(broker.admin).map(({ kind }) => kind),
    ["over"],
  );
  client.publish("t", "x");
  assert.deepEqual(eventsOf(broker.admin), []);
  assert.equal(client.connection.tap, null);
});

test("who records and does not read gets gaps, and the broker holds no more than its bound", () => {
  const broker = new RecordedBroker({ options: { maximumOutputBytes: 1_048_576 } });
  const client = broker.harness.connect("c1");
  broker.ask("tap", { clientId: "c1", seconds: 60 });
  broker.admin.setReading(false);
  for (let i = 0; i < 40; i++) client.publish("t", new Uint8Array(100_000));
  assert.ok(broker.admin.connection.backlogBytes < 2_000_000);
  broker.admin.setReading(true);
  client.publish("t", "x");
  const gap = eventsOf(broker.admin).find(({ kind }) => kind === "gap");
  assert.ok(gap?.kind === "gap" && gap.bytes > 1_000_000);
});

test("the end of the client that records ends the recording", () => {
  const broker = new RecordedBroker();
  const client = broker.harness.connect("c1");
  broker.ask("tap", { clientId: "c1", seconds: 60 });
  broker.admin.drop();
  assert.equal(client.connection.tap, null);
  client.publish("t", "x");
});
