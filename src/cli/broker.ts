/** `lacewing`: reads what the broker is to run with. What runs it is loaded when that is known: errors are said sooner. */
import { ConfigError, type FoundWhen, type ReadConfig } from "../config/index.ts";
import { version } from "../config/version.ts";
import {
  BROKER_COMMAND,
  type BrokerArguments,
  configErrorText,
  configOf,
  MOSQUITTO_COMMAND,
} from "./broker-options.ts";
import { CommandLineError, commandLineErrorText, helpText, parseCommandLine } from "./command-line.ts";
import { goOnInBackground } from "./daemon.ts";

/** Runs the broker and returns the exit code once it has ended. `calledAs`: by the name of a link. */
export async function runBroker(args: readonly string[], calledAs: string | null = null): Promise<number> {
  const isMosquitto = calledAs === "mosquitto";
  const command = isMosquitto ? MOSQUITTO_COMMAND : BROKER_COMMAND;
  try {
    const parsed = parseCommandLine(command, args);
    if (parsed.help) {
      process.stdout.write(helpText(command));
      return 0;
    }
    if (parsed.version) {
      process.stdout.write(`lacewing version ${version()}\n`);
      return 0;
    }
    const read = (): ReadConfig => readAgain(parsed, isMosquitto);
    const first = read();
    if (parsed.testConfig) return tested(first);
    if (parsed.daemon) return await goOnInBackground(args);
    const { startBroker } = await import("./start-broker.ts");
    return await startBroker(first, read, { hasFile: parsed.configFile !== undefined, isMosquitto });
  } catch (error) {
    return failed(error, isMosquitto);
  }
}

/** Says that a configuration can be used, and what its reader has to say. */
function tested({ notices, files }: ReadConfig): number {
  const lines = notices.map(({ place, text }) => (place === null ? text : `${text} (${place})`));
  lines.push(files.length > 1 ? "Configuration files are OK." : "Configuration file is OK.");
  process.stderr.write(`${lines.join("\n")}\n`);
  return 0;
}

function readAgain(parsed: BrokerArguments, isMosquitto: boolean): ReadConfig {
  return configOf(parsed, {
    isMosquitto,
    persistenceLocation: process.env.MOSQUITTO_PERSISTENCE_LOCATION,
  });
}

/** As mosquitto: what was asked for cannot be understood. */
const INVALID = 3;
/** As mosquitto's, by when it finds what is wrong. */
const EXIT_CODES: Readonly<Record<FoundWhen, number>> = { reading: INVALID, loading: 13, listening: 1 };

function failed(error: unknown, isMosquitto: boolean): number {
  if (error instanceof CommandLineError) {
    const [command, help] = isMosquitto
      ? [MOSQUITTO_COMMAND, "mosquitto -h"]
      : [BROKER_COMMAND, "lacewing help broker"];
    process.stderr.write(commandLineErrorText(command, error, help));
    return INVALID;
  }
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(configErrorText(error));
  const found = new Set(error.problems.map(({ foundWhen = "reading" }) => foundWhen));
  const first = (["reading", "loading", "listening"] as const).find((when) => found.has(when));
  return EXIT_CODES[first ?? "reading"];
}
