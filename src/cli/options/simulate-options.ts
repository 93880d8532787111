/** The options of `lacewing simulate`. */
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { HOLE_NOTES } from "../template.ts";
import { CONNECTION_OPTIONS, type ConnectionArguments, connectionOf } from "./connection-options.ts";
import { secondsOf } from "./seconds.ts";

const SIMULATION = {
  file: {
    group: "Simulation",
    type: "operand",
    argument: "file",
    isRequired: true,
    help: "File that describes the devices, as below.",
  },
  duration: {
    group: "Simulation",
    long: "duration",
    type: "text",
    argument: "seconds",
    help: "Stop so many seconds after all have connected; without it Ctrl-C does.",
  },
  rampUp: {
    group: "Simulation",
    long: "ramp-up",
    type: "text",
    argument: "seconds",
    default: "0",
    help: "Spread the connecting over so many seconds; 0: as fast as the broker takes it.",
  },
  dryRun: {
    group: "Simulation",
    long: "dry-run",
    type: "flag",
    help: "Connect nobody; show who would connect, and a first message of each.",
  },
  json: { group: "Output", long: "json", type: "flag", help: "The summary as one line of JSON." },
} as const;

const FILE_NOTES: readonly string[] = `The file:
  [device thermometer]                one section for each kind of device
  count = 1000                        how many; 1 unless given
  client-id = thermometer-\${n}        unless given the name and the number
  username = ..., password = ...      unless given those of -u and -P
  subscribe = command/\${n}/#          several with spaces between them; subscribe-qos
  will-topic = status/\${n}            will-payload, will-qos, will-retain; published when it goes
  birth-topic = status/\${n}           birth-payload, birth-qos, birth-retain; published when it has connected
  [message]                           what the device above publishes; several are allowed
  topic = room/\${n}/temperature
  payload = {"celsius": \${walk 18 26 0.3}, "seq": \${counter}}
  interval = 5s                       as 250ms, 5s, 1.5m, 2h; 1s unless given
  jitter = 20%                        or a time; each wait is longer or shorter by up to so much
  qos = 1
  retain = true
A line that begins with # says nothing; one that begins with a space goes on with the value above.

What a value may have in it; $$ is a dollar sign:`.split("\n");

type Table = typeof SIMULATION & typeof CONNECTION_OPTIONS;

/** `lacewing simulate`. */
export const SIMULATE_COMMAND: Command<Table> = {
  name: "lacewing simulate",
  summary: "Makes the traffic of many devices, which a file describes.",
  usage: ["[-h HOST] [-p PORT] [--duration SECONDS] FILE", "--dry-run FILE"],
  options: { ...SIMULATION, ...CONNECTION_OPTIONS } satisfies OptionTable,
  examples: [
    ["See what would be published", "--dry-run house.sim"],
    ["Until Ctrl-C", "-h broker.example house.sim"],
    ["For a minute, for a program that reads the result", "--duration 60 --json house.sim"],
  ],
  notes: [
    ...FILE_NOTES,
    ...HOLE_NOTES,
    "",
    "Exit code: 0 done or ended by Ctrl-C; 1 wrong arguments, a mistake in the file, or no connection; 2 a device was",
    "refused or lost its connection, or a message was refused.",
  ],
};

/** What `lacewing simulate` is to do. */
export interface SimulateArguments extends ConnectionArguments {
  readonly file: string;
  /** null: until somebody ends it. */
  readonly durationMs: number | null;
  readonly rampUpMs: number;
  readonly isDryRun: boolean;
  readonly json: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
}

/**
 * Reads what the options say together.
 * @throws CommandLineError when something is missing or contradicts
 */
export function simulateArgumentsOf(parsed: ParsedOptions<Table>): SimulateArguments {
  const { file, duration, rampUp, dryRun, json, debug, quiet } = parsed;
  if (parsed.id !== undefined || parsed.idPrefix !== undefined) {
    throw new CommandLineError("Identifiers are in the file, as client-id: leave out -i and -I.");
  }
  // Which identifiers there are is known from the file; here one stands for all.
  const connection = connectionOf({ ...parsed, id: "device" });
  if (connection.will !== null) {
    throw new CommandLineError("Wills are in the file, as will-topic: leave out --will-topic.");
  }
  return {
    ...connection,
    ...{ file, isDryRun: dryRun, json, debug, quiet },
    durationMs: duration === undefined ? null : secondsOf("--duration", duration) * 1000,
    rampUpMs: secondsOf("--ramp-up", rampUp) * 1000,
  };
}
