// F1, short: nothing that was acknowledged is lost when the broker is killed.
import assert from "node:assert/strict";
import { testWithPeers } from "../support/peers.ts";
import { lacewing, mosquitto } from "./broker-process.ts";
import { killRounds } from "./kill-rounds.ts";
import { restorations } from "./restore.ts";
import { scratchFolder, shortTest } from "./short.ts";

const ROUNDS = 20;
/** Where every change must pass, F1 has its full length and so its million of messages; elsewhere nobody likes to wait for that. */
const isFull = process.env.CI === "true";
/** On two cores that are not busy all rounds are done in less. */
const BUDGET_MS = isFull ? 60_000 : 50_000;
const LONGEST_MS = isFull ? 2000 : 400;

shortTest(`F1: ${ROUNDS} rounds of SIGKILL at QoS 1 lose nothing`, {}, (context) => {
  const kinds = [lacewing("max_inflight_messages=0")];
  const limits = { rounds: ROUNDS, longestMs: LONGEST_MS, budgetMs: BUDGET_MS };
  return killRounds({ ...context, ...limits, name: "f1", kinds, qos: 1, killsPeers: false });
});

shortTest("thousands of sessions and messages are there again after SIGKILL", {}, (context) => {
  const kind = lacewing("connection_messages=false");
  return restorations({ ...context, name: "restore", kind, rounds: 1, sessions: 1000, messages: 20_000 });
});

testWithPeers("mosquitto loses what it acknowledged, and the ledger sees it", ["mosquitto"], async () => {
  const own = {
    name: "control",
    qos: 1,
    rounds: 1,
    seed: 1,
    killsPeers: false,
    longestMs: LONGEST_MS,
    quietMs: 5000,
  } as const;
  const [round] = await killRounds({ ...own, kinds: [mosquitto()], folder: scratchFolder(), progress: () => {} });
  assert.ok(Number(round?.figures.lost) > 0, JSON.stringify(round));
});
