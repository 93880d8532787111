/** The options of `lacewing passwd`. */
import type { PasswordAlgorithm } from "../../security/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";

const PASSWORD_OPTIONS = {
  path: {
    group: "Arguments",
    type: "operand",
    argument: "password file",
    help: "The file to change; with -c, - is standard output.",
  },
  username: { group: "Arguments", type: "operand", argument: "username", help: "Whose password." },
  password: { group: "Arguments", type: "operand", argument: "password", help: "The password, with -b only." },
  isBatch: {
    group: "Options",
    short: "b",
    type: "flag",
    help: "Take the password from the command line, where others can see it, instead of asking.",
  },
  isNew: { group: "Options", short: "c", type: "flag", help: "Make a new file; one that is there is replaced." },
  deletes: { group: "Options", short: "D", type: "flag", help: "Take the user out of the file." },
  upgrades: {
    group: "Options",
    short: "U",
    type: "flag",
    help: "Hash the passwords of a file that has them as plain text.",
  },
  algorithm: {
    group: "Options",
    short: "H",
    type: "choice",
    argument: "hash",
    choices: { sha512: "sha512", "sha512-pbkdf2": "sha512-pbkdf2", "scram-sha-256": "scram-sha-256" },
    default: "sha512-pbkdf2",
    missing: "-H argument given but not enough other arguments.",
    invalid: "Unknown hash type '{}'",
    allowed: "There are sha512, sha512-pbkdf2 and scram-sha-256.",
    help: "How to hash: sha512-pbkdf2; sha512 for mosquitto 1.6 and before; scram-sha-256 for plugin lacewing_scram, in a file of its own.",
  },
  iterations: {
    group: "Options",
    short: "I",
    type: "integer",
    argument: "iterations",
    min: 1,
    max: 10_000_000,
    default: 1000,
    missing: "-I argument given but not enough other arguments.",
    invalid: "Number of iterations must be > 0.",
    allowed: "At most 10000000 are taken.",
    help: "Rounds of sha512-pbkdf2, or of scram-sha-256, which has at least 4096: more take an attacker, and the broker, longer.",
  },
  help: { group: "Options", long: "help", type: "flag", isFinal: true, help: "Show this." },
  showVersion: { group: "Options", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
PASSWORD_OPTIONS satisfies OptionTable;

/** `lacewing passwd`. */
export const PASSWD_COMMAND: Command<typeof PASSWORD_OPTIONS> = {
  name: "lacewing passwd",
  summary: "Manages password files for Lacewing and mosquitto.",
  usage: ["[-c | -D] PASSWORD-FILE USERNAME", "[-c] -b PASSWORD-FILE USERNAME PASSWORD", "-U PASSWORD-FILE"],
  options: PASSWORD_OPTIONS,
  operandsComeLast: true,
  isTerse: true,
  examples: [
    ["A new file with one user, whose password is asked for", "-c users ann"],
    ["Another user, from a script", "-b users device-7 secret"],
    ["Take a user out", "-D users ann"],
  ],
  notes: ["Exit code: 0 done; 1 wrong arguments, or the file could not be changed; 2 the passwords differ."],
};

/** How a password is hashed; SCRAM's verifiers are for a file of their own. */
export type HashingAlgorithm = PasswordAlgorithm | "scram-sha-256";

/** What `lacewing passwd` is to do. */
export type PasswordTask = {
  readonly path: string;
  readonly algorithm: HashingAlgorithm;
  readonly iterations: number;
} & (
  | { readonly does: "set"; readonly username: string; readonly isNew: boolean; readonly password: string | null }
  | { readonly does: "delete"; readonly username: string }
  | { readonly does: "upgrade" }
);

const MODES = { c: "isNew", D: "deletes", U: "upgrades", b: "isBatch" } as const;
const CONTRADICTIONS = ["cD", "cU", "DU", "bD", "bU"] as const;

/**
 * Reads what the options say together.
 * @throws CommandLineError when something is missing or contradicts
 */
export function passwordTaskOf(parsed: ParsedOptions<typeof PASSWORD_OPTIONS>): PasswordTask {
  for (const [first, second] of CONTRADICTIONS as readonly (readonly string[] | string)[]) {
    if (parsed[MODES[first as keyof typeof MODES]] && parsed[MODES[second as keyof typeof MODES]]) {
      throw new CommandLineError(`-${first} and -${second} cannot be used together.`);
    }
  }
  const { path, username, password, isBatch, isNew, deletes, upgrades, algorithm, iterations } = parsed;
  const words = [path, username, password].filter((word) => word !== undefined).length;
  const hashing = { algorithm: algorithm as HashingAlgorithm, iterations };
  if (words !== (upgrades ? 1 : isBatch ? 3 : 2)) throw wrongWords(parsed, words);
  if (upgrades) return { does: "upgrade", path: path!, ...hashing };
  checkUsername(username!);
  if (deletes) return { does: "delete", path: path!, username: username!, ...hashing };
  if (password !== undefined && Buffer.byteLength(password) > LONGEST_BYTES) {
    throw new CommandLineError("Password must be less than 65536 characters long.");
  }
  return { does: "set", path: path!, username: username!, isNew, password: password ?? null, ...hashing };
}

/** What a CONNECT can carry. */
const LONGEST_BYTES = 65_535;

function wrongWords(
  { isNew, isBatch, deletes, upgrades }: ParsedOptions<typeof PASSWORD_OPTIONS>,
  words: number,
): Error {
  if (words === 3) return new CommandLineError("A password on the command line needs -b.");
  if (upgrades) return new CommandLineError("-U argument given but password file missing.");
  if (deletes) return new CommandLineError("-D argument given but password file or username missing.");
  if (isBatch) {
    const option = isNew ? "-c" : "-b";
    return new CommandLineError(`${option} argument given but password file, username, or password missing.`);
  }
  return new CommandLineError(`${isNew ? "-c argument given but p" : "P"}assword file or username missing.`);
}

function checkUsername(username: string): void {
  if (username === "") throw new CommandLineError("Username must not be empty.");
  if (Buffer.byteLength(username) > LONGEST_BYTES) {
    throw new CommandLineError("Username must be less than 65536 characters long.");
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x00-\x1f\x7f]/.test(username)) throw new CommandLineError("Username must not contain control characters.");
  if (username.includes(":")) throw new CommandLineError("Username must not contain the ':' character.");
}
