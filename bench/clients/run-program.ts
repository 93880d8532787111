// Runs a program that prints one line of JSON. Must not know what it measures.
import { spawn } from "node:child_process";
import { RAISE_LIMIT } from "../brokers/broker.ts";

/** One that takes longer has stopped. */
const KILL_MS = 120_000;

/** What `command` printed; throws when it failed. */
export async function runProgram<Result>(command: readonly string[]): Promise<Result> {
  const child = spawn("/bin/sh", ["-c", RAISE_LIMIT, "sh", ...command], { stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_MS);
  let [out, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  clearTimeout(timer);
  if (status !== 0) throw new Error(errors.trim().split("\n")[0] || `it ended with ${status}`);
  return JSON.parse(out) as Result;
}
