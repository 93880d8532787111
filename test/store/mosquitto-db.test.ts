// What real mosquittos saved becomes facts of a store: the files kept as fixtures, and one that the installed mosquitto writes now.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Change, ManualClock } from "../../src/core/index.ts";
import { fillStore, MemoryStore, openImport } from "../../src/store/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { digestOf, publishOf } from "../support/fact-digest.ts";
import { ALL_PROPERTIES, fillMosquitto, PersistentMosquitto } from "../support/mosquitto-files.ts";
import { testWithPeers } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";
import type { TestClient } from "../support/test-client.ts";

const FIXTURES = join(ROOT, "test/fixtures/mosquitto-db");
/** Shortly after the fixture was written: nothing in it has expired. */
const FIXTURE_MS = 1_795_570_000_000;

/** What `fillMosquitto` leaves, as Lacewing sees it. */
const CONTENTS: Readonly<Record<string, readonly string[]>> = {
  old: [
    "of joe, never expires",
    "subscribes a/# q1",
    "subscribes /lead/+ q2",
    "owed one q1",
    "owed two q1",
    "owed three q1",
    "owed  q1",
    "owed held q1",
    "owed own q1",
  ],
  five: [
    "of five's user, expires after 3600 s, connected",
    "subscribes a/+ q2 no-local id 7",
    "subscribes b q1 as-published id 268435455",
    "owed one q1 ids 7, sent as 1, waits for PUBACK",
    "owed nothing q2, sent as 2, waits for PUBCOMP",
    "owed three q2 ids 7, sent as 3, waits for PUBREC",
    "owed \u0000\ufffd\n q1 retain ids 268435455",
    "owed held q2 ids 7",
    "received 40000",
  ],
  "größe/日本": ["of größe, never expires", "subscribes a/b q2", "owed one q1", "owed two q2", "owed held q2"],
  pub: ["of pub's user, expires after 100 s, gone", "received 7"],
  "": ["retained a/b held", "retained b \u0000\ufffd\n", "retained retained/☂ kept"],
};

const NOTES = [
  "Sessions left out because they had ended with their connection, or expired: 1.",
  "Queued messages left out because they are of QoS 0, which nobody is owed: 2.",
  "Messages passed on now that mosquitto held until their PUBREL: 2.",
];

async function read(path: string, nowMs: number): Promise<{ facts: Change[]; notes: readonly string[] }> {
  const source = await openImport(path, { nowMs, keepsUsers: true });
  const facts: Change[] = [];
  for await (const fact of source.facts()) facts.push(fact);
  await source.close();
  return { facts, notes: source.notes };
}

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a file of mosquitto 2.0.11: sessions, subscriptions, all states of messages, what was held, retained", async () => {
  const { facts, notes } = await read(join(FIXTURES, "2.0.11.db"), FIXTURE_MS);
  assert.deepEqual(digestOf(facts), CONTENTS);
  assert.deepEqual(notes, NOTES);
});

test("its properties and moments are kept", async () => {
  const { facts } = await read(join(FIXTURES, "2.0.11.db"), FIXTURE_MS);
  const one = facts.find((fact) => fact.kind === "message-added" && fact.expiresAtMs !== null);
  assert.ok(one?.kind === "message-added");
  assert.deepEqual(publishOf(one.publish).properties, ALL_PROPERTIES);
  assert.equal(one.publisher, "pub");
  assert.ok(Math.abs(one.expiresAtMs! - FIXTURE_MS - 86_400_000) < 60_000, `${one.expiresAtMs}`);
  const pub = facts.find((fact) => fact.kind === "session-set" && fact.clientId === "pub");
  assert.ok(pub?.kind === "session-set" && Math.abs(pub.disconnectedAtMs! - FIXTURE_MS) < 60_000);
});

test("a year later, what has expired is left out", async () => {
  const { facts, notes } = await read(join(FIXTURES, "2.0.11.db"), FIXTURE_MS + 366 * 86_400_000);
  const { old, pub } = digestOf(facts);
  assert.equal(old?.includes("owed one q1"), false);
  assert.equal(pub, undefined);
  assert.ok(notes.includes("Messages left out because they had expired: 3."), notes.join("\n"));
});

