/** Names of options and events: in JavaScript nobody else says that one is not known, and then it would have no effect. */
import { nearest } from "../protocol/index.ts";
import { shown } from "./arguments.ts";
import type { ClientEvents } from "./client-events.ts";
import type { ListenOptions } from "./emitter.ts";
import { ArgumentError } from "./errors.ts";
import type { DisconnectOptions } from "./goodbye.ts";
import type {
  CommonOptions,
  ConnectProperties,
  OlderVersionOptions,
  PublishOptions,
  QueueOptions,
  ReconnectOptions,
  Version5Options,
  WillOptions,
} from "./options.ts";
import type { PublishProperties } from "./publication.ts";
import type { RequestOptions } from "./requests.ts";
import type { SubscribeOptions } from "./subscription.ts";

/** Names as a record, so that one that is missing does not compile. */
export type Names<Name extends PropertyKey> = Readonly<Record<Name, true>>;

/** Where names may stand. */
export interface Place {
  /** What they are the names of. */
  readonly what: string;
  readonly known: Readonly<Record<string, true>>;
  /** Names of MQTT.js, and what takes their place. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

const CLIENT: Names<
  | keyof CommonOptions
  | keyof Version5Options
  | keyof OlderVersionOptions
  // Of Node's client, and of `connect`.
  | "tls"
  | "proxy"
  | "bindAddress"
  | "headers"
  | "servers"
> = {
  ...{ authentication: true, bindAddress: true, cleanStart: true, clientId: true, connackTimeoutMs: true },
  ...{ connector: true, connectTimeoutMs: true, credentials: true, fallBack: true, followRedirects: true },
  ...{ headers: true, keepAliveSeconds: true, maximumInflightMessages: true, password: true, properties: true },
  ...{ proxy: true, queue: true, receiveMaximum: true, reconnect: true, servers: true, signal: true, store: true },
  ...{ tls: true, topicAliases: true, username: true, version: true, waitForServer: true, will: true },
};

const EVENT: Names<keyof ClientEvents> = {
  ...{ connect: true, disconnect: true, message: true, publish: true, undelivered: true },
  ...{ subscribe: true, unsubscribe: true, close: true, log: true },
};

const PUBLISH: Names<keyof PublishOptions> = { qos: true, retain: true, properties: true, signal: true };
const REQUEST: Names<keyof RequestOptions> = { ...PUBLISH, timeoutMs: true, responseTopic: true };
const SUBSCRIBE: Names<keyof SubscribeOptions> = {
  ...{ qos: true, noLocal: true, retainAsPublished: true, retainHandling: true, identifier: true },
  ...{ userProperties: true, onMessage: true, maximumMessages: true, maximumBytes: true, signal: true },
};
const DISCONNECT: Names<keyof DisconnectOptions> = { reasonCode: true, properties: true, drainMs: true, signal: true };
const WILL: Names<keyof WillOptions> = { topicName: true, payload: true, qos: true, retain: true, properties: true };
const QUEUE: Names<keyof QueueOptions> = { maximumMessages: true, maximumBytes: true, policy: true, qos0: true };
const RECONNECT: Names<keyof ReconnectOptions> = { minimumDelayMs: true, maximumDelayMs: true, stopsOn: true };
const LISTEN: Names<keyof ListenOptions> = { signal: true, once: true };
const PUBLISH_PROPERTY: Names<keyof PublishProperties> = {
  ...{ payloadFormatIndicator: true, messageExpirySeconds: true, contentType: true, responseTopic: true },
  ...{ correlationData: true, userProperties: true },
};
const CONNECT_PROPERTY: Names<keyof ConnectProperties> = {
  ...{ sessionExpirySeconds: true, maximumPacketSize: true, topicAliasMaximum: true, userProperties: true },
  ...{ requestResponseInformation: true, requestProblemInformation: true },
};

/** The calls and options whose names are checked. */
type PlaceName =
  | "client"
  | "event"
  | "publish"
  | "request"
  | "subscribe"
  | "disconnect"
  | "will"
  | "queue"
  | "reconnect"
  | "listener"
  | "publishProperty"
  | "willProperty"
  | "connectProperty";

const PLACES: Readonly<Record<PlaceName, Place>> = {
  client: {
    what: "option",
    known: CLIENT,
    elsewhere: {
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
    },
  },
  event: {
    what: "event",
    known: EVENT,
    elsewhere: {
      error: "disconnect, and the promises of what was asked for",
      end: "close",
      offline: "disconnect",
      reconnect: "disconnect, which says when",
      packetsend: "log",
      packetreceive: "log",
    },
  },
  publish: {
    what: "option of publish",
    known: PUBLISH,
    elsewhere: { dup: "the client's own affair", messageId: "mid, which publish returns" },
  },
  request: { what: "option of request", known: REQUEST },
  subscribe: {
    what: "option of subscribe",
    known: SUBSCRIBE,
    elsewhere: {
      nl: "noLocal",
      rap: "retainAsPublished",
      rh: "retainHandling",
      properties: "identifier and userProperties",
    },
  },
  disconnect: { what: "option of disconnect", known: DISCONNECT },
  will: { what: "option of will", known: WILL, elsewhere: { topic: "topicName" } },
  queue: { what: "option of queue", known: QUEUE },
  reconnect: { what: "option of reconnect", known: RECONNECT },
  listener: { what: "option of on", known: LISTEN },
  publishProperty: {
    what: "property of a message",
    known: PUBLISH_PROPERTY,
    elsewhere: { messageExpiryInterval: "messageExpirySeconds", topicAlias: "the client's option topicAliases" },
  },
  willProperty: {
    what: "property of a will",
    known: { ...PUBLISH_PROPERTY, willDelaySeconds: true },
    elsewhere: { messageExpiryInterval: "messageExpirySeconds", willDelayInterval: "willDelaySeconds" },
  },
  connectProperty: {
    what: "property of CONNECT",
    known: CONNECT_PROPERTY,
    elsewhere: {
      sessionExpiryInterval: "sessionExpirySeconds",
      receiveMaximum: "the option receiveMaximum",
      authenticationMethod: "the option authentication",
      authenticationData: "the option authentication",
    },
  },
};

/** @throws ArgumentError when one of the names in `given` is not known at `at` */
export function checkNames(at: PlaceName, given: object | null | undefined): void {
  checkNamesOf(PLACES[at], given);
}

/** @throws ArgumentError when one of the names in `given` is not among those of `place` */
export function checkNamesOf(place: Place, given: object | null | undefined): void {
  const { known, what } = place;
  if (given !== undefined && given !== null && typeof given !== "object")
    throw new ArgumentError(`each ${what} has a name, in an object; this is ${shown(given)}`);
  for (const name in given) if (known[name] !== true) refuse(place, name);
}

/** @throws ArgumentError when there is no such event */
export function checkEventName(name: string): void {
  if (!Object.hasOwn(EVENT, name)) refuse(PLACES.event, name);
}

function refuse({ what, known, elsewhere = {} }: Place, name: string): never {
  const names = Object.keys(known);
  const near = nearest(name, names);
  const all = `there are ${names.join(", ")}`;
  const hint = Object.hasOwn(elsewhere, name)
    ? `here it is ${elsewhere[name]}`
    : near === null
      ? all
      : `did you mean "${near}"? ${capital(all)}`;
  throw new ArgumentError(`there is no ${what} "${name}": ${hint}`);
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
