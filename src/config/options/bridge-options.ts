/** Options of bridges. */

import type { RestartDelay } from "../../bridge/index.ts";
import type { Version } from "../../protocol/index.ts";
import type { BridgeAddress } from "../bridge-config.ts";
import { type BridgeDraft, type Draft, newBridge } from "../draft.ts";
import { general, type Option, type OptionNotes, ofBridge } from "../option.ts";
import { OptionError } from "../problem.ts";
import { choice, empty, FILE, integer, SWITCH, text, type ValueKind, wordsOf } from "../values.ts";
import { BRIDGE_TOPIC } from "./bridge-topic.ts";
import { BRIDGE_TLS_VERSION } from "./tls-options.ts";

const ADDRESSES_FORM = "one or more of NAME or NAME:PORT, with spaces between them";

const ADDRESSES: ValueKind<readonly BridgeAddress[]> = {
  form: ADDRESSES_FORM,
  read(_name, rest) {
    const words = wordsOf(rest);
    const comment = words.findIndex((word) => word.startsWith("#"));
    const named = comment < 0 ? words : words.slice(0, comment);
    if (named.length === 0)
      throw new OptionError(`Error: Empty address value in configuration. Allowed is ${ADDRESSES_FORM}.`);
    return named.map(addressOf);
  },
};

function addressOf(word: string): BridgeAddress {
  const at = word.lastIndexOf(":");
  if (at < 0) return { host: word, port: 1883 };
  const host = word.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  const port = /^\d{1,5}$/.test(word.slice(at + 1)) ? Number(word.slice(at + 1)) : 0;
  if (port < 1 || port > 65_535) {
    throw new OptionError(
      `Error: Invalid bridge port value (${word.slice(at + 1)}). After an address of IPv6 the port is needed too, as in ::1:1883.`,
    );
  }
  return { host, port };
}

const NAME: ValueKind<string> = {
  form: "a name",
  read(name, rest) {
    const [word] = wordsOf(rest);
    if (word === undefined) throw empty(name, this.form);
    return word;
  },
};

function beginBridge(draft: Draft, name: string, place: string): void {
  if (draft.bridges.some(({ settings }) => settings.name === name))
    throw new OptionError(`Error: Duplicate bridge name '${name}'.`);
  draft.bridge = newBridge(place, name);
  draft.bridges.push(draft.bridge);
}

const RESTART: ValueKind<RestartDelay> = {
  form: "SECONDS, or BASE CAP, or BASE CAP STABLE, in seconds",
  read(name, rest) {
    const [first, second, third] = wordsOf(rest);
    if (first === undefined) throw empty(name, this.form);
    const base = Math.min(Math.max(seconds(name, first), 1), 3600);
    if (second === undefined) return { kind: "constant", seconds: base };
    const cap = seconds(name, second);
    if (cap < base) throw new OptionError("Error: backoff cap is lower than the base in restart_timeout.");
    const stable = third === undefined ? 0 : seconds(name, third);
    if (stable < 0) throw new OptionError("Error: stable connection period cannot be negative.");
    return { kind: "jitter", baseSeconds: base, capSeconds: Math.min(cap, 7200), stableSeconds: stable };
  },
};

function seconds(name: string, word: string): number {
  return integer(-2_147_483_648, 2_147_483_647, { unit: "seconds" }).read(name, word);
}

const VERSION_WORDS: Readonly<Record<string, Version>> = { mqttv31: 3, mqttv311: 4, mqttv50: 5 };

const VERSION = choice(
  ["mqttv31", "mqttv311", "mqttv50"] as const,
  "Error: Invalid 'bridge_protocol_version' value ({}).",
);

const START_TYPE = choice(
  ["automatic", "lazy", "once"] as const,
  "Error: Invalid 'start_type' value in configuration ({}).",
);

const TCP_KEEP_ALIVE: ValueKind<{ idleSeconds: number; intervalSeconds: number; count: number }> = {
  form: "IDLE INTERVAL COUNT: seconds, seconds and a number, each at least 1",
  read(name, rest) {
    const words = wordsOf(rest);
    const [idleSeconds = 0, intervalSeconds = 0, count = 0] = words.slice(0, 3).map((word) => seconds(name, word));
    for (const [value, what] of [
      [idleSeconds, "idle"],
      [intervalSeconds, "interval"],
      [count, "counter"],
    ] as const) {
      if (value <= 0) throw new OptionError(`Error: invalid TCP keepalive ${what} value. Allowed is ${this.form}.`);
    }
    return { idleSeconds, intervalSeconds, count };
  },
};

type TextField = {
  [K in keyof BridgeDraft["settings"]]: string extends NonNullable<BridgeDraft["settings"][K]>
    ? null extends BridgeDraft["settings"][K]
      ? K
      : never
    : never;
}[keyof BridgeDraft["settings"]];

