// P10 of RELIABILITY.md: every permitted loss has a counter of its own, and a topic below $SYS that tells it. Each reason is brought
// about here once, alone; a reason that is new has no row and does not compile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SysTopics } from "../../src/observe/index.ts";
import { DROP_REASONS, type DropReason, NO_PROPERTIES, type Properties } from "../../src/protocol/index.ts";
import { BrokerHarness, type HarnessParts } from "../support/broker-harness.ts";
import { DurableRig } from "../support/durable-rig.ts";
import { type TestClient, textOf } from "../support/test-client.ts";

const LASTING = { cleanStart: false, properties: { sessionExpirySeconds: 10 } };

/** Loses one message and returns the harness where that happened. */
type Loss = () => BrokerHarness | Promise<BrokerHarness>;

/** A broker with a receiver of "t" at QoS 2 that is away, to whom `publish` publishes. */
function away(parts: HarnessParts, publish: (publisher: TestClient, harness: BrokerHarness) => void): BrokerHarness {
  const harness = new BrokerHarness(parts);
  const receiver = harness.connect("receiver", LASTING);
  receiver.subscribe("t");
  receiver.drop();
  publish(harness.connect("publisher"), harness);
  return harness;
}

/** The same with a receiver that is there. */
function there(
  parts: HarnessParts,
  publish: (publisher: TestClient, receiver: TestClient) => void,
  properties: Properties = NO_PROPERTIES,
): BrokerHarness {
  const harness = new BrokerHarness(parts);
  const receiver = harness.connect("receiver", { properties });
  receiver.subscribe("t", { noLocal: true });
  publish(harness.connect("publisher"), receiver);
  return harness;
}

/** A broker where everybody may do everything but this one thing. */
function denied(what: "canPublish" | "canReceive"): BrokerHarness {
  return there(judging(what), (publisher) => publisher.publish("t", "1"));
}

function judging(what?: "canPublish" | "canReceive"): HarnessParts {
  const allow = (): boolean => true;
  const all = { allowsAll: false, canSubscribe: allow, canPublish: allow, canReceive: allow };
  const policy = what === undefined ? all : { ...all, [what]: () => false };
  const accepted = { kind: "accepted", policy, principal: null } as const;
  return { authenticator: { authenticate: () => accepted } };
}

/** Who has retained a message loses the right to it. */
function revoked(): BrokerHarness {
  const harness = new BrokerHarness(judging());
  harness.connect("publisher").publish("t", "1", { retain: true });
  harness.broker.sourceJudge = () => false;
  harness.connect("receiver").subscribe("t");
  return harness;
}

/** What a receiver below a mount point subscribed to before it was below it. */
function outsideMountPoint(): BrokerHarness {
  const harness = new BrokerHarness();
  const receiver = harness.connect("receiver", LASTING);
  receiver.subscribe("t");
  receiver.drop();
  harness.open(5, { ...harness.entrance, mountPoint: "site/" }).connect("receiver", LASTING);
  harness.connect("publisher").publish("t", "1");
  return harness;
}

/** The store cannot give what it was given. */
async function storeDamaged(): Promise<BrokerHarness> {
  const rig = new DurableRig({ options: { maximumQueueMemoryBytes: 0 } });
  const receiver = await rig.durable("receiver");
  await rig.subscribe(receiver, "t");
  receiver.drop();
  const publisher = rig.harness.connect("publisher");
  for (const text of ["1", "2"]) publisher.publish("t", text, { qos: 1 });
  await rig.recover();
  rig.store.damagedOrders.add(2);
  await rig.durable("receiver");
  await rig.recover();
  await rig.recover();
  return rig.harness;
}

/** A bridge brings a message by a second way. */
function comesBack(): BrokerHarness {
  const harness = new BrokerHarness();
  harness.connect("receiver").subscribe("t");
  const bridge = harness.connect("bridge", { will: { topicName: "$SYS/broker/connection/bridge/state" } });
  const properties = { userProperties: [["lacewing-bridge", "elsewhere:1:2"]] } as const;
  for (const text of ["1", "1"]) bridge.publish("t", text, { properties });
  return harness;
}

const LOSSES: Readonly<Record<DropReason, Loss | null>> = {
  // Nobody has asked for it: nothing is lost.
  "no-subscription-matches": null,
  "publish-denied": () => denied("canPublish"),
  "receive-denied": () => denied("canReceive"),
  "source-denied": revoked,
  "no-local": () => there({}, (_, receiver) => receiver.publish("t", "1", { qos: 1 })),
  "session-offline": () => away({}, (publisher) => publisher.publish("t", "1")),
  "receiver-slow": () =>
    there({ options: { maximumOutputBytes: 1 } }, (publisher, receiver) => {
      receiver.setReading(false);
      // The first is what every connection may hold.
      for (let sent = 0; sent < 2; sent++) publisher.publish("t", new Uint8Array(1_500_000));
    }),
  "queue-full": () =>
    away({ options: { maximumQueuedMessages: 1 } }, (publisher) => {
      for (const text of ["1", "2"]) publisher.publish("t", text, { qos: 1 });
    }),
  "queue-bytes-full": () =>
    away({ options: { maximumQueuedBytes: 1 } }, (publisher) => {
      for (const text of ["1", "2"]) publisher.publish("t", text, { qos: 1 });
    }),
  "message-expired": () =>
    away({}, (publisher, harness) => {
      publisher.publish("t", "1", { qos: 1, properties: { messageExpirySeconds: 1 } });
      harness.advance(2000);
      harness.connect("receiver", LASTING);
    }),
  "too-large-for-receiver": () =>
    there({}, (publisher) => publisher.publish("t", new Uint8Array(100)), { maximumPacketSize: 64 }),
  "outside-mount-point": outsideMountPoint,
  "payload-too-large": () =>
    there({ options: { maximumPayloadBytes: 1 } }, (publisher) => publisher.publish("t", "12", { qos: 1 })),
  "memory-limit": () =>
    away({ options: { memoryLimitBytes: 100 } }, (publisher) => {
      for (const text of ["1", "2"]) publisher.publish("t", text, { qos: 1 });
    }),
  "store-damaged": storeDamaged,
  "session-ended": () =>
    away({}, (publisher, harness) => {
      publisher.publish("t", "1", { qos: 1 });
      harness.advance(20_000);
    }),
  "bridge-loop": comesBack,
};

for (const reason of Object.keys(DROP_REASONS) as DropReason[]) {
  const lose = LOSSES[reason];
  if (lose === null) continue;
  test(`${reason} is counted, and nothing else is; $SYS tells it`, async () => {
    const harness = await lose();
    const { dropped } = harness.broker.counters;
    const counted = Object.entries(dropped).filter(([, count]) => count > 0);
    assert.deepEqual(counted, [[reason, 1]]);
    const topicName = `$SYS/broker/lacewing/messages/dropped/${reason}`;
    new SysTopics(harness.broker, { version: "lacewing", heapBytes: () => 0 }).update();
    const told = [...harness.broker.retained].find((message) => message.topicName === topicName);
    assert.equal(told && textOf(told.payload), "1");
  });
}
