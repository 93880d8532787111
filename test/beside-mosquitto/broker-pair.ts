// mosquitto and Lacewing, each a process of its own, started from the same configuration file but for the ports.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import type { PlayedBroker, Setting } from "./situation.ts";

/**
 * Both brokers under `setting`; they end with the test.
 * @param mosquittoLines more lines for mosquitto alone
 */
export async function startPair(
  context: TestContext,
  setting: Pick<Setting, "lines" | "files">,
  mosquittoLines: readonly string[] = [],
): Promise<{ readonly mosquitto: PlayedBroker; readonly lacewing: PlayedBroker }> {
  const [mosquitto, lacewing] = await Promise.all([
    startBroker(
      context,
      { ...setting, lines: [...setting.lines, ...mosquittoLines] },
      (file, cwd) => startPeer("mosquitto", ["-c", file], { cwd }),
      /mosquitto version \S+ running$/m,
    ),
    startBroker(
      context,
      setting,
      (file, cwd) => new Program(process.execPath, [MAIN, "-c", file], { cwd }),
      /running: /,
    ),
  ]);
  return { mosquitto, lacewing };
}

/** A broker that listens, and where. */
export interface ConfiguredProgram {
  readonly program: Program;
  readonly file: string;
  readonly ports: Readonly<Record<string, number>>;
}

/** A port that was free may have become another connection's own by the time that the broker starts. */
const MOST_ATTEMPTS = 5;

/** Starts a broker with `files` and a mosquitto.conf of `lines` in `folder`; `running` is what it prints when it listens. */
export async function startConfigured(
  folder: string,
  setting: Pick<Setting, "lines" | "files">,
  start: (file: string, folder: string) => Program,
  running: RegExp,
): Promise<ConfiguredProgram> {
  for (let attempt = 1; ; attempt++) {
    const { file, ports } = await writeConfiguration(folder, setting);
    const program = start(file, folder);
    try {
      await program.printed(running);
      return { program, file, ports };
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || !/has the port|Address already in use/.test(program.errors)) throw error;
    }
  }
}

/** Writes `files` and a mosquitto.conf with a free port for each `@NAME` of `lines`; the ports come by their names. */
async function writeConfiguration(
  folder: string,
  { lines, files = {} }: Pick<Setting, "lines" | "files">,
): Promise<Omit<ConfiguredProgram, "program">> {
  const names = [...new Set(lines.flatMap((line) => [...line.matchAll(/@([a-z-]+)/g)].map(([, name = ""]) => name)))];
  const numbers = await freePorts(names.length);
  const ports = Object.fromEntries(names.map((name, at) => [name, numbers[at] ?? 0]));
  const real = (text: string): string =>
    text.replaceAll(/@([a-z-]+)/g, (_, name: string) => String(ports[name])).replaceAll("FOLDER", folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `${lines.map(real).join("\n")}\n`);
  return { file, ports };
}

async function startBroker(
  context: TestContext,
  { lines, files = {} }: Pick<Setting, "lines" | "files">,
  start: (file: string, folder: string) => Program,
  running: RegExp,
): Promise<PlayedBroker> {
  const folder = temporaryFolder(context);
  const setting = { lines: [...COMMON_LINES, ...withDefaults(lines)], files };
  const { program, ports } = await startConfigured(folder, setting, start, running);
  context.after(() => program.stop());
  return {
    ports,
    folder,
    signal: (signal) => program.signal(signal),
    write: (path, text) => writeFileSync(join(folder, path), text),
  };
}

/** Started as root mosquitto would become a user who may not read a test's files; to a file or stderr it logs at once. */
const COMMON_LINES = [
  ...(process.getuid?.() === 0 ? ["user root"] : []),
  "log_dest stderr",
  "log_type all",
  // Without it each answer waits for an acknowledgement of TCP.
  "set_tcp_nodelay true",
];

/** What 2.1 announces by default, 2.0 announces when it is set. */
function withDefaults(lines: readonly string[]): readonly string[] {
  return lines.some((line) => line.startsWith("max_packet_size ")) ? lines : ["max_packet_size 2000000", ...lines];
}
