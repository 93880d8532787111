/** Options of the broker as a whole: limits, sessions, retained messages, the process. */
import { NEVER_EXPIRES_SECONDS } from "../../core/index.ts";
import { general, type Option, type OptionNotes } from "../option.ts";
import { OptionError } from "../problem.ts";
import { duration, FILE, FOLDER, integer, SWITCH, text } from "../values.ts";

/** Largest Remaining Length plus its fixed header [5.0 §2.1.4]. */
const LARGEST_PACKET_BYTES = 268_435_460;
/** Largest payload that MQTT can carry, in bytes. */
const LARGEST_PAYLOAD_BYTES = 268_435_455;
/** More bytes than any machine has. */
const MANY_BYTES = 1_000_000_000_000;
const MANY = 1_000_000_000;

const NO_EFFECT: OptionNotes = {
  standing: "different",
  note: "Accepted and without effect: what is acknowledged is on the disk already. Only `lacewing_durability` weakens that.",
};

function withoutEffect(
  name: string,
  what: string,
): (draft: Parameters<Option["apply"]>[0], value: unknown, place: string) => void {
  return ({ notices }, _value, place) => {
    notices.push({ place, type: "information", text: `The '${name}' option has no effect: ${what}.` });
  };
}

const SAVED = "what is acknowledged is on the disk already; lacewing_durability changes that";

