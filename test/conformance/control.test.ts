/** Requests below `$CONTROL/`: who gets them, who does not, and how they are answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ControlRequest, respond } from "../../src/core/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { bytesOf, textOf } from "../support/test-client.ts";

const TOPIC = "$CONTROL/feature/v1";

function harnessWith(handler: (request: ControlRequest) => void): BrokerHarness {
  const harness = new BrokerHarness();
  harness.broker.controls.handle(TOPIC, handler);
  return harness;
}

for (const qos of [0, 1, 2] as const) {
  test(`a request at QoS ${qos} goes to its handler once, and to no subscriber, retained or not`, () => {
    const requests: string[] = [];
    const harness = harnessWith(({ connection, topicName, payload }) =>
      requests.push(`${connection.clientId} ${topicName} ${textOf(payload)}`),
    );
    const eavesdropper = harness.connect("eavesdropper");
    eavesdropper.subscribe(["$CONTROL/#", TOPIC, "#"]);
    harness.connect("admin").publish(TOPIC, "list", { qos, retain: true });
    assert.deepEqual(requests, [`admin ${TOPIC} list`]);
    assert.deepEqual(eavesdropper.payloads(), []);
    assert.equal(harness.broker.retained.count, 0);
  });
}

test("the answer goes to the client of the request alone, without a Subscription", () => {
  const harness = harnessWith((request) => respond(request, `${TOPIC}/response`, bytesOf("done"), 1));
  const [admin, other] = [harness.connect("admin"), harness.connect("other")];
  other.subscribe("$CONTROL/#");
  admin.publish(TOPIC, "list", { qos: 1 });
  assert.deepEqual(
    admin.publishes().map(({ topicName, payload }) => `${topicName} ${textOf(payload)}`),
    [`${TOPIC}/response done`],
  );
  assert.deepEqual(other.payloads(), []);
});

test("a request that nobody takes is acknowledged, and its client is told", () => {
  const harness = harnessWith(() => assert.fail("not asked"));
  const client = harness.connect("client");
  client.subscribe("$CONTROL/#");
  client.publish("$CONTROL/other/v1", "?", { qos: 1 });
  const answers = client.received.filter((packet) => packet.type === "PUBACK");
  assert.deepEqual(
    answers.map((packet) => "reasonCode" in packet && packet.reasonCode),
    [0],
  );
  assert.deepEqual(client.payloads(), ['{"error":"endpoint not available"}']);
});

test("a policy that denies the topic keeps the request from its handler", () => {
  const requests: unknown[] = [];
  const policy = { allowsAll: false, canPublish: () => false, canSubscribe: () => true, canReceive: () => true };
  const harness = new BrokerHarness({
    authenticator: { authenticate: () => ({ kind: "accepted", policy, principal: "user" }) },
  });
  harness.broker.controls.handle(TOPIC, (request) => requests.push(request));
  harness.connect("client").publish(TOPIC, "list", { qos: 1 });
  assert.deepEqual(requests, []);
});

test("a request whose answer could not reach its client is refused with the acknowledgement, and not handled", () => {
  const requests: unknown[] = [];
  const harness = new BrokerHarness();
  harness.broker.controls.handle(
    TOPIC,
    (request) => requests.push(request),
    ({ payload }) => textOf(payload) === "may",
  );
  const client = harness.connect("client");
  client.publish(TOPIC, "list", { qos: 1 });
  client.publish(TOPIC, "may", { qos: 1 });
  assert.deepEqual(client.trace(), ["PUBACK m1 0x87", "PUBACK m2"]);
  assert.equal(requests.length, 1);
});

test("a will below $CONTROL is refused without a word: it would be a request in another's name", () => {
  const harness = harnessWith(() => assert.fail("not asked"));
  const client = harness.open(5);
  client.connect("client", { will: { topicName: TOPIC, payload: "list" } });
  assert.deepEqual([client.connack, client.isClosed], [null, true]);
});
