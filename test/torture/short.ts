// The same fault tests, short, as tests of `npm test`: a folder that goes away, a seed that a failure names, and what cannot be done
// by this process is skipped with the reason.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { findPeer, type PeerName, testWithPeers } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";
import type { Progress, Round } from "./report.ts";

/** Begins the reason for skipping what needs rights that a process may not have, and that no package brings. */
export const NOT_ALLOWED = "not allowed here";

export interface ShortContext {
  readonly seed: number;
  readonly folder: string;
  readonly progress: Progress;
}

/** A folder on the disk of the repository, as the system's temporary one may be memory. */
export function scratchFolder(): string {
  const parent = join(ROOT, "build");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "torture-"));
  if (scratchFolders.length === 0) process.once("exit", removeFolders);
  scratchFolders.push(folder);
  return folder;
}

const scratchFolders: string[] = [];

function removeFolders(): void {
  for (const folder of scratchFolders) rmSync(folder, { recursive: true, force: true });
}

/** TORTURE_SEED repeats the choices of a run. */
const SEED = Number(process.env.TORTURE_SEED ?? Date.now() % 1_000_000);

/** What a test needs. */
export interface Needs {
  readonly peers?: readonly PeerName[];
  /** Why this process may not do it; undefined when it may. */
  readonly missing?: (folder: string) => string | undefined;
}

/** Declares a test that does `run` and fails for any fault that it finds. */
export function shortTest(
  name: string,
  { peers = [], missing = () => undefined }: Needs,
  run: (context: ShortContext) => Promise<readonly Round[]>,
): void {
  const folder = scratchFolder();
  const reason = missing(folder);
  const body = (context: TestContext): Promise<void> => endure(context, folder, run);
  if (reason !== undefined) void test(name, { skip: `${NOT_ALLOWED}: ${reason}` }, () => {});
  else if (peers.some((peer) => findPeer(peer) === undefined)) testWithPeers(name, peers, body);
  // Its limit of time is that of the file.
  else void test(name, body);
}

async function endure(
  context: TestContext,
  folder: string,
  run: (context: ShortContext) => Promise<readonly Round[]>,
): Promise<void> {
  const told: string[] = [];
  const progress = (text: string): void => {
    told.push(text);
  };
  let rounds: readonly Round[];
  try {
    rounds = await run({ seed: SEED, folder, progress });
  } catch (error) {
    const text = (error as Error).stack ?? String(error);
    throw new Error(`TORTURE_SEED=${SEED}\n${told.join("\n")}\n${text}`, { cause: error });
  }
  context.diagnostic(told.at(-1) ?? "");
  const faults = rounds.flatMap((round) => round.faults);
  assert.equal(faults.length, 0, `TORTURE_SEED=${SEED}\n${told.join("\n")}`);
  assert.ok(rounds.length > 0);
}