/** The rows. */
export const GENERAL_OPTIONS: readonly Option[] = [
  general(
    "allow_duplicate_messages",
    SWITCH,
    ({ broker }, value) => {
      broker.allowDuplicateMessages = value;
    },
    {
      default: "false",
      standing: "different",
      note: "A client with overlapping subscriptions gets one message with all its subscription identifiers, as 5.0 recommends; mosquitto 2.1 sends a copy for each. `true` does that too.",
      deprecated: "The behaviour will default to true.",
    },
  ),
  general(
    "autosave_interval",
    integer(0, MANY, { unit: "seconds", below: 0 }),
    withoutEffect("autosave_interval", SAVED),
    {
      default: "1800",
      ...NO_EFFECT,
    },
  ),
  general("autosave_on_changes", SWITCH, withoutEffect("autosave_on_changes", SAVED), {
    default: "false",
    ...NO_EFFECT,
  }),
  general(
    "check_retain_source",
    SWITCH,
    ({ broker }, value) => {
      broker.checkRetainSource = value;
    },
    {
      default: "true",
      note: "By the rules as they are when somebody subscribes. Not for what bridges without `local_username` brought, nor for clients whose rules were in a token.",
    },
  ),
  general(
    "clientid_prefixes",
    text("text that client identifiers begin with"),
    ({ broker }, value) => {
      broker.clientIdPrefix = value;
    },
    { deprecated: "" },
  ),
  general(
    "enable_control_api",
    SWITCH,
    (draft, value) => {
      draft.enableControlApi = value;
    },
    {
      default: "false",
      standing: "better",
      note: "Only whoever asked gets the answer, and where no rules say who may ask, only clients on the broker's machine may. More is told on `$CONTROL/lacewing/v1`, which needs no option: see why.md.",
    },
  ),
  general(
    "global_max_clients",
    integer(0, MANY, { below: 0 }),
    ({ broker }, value) => {
      broker.maximumClients = value;
    },
    { default: "-1" },
  ),
  general(
    "global_max_connections",
    integer(0, MANY, { below: 0 }),
    ({ broker }, value) => {
      broker.maximumConnections = value;
    },
    { default: "-1" },
  ),
  general(
    "max_inflight_bytes",
    integer(0, MANY_BYTES, { unit: "bytes", below: 0 }),
    ({ broker }, value) => {
      broker.maximumInflightBytes = value;
    },
    { default: "0", note: "0: no bound." },
  ),
  general(
    "max_inflight_messages",
    integer(0, 65_535, { below: 0, refusal: "Error: 'max_inflight_messages' must be <= 65535." }),
    ({ broker }, value) => {
      broker.maximumInflightMessages = value === 65_535 ? 0 : value;
      broker.receiveMaximum = value === 0 ? 65_535 : value;
    },
    { default: "20", note: "0: as many as the client takes. Also announced to 5.0 clients as receive maximum." },
  ),
  general(
    "max_keepalive",
    integer(0, 65_535, { unit: "seconds", refusal: "Error: Invalid 'max_keepalive' value ({})." }),
    ({ broker }, value) => {
      broker.maximumKeepAliveSeconds = value;
    },
    { default: "0", note: "0: no bound, as in 2.1; the manual page of 2.0 says 65535." },
  ),
  general(
    "max_packet_size",
    integer(20, LARGEST_PACKET_BYTES, { unit: "bytes", refusal: "Error: 'max_packet_size' must be >= 20." }),
    ({ broker }, value) => {
      broker.maximumPacketSize = value;
    },
    { default: "2000000", note: "As in 2.1; 2.0 has no bound." },
  ),
  general(
    "max_queued_bytes",
    integer(0, MANY_BYTES, { unit: "bytes", below: 0 }),
    ({ broker }, value) => {
      broker.maximumQueuedBytes = value;
    },
    { default: "0", note: "0: no bound." },
  ),
  general(
    "max_queued_messages",
    integer(0, MANY, { below: 0 }),
    ({ broker }, value) => {
      broker.maximumQueuedMessages = value;
    },
    {
      default: "1000",
      standing: "better",
      note: "A 5.0 publisher of a message that no session could queue hears of it (0x97), and each loss is counted by its reason.",
    },
  ),
  general(
    "memory_limit",
    integer(0, MANY_BYTES, { unit: "bytes", refusal: "Error: Invalid 'memory_limit' value ({})." }),
    ({ broker }, value) => {
      broker.memoryLimitBytes = value;
    },
    {
      default: "0",
      standing: "different",
      note: "Counts what the broker holds for clients (queues, retained messages, output), not the whole process. Over it a 5.0 publisher of QoS 1 or 2 gets 0x97; an older one is disconnected without an acknowledgement, as in mosquitto; QoS 0 goes to those who take it at once.",
    },
  ),
  general(
    "message_size_limit",
    integer(0, LARGEST_PAYLOAD_BYTES, { unit: "bytes", refusal: "Error: Invalid 'message_size_limit' value ({})." }),
    ({ broker, notices }, value, place) => {
      broker.maximumPayloadBytes = value;
      notices.push({
        place,
        type: "notice",
        text: "Note: It is recommended to replace `message_size_limit` with `max_packet_size`.",
      });
    },
    { default: "0", note: "0: no bound." },
  ),
  general(
    "packet_buffer_size",
    integer(0, 65_535, {
      unit: "bytes",
      refusal: "Error: Packet buffer size must be between 0 and 65535 inclusive.",
    }),
    (draft, value) => {
      if (value > 0) draft.headerBytes = value;
    },
    {
      default: "4096",
      aliases: ["websockets_headers_size"],
      isReloaded: false,
      standing: "different",
      note: "Bounds the headers of HTTP requests, and 0 leaves the default; how much is read at once is not a setting here.",
    },
  ),
  general(
    "persistence",
    SWITCH,
    ({ persistence }, value) => {
      persistence.enabled = value;
    },
    {
      default: "false",
      aliases: ["retained_persistence"],
      isReloaded: false,
      standing: "better",
      note: "What is acknowledged is on the disk; mosquitto saves every 30 minutes.",
    },
  ),
  general(
    "persistence_file",
    text("the name of a file"),
    (draft, value) => {
      draft.persistenceFile = value;
    },
    {
      default: "mosquitto.db",
      isReloaded: false,
      isUnique: true,
      standing: "different",
      note: "The store is a folder. Another name than the default makes it `NAME.lacewing` below `persistence_location`, or where the broker is started; the file NAME beside it stands for it: where it has been removed, the next start begins anew, and moves what there was to a folder `replaced-TIME` in it, in place of what was moved there before. `lacewing store import` takes over a mosquitto.db.",
    },
  ),
  general(
    "persistence_location",
    FOLDER,
    (draft, value) => {
      draft.persistenceLocation = value;
    },
    {
      default: "data",
      isReloaded: false,
      isUnique: true,
      standing: "different",
      note: "The folder of the store itself; mosquitto's default is the folder that it was started in.",
    },
  ),
  general(
    "persistent_client_expiration",
    duration(NEVER_EXPIRES_SECONDS),
    ({ broker }, value) => {
      broker.maximumSessionExpirySeconds = value;
    },
    { default: "never", standing: "better", note: "5.0 clients are told of it, as a shorter session expiry." },
  ),
  general(
    "pid_file",
    FILE,
    (draft, value) => {
      draft.pidFile = value;
    },
    { isReloaded: false, isUnique: true },
  ),
  general(
    "queue_qos0_messages",
    SWITCH,
    ({ broker }, value) => {
      broker.queueQos0Messages = value;
    },
    {
      default: "false",
      standing: "different",
      note: "Messages at QoS 0 that wait are in memory and end with the process.",
    },
  ),
  general(
    "retain_available",
    SWITCH,
    ({ broker }, value) => {
      broker.retainAvailable = value;
    },
    { default: "true" },
  ),
  general(
    "retain_expiry_interval",
    integer(1, 10_000_000, { unit: "minutes", refusal: "Error: retain_expiry_interval must be >= 1." }),
    ({ broker }, value) => {
      broker.retainExpirySeconds = value * 60;
    },
    { default: "never" },
  ),
  general(
    "set_tcp_nodelay",
    SWITCH,
    (draft, value) => {
      draft.noDelay = value;
    },
    {
      default: "true",
      isReloaded: false,
      standing: "different",
      note: "True unless set: all of a turn leaves in one write, so that waiting joins nothing more.",
    },
  ),
  general(
    "sys_interval",
    integer(0, 65_535, { unit: "seconds", refusal: "Error: Invalid 'sys_interval' value ({})." }),
    (draft, value) => {
      draft.sysIntervalSeconds = value;
    },
    { default: "10" },
  ),
  general(
    "upgrade_outgoing_qos",
    SWITCH,
    ({ broker }, value) => {
      broker.upgradeOutgoingQos = value;
    },
    { default: "false" },
  ),
  general(
    "user",
    text("a user of this machine"),
    (draft, value) => {
      draft.user = value;
    },
    {
      default: "mosquitto",
      isReloaded: false,
      standing: "better",
      note: "Who root becomes before anything is opened, see below. Ports below 1024 are opened before that. mosquitto, or nobody where that user is not known, only when the configuration's files allow it; a user that is named must be allowed to.",
    },
  ),
  ...["retry_interval", "store_clean_interval", "max_log_entries", "trace_level", "trace_output", "ffdc_output"].map(
    (name) =>
      general(
        name,
        text("anything"),
        ({ notices }, _value, place) => {
          notices.push({ place, type: "warning", text: `Warning: The '${name}' option is no longer available.` });
        },
        { standing: "not applicable", note: "Gone from mosquitto too; accepted with a warning." },
      ),
  ),
];

