// A shared subscription with a durable member is one obligation, whoever of the group holds the message.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_MS, DurableRig } from "../support/durable-rig.ts";
import type { TestClient } from "../support/test-client.ts";

const SHARE = "$share/g/t";

/** A durable member that is away, one that is not durable and acknowledges nothing by itself, and a publisher. */
async function group(): Promise<{ rig: DurableRig; volatile: TestClient; pub: TestClient }> {
  const rig = new DurableRig();
  const durable = await rig.durable("durable");
  await rig.subscribe(durable, SHARE);
  durable.drop();
  const volatile = rig.harness.connect("volatile", { acknowledges: false });
  volatile.subscribe(SHARE);
  const pub = rig.harness.connect("pub");
  await rig.recover();
  return { rig, volatile, pub };
}

/** Facts about deliveries that the store holds. */
function owed(rig: DurableRig): string[] {
  return rig.store.holdings().filter((fact) => /"kind":"(delivery|share)-set"/.test(fact));
}

test("a group with several durable members owes one delivery", async () => {
  const { rig, volatile, pub } = await group();
  volatile.drop();
  for (const clientId of ["second", "third"]) {
    const member = await rig.durable(clientId);
    await rig.subscribe(member, SHARE);
    member.drop();
  }
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  assert.deepEqual(pub.trace(), []);
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  assert.equal(owed(rig).length, 1);
});

