/** From the options that an application gives to checked settings with every default. */
import {
  encodePacket,
  encodeUtf8,
  NO_PROPERTIES,
  type Properties,
  ReasonCode,
  topicNameFault,
  type Version,
  type Will,
} from "../protocol/index.ts";
import { checkNumber, payloadBytes, shown, textList } from "./arguments.ts";
import { DEFAULT_BACK_OFF } from "./back-off.ts";
import type { ClientStore } from "./client-store.ts";
import { ArgumentError } from "./errors.ts";
import { isFinal } from "./healing.ts";
import { checkNames } from "./known-names.ts";
import { checkText } from "./message.ts";
import type {
  Authentication,
  Credentials,
  QueuePolicy,
  ReconnectOptions,
  SharedClientOptions,
  WillOptions,
} from "./options.ts";
import type { ReconnectionSettings } from "./reconnection.ts";
import { type Server, serverOf } from "./servers.ts";
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from "./session.ts";

/** What a client runs under. */
export interface ClientSettings extends ReconnectionSettings {
  readonly clientId: string;
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly username: string | null;
  readonly password: Uint8Array | string | null;
  readonly credentials: (() => Credentials | Promise<Credentials>) | null;
  readonly will: Will | null;
  readonly properties: Properties;
  readonly topicAliases: number;
  readonly connackTimeoutMs: number;
  readonly authentication: Authentication | null;
  readonly limits: SessionLimits;
  readonly policy: QueuePolicy;
  readonly store: ClientStore | null;
  readonly signal: AbortSignal | null;
}

/** Time for a CONNACK unless asked otherwise, in milliseconds. */
const CONNACK_TIMEOUT_MS = 30_000;

/** Session Expiry Interval that means never [5.0 §3.1.2.11.2]. */
const NEVER = 4_294_967_295;

/** @throws ArgumentError when an option is not allowed */
export function settingsOf(servers: string | readonly string[], options: SharedClientOptions): ClientSettings {
  checkAllNames(options);
  const urls = textList("the URL of a server", servers);
  if (urls.length === 0) throw new ArgumentError("no server is given");
  const version = options.version ?? 4;
  const { clientId = "", cleanStart = true, keepAliveSeconds = 60, store = null, signal = null } = options;
  checkValues(options);
  if (store !== null && (clientId === "" || cleanStart)) {
    throw new ArgumentError(
      "a durable store needs a clientId, and cleanStart: false: the server must know the Session again",
    );
  }
  const settings: ClientSettings = {
    ...reconnectionOf(urls.map(serverOf), version, options),
    ...{ clientId, cleanStart, keepAliveSeconds, store, signal },
    username: options.username ?? null,
    password: options.password ?? null,
    credentials: options.credentials ?? null,
    will: options.will === undefined ? null : willOf(options.will, version),
    properties: propertiesOf(options, store !== null),
    topicAliases: options.topicAliases ?? 0,
    connackTimeoutMs: options.connackTimeoutMs ?? CONNACK_TIMEOUT_MS,
    authentication: options.authentication ?? null,
    limits: limitsOf(options),
    policy: options.queue?.policy ?? "refuse",
  };
  checkConnect(settings);
  return settings;
}

/** An option of any depth that nobody knows is told to the caller. */
function checkAllNames(options: SharedClientOptions): void {
  checkNames("client", options);
  checkNames("will", options.will);
  checkNames("willProperty", options.will?.properties);
  checkNames("queue", options.queue);
  checkNames("connectProperty", options.properties);
  if (options.reconnect !== false) checkNames("reconnect", options.reconnect);
}

/** What cannot be a CONNECT is told to the caller, and not found out with each attempt to connect. */
function checkConnect({
  version,
  cleanStart,
  keepAliveSeconds,
  clientId,
  will,
  properties,
  username,
  password,
}: ClientSettings): void {
  // MQTT 3.1 gets an identifier made up; credentials may come later.
  const id = version === 3 && clientId === "" ? "made-up" : clientId;
  const name = username ?? (password === null ? null : "");
  const secret = typeof password === "string" ? encodeUtf8(password) : password;
  const fields = {
    version,
    bridge: false,
    cleanStart,
    keepAliveSeconds,
    clientId: id,
    will,
    username: name,
    password: secret,
  };
  try {
    checkText("CONNECT: the client identifier", clientId, ReasonCode.ClientIdentifierNotValid);
    if (username !== null) checkText("CONNECT: the user name", username, ReasonCode.BadUserNameOrPassword);
    if (will !== null) checkText("CONNECT: the topic name of the will", will.topicName, ReasonCode.TopicNameInvalid);
    encodePacket({ type: "CONNECT", ...fields, properties }, version);
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error), error);
  }
}

