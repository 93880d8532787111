import assert from "node:assert/strict";
import { test } from "node:test";
import { ALONE } from "../../src/core/index.ts";
import type { PublishFields } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { MemoryMesh } from "../support/memory-mesh.ts";
import { testMesh } from "./mesh-contract.ts";

testMesh("memory", async (brokers) => {
  const mesh = new MemoryMesh();
  const meshes = Array.from({ length: brokers }, () => mesh.join());
  return {
    meshes,
    settle: async () => {
      while (mesh.run());
    },
    close: async () => {},
  };
});

test("alone: nothing comes, whatever is wanted and published", () => {
  ALONE.attach(() => assert.fail("there is nobody else"));
  ALONE.want("#");
  ALONE.publish({
    topicName: "t",
    payload: new Uint8Array(1),
    qos: 2,
    retain: true,
    dup: false,
    packetId: 0,
    properties: {},
  });
  ALONE.unwant("#");
});

/** Two brokers that work as one. */
class Pair {
  readonly #mesh = new MemoryMesh();
  readonly a = new BrokerHarness({ mesh: this.#mesh.join() });
  readonly b = new BrokerHarness({ mesh: this.#mesh.join() });

  /** Until nothing is on its way between the two. */
  settle(): void {
    do for (const harness of [this.a, this.b]) harness.settle();
    while (this.#mesh.run());
  }
}

test("two brokers: a client of one gets what is published at the other, at each QoS, and its publisher once", () => {
  const pair = new Pair();
  const [here, there] = [pair.a.connect("here"), pair.b.connect("there")];
  for (const client of [here, there]) client.subscribe("t/#");
  const pub = pair.a.connect("pub");
  for (const qos of [0, 1, 2] as const) pub.publish("t/1", `${qos}`, { qos });
  pair.settle();
  assert.deepEqual(
    [here.payloads(), there.payloads()],
    [
      ["0", "1", "2"],
      ["0", "1", "2"],
    ],
  );
  there.unsubscribe("t/#");
  pub.publish("t/1", "3");
  pair.settle();
  assert.deepEqual([here.payloads(), there.payloads()], [["3"], []]);
});

test("two brokers: a message retained at one is retained at the other that wants it", () => {
  const pair = new Pair();
  pair.b.connect("watcher").subscribe("t");
  pair.a.connect("pub").publish("t", "kept", { retain: true });
  pair.settle();
  const late = pair.b.connect("late");
  late.subscribe("t");
  assert.deepEqual(late.trace(), ["PUBLISH t=kept q0 retain"]);
});

test("what a broker offers: wills too, not what lies below $SYS, and no alias of the publisher's connection", () => {
  const offered: PublishFields[] = [];
  const harness = new BrokerHarness({ mesh: { ...ALONE, publish: (message) => offered.push(message) } });
  const pub = harness.connect("pub", { will: { topicName: "will", payload: "w" } });
  pub.publish("aliased", "one", { properties: { topicAlias: 1, contentType: "x" } });
  pub.publish("", "two", { properties: { topicAlias: 1 } });
  pub.drop();
  const fields = { qos: 0, retain: true, dup: false, packetId: 0, properties: {} } as const;
  harness.broker.publish({ ...fields, topicName: "$SYS/uptime", payload: new Uint8Array(1) });
  assert.deepEqual(
    offered.map(({ topicName, properties }) => [topicName, properties]),
    [
      ["aliased", { contentType: "x" }],
      ["aliased", {}],
      ["will", {}],
    ],
  );
});
