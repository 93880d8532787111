/** The options that say how messages are shown, for every tool that receives. */
import { CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { type FormatPart, parseFormat } from "../format.ts";

/** The table. */
export const OUTPUT_OPTIONS = {
  verbose: { group: "Output", short: "v", long: "verbose", type: "flag", help: "Show the topic before each message." },
  format: {
    group: "Output",
    short: "F",
    type: "text",
    argument: "format",
    help: "How to show a message: %t topic, %p payload, %j JSON and more, see below. -v is ignored then.",
  },
  pretty: { group: "Output", long: "pretty", type: "flag", help: "Show the JSON of %j and %J on many lines." },
  json: { group: "Output", long: "json", type: "flag", help: "Show a message as one line of JSON." },
  noNewline: { group: "Output", short: "N", type: "flag", help: "Do not end each message with a new line." },
  skipsRetained: { group: "Output", short: "R", type: "flag", help: "Do not show retained messages." },
  retainHandling: {
    group: "Subscription",
    long: "retain-handling",
    type: "choice",
    argument: "retain handling",
    missing: "--retain-handling argument given but no option specified.",
    invalid: "Unknown value '{}' for --retain-handling.",
    allowed: "Allowed is always, new or never.",
    choices: { always: 0, new: 1, never: 2 },
    help: "Whether the broker sends retained messages: always, new (not for a subscription it knows) or never. Version 5.",
  },
  retainAsPublished: {
    group: "Subscription",
    long: "retain-as-published",
    type: "flag",
    help: "Get the retain flag as the publisher set it. Version 5.",
  },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
OUTPUT_OPTIONS satisfies OptionTable;

/** For the end of the help text. */
export const FORMAT_NOTES: readonly string[] = [
  "Format of -F:",
  "  %t topic   %p payload   %x %X payload in hexadecimal   %l its length",
  "  %q QoS   %r retain   %m packet identifier   %C content type   %D correlation data   %E expiry",
  "  %F payload format   %R response topic   %P user properties   %A topic alias   %S subscription id",
  "  %j JSON, the payload as text   %J JSON, the payload as JSON   %I time   %U Unix time",
  "  %f %d payload as float, double   %% percent sign",
  "  @X what strftime makes of %X   @N nanoseconds   @@ at sign   \\0 \\a \\e \\n \\r \\t \\v \\\\",
  "  Between % and its letter, in this order: - for left or 0 for zeros, width, .precision, and for %x",
  "  and %X a separator of groups: %.4:x is 6869:6a6b.",
];

/** How to show messages. */
export interface OutputArguments {
  readonly verbose: boolean;
  readonly format: readonly FormatPart[] | null;
  readonly pretty: boolean;
  readonly json: boolean;
  readonly noNewline: boolean;
  readonly skipsRetained: boolean;
  readonly retainHandling: 0 | 1 | 2;
  readonly retainAsPublished: boolean;
}

/**
 * Reads what the options of OUTPUT_OPTIONS say together.
 * @throws CommandLineError when the format is not understood
 */
export function outputOf(parsed: ParsedOptions<typeof OUTPUT_OPTIONS>): OutputArguments {
  const { verbose, format, pretty, json, noNewline, skipsRetained, retainHandling, retainAsPublished } = parsed;
  if (json && format !== undefined) throw new CommandLineError("Only one of -F and --json can be given.");
  return {
    verbose,
    format: format === undefined ? null : parseFormat(format),
    pretty,
    json,
    noNewline,
    skipsRetained,
    // In 5.0 what would not be shown need not be sent.
    retainHandling: retainHandling ?? (skipsRetained ? 2 : 0),
    retainAsPublished,
  };
}
