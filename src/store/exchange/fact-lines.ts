/**
 * A store as text: one JSON object a line, which names its `kind`. Payloads, correlation data and authentication data are base64;
 * moments are milliseconds since 1970, null: never.
 *
 *     {"kind":"lacewing-store","version":1}                                   first
 *     {"kind":"clock","aheadMs":0}
 *     {"kind":"session","clientId":"c","principal":null,"expirySeconds":3600,"disconnectedAtMs":1735689600000}
 *     {"kind":"subscription","clientId":"c","topicFilter":"a/#","qos":1,"noLocal":false,"retainAsPublished":false,"subscriptionId":null}
 *     {"kind":"message","message":7,"topicName":"a/b","payload":"aGk=","qos":1,"retain":false,"properties":{},"expiresAtMs":null,"publisher":"p"}
 *     {"kind":"delivery","clientId":"c","order":1,"message":7,"qos":1,"retain":false,"subscriptionIds":null,"packetId":0,"wait":"PUBACK","share":null,"payloadBytes":2}
 *     {"kind":"received","clientId":"c","packetId":3}
 *     {"kind":"will","clientId":"c","topicName":"w","payload":"","qos":0,"retain":false,"properties":{},"delaySeconds":0,"dueAtMs":null}
 *     {"kind":"share","share":"$share/g/a","order":1,"message":8}
 *     {"kind":"retained","topicName":"a/b","message":9}
 *     {"kind":"end","lines":11}                                               last, with the number of lines, itself included
 *
 * What belongs to a session comes after it, and a message right before the first line that refers to it. The fields are those of
 * `Change` in core/store.ts; a message and a will have those of a PUBLISH instead of its bytes.
 */
import type { Change } from "../../core/index.ts";
import {
  decodePacket,
  encodePublish,
  isFault,
  NO_PROPERTIES,
  PROPERTIES,
  type Properties,
  type PublishFields,
} from "../../protocol/index.ts";
import { boolean, type Check, integer, nullable, oneOf, text } from "./field-checks.ts";

type Of<Kind extends Change["kind"]> = Extract<Change, { kind: Kind }>;

/** The version that is written, and the highest that is read. */
export const LINES_VERSION = 1;

/** The kind of the first line. */
export const FIRST_KIND = "lacewing-store";

/** The kind of the last line. */
export const LAST_KIND = "end";

/** A line that cannot be: what is wrong, without the line's number. */
export class LineError extends Error {
  override readonly name: string = "LineError";
}

const QOS = integer(0, 2);
const DELIVERY_QOS = integer(1, 2);
const PACKET_ID = integer(1, 65_535);
/** Keys and places: what a number holds without loss. */
const KEY = integer(1, Number.MAX_SAFE_INTEGER);
const MOMENT = nullable(integer(0, Number.MAX_SAFE_INTEGER));
const SECONDS = integer(0, 4_294_967_295);
const SUBSCRIPTION_ID = integer(1, 268_435_455);
const NAME = text(65_535);

const PUBLISH_CHECKS: Readonly<Record<string, Check>> = {
  topicName: NAME,
  payload: (value) => (typeof value === "string" ? null : "base64"),
  qos: QOS,
  retain: boolean,
  properties: (value) => (isObject(value) ? null : "an object"),
};

/** What the fields of each kind may be; each line has exactly these. */
const CHECKS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  clock: { aheadMs: integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) },
  session: { clientId: NAME, principal: nullable(NAME), expirySeconds: SECONDS, disconnectedAtMs: MOMENT },
  subscription: {
    clientId: NAME,
    topicFilter: NAME,
    qos: QOS,
    noLocal: boolean,
    retainAsPublished: boolean,
    subscriptionId: nullable(SUBSCRIPTION_ID),
  },
  message: { message: KEY, ...PUBLISH_CHECKS, expiresAtMs: MOMENT, publisher: nullable(NAME) },
  delivery: {
    clientId: NAME,
    order: KEY,
    message: nullable(KEY),
    qos: DELIVERY_QOS,
    retain: boolean,
    subscriptionIds: nullable((value) =>
      Array.isArray(value) && value.every((id) => SUBSCRIPTION_ID(id) === null) ? null : "subscription identifiers",
    ),
    packetId: integer(0, 65_535),
    wait: oneOf("PUBACK", "PUBREC", "PUBCOMP"),
    share: nullable(NAME),
    payloadBytes: integer(0, 268_435_455),
  },
  received: { clientId: NAME, packetId: PACKET_ID },
  will: { clientId: NAME, ...PUBLISH_CHECKS, delaySeconds: SECONDS, dueAtMs: MOMENT },
  share: { share: NAME, order: KEY, message: KEY },
  retained: { topicName: NAME, message: KEY },
};

/** What some lines have besides. */
const OPTIONAL_CHECKS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  message: { source: sourceCheck },
  session: { lastPacketId: PACKET_ID },
};

function sourceCheck(value: unknown): string | null {
  if (!isObject(value) || Object.keys(value).sort().join() !== "listener,username") return '{"username", "listener"}';
  const { username, listener } = value;
  return nullable(NAME)(username) ?? nullable(NAME)(listener);
}

/** The line, without its end, that says `fact`. */
export function factLine(fact: Change): string {
  return JSON.stringify(lineObject(fact));
}

function lineObject(fact: Change): object {
  switch (fact.kind) {
    case "message-added": {
      const { kind: _, publish, message, ...rest } = fact;
      return { kind: "message", message, ...publishObject(publish), ...rest };
    }
    case "will-set": {
      const { kind: _, publish, clientId, ...rest } = fact;
      return { kind: "will", clientId, ...publishObject(publish), ...rest };
    }
    default: {
      const { kind, ...rest } = fact;
      return { kind: kind.replace(/-set$/, ""), ...rest };
    }
  }
}