const SECONDS = integer(1, 3600, { unit: "seconds" });

/** Longest time that `interval` may leave acknowledged messages off the disk, in milliseconds. */
const LONGEST_INTERVAL_MS = 3_600_000;

const DURABILITY = text(`always, none, or interval:MS with MS from 1 to ${LONGEST_INTERVAL_MS}`);

/** Options that mosquitto does not have. */
export const OWN_OPTIONS: readonly Option[] = [
  general(
    "lacewing_connect_timeout",
    SECONDS,
    ({ broker }, value) => {
      broker.connectTimeoutMs = value * 1000;
    },
    { default: "15", standing: "ours", note: "From the opening of a connection to its whole CONNECT." },
  ),
  general(
    "lacewing_durability",
    DURABILITY,
    ({ persistence }, value) => {
      if (value === "always" || value === "none") persistence.durability = { mode: value };
      else persistence.durability = { mode: "interval", intervalMs: intervalOf(value) };
    },
    {
      default: "always",
      isReloaded: false,
      standing: "ours",
      note: "When an acknowledgement may leave: when the disk has what it promises; that many milliseconds earlier; or when the operating system has it.",
    },
  ),
  general(
    "lacewing_max_connect_size",
    integer(100, LARGEST_PACKET_BYTES, { unit: "bytes" }),
    ({ broker }, value) => {
      broker.maximumConnectBytes = value;
    },
    {
      default: "100000",
      standing: "ours",
      note: "Largest CONNECT, with its will: the most that a stranger can make the broker hold. mosquitto's bound is 100000 and fixed.",
    },
  ),
  general(
    "lacewing_max_queue_memory",
    integer(1_048_576, MANY_BYTES),
    ({ broker }, value) => {
      broker.maximumQueueMemoryBytes = value;
    },
    {
      default: "67108864",
      standing: "ours",
      note: "Bytes of all queues that are held in memory; the rest is left to the store, where there is one.",
    },
  ),
  general(
    "lacewing_store_timeout",
    SECONDS,
    ({ broker }, value) => {
      broker.storeTimeoutMs = value * 1000;
    },
    {
      default: "5",
      standing: "ours",
      note: "Seconds after which a disk that does not answer counts as failing.",
    },
  ),
  general(
    "lacewing_max_topic_levels",
    integer(1, 65_535),
    ({ broker }, value) => {
      broker.maximumTopicLevels = value;
    },
    {
      default: "201",
      standing: "ours",
      note: "Topics and filters with more levels are refused. mosquitto's bound is the same and fixed: 200 slashes.",
    },
  ),
  general(
    "lacewing_reason_strings",
    SWITCH,
    ({ broker }, value) => {
      broker.reasonStrings = value;
    },
    {
      default: "false",
      standing: "ours",
      note: "Whether refusals and ends are explained to 5.0 clients in Reason Strings. Without a configuration file it is true; with one, false, as mosquitto sends none.",
    },
  ),
  general(
    "lacewing_response_information",
    text("a topic prefix without wildcards, as in answers/"),
    ({ broker }, value) => {
      if (/[+#\s]/.test(value)) {
        throw new OptionError(
          `Error: Invalid 'lacewing_response_information' value (${value}). Allowed is a topic prefix without wildcards, as in answers/.`,
        );
      }
      broker.responseInformation = value;
    },
    {
      standing: "ours",
      note: "Given to 5.0 clients that ask for Response Information, with their client identifier behind it.",
    },
  ),
];

function intervalOf(value: string): number {
  const match = /^interval:(\d{1,7})$/.exec(value);
  const intervalMs = Number(match?.[1] ?? 0);
  if (intervalMs >= 1 && intervalMs <= LONGEST_INTERVAL_MS) return intervalMs;
  throw new OptionError(`Error: Invalid 'lacewing_durability' value (${value}). Allowed is ${DURABILITY.form}.`);
}
