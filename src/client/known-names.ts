/** Names of options and events: in JavaScript nobody else says that one is not known, and then it would have no effect. */
import type { ClientEvents } from "./client-events.ts";
import { ArgumentError } from "./errors.ts";
import type { CommonOptions, OlderVersionOptions, Version5Options } from "./options.ts";

type OptionName =
  | keyof CommonOptions
  | keyof Version5Options
  | keyof OlderVersionOptions
  // Of Node's client, and of `connect`.
  | "tls"
  | "proxy"
  | "bindAddress"
  | "headers"
  | "servers";

// As records, so that one that is missing does not compile.
const OPTIONS: Readonly<Record<OptionName, true>> = {
  ...{ authentication: true, bindAddress: true, cleanStart: true, clientId: true, connackTimeoutMs: true },
  ...{ connector: true, connectTimeoutMs: true, credentials: true, fallBack: true, followRedirects: true },
  ...{ headers: true, keepAliveSeconds: true, maximumInflightMessages: true, password: true, properties: true },
  ...{ proxy: true, queue: true, receiveMaximum: true, reconnect: true, servers: true, signal: true, store: true },
  ...{ tls: true, topicAliases: true, username: true, version: true, waitForServer: true, will: true },
};

const EVENTS: Readonly<Record<keyof ClientEvents, true>> = {
  ...{ connect: true, disconnect: true, message: true, publish: true, undelivered: true },
  ...{ subscribe: true, unsubscribe: true, close: true, log: true },
};

/** Names of MQTT.js, and what takes their place. */
const OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  clean: "cleanStart",
  connectTimeout: "connectTimeoutMs",
  keepalive: "keepAliveSeconds",
  protocolVersion: "version",
  reconnectPeriod: "reconnect: { minimumDelayMs, maximumDelayMs }",
  queueQoSZero: "queue: { qos0 }",
  outgoingStore: "store",
  incomingStore: "store",
  rejectUnauthorized: "tls: { insecure }",
  ca: "tls: { ca }",
  cert: "tls: { cert }",
  key: "tls: { key }",
};
const EVENTS_ELSEWHERE: Readonly<Record<string, string>> = {
  error: "disconnect, and the promises of what was asked for",
  end: "close",
  offline: "disconnect",
  reconnect: "disconnect, which says when",
  packetsend: "log",
  packetreceive: "log",
};

/** @throws ArgumentError when one of `options` is not known */
export function checkOptionNames(options: object): void {
  for (const name of Object.keys(options)) check("option", name, OPTIONS, OPTIONS_ELSEWHERE);
}

/** @throws ArgumentError when there is no such event */
export function checkEventName(name: string): void {
  check("event", name, EVENTS, EVENTS_ELSEWHERE);
}

function check(
  what: string,
  name: string,
  known: Readonly<Record<string, true>>,
  elsewhere: Readonly<Record<string, string>>,
): void {
  if (Object.hasOwn(known, name)) return;
  const instead = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined;
  const hint = instead === undefined ? `there are ${Object.keys(known).join(", ")}` : `here it is ${instead}`;
  throw new ArgumentError(`there is no ${what} "${name}": ${hint}`);
}