/** A stored PUBLISH by its fields. */
function publishObject(bytes: Uint8Array): object {
  const packet = decodePacket(bytes, 0, bytes.length, 5, "client");
  if (isFault(packet) || packet.type !== "PUBLISH")
    throw new LineError(`a message of the store is no PUBLISH: ${isFault(packet) ? packet.message : packet.type}`);
  const { topicName, payload, qos, retain, properties } = packet;
  return { topicName, payload: base64(payload), qos, retain, properties: propertiesObject(properties) };
}

function propertiesObject(properties: Properties): object {
  const entries = Object.entries(properties).filter(([field]) => field !== "topicAlias");
  return Object.fromEntries(
    entries.map(([field, value]) => [field, value instanceof Uint8Array ? base64(value) : value]),
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/**
 * The object of a line.
 * @throws LineError when it is none
 */
export function parseLine(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new LineError("is no JSON");
  }
  if (!isObject(value)) throw new LineError("is no JSON object");
  return value;
}

/**
 * What the object of a line says.
 * @throws LineError when it is none of those above
 */
export function lineFact(line: Record<string, unknown>): Change {
  const { kind } = line;
  const checks = typeof kind === "string" && Object.hasOwn(CHECKS, kind) ? CHECKS[kind]! : null;
  if (checks === null) throw new LineError(`${JSON.stringify(kind)} is no kind of line`);
  for (const [field, check] of Object.entries(checks)) {
    if (!Object.hasOwn(line, field)) throw new LineError(`a ${kind} needs "${field}"`);
    refuse(kind as string, field, line[field], check);
  }
  const optional = OPTIONAL_CHECKS[kind as string] ?? {};
  for (const [field, value] of Object.entries(line)) {
    if (field === "kind" || Object.hasOwn(checks, field)) continue;
    if (!Object.hasOwn(optional, field)) throw new LineError(`a ${kind} has no "${field}"`);
    refuse(kind as string, field, value, optional[field]!);
  }
  return factOf(line);
}

/** @throws LineError when `check` does */
function refuse(kind: string, field: string, value: unknown, check: Check): void {
  const wanted = check(value);
  if (wanted !== null) throw new LineError(`"${field}" of a ${kind} is ${shown(value)}; it must be ${wanted}`);
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}

function factOf(line: Record<string, unknown>): Change {
  switch (line.kind) {
    case "message": {
      const { message, expiresAtMs, publisher, source } = line as unknown as Of<"message-added">;
      const fact = { kind: "message-added", message, publish: publishBytes(line), expiresAtMs, publisher } as const;
      return source === undefined ? fact : { ...fact, source };
    }
    case "will": {
      const { clientId, delaySeconds, dueAtMs } = line as unknown as Of<"will-set">;
      return { kind: "will-set", clientId, publish: publishBytes(line), delaySeconds, dueAtMs };
    }
    default:
      return { ...line, kind: `${line.kind as string}-set` } as unknown as Change;
  }
}

function publishBytes(line: Record<string, unknown>): Uint8Array {
  const { topicName, qos, retain } = line as unknown as PublishFields;
  const payload = bytesOf(line.payload as string, "payload");
  const properties = propertiesOf(line.properties as Record<string, unknown>);
  try {
    return encodePublish({ topicName, payload, qos, retain, dup: false, packetId: qos > 0 ? 1 : 0, properties }, 5);
  } catch (error) {
    // The encoder's own sentence on what is not allowed.
    throw new LineError((error as Error).message);
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function bytesOf(encoded: string, field: string): Uint8Array {
  if (!isBase64(encoded)) throw new LineError(`"${field}" is not base64`);
  return new Uint8Array(Buffer.from(encoded, "base64"));
}

/** In pieces, as the engine's stack bounds what one match may repeat. */
function isBase64(encoded: string): boolean {
  const piece = 65_536;
  for (let at = 0; at < encoded.length; at += piece) {
    const part = encoded.slice(at, at + piece);
    if (!BASE64.test(part) || (at + piece < encoded.length && part.includes("="))) return false;
  }
  return true;
}

function propertiesOf(object: Record<string, unknown>): Properties {
  const entries = Object.entries(object);
  if (entries.length === 0) return NO_PROPERTIES;
  return Object.fromEntries(entries.map(([field, value]) => [field, propertyOf(field, value)]));
}

/** What a property must be by its type; the encoder checks its range. */
function propertyOf(field: string, value: unknown): unknown {
  const property = PROPERTIES.find((row) => row.field === field);
  if (property === undefined || field === "topicAlias") throw new LineError(`"${field}" is no property of a message`);
  switch (property.kind) {
    case "bool":
      return checked(field, value, typeof value === "boolean", "true or false");
    case "utf8":
    case "topic":
      return checked(field, value, typeof value === "string", "text");
    case "binary":
      return bytesOf(checked(field, value, typeof value === "string", "base64") as string, field);
    case "pair":
      return checked(field, value, Array.isArray(value) && value.every(isPair), "pairs of texts");
    default:
      if (field !== "subscriptionIdentifiers") return checked(field, value, typeof value === "number", "a number");
      return checked(field, value, Array.isArray(value), "numbers");
  }
}

function checked(field: string, value: unknown, isRight: boolean, wanted: string): unknown {
  if (!isRight) throw new LineError(`"${field}" is ${shown(value)}; it must be ${wanted}`);
  return value;
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}

/** Whether a value of JSON is an object. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