/** The largest number of two bytes. */
const SIXTEEN_BITS = 65_535;
/** The longest time of a timer, in milliseconds. */
const LONGEST_TIMER_MS = 2_147_483_647;
const POLICIES: readonly unknown[] = ["refuse", "drop-oldest-qos-0", "wait"] satisfies QueuePolicy[];

/** What would make a client that silently sends nothing, or waits for no time. */
function checkValues(options: SharedClientOptions): void {
  checkNumber("keepAliveSeconds", options.keepAliveSeconds, 0, SIXTEEN_BITS);
  checkNumber("maximumInflightMessages", options.maximumInflightMessages, 1, SIXTEEN_BITS);
  checkNumber("receiveMaximum", options.receiveMaximum, 1, SIXTEEN_BITS);
  checkNumber("topicAliases", options.topicAliases, 0, SIXTEEN_BITS);
  checkNumber("connectTimeoutMs", options.connectTimeoutMs, 1, LONGEST_TIMER_MS);
  checkNumber("connackTimeoutMs", options.connackTimeoutMs, 1, LONGEST_TIMER_MS);
  const { queue = {}, reconnect = false } = options;
  checkNumber("queue: maximumMessages", queue.maximumMessages, 0, SIXTEEN_BITS);
  checkNumber("queue: maximumBytes", queue.maximumBytes, 0, Number.MAX_SAFE_INTEGER);
  if (queue.policy !== undefined && !POLICIES.includes(queue.policy))
    throw new ArgumentError(`queue: policy is ${shown(queue.policy)}; ${POLICIES.map(shown).join(", ")} are allowed`);
  if (reconnect === false) return;
  const { minimumDelayMs, maximumDelayMs } = reconnect;
  checkNumber("reconnect: minimumDelayMs", minimumDelayMs, 0, LONGEST_TIMER_MS);
  checkNumber("reconnect: maximumDelayMs", maximumDelayMs, minimumDelayMs ?? 0, LONGEST_TIMER_MS);
}

function reconnectionOf(
  servers: readonly Server[],
  version: Version,
  options: SharedClientOptions,
): ReconnectionSettings {
  const { reconnect = NO_CHANGE, fallBack = false, followRedirects = false, waitForServer = true } = options;
  const { stopsOn = isFinal, ...limits } = reconnect === false ? NO_CHANGE : reconnect;
  return {
    ...{ servers, version, fallBack, stopsOn, isTriedOnce: !waitForServer },
    followsRedirect: typeof followRedirects === "function" ? followRedirects : () => followRedirects,
    backOff: reconnect === false ? null : { ...DEFAULT_BACK_OFF, ...limits },
  };
}

const NO_CHANGE: ReconnectOptions = Object.freeze({});

function willOf({ topicName, payload, qos = 0, retain = false, properties }: WillOptions, version: Version): Will {
  if (typeof topicName !== "string") throw new ArgumentError("will: topicName is missing");
  const fault = topicNameFault(topicName, Number.POSITIVE_INFINITY);
  if (fault !== null) throw new ArgumentError(`will: ${fault}`);
  if (properties !== undefined && version !== 5) throw new ArgumentError("will: properties came with MQTT 5.0");
  return { topicName, payload: payloadBytes("will", payload), qos, retain, properties: properties ?? NO_PROPERTIES };
}

function propertiesOf({ version, properties }: SharedClientOptions, isDurable: boolean): Properties {
  if (version !== 5) return NO_PROPERTIES;
  // A Session that is kept here for long must not end there with the connection.
  return { ...(isDurable && { sessionExpirySeconds: NEVER }), ...properties };
}

function limitsOf(options: SharedClientOptions): SessionLimits {
  const { maximumInflightMessages, receiveMaximum, queue = {} } = options;
  const defaults = DEFAULT_SESSION_LIMITS;
  return {
    maximumInflightMessages: maximumInflightMessages ?? defaults.maximumInflightMessages,
    receiveMaximum: receiveMaximum ?? defaults.receiveMaximum,
    maximumQueuedMessages: queue.maximumMessages ?? defaults.maximumQueuedMessages,
    maximumQueuedBytes: queue.maximumBytes ?? defaults.maximumQueuedBytes,
    queuesQos0: queue.qos0 ?? true,
    dropsOldestQos0: queue.policy === "drop-oldest-qos-0",
  };
}
