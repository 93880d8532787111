/** A message as mosquitto_sub's %j and %J write it: JSON in the form of the cJSON library, whose numbers and spaces are its own. */
import type { IncomingMessage } from "../client/index.ts";
import { formatTime, type Moment } from "../observe/index.ts";
import { PROPERTIES, type Properties } from "../protocol/index.ts";

/** A value: text as it is written, or bytes that may not be UTF-8; the members of an object; the elements of an array. */
type Json = string | Uint8Array | { readonly members: readonly Member[] } | { readonly elements: readonly Json[] };
type Member = readonly [key: string, value: Json];

/**
 * The pieces of text and bytes, or null when the payload is to be JSON and is not.
 * @param isParsed whether the payload is JSON (%J) instead of a text (%j)
 * @param isPretty whether it is spread over lines
 */
export function jsonOf(
  message: IncomingMessage,
  moment: Moment,
  isParsed: boolean,
  isPretty: boolean,
): readonly (string | Uint8Array)[] | null {
  const payload = payloadJson(message.payload, isParsed);
  if (payload === null) return null;
  const properties = propertyMembers(message.properties);
  const members: Member[] = [
    ["tst", text(timestamp(moment))],
    ["topic", text(message.topicName)],
    ["qos", String(message.qos)],
    ["retain", String(message.retain)],
    ["payloadlen", String(message.payload.length)],
    ...(message.qos > 0 ? [["mid", String(message.packetId)] as const] : []),
    ...(properties.length > 0 ? [["properties", { members: properties }] as const] : []),
    ["payload", payload],
  ];
  const pieces: (string | Uint8Array)[] = [];
  print({ members }, isPretty, 0, pieces);
  return pieces;
}

function timestamp(moment: Moment): string {
  const micros = String(Math.floor(moment.nanoseconds / 1000)).padStart(6, "0");
  return `${formatTime("F", moment)}T${formatTime("T", moment)}.${micros}${formatTime("z", moment)}`;
}

function payloadJson(payload: Uint8Array, isParsed: boolean): Json | null {
  if (payload.length === 0) return "null";
  return isParsed ? parse(Buffer.from(payload).toString("utf8")) : quoted(payload);
}

/** What a message can carry. */
const ON_PUBLISH: ReadonlyMap<string, string> = new Map(
  PROPERTIES.filter(({ on }) => on.includes("PUBLISH")).map(({ field, name }) => [
    field,
    name.toLowerCase().replaceAll(" ", "-"),
  ]),
);

function propertyMembers(properties: Properties): Member[] {
  const members: Member[] = [];
  for (const [field, value] of Object.entries(properties)) {
    const name = ON_PUBLISH.get(field);
    if (name === undefined || value === undefined) continue;
    if (field === "userProperties") {
      const pairs = value as NonNullable<Properties["userProperties"]>;
      members.push(["user-properties", { elements: pairs.map(([key, item]) => ({ members: [[key, text(item)]] })) }]);
    } else if (Array.isArray(value)) {
      for (const item of value) members.push([name, String(item)]);
    } else {
      members.push([
        name,
        typeof value === "string" ? text(value) : value instanceof Uint8Array ? quoted(value) : String(value),
      ]);
    }
  }
  return members;
}

function text(value: string): string {
  return JSON.stringify(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A string of JSON, with the bytes as they are where they need no escape. */
function quoted(bytes: Uint8Array): Uint8Array {
  const pieces: Buffer[] = [Buffer.from('"')];
  let from = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue;
    pieces.push(Buffer.from(bytes.subarray(from, at)), Buffer.from(text(String.fromCharCode(byte)).slice(1, -1)));
    from = at + 1;
  }
  return Buffer.concat([...pieces, bytes.subarray(from), Buffer.from('"')]);
}

function print(value: Json, isPretty: boolean, depth: number, pieces: (string | Uint8Array)[]): void {
  if (typeof value === "string" || value instanceof Uint8Array) {
    pieces.push(value);
  } else if ("elements" in value) {
    pieces.push("[");
    value.elements.forEach((element, index) => {
      if (index > 0) pieces.push(isPretty ? ", " : ",");
      print(element, isPretty, depth + 1, pieces);
    });
    pieces.push("]");
  } else {
    const newLine = isPretty ? "\n" : "";
    pieces.push("{", newLine);
    value.members.forEach(([key, member], index) => {
      pieces.push(isPretty ? "\t".repeat(depth + 1) : "", text(key), isPretty ? ":\t" : ":");
      print(member, isPretty, depth + 1, pieces);
      pieces.push(index < value.members.length - 1 ? "," : "", newLine);
    });
    pieces.push(isPretty ? "\t".repeat(depth) : "", "}");
  }
}

/** Most levels of arrays and objects: cJSON's. */
const MOST_LEVELS = 1000;

const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/g;

/** Reads JSON and keeps the order and the repetition of keys, which JSON.parse does not. */
function parse(source: string): Json | null {
  const json = source.startsWith("\ufeff") ? source.slice(1) : source;
  try {
    JSON.parse(json);
  } catch {
    return null;
  }
  const tokens = json.match(TOKEN)!;
  let at = 0;
  const value = (level: number): Json | null => {
    const token = tokens[at++]!;
    if (level > MOST_LEVELS) return null;
    if (token === "[")
      return list(
        "]",
        () => value(level + 1),
        (elements: Json[]) => ({ elements }),
      );
    if (token === "{")
      return list(
        "}",
        () => member(level + 1),
        (members: Member[]) => ({ members }),
      );
    if (token.startsWith('"')) return text(JSON.parse(token) as string);
    return /^[-\d]/.test(token) ? number(Number(token)) : token;
  };
  const member = (level: number): Member | null => {
    const key = JSON.parse(tokens[at]!) as string;
    at += 2;
    const of = value(level);
    return of === null ? null : [key, of];
  };
  const list = <Item>(end: string, next: () => Item | null, make: (items: Item[]) => Json): Json | null => {
    const items: Item[] = [];
    while (tokens[at] !== end) {
      const item = next();
      if (item === null) return null;
      items.push(item);
      if (tokens[at] === ",") at++;
    }
    at++;
    return make(items);
  };
  return value(0);
}

/** A number as cJSON writes it: with 15 digits when these are near enough, else 17. */
function number(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const short = general(value, 15);
  const isNear = Math.abs(Number(short) - value) <= Math.max(Math.abs(Number(short)), Math.abs(value)) * Number.EPSILON;
  return isNear ? short : general(value, 17);
}

/** As %g of the C library. */
function general(value: number, digits: number): string {
  const [mantissa, exponentText] = value.toExponential(digits - 1).split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < digits) return withoutZeros(value.toFixed(digits - 1 - exponent));
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${withoutZeros(mantissa!)}e${exponent < 0 ? "-" : "+"}${size}`;
}

function withoutZeros(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}
