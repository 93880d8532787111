// A client with a durable store, killed many times: what it had said to be stored arrives, at QoS 2 exactly once, and of what is sent to
// it nothing is lost.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { connect } from "../../src/client/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Random } from "../support/random.ts";
import { ROOT } from "../support/repository.ts";
import { startBroker } from "./test-broker.ts";

// More rounds: LACEWING_KILLS=100.
const ROUNDS = Number(process.env.LACEWING_KILLS ?? 8);
const LONGEST_LIFE_MS = 150;
/** For a child that is not killed by time. */
const LONGEST_MS = Number.POSITIVE_INFINITY;
const LOOK_MS = 20;
const SEED = Number(process.env.LACEWING_SEED ?? 1);

/** What children have said. */
class Ledger {
  /** Messages that must arrive, by QoS. */
  readonly stored: Record<1 | 2, Set<string>> = { 1: new Set(), 2: new Set() };
  /** Texts that the child was given, by their number. */
  readonly got: Map<number, string> = new Map();

  take(line: string): void {
    const [what, first = "", second = ""] = line.split(" ");
    if (what === "stored") this.stored[first === "1" ? 1 : 2].add(second);
    if (what !== "got") return;
    const known = this.got.get(Number(first));
    assert.ok(known === undefined || known === second, `${first} is ${known} and ${second}`);
    this.got.set(Number(first), second);
  }
}

/**
 * Starts a child and kills it.
 * @param ms how long after it was ready
 * @param isDone asked now and then; true kills it too
 */
async function live(args: readonly string[], ledger: Ledger, ms: number, isDone: () => boolean): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, "build/test/client/store-child.js"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let timer: NodeJS.Timeout | undefined;
  const look = setInterval(() => {
    if (isDone()) child.kill("SIGKILL");
  }, LOOK_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "ready" && ms < LONGEST_MS) timer = setTimeout(() => child.kill("SIGKILL"), ms);
    ledger.take(line);
  }
  clearTimeout(timer);
  clearInterval(look);
  assert.equal(child.exitCode, null, "the child ended by itself");
}

test(`${ROUNDS} kills lose nothing that was stored, and double nothing at QoS 2`, async (context) => {
  const { url } = await startBroker(context, { maximumQueuedMessages: 0 });
  const path = join(temporaryFolder(context), "client.store");
  const random = new Random(SEED);
  const ledger = new Ledger();
  await using peer = await connect<string>(url, { version: 5 });
  const arrived: Record<1 | 2, string[]> = { 1: [], 2: [] };
  const subscription = peer.subscribe("from-child/+", {
    qos: 2,
    onMessage: ({ topicName, text }) => arrived[topicName.endsWith("1") ? 1 : 2].push(text),
  });
  await subscription.granted;
  // The first one makes the Session, so that from then on nothing may be lost.
  let sent = 0;
  await live([url, path, "first"], ledger, LONGEST_MS, () => ledger.stored[2].size > 0);
  const sender = setInterval(() => void peer.publish("to-child", String(++sent), { qos: 2 }), 5);
  const never = (): boolean => false;
  for (let round = 0; round < ROUNDS; round++) {
    await live([url, path, String(round)], ledger, 5 + random.below(LONGEST_LIFE_MS), never);
  }
  clearInterval(sender);
  // The last one says nothing new, so that it can be done, also where this process is slower than it.
  const hasAll = (): boolean =>
    new Set(ledger.got.values()).size === sent &&
    [1, 2].every((qos) => isSubset(ledger.stored[qos as 1 | 2], arrived[qos as 1 | 2]));
  await live([url, path, "silent"], ledger, LONGEST_MS, hasAll);

  const stored = ledger.stored[1].size + ledger.stored[2].size;
  context.diagnostic(`${stored} messages were said to be stored, ${sent} were sent the other way`);
  const numbers = [...ledger.got.values()].map(Number);
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
    `seed ${SEED}: in order`,
  );
  assert.equal(new Set(numbers).size, numbers.length, `seed ${SEED}: a message came under two numbers`);
  assert.equal(new Set(arrived[2]).size, arrived[2].length, `seed ${SEED}: a message at QoS 2 arrived twice`);
});

function isSubset(wanted: ReadonlySet<string>, found: readonly string[]): boolean {
  const all = new Set(found);
  return [...wanted].every((text) => all.has(text));
}
