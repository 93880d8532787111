// Our broker as a user starts it, in a process of its own, on a free port of the loopback interface.
import { join } from "node:path";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

/** What the broker is as a program. */
export const MAIN: string = join(ROOT, "dist/cli/main.js");

export interface BrokerProcess {
  readonly port: number;
  readonly program: Program;
  /** Ends it and checks that it ended well and without a complaint about itself. */
  stop(): Promise<void>;
}

/** Starts the broker with `options` and resolves when it listens. */
export async function startBrokerProcess(...options: readonly string[]): Promise<BrokerProcess> {
  const program = new Program(process.execPath, [MAIN, "-p", "0", "--host", "127.0.0.1", ...options]);
  const [, port] = await program.printed(/running: 127\.0\.0\.1:(\d+)/);
  const stop = async () => {
    const { code, errors } = await program.stop();
    if (code !== 0 || errors.includes("fault")) throw new Error(`The broker ended with ${code}.\n${errors}`);
  };
  return { port: Number(port), program, stop };
}
