// F2, short: nothing at QoS 2 is lost or comes twice when the broker and its clients are killed.
import { lacewing } from "./broker-process.ts";
import { killRounds } from "./kill-rounds.ts";
import { shortTest } from "./short.ts";

const ROUNDS = 20;
/** On two cores that are not busy all rounds are done in less. */
const BUDGET_MS = 50_000;
const LONGEST_MS = 300;

shortTest(`F2: ${ROUNDS} rounds of SIGKILL at QoS 2 lose nothing and double nothing`, {}, (context) => {
  const kinds = [lacewing("max_inflight_messages=0")];
  const limits = { rounds: ROUNDS, longestMs: LONGEST_MS, budgetMs: BUDGET_MS };
  return killRounds({ ...context, ...limits, name: "f2", kinds, qos: 2, killsPeers: true });
});
