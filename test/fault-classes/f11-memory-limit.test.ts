// F11: floods of what must be held, against `memory_limit`: the broker refuses before the system ends it, says so with 0x97, lets QoS 0
// through, and takes everything again when room has been made. In a memory cgroup where one can be had.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Acknowledgement, NO_PROPERTIES, type Packet, publishOf } from "../../src/protocol/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";
import { WireClient } from "../support/wire-client.ts";

const QUOTA_EXCEEDED = 0x97;
const CGROUP_MIB = 256;
const LIMIT_MIB = 20;
const PAYLOAD_BYTES = 16_384;
const TOGETHER = 200;
/** More than the limit, several times. */
const MOST_BATCHES = 60;
const EVER = { cleanStart: false, properties: { sessionExpirySeconds: 100_000 } };

interface Fenced {
  readonly program: Program;
  readonly to: { readonly host: string; readonly port: number };
  /** How often the kernel has ended something for want of memory; null: there is no cgroup. */
  kills(): number | null;
}

/** A memory cgroup of its own, or null where there cannot be one. */
function newCgroup(context: TestContext): string | null {
  const path = `/sys/fs/cgroup/memory/lacewing-test-${process.pid}-${Math.floor(Math.random() * 1e9)}`;
  try {
    mkdirSync(path);
  } catch {
    return null;
  }
  context.after(() => {
    try {
      rmdirSync(path);
    } catch {
      // Its process is not quite gone yet; an empty group holds nothing.
    }
  });
  return path;
}

async function startFenced(context: TestContext, ...settings: readonly string[]): Promise<Fenced> {
  const group = newCgroup(context);
  const fence = `echo ${CGROUP_MIB * 1024 * 1024} > "$0/memory.limit_in_bytes" && echo $$ > "$0/cgroup.procs"`;
  const command = group === null ? 'exec "$@"' : `${fence}; exec "$@"`;
  const options = ["-p", "0", "--host", "127.0.0.1", "--set", `memory_limit=${LIMIT_MIB * 1024 * 1024}`];
  const more = ["max_queued_messages=0", "max_inflight_messages=0", "connection_messages=false", ...settings];
  const args = [...options, ...more.flatMap((setting) => ["--set", setting])];
  const program = new Program("/bin/sh", ["-c", command, group ?? "sh", process.execPath, MAIN, ...args]);
  context.after(() => program.stop());
  const [, port] = await program.printed(/running: 127\.0\.0\.1:(\d+)/);
  context.diagnostic(group === null ? "without a cgroup" : `in a cgroup of ${CGROUP_MIB} MiB`);
  const kills = (): number | null => {
    if (group === null) return null;
    const [, count] = /^oom_kill (\d+)$/m.exec(readFileSync(join(group, "memory.oom_control"), "utf8")) ?? [];
    return Number(count ?? 0);
  };
  return { program, to: { host: "127.0.0.1", port: Number(port) }, kills };
}

/** Publishes until the broker has refused a whole batch; returns how many it took. */
async function flood(publisher: WireClient, topicOf: (i: number) => string, retain: boolean): Promise<number> {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  let taken = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const packets: Packet[] = Array.from({ length: TOGETHER }, (_, i) => {
      const topicName = topicOf(batch * TOGETHER + i);
      return publishOf({ topicName, payload, qos: 1, retain, dup: false, packetId: i + 1, properties: NO_PROPERTIES });
    });
    publisher.send(...packets);
    await publisher.settled();
    const codes: number[] = [];
    while (codes.length < TOGETHER) codes.push(((await publisher.expect("PUBACK")) as Acknowledgement).reasonCode);
    assert.ok(codes.every((code) => code === 0 || code === 0x10 || code === QUOTA_EXCEEDED));
    const refused = codes.filter((code) => code === QUOTA_EXCEEDED).length;
    taken += TOGETHER - refused;
    if (refused === TOGETHER) return taken;
  }
  assert.fail(`nothing was refused of ${MOST_BATCHES * TOGETHER} messages`);
}

for (const persistence of [false, true]) {
  test(`a queue and retained messages, persistence ${persistence}: refused, not killed, and taken again`, async (context) => {
    const folder = temporaryFolder(context);
    const where = [`persistence=${persistence}`, `persistence_location=${folder}`];
    // With a store, queues are there and not in memory; retained messages are in memory always.
    const { program, to, kills } = await startFenced(context, ...where);
    const publisher = await WireClient.connect(to, "publisher");
    const witness = await WireClient.connect(to, "witness");
    await witness.subscribe("witness", { qos: 0 });
    const atOnce = async (): Promise<void> => {
      await publisher.publish("witness", "x");
      await witness.expect("PUBLISH");
    };
    if (!persistence) {
      const away = await WireClient.connect(to, "away", EVER);
      await away.subscribe("queue", { qos: 1 });
      await away.drop();
      const held = await flood(publisher, () => "queue", false);
      assert.ok(held * PAYLOAD_BYTES <= LIMIT_MIB * 1024 * 1024 + TOGETHER * PAYLOAD_BYTES, `${held}`);
      await atOnce();
      // Room is made: who was away takes what is its own.
      const back = await WireClient.connect(to, "away", EVER);
      for (let i = 0; i < held; i++) back.acknowledge("PUBACK", (await back.expect("PUBLISH")).packetId);
      await back.settled();
      await publisher.publish("queue", "after", { qos: 1 });
      assert.equal(publisher.lastReasonCode, 0);
      await back.drop();
      await WireClient.reasonCode(to, "away");
    }
    const kept = await flood(publisher, (i) => `retained/${i}`, true);
    assert.ok(kept * PAYLOAD_BYTES <= LIMIT_MIB * 1024 * 1024 + PAYLOAD_BYTES, `${kept}`);
    await atOnce();
    const old = await WireClient.connect(to, "old", { version: 4 });
    await assert.rejects(old.publish("retained/old", "x", { qos: 1, retain: true }), /no PUBACK came/);
    // Some are taken back, which no limit may refuse; then there is room.
    for (let i = 0; i < 100; i++) {
      await publisher.publish(`retained/${i}`, "", { qos: 1, retain: true });
      assert.ok(publisher.lastReasonCode < 0x80, "to forget one is never refused");
    }
    await publisher.publish("retained/new", "x", { qos: 1, retain: true });
    assert.equal(publisher.lastReasonCode, 0x10);
    assert.ok([0, null].includes(kills()), "nothing was killed");
    for (const client of [publisher, witness]) await client.drop();
    assert.equal((await program.stop()).code, 0);
  });
}
