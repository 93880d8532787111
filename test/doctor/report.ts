// Runs of lacewing doctor, and what a verdict must be.
import assert from "node:assert/strict";
import type { Layer } from "../../src/doctor/index.ts";
import type { MeaningKey } from "../../src/explain/index.ts";
import { runTool } from "../cli/tool-run.ts";

export interface Report {
  readonly layers: readonly {
    readonly layer: Layer;
    readonly state: string;
    readonly summary: string;
    readonly details?: string[];
  }[];
  readonly verdict: null | {
    readonly layer: Layer;
    readonly evidence: string;
    readonly why: string | null;
    readonly fix: string | null;
    readonly next: string | null;
    readonly explanation?: { readonly key: MeaningKey };
  };
}

/** @param patienceSeconds what an answer may take: little only where there is none, as this may be a slow machine */
export async function reportOf(
  args: readonly string[],
  patienceSeconds: number = 20,
): Promise<Report & { readonly code: number | null }> {
  const { code, out, errors } = await runTool("doctor", [...args, "--json", "--timeout", String(patienceSeconds)]);
  assert.equal(errors, "");
  return { ...(JSON.parse(out) as Report), code };
}

/** A way to go wrong, and the verdict on it. */
export interface Expected {
  readonly layer: Layer;
  readonly code: number;
  readonly meaning: MeaningKey;
  readonly evidence: RegExp;
  readonly cause?: RegExp;
  readonly fix?: RegExp;
  /** Whether something there never answers, so that it is not waited for long. */
  readonly isSilent?: true;
}

/** Runs the doctor and compares. */
export async function expectVerdict(args: readonly string[], expected: Expected): Promise<void> {
  const { layer, code, meaning, evidence, cause, fix = /./, isSilent } = expected;
  const report = await reportOf(args, isSilent ? 2 : undefined);
  const { verdict } = report;
  assert.deepEqual([verdict?.layer, report.code, verdict?.explanation?.key], [layer, code, meaning], verdict?.evidence);
  assert.match(verdict?.evidence ?? "", evidence);
  if (cause !== undefined) assert.match(verdict?.why ?? "", cause);
  assert.match(verdict?.fix ?? "", fix);
  assert.ok((verdict?.next ?? "").length > 0 || verdict?.fix !== null, "there is something to do next");
  assert.ok(!JSON.stringify(report).includes("s3cret"), "no password is printed");
  const states = report.layers.map(({ state }) => state);
  assert.ok(states.includes("failed") && report.layers.length === 13);
}