test("a client without user name, for which mosquitto 2.0.11 wrote 768 bytes of another's", async () => {
  const { facts } = await read(join(FIXTURES, "2.0.11-no-user.db"), FIXTURE_MS);
  const { first, second, third } = digestOf(facts);
  assert.deepEqual(first, ["of joe, never expires", "subscribes t/first q1"]);
  assert.deepEqual(second, ["never expires", "subscribes t/second q1"]);
  assert.deepEqual(third?.slice(1), ["subscribes t/third q1"]);
});

test("a broker goes on where mosquitto stopped", async () => {
  const source = await openImport(join(FIXTURES, "2.0.11.db"), { nowMs: FIXTURE_MS, keepsUsers: false });
  const store = new MemoryStore();
  await fillStore(store, source);
  await source.close();
  const harness = new BrokerHarness({ store, clock: new ManualClock(FIXTURE_MS) });
  await harness.broker.restore();

  // Each step of an exchange at QoS 2 waits for the store.
  const rest = async (): Promise<void> => {
    for (let steps = 0; steps < 5; steps++) await harness.rest(10);
  };
  const connect = async (clientId: string, sessionExpirySeconds: number): Promise<TestClient> => {
    const client = harness.open();
    client.connect(clientId, { cleanStart: false, properties: { sessionExpirySeconds } });
    await rest();
    assert.equal(client.expect("CONNACK").sessionPresent, true);
    return client;
  };
  const five = await connect("five", 3600);
  assert.deepEqual(five.trace(), [
    "PUBLISH a/b=one q1 dup m1",
    "PUBREL m2",
    "PUBLISH a/c=three q2 dup m3",
    "PUBLISH b=\u0000\ufffd\n q1 retain m4",
    "PUBLISH a/b=held q2 m5",
    "PUBREL m3",
    "PUBREL m5",
  ]);
  const pub = await connect("pub", 100);
  pub.publish("a/b", "held", { qos: 2, retain: true, packetId: 7, dup: true });
  await rest();
  assert.deepEqual(pub.trace(), ["PUBREC m7", "PUBCOMP m7"]);
  assert.deepEqual(five.trace(), [], "what pub repeats is not passed on again");
  const late = harness.connect("late");
  late.subscribe("#");
  assert.deepEqual(late.trace().sort(), [
    "PUBLISH a/b=held q2 retain m1",
    "PUBLISH b=\u0000\ufffd\n q1 retain m2",
    "PUBLISH retained/☂=kept q0 retain",
    "PUBREL m1",
  ]);
});

testWithPeers("the installed mosquitto's file", ["mosquitto"], async (context) => {
  const folder = folderFor(context);
  const mosquitto = await PersistentMosquitto.start(folder, ["queue_qos0_messages true"]);
  await fillMosquitto(mosquitto);
  writeFileSync(join(folder, "copy.db"), await mosquitto.stop());
  const { facts, notes } = await read(join(folder, "copy.db"), Date.now());
  assert.deepEqual(digestOf(facts), CONTENTS);
  assert.deepEqual(notes, NOTES);
});

testWithPeers("a file that mosquitto saved while it ran, with a large payload", ["mosquitto"], async (context) => {
  const folder = folderFor(context);
  const mosquitto = await PersistentMosquitto.start(folder);
  const sub = await mosquitto.connect("sub", { version: 4, cleanStart: false });
  await sub.subscribe("#", { qos: 2 });
  await sub.disconnect();
  const pub = await mosquitto.connect("pub");
  const payload = "0123456789".repeat(20_000);
  await pub.publish("large", payload, { qos: 1, retain: true });
  const saved = join(folder, "saved.db");
  writeFileSync(saved, await mosquitto.save());
  const { facts } = await read(saved, Date.now());
  assert.deepEqual(digestOf(facts), {
    sub: ["never expires", "subscribes # q2", `owed ${payload} q1`],
    "": [`retained large ${payload}`],
  });
  await mosquitto.stop();
});

test("the fixture cut off at any byte: our error, or fewer facts when it is between two chunks", async (context) => {
  const folder = folderFor(context);
  const whole = readFileSync(join(FIXTURES, "2.0.11.db"));
  const path = join(folder, "cut.db");
  let sound = 0;
  for (let length = 0; length < whole.length; length += 3) {
    writeFileSync(path, whole.subarray(0, length));
    try {
      await read(path, FIXTURE_MS);
      sound++;
    } catch (error) {
      assert.equal((error as Error).name, "ImportError", String((error as Error).stack));
    }
  }
  // Between two chunks a cut cannot be seen; there are about 50.
  assert.ok(sound < 30, `${sound} of ${whole.length}`);
});
