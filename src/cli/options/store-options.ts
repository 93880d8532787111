/** The options of `lacewing store` and its commands. */
import type { Command, OptionTable } from "../command-line.ts";

const HELP = {
  help: { group: "Help", long: "help", type: "flag", isFinal: true, help: "Show this." },
  showVersion: { group: "Help", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;

const FOLDER = {
  folder: {
    group: "Store",
    type: "operand",
    argument: "folder",
    // The broker's default; a test holds them together, as the type of the table must be readable without inference.
    default: "data",
    help: "The store's folder, which is the broker's persistence_location.",
  },
} as const;
FOLDER satisfies OptionTable;

type Folder = typeof FOLDER;

const EXIT_CODES = ["Exit codes: 0 done, 1 not done; the reason is on standard error."];

HELP satisfies OptionTable;

type Help = typeof HELP;

/** `lacewing store` without a command. */
export const STORE_COMMAND: Command<Help> = {
  name: "lacewing store",
  summary: "Looks after what the broker keeps on disk: sessions, their messages, retained messages.",
  usage: [
    "check [FOLDER]                 whether the store is sound",
    "stats [FOLDER] [--top N]       what is in it, and which clients have most",
    "export [FOLDER] [-o FILE]      writes everything as JSON lines",
    "import FILE [--to FOLDER]      fills a store from an export, or from mosquitto's mosquitto.db",
    "repair [FOLDER]                keeps what can still be read of a damaged store",
    "compact [FOLDER]               gives unused space back to the disk",
    "backup FOLDER TO               copies the store, also while the broker runs",
    "COMMAND --help                 more on each",
  ],
  options: HELP,
};

const STATS_OPTIONS = {
  top: {
    group: "Output",
    long: "top",
    type: "integer",
    argument: "n",
    min: 0,
    max: 1_000_000,
    default: 10,
    help: "How many clients to name: those with the most bytes queued and in flight.",
  },
  json: { group: "Output", long: "json", type: "flag", help: "One JSON object a line: the totals, then the clients." },
} as const;
STATS_OPTIONS satisfies OptionTable;

/** `lacewing store stats`. */
export const STATS_COMMAND: Command<Folder & typeof STATS_OPTIONS & Help> = {
  name: "lacewing store stats",
  summary: "Counts what a store holds, in all and by client.",
  usage: ["[FOLDER] [--top N] [--json]"],
  options: { ...FOLDER, ...STATS_OPTIONS, ...HELP },
  notes: [...EXIT_CODES, "", "While the broker runs, take a backup first and look at that."],
};

const EXPORT_OPTIONS = {
  output: {
    group: "Output",
    short: "o",
    long: "output",
    type: "text",
    argument: "file",
    help: "A new file to write to instead of standard output. Only its owner can read it: it holds all messages.",
  },
} as const;
EXPORT_OPTIONS satisfies OptionTable;

/** `lacewing store export`. */
export const EXPORT_COMMAND: Command<Folder & typeof EXPORT_OPTIONS & Help> = {
  name: "lacewing store export",
  summary: "Writes everything that a store holds as JSON lines, which `lacewing store import` reads.",
  usage: ["[FOLDER] [-o FILE]"],
  options: { ...FOLDER, ...EXPORT_OPTIONS, ...HELP },
  notes: [
    "Each line is an object with a kind. Payloads and correlation data are base64; moments are milliseconds",
    "since 1970, null: never. A message stands right before the first line that refers to it by its number.",
    "  lacewing-store  version                                              the first line",
    "  clock           aheadMs: how far the wall clock has been set since the moments were taken",
    "  session         clientId principal expirySeconds disconnectedAtMs    principal: its user, null: anonymous",
    "  subscription    clientId topicFilter qos noLocal retainAsPublished subscriptionId",
    "  message         message topicName payload qos retain properties expiresAtMs publisher",
    "  delivery        clientId order message qos retain subscriptionIds packetId wait share payloadBytes",
    "                  a message owed to a session: queued (packetId 0), or sent and waiting for PUBACK, PUBREC or PUBCOMP",
    "  received        clientId packetId                                    taken at QoS 2, and its PUBREL still to come",
    "  will            clientId topicName payload qos retain properties delaySeconds dueAtMs",
    "  share           share order message                                  owed to a group while another member has it",
    "  retained        topicName message",
    "  end             lines: how many there are, this one included         the last line",
    "",
    ...EXIT_CODES,
    "It is 1 too when records are damaged and were left out.",
    "",
    "While the broker runs, take a backup first and export that.",
  ],
};

const IMPORT_OPTIONS = {
  file: {
    group: "Source",
    type: "operand",
    argument: "file",
    isRequired: true,
    help: "An export of Lacewing, or a mosquitto.db of mosquitto 1.6 to 2; its content tells which.",
  },
  users: {
    group: "Source",
    long: "users",
    type: "flag",
    help: "Let a session of a mosquitto.db belong to the user name in the file, so that only this user gets it back. Without, sessions belong to nobody, which is right for a broker that lets clients in without passwords. mosquitto up to 2.0.11 gives clients without user name that of another in its file.",
  },
  to: {
    group: "Store",
    long: "to",
    type: "text",
    argument: "folder",
    default: "data",
    help: "The folder of the store to fill; made when it is not there.",
  },
  force: {
    group: "Store",
    long: "force",
    type: "flag",
    help: "Also when the store is not empty: what it holds is moved to a folder inside of it and replaced.",
  },
} as const;
IMPORT_OPTIONS satisfies OptionTable;

/** `lacewing store import`. */
export const IMPORT_COMMAND: Command<typeof IMPORT_OPTIONS & Help> = {
  name: "lacewing store import",
  summary: "Fills a store from an export, or from the database of mosquitto.",
  usage: ["FILE [--to FOLDER] [--force] [--users]"],
  options: { ...IMPORT_OPTIONS, ...HELP },
  notes: [
    "To move from mosquitto: stop it, so that it saves everything; import its mosquitto.db; start Lacewing.",
    "The whole file is checked first; when anything about it cannot be, nothing is imported. What mosquitto 2.0",
    "itself does not save cannot come along: shared subscriptions, and sessions that began with clean start.",
    "The broker must not be running with the store that is filled.",
    "",
    ...EXIT_CODES,
  ],
};

/** `lacewing store check`. */
export const CHECK_COMMAND: Command<Folder & Help> = {
  name: "lacewing store check",
  summary: "Reads a whole store, every page and record of it, and says whether it is sound.",
  usage: ["[FOLDER]"],
  options: { ...FOLDER, ...HELP },
  notes: [
    "Exit codes: 0 sound, 1 damaged, or not checked; the reason is on standard error.",
    "",
    "While the broker runs, take a backup first and check that.",
  ],
};

/** `lacewing store repair`. */
export const REPAIR_COMMAND: Command<Folder & Help> = {
  name: "lacewing store repair",
  summary: "Makes a new store of what can still be read of one that the broker refuses because it is damaged.",
  usage: ["[FOLDER]"],
  options: { ...FOLDER, ...HELP },
  notes: [
    "The damaged file is moved to a folder inside of the store's. Records that do not match their checksum are left",
    "out, and with them what cannot be without them: nothing altered is ever delivered, but messages may be missing.",
    "A backup, where there is one, is better. The broker must not be running.",
    "",
    ...EXIT_CODES,
  ],
};

/** `lacewing store compact`. */
export const COMPACT_COMMAND: Command<Folder & Help> = {
  name: "lacewing store compact",
  summary: "Writes a store anew without what it does not use, and gives that space back to the disk.",
  usage: ["[FOLDER]"],
  options: { ...FOLDER, ...HELP },
  notes: [
    ...EXIT_CODES,
    "",
    "The broker must not be running, and the disk needs room for the new file beside the old one.",
  ],
};

const BACKUP_OPTIONS = {
  folder: {
    group: "Store",
    type: "operand",
    argument: "folder",
    isRequired: true,
    help: "The store's folder, which is the broker's persistence_location.",
  },
  to: {
    group: "Store",
    type: "operand",
    argument: "to",
    isRequired: true,
    help: "The folder for the copy: new, or empty. A broker can be started with it as persistence_location.",
  },
} as const;
BACKUP_OPTIONS satisfies OptionTable;

/** `lacewing store backup`. */
export const BACKUP_COMMAND: Command<typeof BACKUP_OPTIONS & Help> = {
  name: "lacewing store backup",
  summary: "Copies a store as it is at one moment, also while the broker runs.",
  usage: ["FOLDER TO"],
  options: { ...BACKUP_OPTIONS, ...HELP },
  notes: EXIT_CODES,
};

/** The commands of `lacewing store` by their names. */
export const STORE_COMMANDS: Readonly<Record<string, Command<OptionTable>>> = {
  check: CHECK_COMMAND,
  stats: STATS_COMMAND,
  export: EXPORT_COMMAND,
  import: IMPORT_COMMAND,
  repair: REPAIR_COMMAND,
  compact: COMPACT_COMMAND,
  backup: BACKUP_COMMAND,
};
