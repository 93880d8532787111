/** Options of the log. */
import type { Draft } from "../draft.ts";
import { DEFAULT_LOG, LOG_TYPES, type LogDestination, type LogType } from "../log-config.ts";
import { general, type Option } from "../option.ts";
import { OptionError } from "../problem.ts";
import { choice, empty, integer, SWITCH, text, type ValueKind, wordsOf } from "../values.ts";

const DESTINATION_FORM = "stdout, stderr, syslog, topic, file PATH, none, dlt or android";

/** null: none. "unavailable": one that does not exist here. */
const DESTINATION: ValueKind<LogDestination | null | { readonly kind: "unavailable"; readonly name: string }> = {
  form: DESTINATION_FORM,
  read(name, rest) {
    const [word] = wordsOf(rest);
    switch (word) {
      case undefined:
        throw empty(name, DESTINATION_FORM);
      case "none":
        return null;
      case "stdout":
      case "stderr":
      case "syslog":
      case "topic":
        return { kind: word };
      case "dlt":
      case "android":
        return { kind: "unavailable", name: word };
      case "file": {
        const path = rest.trim().slice("file".length).trim();
        if (path === "")
          throw new OptionError('Error: Empty "log_dest file" value in configuration. Name a file after it.');
        return { kind: "file", path };
      }
      default:
        throw new OptionError(`Error: Invalid 'log_dest' value (${word}). Allowed is ${DESTINATION_FORM}.`);
    }
  },
};

function setDestination(draft: Draft, value: ReturnType<typeof DESTINATION.read>, place: string): void {
  const { log, notices } = draft;
  // Those of the defaults end with the first that is named.
  const before = log.destinations === DEFAULT_LOG.destinations ? [] : log.destinations;
  if (value === null) {
    log.destinations = [];
  } else if (value.kind === "unavailable") {
    log.destinations = before;
    notices.push({
      place,
      type: "warning",
      text: `Warning: log_dest ${value.name} does not exist here, and nothing is logged to it; use stdout, syslog or file.`,
    });
  } else if (value.kind === "file" && before.some(({ kind }) => kind === "file")) {
    throw new OptionError('Error: Duplicate "log_dest file" value. Only one file can be logged to.');
  } else {
    log.destinations = [...before.filter(({ kind }) => kind !== value.kind), value];
  }
}

const TYPE = choice([...LOG_TYPES, "none", "all"] as const, "Error: Invalid 'log_type' value ({}).");

function setType(draft: Draft, value: LogType | "none" | "all"): void {
  const { log } = draft;
  const before = log.types === DEFAULT_LOG.types ? [] : log.types;
  if (value === "none") log.types = [];
  else if (value === "all") log.types = LOG_TYPES;
  else log.types = [...before.filter((type) => type !== value), value];
}

/** The rows. */
export const LOG_OPTIONS: readonly Option[] = [
  general(
    "connection_messages",
    SWITCH,
    ({ log }, value) => {
      log.connectionMessages = value;
    },
    { default: "true" },
  ),
  general("log_dest", DESTINATION, setDestination, {
    default: "stderr",
    standing: "different",
    note: "May be given several times. `dlt` and `android` do not exist here and are accepted with a warning.",
  }),
  general(
    "log_facility",
    integer(0, 7, { refusal: "Error: Invalid 'log_facility' value ({})." }),
    ({ log }, value) => {
      log.facility = value;
    },
    { default: "daemon" },
  ),
  general(
    "log_timestamp",
    SWITCH,
    ({ log }, value) => {
      log.timestamp = value;
    },
    { default: "true" },
  ),
  general(
    "log_timestamp_format",
    text("a format of strftime, as in %Y-%m-%dT%H:%M:%S"),
    ({ log }, value) => {
      log.timestampFormat = value;
    },
    { isUnique: true },
  ),
  general("log_type", TYPE, setType, {
    default: "error, warning, notice, information",
    note: "May be given several times.",
  }),
  general(
    "websockets_log_level",
    integer(0, 2_147_483_647),
    ({ notices }, value, place) => {
      if (value > 0) {
        notices.push({
          place,
          type: "information",
          text: "The 'websockets_log_level' option has no effect: 'log_type websockets' logs each HTTP request and its fate.",
        });
      }
    },
    { default: "0", standing: "different", note: "A bit mask of libwebsockets; here `log_type websockets` is enough." },
  ),
  general(
    "lacewing_log_format",
    choice(["text", "json"] as const, "Error: Invalid 'lacewing_log_format' value ({})."),
    ({ log }, value) => {
      log.format = value;
    },
    { default: "text", standing: "ours", note: "json: one object a line, with time, type and text." },
  ),
];
