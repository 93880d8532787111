// Runs a command line with our tool and with mosquitto's and compares what they did.
import assert from "node:assert/strict";
import { type PeerName, startPeer, testWithPeers } from "../support/peers.ts";
import type { Ended } from "../support/program.ts";
import type { CommandLine, Difference } from "./command-lines.ts";
import { runTool } from "./tool-run.ts";

/** What a run did, in words that can be compared. */
type Did = Readonly<Record<Difference, unknown>>;

/**
 * Declares a test for each row; where they are said to differ, they must.
 * @param completed all arguments of a row
 * @param filled a value of its environment, with what stands for something else replaced
 */
export function compareWithMosquitto(
  rows: readonly CommandLine[],
  completed: (row: CommandLine) => readonly string[],
  filled: (text: string) => string = (text) => text,
): void {
  for (const row of rows) {
    const { tool, args, input, differs } = row;
    const peer = `mosquitto_${tool}` satisfies PeerName;
    testWithPeers(`${tool} ${JSON.stringify(args)}`, ["mosquitto", peer], async () => {
      const env = Object.fromEntries(Object.entries(row.env ?? {}).map(([name, value]) => [name, filled(value)]));
      // One after the other: they have the same identifier.
      const ours = did(row, await runTool(tool, completed(row), input, env));
      const options = { env, ...(input !== undefined && { input }) };
      const theirs = did(row, await startPeer(peer, completed(row), options).end());
      const found = (["code", "out", "errors"] as const).filter((difference) => !agree(ours, theirs, difference));
      assert.deepEqual(found, differs, `${JSON.stringify(ours, null, 1)}\n${JSON.stringify(theirs, null, 1)}`);
    });
  }
}

const LATE_TLS_ERROR = "Error: A TLS error occurred.";

function did({ args }: CommandLine, ended: Ended): Did {
  // With mosquitto's tools it is chance whether TLS fails while they connect or later, which they say and end with differently.
  const isEarly = ended.errors.startsWith("Unable to connect (A TLS error occurred.).");
  const { code, out, errors } = isEarly
    ? { ...ended, code: 8, errors: ended.errors.replace(/.*/, LATE_TLS_ERROR) }
    : ended;
  // With several messages under way it is chance which lines come before which answers.
  const isRace = args.includes("-l") && args.includes("-d");
  return {
    code,
    out: isRace ? out.split("\n").sort().join("\n") : timeless(out),
    errors: errors.split("\n").filter((line) => line !== "" && !line.startsWith("Use '")),
  };
}

/** Without the times, and of the forms that changed from 2.0 to 2.1 the later one. */
function timeless(out: string): string {
  return out
    .replaceAll(/("tst":\t?)"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z?[+-]\d{4}"/g, '$1"NOW"')
    .replaceAll(/("retain":\t?)1/g, "$1true")
    .replaceAll(/("retain":\t?)0/g, "$1false");
}

/** Where they complain we do as well, with the same beginning; we may say more. */
function agree(ours: Did, theirs: Did, difference: Difference): boolean {
  if (difference !== "errors") return ours[difference] === theirs[difference];
  const [our, their] = [ours.errors, theirs.errors] as readonly string[][];
  if (their!.length === 0) return our!.length === 0;
  return their!.every((line, index) => our![index]?.startsWith(line.replace(/\.$/, "")));
}
