// V4: topics of very many levels, wherever there is one: a limit answers, and without the limit no stack is used up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerHarness } from "../support/broker-harness.ts";
import { WireClient } from "../support/wire-client.ts";
import { startConfigured } from "./configured-broker.ts";

const VERSIONS = [3, 4, 5] as const;
const DEEPEST = "/".repeat(32_766);

for (const version of VERSIONS) {
  test(`version ${version}: a topic name of 200 slashes is taken, one of 201 ends the connection, 5.0 is told 0x81`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub");
    sub.subscribe("#");
    for (const qos of [0, 1, 2] as const) {
      const pub = harness.connect("pub", { version });
      pub.publish("/".repeat(200), "200", { qos });
      assert.equal(pub.isClosed, false);
      pub.publish("/".repeat(201), "201", { qos, retain: true });
      assert.deepEqual([pub.isClosed, pub.trace().at(-1)], [true, version === 5 ? "DISCONNECT 0x81" : lastOf(qos)]);
    }
    assert.deepEqual(sub.payloads(), ["200", "200", "200"]);
  });
}

/** The last packet that a publisher of an older version got for its first message. */
function lastOf(qos: 0 | 1 | 2): string | undefined {
  return [undefined, "PUBACK m1", "PUBCOMP m1"][qos];
}

test("the deepest topics there can be cost no stack: 65,536 levels in PUBLISH, SUBSCRIBE and UNSUBSCRIBE", () => {
  const harness = new BrokerHarness({ options: { maximumTopicLevels: 100_000 } });
  const deepest = "/".repeat(65_535);
  const sub = harness.connect("sub");
  assert.deepEqual(sub.subscribe(deepest), [2]);
  const pub = harness.connect("pub");
  pub.publish(deepest, "deep", { retain: true });
  assert.deepEqual(sub.payloads(), ["deep"]);
  sub.subscribe("#");
  assert.deepEqual(sub.payloads(), ["deep"]);
  assert.deepEqual(sub.unsubscribe(deepest), [0]);
  const strict = new BrokerHarness().connect("c");
  assert.deepEqual(strict.subscribe(["/#"]), [2]);
  assert.deepEqual(strict.unsubscribe(deepest, "/#"), [0x11, 0]);
  strict.sendSubscribe(deepest);
  assert.deepEqual([strict.trace(), strict.isClosed], [["DISCONNECT 0x81"], true]);
});

test("a will of more levels than allowed is refused with its CONNECT", () => {
  const harness = new BrokerHarness();
  for (const version of VERSIONS) {
    for (const [levels, isRefused] of [
      [201, false],
      [202, true],
      [32_767, true],
    ] as const) {
      const client = harness.open(version);
      client.connect("w", { version, will: { topicName: "/".repeat(levels - 1) } });
      assert.equal(client.isClosed, isRefused, `version ${version}, ${levels} levels`);
      if (isRefused && version === 5) assert.equal(client.connack?.reasonCode, 0x90);
      if (!isRefused) client.disconnect();
    }
  }
});

test("an ACL file of 201 levels is applied to topics as deep and deeper; with more levels it lets no broker start", async (context) => {
  const [most, wild] = ["/".repeat(200), `${"+/".repeat(200)}+`];
  const rules = `user ann\ntopic readwrite ${most}\ntopic write ${wild}\npattern read ${"+/".repeat(199)}%c/#\n`;
  const lines = ["allow_anonymous true", "acl_file FOLDER/rules", "lacewing_max_topic_levels 65535"];
  const broker = await startConfigured(context, lines, { rules });
  const client = await WireClient.connect(broker.address, "c", { username: "ann" });
  for (const filter of [most, `${"+/".repeat(32_766)}#`]) assert.equal(await client.trySubscribe(filter), 2);
  await client.publish(most, "deep", { qos: 1 });
  assert.equal(client.lastReasonCode, 0);
  assert.equal((await client.expect("PUBLISH")).topicName, most);
  await client.publish(DEEPEST, "deeper", { qos: 1 });
  assert.equal(client.lastReasonCode, 0x87);
  for (const filter of [`${most}/`, DEEPEST, `${"+/".repeat(32_766)}+`]) {
    const tooDeep = startConfigured(context, lines, { rules: `user ann\ntopic read ${filter}\n` });
    await assert.rejects(tooDeep, (error: Error) => /rules:2: .{100}\.\.\. cannot be used: .*201/.test(error.message));
  }
});

test("many wildcards at each level cost no more than the levels: a matcher that tried all ways would not come back", async (context) => {
  const filters = Array.from({ length: 16 }, (_, bits) =>
    [0, 1, 2, 3].map((bit) => ((bits >> bit) & 1 ? "+" : "a")).join("/"),
  );
  const rules = filters.map((filter) => `topic readwrite ${`${filter}/`.repeat(12)}end`).join("\n");
  const broker = await startConfigured(context, ["allow_anonymous true", "acl_file FOLDER/rules"], { rules });
  const client = await WireClient.connect(broker.address, "c");
  for (const filter of filters) await client.subscribe(`${`${filter}/`.repeat(12)}end`, { qos: 0 });
  await client.publish(`${"a/".repeat(48)}end`, "x", { qos: 1 });
  assert.equal(client.lastReasonCode, 0);
  assert.equal((await client.expect("PUBLISH")).topicName, `${"a/".repeat(48)}end`);
});
