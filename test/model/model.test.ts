/** Random histories of several clients against a small, plain reference of the broker: no differences. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../support/random.ts";
import { PROFILES, type Profile, randomHistory, type Step } from "./history.ts";
import { differenceIn } from "./play.ts";

const HISTORIES = 1000;
const STEPS = 80;

for (const profile of PROFILES) {
  test(`${HISTORIES} random histories, ${profile.name}, bring out no difference from the reference`, async () => {
    // LACEWING_SEED=N replays one history.
    const only = process.env.LACEWING_SEED;
    const first = only === undefined ? 1 : Number(only);
    const last = only === undefined ? HISTORIES : first;
    for (let seed = first; seed <= last; seed++) {
      const history = randomHistory(new Random(seed), profile, STEPS);
      if ((await differenceIn(history, profile)) === null) continue;
      const shortest = await shrunk(history, profile);
      assert.fail(
        `seed ${seed}: ${await differenceIn(shortest, profile)}\n${shortest.map((step) => JSON.stringify(step)).join("\n")}`,
      );
    }
  });
}

/** The history without the steps that it does not need to bring out a difference. */
async function shrunk(history: readonly Step[], profile: Profile): Promise<readonly Step[]> {
  let steps = history;
  for (let at = steps.length - 1; at >= 0; at--) {
    const fewer = steps.filter((_, i) => i !== at);
    if ((await differenceIn(fewer, profile)) !== null) steps = fewer;
  }
  return steps;
}
