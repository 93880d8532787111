// The broker is killed at any step, and nothing that was acknowledged is lost, nothing doubled at QoS 2, nothing out of order.
import { test } from "node:test";
import { Random } from "../support/random.ts";
import { World, type WorldOptions } from "./world.ts";

const STEPS = 400;
/** Runs of each kind; more of them with LACEWING_CRASH_SEEDS, one of them with LACEWING_CRASH_SEED. */
const SEEDS = Number(process.env.LACEWING_CRASH_SEEDS ?? 250);
const ONLY_SEED = process.env.LACEWING_CRASH_SEED;

function seeds(): number[] {
  return ONLY_SEED === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(ONLY_SEED)];
}

async function run(options: WorldOptions): Promise<void> {
  try {
    await new World(options).run();
  } catch (error) {
    throw new Error(`LACEWING_CRASH_SEED=${options.seed}, killed at ${options.crashes.join(", ")}`, { cause: error });
  }
}

for (const hasFailures of [false, true]) {
  test(`${SEEDS} random worlds with deaths of the broker ${hasFailures ? "and a failing store" : ""}`, async () => {
    for (const seed of seeds()) {
      const random = new Random(seed);
      const crashes = Array.from({ length: 1 + random.below(4) }, () => random.below(STEPS));
      await run({ seed, steps: STEPS, crashes, hasFailures });
    }
  });
}

test("a world in which the broker is killed before each of its steps in turn", async () => {
  for (let step = 0; step < STEPS; step++) await run({ seed: 4711, steps: STEPS, crashes: [step], hasFailures: false });
});

test("a world without deaths", () => run({ seed: 1, steps: STEPS * 5, crashes: [], hasFailures: false }));
