/**
 * How property tests run. fast-check prints the seed and the path of a failure; the same again is
 * `SEED=... FAST_CHECK_PATH=... npm test -- FILE`, and a long search is `RUNS=100` (times as many as usual).
 */
import type { Parameters } from "fast-check";

/** Parameters for a property that runs `runs` times as a rule. */
export function parameters<Ts>(runs: number): Parameters<Ts> {
  const { SEED: seed, FAST_CHECK_PATH: path, RUNS: times } = process.env;
  return {
    numRuns: runs * Number(times ?? 1),
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(path !== undefined && { path }),
  };
}
