/** Options of listeners: where they are, what they speak, and what holds for those who come in. */
import { isIP } from "node:net";
import { topicNameFault, type Version } from "../../protocol/index.ts";
import { type Draft, type ListenerDraft, newListener } from "../draft.ts";
import { beginDefaultListener, general, type Option, ofListener } from "../option.ts";
import { OptionError } from "../problem.ts";
import { choice, empty, FOLDER, integer, SWITCH, text, type ValueKind, wordsOf } from "../values.ts";

const LISTENER_FORM = "a port, or 0 and the path of a unix socket; after the port the address or name to bind";

interface Place {
  readonly port: number;
  readonly where: string | null;
}

const LISTENER: ValueKind<Place> = {
  form: LISTENER_FORM,
  read(_name, rest) {
    const port = PORT.read("listener port", rest);
    const word = wordsOf(rest)[1];
    return { port, where: word === undefined || word.startsWith("#") ? null : word };
  },
};

const PORT = integer(0, 65_535, { refusal: "Error: Invalid 'port' value ({})." });

function beginListener(draft: Draft, { port, where }: Place, place: string): void {
  if (port === 0 && where === null) {
    throw new OptionError(
      'Error: A listener with port 0 must provide a Unix socket path. It looks like this: "listener 0 /run/lacewing.sock".',
    );
  }
  if (port !== 0 && where?.startsWith("/")) {
    throw new OptionError(`Error: A unix socket has no port: write "listener 0 ${where}".`);
  }
  const listener = newListener(place, false);
  listener.settings.port = port;
  if (port === 0 && where !== null && isIP(where) !== 0) {
    const text = `Warning: "listener 0 ${where}" is a unix socket of the name ${where}. Give a port in place of 0 to listen on that address.`;
    draft.notices.push({ place, type: "warning", text });
  }
  if (port === 0) listener.settings.unixPath = where;
  else listener.settings.host = where;
  draft.listeners.push(listener);
  draft.listener = listener;
  draft.isLocalOnly = false;
}

const VERSIONS: ValueKind<readonly Version[]> = {
  form: "some of 3, 4 and 5 (3.1, 3.1.1 and 5.0), as in 4, 5",
  read(name, rest) {
    const words = rest.split(/[, \t]+/).filter((word) => word !== "");
    if (words.length === 0) throw empty(name, this.form);
    const unknown = words.find((word) => !/^[345]$/.test(word));
    if (unknown !== undefined)
      throw new OptionError(`Error: Invalid '${name}' value (${unknown}). Allowed is ${this.form}.`);
    return ([3, 4, 5] as const).filter((version) => words.includes(String(version)));
  },
};

const MOUNT_POINT = text("the beginning of topics, without wildcards");

function setMountPoint({ entrance }: ListenerDraft, value: string): void {
  const fault = topicNameFault(value);
  if (fault !== null) {
    throw new OptionError(
      `Error: Invalid 'mount_point' value (${value}). Does it contain a wildcard character? The ${fault}.`,
    );
  }
  entrance.mountPoint = value;
}

function aliases(name: string): ValueKind<number> {
  return integer(0, 65_535, { refusal: `Error: Invalid '${name}' value in configuration.` });
}

