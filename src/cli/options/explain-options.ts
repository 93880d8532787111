/** The options of `lacewing explain`. */
import { SOURCE_NAMES, type Source } from "../../explain/index.ts";
import type { Command, OptionTable } from "../command-line.ts";
import { LANGUAGE_OPTION } from "./language-option.ts";

const SOURCES = Object.fromEntries(SOURCE_NAMES.map((name) => [name, name])) as Readonly<Record<Source, Source>>;

interface SourceChoice {
  readonly group: string;
  readonly long: string;
  readonly type: "choice";
  readonly argument: string;
  readonly choices: Readonly<Record<Source, Source>>;
  readonly help: string;
}

const SOURCE_OPTION: { readonly from: SourceChoice } = {
  from: {
    group: "Question",
    long: "from",
    type: "choice",
    argument: "source",
    choices: SOURCES,
    help: `Where the number was met: ${SOURCE_NAMES.join(", ")}.`,
  },
};
SOURCE_OPTION satisfies OptionTable;

const OPTIONS = {
  query: {
    group: "Question",
    type: "operand",
    argument: "query",
    repeatable: true,
    help: "A number, a name, a line of a log or a few words.",
  },
  all: { group: "Output", long: "all", type: "flag", help: "Show all meanings in full, not only the likeliest." },
  json: {
    group: "Output",
    long: "json",
    type: "flag",
    help: "One JSON object: the meanings; of a log one for each problem.",
  },
  help: { group: "Output", long: "help", type: "flag", isFinal: true, help: "Show this." },
  showVersion: { group: "Output", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;
OPTIONS satisfies OptionTable;

type Table = typeof SOURCE_OPTION & typeof OPTIONS & typeof LANGUAGE_OPTION;

/** `lacewing explain`. */
export const EXPLAIN_COMMAND: Command<Table> = {
  name: "lacewing explain",
  summary: "Says what a number, a name, a log line or a symptom means, why it happens, how to check and what to do.",
  usage: ["[--from SOURCE] QUERY...", "[--from SOURCE] -- QUERY...", "< LOG"],
  options: { ...SOURCE_OPTION, ...OPTIONS, ...LANGUAGE_OPTION },
  notes: [
    "Without a query it reads a log from standard input and shows each problem once.",
    "Examples:",
    "  lacewing explain 19 --from on_disconnect",
    "  lacewing explain MOSQ_ERR_TLS",
    "  lacewing explain 0x87 --from puback",
    '  lacewing explain "certificate verify failed"',
    "  journalctl -u mosquitto | lacewing explain",
    "Exit codes: 0 it is known, or the log was read; 1 nothing is known, or the arguments are wrong.",
  ],
};
