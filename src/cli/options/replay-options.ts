/** The options of `lacewing replay`. */
import type { Command, OptionTable } from "../command-line.ts";
import { LANGUAGE_OPTION } from "./language-option.ts";

const REPLAY_OPTIONS = {
  file: {
    group: "Capture",
    type: "operand",
    argument: "file",
    isRequired: true,
    help: "A capture of Wireshark, tshark, tcpdump or lacewing record: pcap or pcapng.",
  },
  verbose: { group: "Output", short: "v", long: "verbose", type: "flag", help: "Show every packet." },
  help: { group: "Help", long: "help", type: "flag", isFinal: true, help: "Show this." },
  showVersion: { group: "Help", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;
REPLAY_OPTIONS satisfies OptionTable;

/** `lacewing replay`. */
export const REPLAY_COMMAND: Command<typeof REPLAY_OPTIONS & typeof LANGUAGE_OPTION> = {
  name: "lacewing replay",
  summary: "Runs a capture through the protocol machines of both ends and names the first broken rule.",
  usage: ["FILE [-v]"],
  options: { ...REPLAY_OPTIONS, ...LANGUAGE_OPTION },
  notes: [
    "Exit code: 0 no rule was broken, 2 one was, 1 the file cannot be read, or no connection in it from its beginning.",
  ],
};
