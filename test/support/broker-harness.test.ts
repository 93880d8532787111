import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerHarness } from "./broker-harness.ts";

for (const version of [3, 4, 5] as const) {
  test(`the harness carries a message from client to client in version ${version}`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub", { version });
    assert.deepEqual(sub.subscribe("a/+"), [2]);
    const pub = harness.connect("pub", { version });
    pub.publish("a/b", "zero");
    pub.publish("a/b", "one", { qos: 1 });
    pub.publish("a/b", "two", { qos: 2 });
    assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBREC m2", "PUBCOMP m2"]);
    assert.deepEqual(sub.trace(), [
      "PUBLISH a/b=zero q0",
      "PUBLISH a/b=one q1 m1",
      "PUBLISH a/b=two q2 m2",
      "PUBREL m2",
    ]);
    sub.disconnect();
    assert.equal(sub.isClosed, true);
  });
}

test("a client that does not read gets its bytes when it reads again", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("t");
  sub.setReading(false);
  harness.connect("pub").publish("t", "late");
  assert.deepEqual(sub.trace(), []);
  sub.setReading(true);
  assert.deepEqual(sub.payloads(), ["late"]);
});

test("time passes by hand and meets each deadline on its way", () => {
  const harness = new BrokerHarness();
  const client = harness.open();
  harness.advance(14_000);
  assert.equal(client.isClosed, false);
  harness.advance(2000);
  assert.equal(client.isClosed, true);
});
