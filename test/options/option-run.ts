// Options of mosquitto.conf as an operator sets them: one started broker, and what each option does to a real connection.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startConfigured } from "../beside-mosquitto/broker-pair.ts";
import { type PlayedBroker, Stage } from "../beside-mosquitto/situation.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";

/** A broker under a configuration file. */
export interface OptionBroker extends PlayedBroker {
  readonly stage: Stage;
  /** Its output so far; where it logs to standard error, its log. */
  program(): Program;
  /** Kills it, and starts it again under the same file. */
  restart(): Promise<void>;
}

/** What shows that an option is in force. */
export type Check = (broker: OptionBroker) => Promise<void>;

/** A configuration, and a check for each option that it is there for. */
export interface OptionRun {
  readonly title: string;
  /** As of `Setting`. */
  readonly lines: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Makes files that are no text, before the broker starts. */
  readonly prepare?: (folder: string) => void;
  /** By the name of the option, which `lines` must hold. */
  readonly checks: Readonly<Record<string, Check>>;
}

const RUNNING = /running: /;

/** Starts it; it ends with the test. */
export async function startOptionBroker(context: TestContext, run: OptionRun): Promise<OptionBroker> {
  const folder = temporaryFolder(context);
  run.prepare?.(folder);
  const start = (file: string): Program => new Program(process.execPath, [MAIN, "-c", file], { cwd: folder });
  const { file, ports, ...first } = await startConfigured(folder, run, start, RUNNING);
  let { program } = first;
  context.after(() => program.stop());
  const played: PlayedBroker = {
    ports,
    folder,
    signal: (signal) => program.signal(signal),
    write: (path, text) => writeFileSync(join(folder, path), text),
  };
  return {
    ...played,
    stage: new Stage(played),
    program: () => program,
    restart: async () => {
      await program.stop("SIGKILL");
      program = start(file);
      await program.printed(RUNNING);
    },
  };
}
