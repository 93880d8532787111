// Random histories of five clients at mosquitto and at Lacewing: the same for every client, but for what docs/mosquitto-compatibility.md
// explains. After `npm run build`, `RUNS=20 node build/test/beside-mosquitto/histories.test.js` plays twenty times as many, 2,000 in all;
// SEED and FAST_CHECK_PATH play one again.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import * as fc from "fast-check";
import { testWithPeers } from "../support/peers.ts";
import { parameters } from "../support/property.ts";
import { startPair } from "./broker-pair.ts";
import { type HistoryKind, historiesOf, KINDS, type Step } from "./history.ts";
import { differenceBetween } from "./history-outcome.ts";
import { HistoryPlay } from "./history-play.ts";

/** What a failure takes that is made shorter; far more than histories without a difference do. */
const LIMIT_MS = 170_000 * Number(process.env.RUNS ?? 1);
/** Of each kind. */
const HISTORIES = 50;
/** On average in a history; most have twice as many. */
const LEAST_DELIVERIES = 10;

/** What a history brought. */
interface Played {
  readonly difference: string | null;
  readonly deliveries: number;
}

for (const kind of KINDS) {
  testWithPeers(
    `${HISTORIES} random histories beside mosquitto: ${kind.title}`,
    ["mosquitto"],
    async (context) => {
      const play = await playedBy(context, kind);
      let deliveries = 0;
      const property = fc.asyncProperty(historiesOf(kind), async (steps) => {
        const played = await play(steps);
        deliveries += played.deliveries;
        return played.difference === null;
      });
      const { failed, counterexample, seed, counterexamplePath } = await fc.check(property, parameters(HISTORIES));
      assert.ok(failed || deliveries >= HISTORIES * LEAST_DELIVERIES, `${deliveries} deliveries say little`);
      if (!failed) return;
      const [steps = []] = counterexample ?? [];
      const { difference } = await play(steps).catch((error: Error) => ({ difference: error.message }));
      const lines = steps.map((step, number) => `${number}: ${JSON.stringify(step)}`);
      assert.fail(
        `SEED=${seed} FAST_CHECK_PATH=${counterexamplePath}\n${lines.join("\n")}\n${difference ?? "It did not come again."}`,
      );
    },
    LIMIT_MS,
  );
}

/** A function that plays a history with both brokers. */
async function playedBy(context: TestContext, kind: HistoryKind): Promise<(steps: readonly Step[]) => Promise<Played>> {
  const lines = ["listener @main 127.0.0.1", "allow_anonymous true", ...kind.lines];
  const { mosquitto, lacewing } = await startPair(context, { lines }, kind.mosquittoLines);
  let played = 0;
  return async (steps) => {
    const name = `history-${++played}`;
    const [theirs = [], ours = []] = await Promise.all(
      [mosquitto, lacewing].map((broker) => new HistoryPlay(broker, name).perform(steps)),
    );
    const deliveries = ours.filter(({ what }) => typeof what !== "string").length;
    return { difference: differenceBetween(theirs, ours, kind), deliveries };
  };
}