test("a message held by a member that is not durable is owed to the group, until that member has acknowledged it", async () => {
  const { rig, volatile, pub } = await group();
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  assert.deepEqual([volatile.trace(), pub.trace()], [["PUBLISH t=one q1 m1"], []]);
  volatile.acknowledge("PUBACK", 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.recover();
  assert.equal(owed(rig).length, 0);
});

test("when the member that holds a message goes, its publisher waits until another one's is kept", async () => {
  const { rig, volatile, pub } = await group();
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  volatile.drop();
  await rig.harness.rest(BATCH_MS);
  assert.deepEqual(pub.trace(), [], "nobody has it and nothing is kept");
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.restart();
  assert.deepEqual((await rig.durable("durable")).payloads(), ["one"]);
});

test("a message that went from member to member is discharged by the last one", async () => {
  const { rig, volatile, pub } = await group();
  const second = rig.harness.connect("second", { acknowledges: false });
  second.subscribe(SHARE);
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  assert.deepEqual(volatile.trace(), ["PUBLISH t=one q1 m1"]);
  volatile.drop();
  assert.deepEqual([second.trace(), pub.trace()], [["PUBLISH t=one q1 m1"], []]);
  second.acknowledge("PUBACK", 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.recover();
  assert.equal(owed(rig).length, 0);
});

test("after a crash a durable member gets what one that is not durable held", async () => {
  const { rig, volatile, pub } = await group();
  for (const payload of ["one", "two", "three"]) pub.publish("t", payload, { qos: 1 });
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBACK m2", "PUBACK m3"]);
  assert.equal(volatile.trace().length, 3);
  await rig.restart();
  assert.deepEqual((await rig.durable("durable")).payloads(), ["one", "two", "three"]);
  await rig.recover();
  assert.equal(owed(rig).length, 0);
});

test("a group that was empty in between does not take an old message for a new one", async () => {
  const { rig, volatile, pub } = await group();
  pub.publish("t", "old", { qos: 1 });
  await rig.recover();
  const durable = await rig.durable("durable");
  durable.unsubscribe;
  durable.sendUnsubscribe(SHARE);
  volatile.unsubscribe(SHARE);
  await rig.recover();
  await rig.subscribe(await rig.durable("durable"), SHARE);
  volatile.subscribe(SHARE);
  rig.harness.broker.sessions.get("durable")!.connection!.close("server-disconnected");
  pub.publish("t", "new", { qos: 1 });
  await rig.recover();
  volatile.acknowledge("PUBACK", 1);
  await rig.recover();
  await rig.restart();
  assert.deepEqual((await rig.durable("durable")).payloads(), ["new"]);
});

test("nothing is left of a message that a member which is not durable took at QoS 2", async () => {
  const { rig, volatile, pub } = await group();
  const before = rig.store.holdings();
  for (const isKept of [false, true]) {
    const packetId = pub.publish("t", "one", { qos: 2 });
    if (isKept) await rig.recover();
    const { packetId: received } = volatile.expect("PUBLISH");
    volatile.acknowledge("PUBREC", received);
    volatile.expect("PUBREL");
    volatile.acknowledge("PUBCOMP", received);
    await rig.recover();
    assert.deepEqual(pub.trace(), [`PUBREC m${packetId}`, `PUBCOMP m${packetId}`]);
    assert.deepEqual(rig.store.holdings(), before);
  }
});

const MANY = Array.from({ length: 40 }, (_, i) => `${i}`);

/** Two durable members that are away, with almost no memory, and what was published to their group since. */
async function away(): Promise<DurableRig> {
  const rig = new DurableRig({ options: { maximumQueueMemoryBytes: 0 } });
  for (const [clientId, sessionExpirySeconds] of [
    ["one", 3600],
    ["two", 99_999],
  ] as const) {
    const member = await rig.durable(clientId, { properties: { sessionExpirySeconds } });
    await rig.subscribe(member, SHARE);
    member.drop();
  }
  const pub = rig.harness.connect("pub", { version: 4 });
  for (const payload of MANY) pub.publish("t", payload, { qos: 1 });
  await rig.recover();
  assert.equal(pub.trace().length, MANY.length);
  return rig;
}

test("what waits for members is in the store and not in memory", async () => {
  const rig = await away();
  const { broker } = rig.harness;
  const waiting = ["one", "two"].map((clientId) => broker.sessions.get(clientId)!.queuedMessages);
  assert.deepEqual(waiting, [20, 20]);
  assert.ok(broker.queueMemoryBytes < 1000, `${broker.queueMemoryBytes} bytes are in memory`);
  await rig.restart();
  assert.equal(rig.harness.broker.queueMemoryBytes, 0);
  const [one, two] = [await rig.durable("one"), await rig.durable("two")];
  await rig.calm();
  assert.deepEqual([...one.payloads(), ...two.payloads()].sort(), [...MANY].sort());
});

for (const [how, cleanStart] of [
  ["expires", false],
  ["begins anew", true],
] as const) {
  /** Has the Session of "one" end while the store ends no append. */
  const endOne = async (rig: DurableRig): Promise<void> => {
    rig.hang();
    if (cleanStart) rig.connecting("one", { cleanStart, version: 4 });
    else await rig.harness.rest(3_600_000);
    await rig.harness.rest(BATCH_MS);
  };

  test(`what the store holds for a member whose Session ${how} goes to the others, who come when they like`, async () => {
    const rig = await away();
    const two = await rig.durable("two", { acknowledges: false, properties: { sessionExpirySeconds: 99_999 } });
    const received = two.payloads();
    await rig.calm();
    await endOne(rig);
    await rig.recover();
    two.acknowledges = true;
    two.drop();
    const back = await rig.durable("two");
    await rig.calm();
    assert.deepEqual(new Set([...received, ...back.payloads()]), new Set(MANY));
    assert.equal(
      rig.store.holdings().some((fact) => fact.includes('"clientId":"one"')),
      false,
    );
    assert.equal(rig.harness.broker.counters.dropped["session-ended"], 0);
  });

  test(`a crash at any step while a Session ${how} loses nothing of what it held for others`, async () => {
    let steps = 0;
    for (let isOver = false; !isOver; steps++) {
      for (const isPendingKept of [false, true]) {
        const rig = await away();
        rig.store.pageMessages = 5;
        await endOne(rig);
        for (let step = 0; step < steps && rig.store.pending !== null; step++) {
          await rig.end();
          await rig.harness.rest(BATCH_MS);
        }
        isOver = rig.store.pending === null;
        await rig.restart({ isPendingKept });
        await rig.calm();
        const members = [await rig.durable("one"), await rig.durable("two")];
        await rig.calm();
        assert.deepEqual(new Set(members.flatMap((member) => member.payloads())), new Set(MANY), `step ${steps}`);
      }
    }
    assert.ok(steps > 1, `${steps} steps`);
  });
}

const NO_BOUND = { maximumQueuedMessages: 0, maximumQueueMemoryBytes: 100_000 };

/** A client whose Session ends with its connection, and that has taken nothing of 3,000 messages to "t", by `filter`. */
async function slow(filter: string): Promise<{ rig: DurableRig; client: TestClient; pub: TestClient }> {
  const rig = new DurableRig({ options: NO_BOUND });
  const durable = await rig.durable("durable");
  await rig.subscribe(durable, SHARE);
  durable.drop();
  const client = rig.harness.connect("slow", { acknowledges: false, properties: { receiveMaximum: 1 } });
  client.subscribe(filter);
  const pub = rig.harness.connect("pub");
  await rig.recover();
  for (let i = 0; i < 3000; i++) {
    pub.publish("t", `${i}`, { qos: 1 });
    if (i % 20 === 19) await rig.calm();
  }
  return { rig, client, pub };
}

test("without any bound on queues, one that no store holds is bounded by memory, and what it cannot take is counted", async () => {
  const { rig } = await slow("t");
  const { counters, sessions } = rig.harness.broker;
  const { queuedMessages } = sessions.get("slow")!;
  assert.ok(queuedMessages >= 1000 && queuedMessages < 2000, `${queuedMessages} wait`);
  assert.equal(counters.dropped["queue-bytes-full"], 3000 - 1 - queuedMessages);
});

test("what a member cannot take the others of its group are offered", async () => {
  const { rig, client, pub } = await slow(SHARE);
  const { counters, sessions } = rig.harness.broker;
  const queued = ["slow", "durable"].map((clientId) => sessions.get(clientId)!.queuedMessages);
  assert.equal(queued[0]! + queued[1]! + 1, 3000);
  assert.ok(queued[1]! >= 1000, `${queued}`);
  assert.equal(counters.dropped["queue-bytes-full"], 0);
  assert.equal(pub.trace().filter((packet) => packet.includes("0x97")).length, 0);
  client.drop();
  await rig.calm();
  await rig.restart();
  assert.equal(rig.harness.broker.sessions.get("durable")?.queuedMessages, 3000);
});