/** The rows. */
export const LISTENER_OPTIONS: readonly Option[] = [
  general("listener", LISTENER, beginListener, {
    default: "none",
    isReloaded: false,
    standing: "better",
    note: "Begins a listener; port and address (not only a number, but also a name, on WebSocket listeners too). With one, only `allow_anonymous true` or a way to know users lets anybody in.",
  }),
  general(
    "port",
    integer(1, 65_535, { refusal: "Error: Invalid 'port' value ({})." }),
    (draft, value, place) => {
      beginDefaultListener(draft, "port", place).settings.port = value;
      draft.isLocalOnly = false;
    },
    { default: "1883", isReloaded: false, deprecated: "Please use 'listener' instead." },
  ),
  general(
    "bind_address",
    text("an address or name of this machine"),
    (draft, value, place) => {
      beginDefaultListener(draft, "bind_address", place).settings.host = value;
      draft.isLocalOnly = false;
    },
    { isReloaded: false, isUnique: true, deprecated: "" },
  ),
  ofListener(
    "bind_interface",
    "listener-or-default",
    text("a network interface, as in eth0"),
    ({ settings }, value) => {
      settings.bindInterface = value;
    },
    {
      isUnique: true,
      standing: "different",
      note: "Listens on the addresses that the interface has at the start (mosquitto binds the socket to the device, which Node cannot).",
    },
  ),
  ofListener(
    "socket_domain",
    "listener-or-default",
    choice(["ipv4", "ipv6"] as const, "Error: Invalid 'socket_domain' value '{}' in configuration."),
    ({ settings }, value) => {
      settings.socketDomain = value;
    },
  ),
  ofListener(
    "protocol",
    "listener-or-default",
    choice(["mqtt", "websockets", "http_api"] as const, "Error: Invalid 'protocol' value ({})."),
    ({ settings }, value) => {
      settings.protocol = value;
    },
    {
      default: "mqtt",
      standing: "better",
      note: "`http_api` of 2.1 answers HEAD too, speaks all that a listener can (unix sockets, client certificates, PROXY headers), and pages of other origins may read it only when `websockets_origin` names them. See http-api.md.",
    },
  ),
  ofListener(
    "accept_protocol_versions",
    "own-listener",
    VERSIONS,
    ({ entrance }, value) => {
      entrance.versions = value;
    },
    { default: "3, 4, 5", standing: "better", note: "An unknown version is refused, not ignored." },
  ),
  ofListener(
    "max_connections",
    "listener-or-default",
    integer(0, 1_000_000_000, { below: 0 }),
    ({ entrance }, value) => {
      entrance.maximumConnections = value;
    },
    { default: "-1" },
  ),
  ofListener(
    "max_qos",
    "listener-or-default",
    integer(0, 2, { refusal: "Error: 'max_qos' must be between 0 and 2 inclusive." }),
    ({ entrance }, value) => {
      entrance.maximumQos = value === 0 ? 0 : value === 1 ? 1 : 2;
    },
    { default: "2", aliases: ["maximum_qos"] },
  ),
  ofListener(
    "max_topic_alias",
    "listener",
    aliases("max_topic_alias"),
    ({ entrance }, value) => {
      entrance.topicAliasMaximum = value;
    },
    { default: "10" },
  ),
  ofListener(
    "max_topic_alias_broker",
    "listener",
    aliases("max_topic_alias_broker"),
    ({ entrance }, value) => {
      entrance.topicAliasMaximumOut = value;
    },
    { default: "10" },
  ),
  ofListener("mount_point", "listener", MOUNT_POINT, setMountPoint, {
    standing: "better",
    note: "Holds for shared subscriptions too.",
  }),
  ofListener(
    "use_username_as_clientid",
    "listener-or-default",
    SWITCH,
    ({ entrance }, value) => {
      entrance.usernameAsClientId = value;
    },
    { default: "false" },
  ),
  ofListener(
    "listener_allow_anonymous",
    "listener",
    SWITCH,
    ({ security }, value, draft) => {
      draft.hasSecurity = true;
      security.allowAnonymous = value;
    },
    { default: "as allow_anonymous", isReloaded: true },
  ),
  ofListener(
    "listener_auto_id_prefix",
    "listener",
    text("text of at most 50 characters"),
    ({ security }, value) => {
      if (value.length > 50) throw new OptionError("Error: 'listener_auto_id_prefix' length must be <= 50.");
      security.autoIdPrefix = value;
    },
    { default: "auto-", isReloaded: true },
  ),
  ofListener(
    "enable_proxy_protocol",
    "listener",
    integer(1, 2, { refusal: "Error: enable_proxy_protocol must be 1 or 2." }),
    ({ settings }, value) => {
      settings.proxyProtocol = value === 1 ? 1 : 2;
    },
  ),
  ofListener(
    "proxy_protocol_v2_require_tls",
    "listener",
    SWITCH,
    ({ settings }, value) => {
      settings.proxyRequiresTls = value;
    },
    { default: "false" },
  ),
  ofListener(
    "websockets_origin",
    "listener",
    text("an origin, as in https://example.org"),
    ({ origins }, value) => {
      origins.push(value);
    },
    { default: "all", note: "May be given several times." },
  ),
  ofListener(
    "http_dir",
    "listener",
    FOLDER,
    ({ settings }, value) => {
      settings.webSocket = { ...settings.webSocket, httpDir: value };
    },
    { isUnique: true },
  ),
];

