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

/** What children have said, and what became of it. */
class Ledger {
  /** Texts that must arrive, and of which nobody knows that they have. */
  readonly missing: Set<string> = new Set();
  /** Texts that arrived, by their QoS, in their order. */
  readonly arrived: Readonly<Record<1 | 2, string[]>> = { 1: [], 2: [] };
  /** Texts that the child was given, by their number. */
  readonly got: Map<number, string> = new Map();
  readonly #known: Set<string> = new Set();
  readonly stored: Record<1 | 2, number> = { 1: 0, 2: 0 };
  /** Called when something came. */
  changed: () => void = () => {};

  take(line: string): void {
    const [what, first = "", second = ""] = line.split(" ");
    if (what === "stored") this.#mustArrive(first === "1" ? 1 : 2, second);
    if (what !== "got") return;
    const known = this.got.get(Number(first));
    assert.ok(known === undefined || known === second, `${first} is ${known} and ${second}`);
    this.got.set(Number(first), second);
  }

  #mustArrive(qos: 1 | 2, text: string): void {
    this.stored[qos]++;
    if (!this.#known.has(text)) this.missing.add(text);
  }

  arrives(qos: 1 | 2, text: string): void {
    this.arrived[qos].push(text);
    this.#known.add(text);
    this.missing.delete(text);
    this.changed();
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
  const subscription = peer.subscribe("from-child/+", {
    qos: 2,
    onMessage: ({ topicName, text }) => ledger.arrives(topicName.endsWith("1") ? 1 : 2, text),
  });
  await subscription.granted;
  // The first one makes the Session, so that from then on nothing may be lost.
  let sent = 0;
  await live([url, path, "first"], ledger, LONGEST_MS, () => ledger.stored[2] > 0);
  const sender = setInterval(() => void peer.publish("to-child", String(++sent), { qos: 2 }), 5);
  const never = (): boolean => false;
  for (let round = 0; round < ROUNDS; round++) {
    await live([url, path, String(round)], ledger, 5 + random.below(LONGEST_LIFE_MS), never);
  }
  clearInterval(sender);
  // The last one says nothing new, so that it can be done, also where this process is slower than it.
  // The last one says nothing new, so that it can be done, also where this process is slower than it.
  await live([url, path, "silent"], ledger, LONGEST_MS, () => ledger.missing.size === 0 && ledger.got.size >= sent);

  const stored = ledger.stored[1] + ledger.stored[2];
  context.diagnostic(`${stored} messages were said to be stored, ${sent} were sent the other way`);
  const numbers = [...ledger.got.values()].map(Number);
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
    `seed ${SEED}: in order`,
  );
  assert.equal(new Set(numbers).size, numbers.length, `seed ${SEED}: a message came under two numbers`);
  assert.equal(new Set(numbers).size, sent, `seed ${SEED}: a message did not come`);
  const once = ledger.arrived[2];
  assert.equal(new Set(once).size, once.length, `seed ${SEED}: a message at QoS 2 arrived twice`);
});
