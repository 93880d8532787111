// Our broker as a user starts it, in a process of its own, on a free port of the loopback interface.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import type { BrokerProcess } from "./tools-suite.ts";

/** What the broker is as a program. */
export const MAIN: string = join(ROOT, "dist/cli/main.js");

export interface LacewingProcess extends BrokerProcess {
  readonly program: Program;
}

/** Starts the broker with `options`, a folder of its own for what it keeps, and resolves when it listens. */
export async function startBrokerProcess(...options: readonly string[]): Promise<LacewingProcess> {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-broker-"));
  const fixed = ["-p", "0", "--host", "127.0.0.1", "--set", `persistence_location=${folder}`];
  const program = new Program(process.execPath, [MAIN, ...fixed, ...options]);
  const stop = async () => {
    const { code, errors } = await program.stop();
    rmSync(folder, { recursive: true, force: true });
    if (code !== 0 || errors.includes("has a fault")) throw new Error(`The broker ended with ${code}.\n${errors}`);
  };
  const [, port] = await program.printed(/running: 127\.0\.0\.1:(\d+)/);
  return { port: Number(port), program, stop };
}
