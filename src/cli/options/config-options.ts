/** The options of `lacewing config` and its command. */
import type { Command, OptionTable } from "../command-line.ts";

const HELP = {
  help: { group: "Help", long: "help", type: "flag", isFinal: true, help: "Show this." },
  showVersion: { group: "Help", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;
HELP satisfies OptionTable;

/** `lacewing config` without a command. */
export const CONFIG_COMMAND: Command<typeof HELP> = {
  name: "lacewing config",
  summary: "Shows what a mosquitto.conf comes to, and what is dangerous in it.",
  usage: ["check FILE                     effective settings of each listener, and dangers", "COMMAND --help"],
  options: HELP,
};

const CHECK_OPTIONS = {
  file: { group: "Arguments", type: "operand", argument: "file", isRequired: true, help: "A mosquitto.conf." },
  all: { group: "Output", long: "all", type: "flag", help: "Also settings that have their default." },
  json: {
    group: "Output",
    long: "json",
    type: "flag",
    help: "One JSON object a line: each listener, the broker, each finding, the result.",
  },
  strict: { group: "Output", long: "strict", type: "flag", help: "Warnings fail as errors do: exit code 2." },
} as const;
CHECK_OPTIONS satisfies OptionTable;

/** `lacewing config check`. */
export const CONFIG_CHECK_COMMAND: Command<typeof CHECK_OPTIONS & typeof HELP> = {
  name: "lacewing config check",
  summary: "Prints the effective settings of each listener, and warns of dangers. Opens no port and changes nothing.",
  usage: ["FILE [--all] [--strict] [--json]"],
  options: { ...CHECK_OPTIONS, ...HELP },
  notes: [
    "It warns of: anonymous clients or readable passwords on an address of the network, listeners that nobody can",
    "connect to, files of keys and passwords that everybody may read or change, certificates that have ended, end",
    "within 30 days, have not the right name or not that key, files that are empty or broken, keep-alive limits, and",
    "settings without effect.",
    "",
    "Exit codes: 0 the broker would start; 1 it would not, or an argument is wrong; 2 warnings, with --strict.",
    "Run it as the user that the broker runs as: files are read with the rights of whoever asks.",
  ],
  examples: [
    ["Look through a configuration", "/etc/mosquitto/mosquitto.conf"],
    ["Let a pipeline fail on each warning", "--strict mosquitto.conf"],
  ],
};

/** The commands by their names. */
export const CONFIG_COMMANDS: { readonly check: typeof CONFIG_CHECK_COMMAND } = { check: CONFIG_CHECK_COMMAND };