type SwitchField = {
  [K in keyof BridgeDraft["settings"]]: BridgeDraft["settings"][K] extends boolean ? K : never;
}[keyof BridgeDraft["settings"]];

function ofText(name: string, field: TextField, form: string, notes: OptionNotes = {}): Option {
  return ofBridge(
    name,
    text(form),
    ({ settings }, value) => {
      settings[field] = value;
    },
    { isUnique: true, ...notes },
  );
}

function ofSwitch(name: string, field: SwitchField, notes: OptionNotes): Option {
  return ofBridge(
    name,
    SWITCH,
    ({ settings }, value) => {
      settings[field] = value;
    },
    notes,
  );
}

type TlsTextField = "caFile" | "caPath" | "certFile" | "keyFile" | "ciphers" | "ciphersTls13" | "alpn";

function ofTlsText(name: string, field: TlsTextField, kind: ValueKind<string> = FILE): Option {
  return ofBridge(
    name,
    kind,
    (bridge, value) => {
      if (bridge.pskIdentity !== null || bridge.pskKey !== null) {
        throw new OptionError(`Error: '${name}': Cannot use both certificate and psk encryption in a single bridge.`);
      }
      bridge.tls[field] = value;
      bridge.isTls = true;
    },
    { isUnique: name !== "bridge_keyfile" },
  );
}

function withoutCertificates({ isTls }: BridgeDraft, name: string): void {
  if (isTls)
    throw new OptionError(`Error: '${name}': Cannot use both certificate and identity encryption in a single bridge.`);
}