const MANY_A_SECOND = 1_000_000_000;

function limit(
  name: string,
  unit: string,
  set: (listener: ListenerDraft, value: number) => void,
  byDefault: string,
  note: string,
): Option {
  const kind = integer(0, MANY_A_SECOND, { unit });
  return ofListener(name, "listener-or-default", kind, set, {
    default: byDefault,
    standing: "ours",
    isReloaded: true,
    note,
  });
}

/** Limits of a listener against floods, which mosquitto does not have. New connections get what a reload changes. */
export const FLOOD_OPTIONS: readonly Option[] = [
  limit(
    "lacewing_max_connect_rate",
    "connections a second",
    ({ entrance }, value) => {
      entrance.maximumConnectRate = value;
    },
    "0",
    "Connections that the listener takes; up to one second's worth may come at once. One more is answered 0x9F, or 3 before 5.0; with TLS, WebSocket or a PROXY header it is closed before the handshake. 0: no bound.",
  ),
  limit(
    "lacewing_max_connect_rate_per_address",
    "connections a second",
    ({ entrance }, value) => {
      entrance.maximumConnectRatePerAddress = value;
    },
    "0",
    "The same for each address of IPv4 and each /64 of IPv6; not for unix sockets. 0: no bound.",
  ),
  limit(
    "lacewing_max_login_failures",
    "failures",
    ({ entrance }, value) => {
      entrance.maximumLoginFailures = value;
    },
    "0",
    "Failed log-ins from one address after which all from there are answered 0x9F, or 3 before 5.0, unheard, for `lacewing_login_backoff` and after each further failure twice as long, up to an hour. 0: no bound.",
  ),
  ofListener(
    "lacewing_login_backoff",
    "listener-or-default",
    integer(1, 3600, { unit: "seconds" }),
    ({ entrance }, value) => {
      entrance.loginBackOffMs = value * 1000;
    },
    {
      default: "1",
      standing: "ours",
      isReloaded: true,
      note: "How long an address is not listened to at first; see `lacewing_max_login_failures`.",
    },
  ),
  limit(
    "lacewing_max_message_rate",
    "messages a second",
    ({ entrance }, value) => {
      entrance.maximumMessageRate = value;
    },
    "0",
    "What each client may publish; up to one second's worth may come at once. Who sends more is not cut but read from more slowly, and loses nothing. 0: no bound.",
  ),
  limit(
    "lacewing_max_byte_rate",
    "bytes a second",
    ({ entrance }, value) => {
      entrance.maximumByteRate = value;
    },
    "0",
    "The same for the bytes of all that each client sends. A packet may be larger than a second's worth; the client then waits for as long as it takes. 0: no bound.",
  ),
  limit(
    "lacewing_max_subscriptions",
    "subscriptions",
    ({ entrance }, value) => {
      entrance.maximumSubscriptions = value;
    },
    "100000",
    "Subscriptions that each client may have; one more is answered 0x97, or 0x80 before 5.0. 0: no bound.",
  ),
];