/** The rows. */
export const BRIDGE_OPTIONS: readonly Option[] = [
  general("connection", NAME, beginBridge, { isReloaded: true, note: "Begins a bridge." }),
  ofBridge(
    "address",
    ADDRESSES,
    ({ addresses }, value) => {
      if (addresses.length > 0)
        throw new OptionError("Error: Invalid bridge configuration, 'address' only allowed once.");
      addresses.push(...value);
    },
    { aliases: ["addresses"] },
  ),
  ofBridge("topic", BRIDGE_TOPIC, ({ topics }, value, _draft, place) => {
    topics.push({ ...value, place });
  }),
  ofSwitch("round_robin", "roundRobin", { default: "false" }),
  ofBridge(
    "bridge_protocol_version",
    VERSION,
    ({ settings }, value) => {
      settings.version = VERSION_WORDS[value] ?? 4;
    },
    { default: "mqttv311" },
  ),
  ofSwitch("cleansession", "cleanSession", { default: "false" }),
  ofSwitch("notifications", "notifications", { default: "true" }),
  ofSwitch("notifications_local_only", "notificationsLocalOnly", { default: "false" }),
  ofSwitch("try_private", "tryPrivate", { default: "true" }),
  ofSwitch("bridge_attempt_unsubscribe", "attemptUnsubscribe", { default: "true" }),
  ofSwitch("bridge_outgoing_retain", "outgoingRetain", { default: "true" }),
  ofBridge(
    "local_cleansession",
    SWITCH,
    ({ settings }, value) => {
      settings.localCleanSession = value;
    },
    { default: "as cleansession" },
  ),
  ofText("remote_clientid", "remoteClientId", "a client identifier", {
    aliases: ["clientid"],
    default: "HOSTNAME.NAME",
  }),
  ofText("remote_username", "remoteUsername", "a user name", { aliases: ["username"] }),
  ofText("remote_password", "remotePassword", "a password", { aliases: ["password"] }),
  ofText("local_clientid", "localClientId", "a client identifier", { default: "local. and the remote one" }),
  ofText("local_username", "localUsername", "a user name"),
  ofText("local_password", "localPassword", "a password", {
    note: "Not asked for: whoever writes the configuration says which user the bridge is.",
  }),
  ofText("notification_topic", "notificationTopic", "a topic", { default: "$SYS/broker/connection/CLIENTID/state" }),
  ofText("bridge_bind_address", "bindAddress", "an address of this machine"),
  ofBridge(
    "keepalive_interval",
    integer(5, 65_535, { unit: "seconds", below: 5, refusal: "Error: Bridge keepalive value too high." }),
    ({ settings }, value) => {
      settings.keepAliveSeconds = value;
    },
    { default: "60" },
  ),
  ofBridge(
    "start_type",
    START_TYPE,
    ({ settings }, value) => {
      settings.startType = value;
    },
    { default: "automatic" },
  ),
  ofBridge(
    "idle_timeout",
    integer(1, 2_147_483_647, { unit: "seconds", below: 1 }),
    ({ settings }, value) => {
      settings.idleTimeoutSeconds = value;
    },
    { default: "60" },
  ),
  ofBridge(
    "threshold",
    integer(1, 2_147_483_647, { below: 1 }),
    ({ settings }, value) => {
      settings.thresholdMessages = value;
    },
    { default: "10" },
  ),
  ofBridge(
    "restart_timeout",
    RESTART,
    ({ settings }, value) => {
      settings.restartDelay = value;
    },
    { default: "5 30" },
  ),
  ofBridge(
    "bridge_max_packet_size",
    integer(0, 268_435_460, { unit: "bytes", below: 0 }),
    ({ settings }, value) => {
      settings.maximumPacketSize = value;
    },
    { default: "0" },
  ),
  ofBridge(
    "bridge_max_topic_alias",
    integer(0, 65_535, { refusal: "Error: bridge_max_topic_alias must be > 0 and <= 65535." }),
    ({ settings }, value) => {
      settings.topicAliasMaximum = value;
    },
    { default: "10" },
  ),
  ofBridge(
    "bridge_receive_maximum",
    integer(1, 65_535, { refusal: "Error: bridge_receive_maximum must be greater than 0." }),
    ({ settings }, value) => {
      settings.receiveMaximum = value;
    },
  ),
  ofBridge(
    "bridge_session_expiry_interval",
    integer(0, 4_294_967_295, {
      unit: "seconds",
      refusal: "Error: bridge_session_expiry_interval must not be negative.",
    }),
    ({ settings }, value) => {
      settings.sessionExpirySeconds = value;
    },
  ),
  ofBridge(
    "bridge_reload_type",
    choice(["lazy", "immediate"] as const, "Error: Invalid 'bridge_reload_type' value in configuration ({})."),
    ({ settings }, value) => {
      settings.reloadType = value;
    },
    { default: "lazy" },
  ),
  ofBridge(
    "bridge_tcp_keepalive",
    TCP_KEEP_ALIVE,
    ({ settings }, value, { notices }, place) => {
      settings.tcpKeepAlive = value;
      const text = `bridge_tcp_keepalive sets the idle time of ${value.idleSeconds} s only: Node.js cannot set interval and count.`;
      notices.push({ place, type: "information", text });
    },
    { standing: "different", note: "Node.js sets the idle time only; interval and count stay the system's." },
  ),
  ofBridge(
    "bridge_tcp_user_timeout",
    integer(0, 2_147_483_647, { unit: "milliseconds", refusal: "Error: invalid TCP user timeout value." }),
    ({ settings }, value, { notices }, place) => {
      settings.tcpUserTimeoutMs = value;
      const text =
        "bridge_tcp_user_timeout has no effect, as Node.js cannot set it: keepalive_interval ends a dead connection.";
      notices.push({ place, type: "information", text });
    },
    {
      standing: "not applicable",
      note: "Node.js cannot set it; keepalive_interval ends a dead connection.",
    },
  ),
  ofTlsText("bridge_cafile", "caFile"),
  ofTlsText("bridge_capath", "caPath"),
  ofTlsText("bridge_certfile", "certFile"),
  ofTlsText("bridge_keyfile", "keyFile"),
  ofTlsText("bridge_ciphers", "ciphers", text("names of ciphers")),
  ofTlsText("bridge_ciphers_tls1.3", "ciphersTls13", text("names of ciphers")),
  ofBridge(
    "bridge_alpn",
    text("a protocol, as in mqtt"),
    ({ tls }, value) => {
      tls.alpn = value;
    },
    { isUnique: true },
  ),
  ofBridge(
    "bridge_tls_use_os_certs",
    SWITCH,
    (bridge, value) => {
      bridge.tls.useSystemCas = value;
      if (value) bridge.isTls = true;
    },
    { default: "false" },
  ),
  ofBridge(
    "bridge_insecure",
    SWITCH,
    ({ tls, settings }, value, { notices }, place) => {
      tls.isInsecure = value;
      if (value)
        notices.push({
          place,
          type: "warning",
          text: `Warning: Bridge '${settings.name}' using insecure mode: whoever has a certificate of its CA is taken for the other broker, whatever name is in it.`,
        });
    },
    { default: "false" },
  ),
  ofBridge(
    "bridge_require_ocsp",
    SWITCH,
    ({ tls }, value) => {
      tls.requireOcsp = value;
    },
    {
      default: "false",
      standing: "different",
      note: "Answers of OCSP cannot be verified here: with true the bridge does not connect, and says so.",
    },
  ),
  ofBridge(
    "bridge_tls_version",
    BRIDGE_TLS_VERSION,
    ({ tls }, value) => {
      tls.version = value;
    },
    { default: "tlsv1.2", isUnique: true },
  ),
  ofBridge(
    "bridge_identity",
    text("an identity"),
    (bridge, value) => {
      withoutCertificates(bridge, "bridge_identity");
      bridge.pskIdentity = value;
    },
    { isUnique: true },
  ),
  ofBridge(
    "bridge_psk",
    text("a key in hexadecimal"),
    (bridge, value, _draft, place) => {
      withoutCertificates(bridge, "bridge_psk");
      bridge.pskKey = value;
      bridge.pskKeyPlace = place;
    },
    { isUnique: true },
  ),
];
