/** Formats of -F, as mosquitto_sub has them: read once, then written for each message. */
import type { IncomingMessage } from "../client/index.ts";
import { formatTime, type Moment } from "../observe/index.ts";
import { CommandLineError } from "./command-line.ts";
import { jsonOf } from "./format-json.ts";

/** How wide, and on which side. */
interface Field {
  readonly letter: string;
  /** In bytes; 0 for as wide as it is. */
  readonly width: number;
  readonly precision: number | null;
  readonly isLeft: boolean;
  readonly isZero: boolean;
  /** Between the groups of %x and %X. */
  readonly separator: string;
}

/** A part of a format. */
export type FormatPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "time"; readonly letter: string }
  | ({ readonly kind: "field" } & Field);

/** Where a message is written to. */
export interface FormatSink {
  write(piece: string | Uint8Array): void;
  complain(text: string): void;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "0": "\0",
  a: "\x07",
  e: "\x1b",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const FIELD = /^%(?<left>-?)(?<zero>0?)(?<width>\d*)(?:\.(?<precision>\d*))?(?<separator>[ :_,;/|-]?)(?<letter>.?)/su;

/**
 * Reads a format.
 * @throws CommandLineError when it is not one
 */
export function parseFormat(format: string): FormatPart[] {
  const parts: FormatPart[] = [];
  let at = 0;
  while (at < format.length) {
    const [plain] = /^[^%@\\]*/.exec(format.slice(at))!;
    if (plain !== "") parts.push({ kind: "text", text: plain });
    at += plain.length;
    if (at === format.length) break;
    const special = parseSpecial(format.slice(at));
    parts.push(special.part);
    at += special.length;
  }
  return parts;
}

function parseSpecial(rest: string): { readonly part: FormatPart; readonly length: number } {
  if (rest.startsWith("%")) return parseField(rest);
  const letter = /^.(.?)/su.exec(rest)![1]!;
  const length = 1 + letter.length;
  if (rest.startsWith("@")) {
    if (letter === "") throw new CommandLineError("Incomplete format specifier.");
    return { part: letter === "@" ? { kind: "text", text: "@" } : { kind: "time", letter }, length };
  }
  if (letter === "") throw new CommandLineError("Incomplete escape specifier.");
  const text = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
  if (text === undefined) throw new CommandLineError(`Invalid escape specifier '${letter}'.`);
  return { part: { kind: "text", text }, length };
}

function parseField(rest: string): { readonly part: FormatPart; readonly length: number } {
  const [all, ...groups] = FIELD.exec(rest)!;
  const [left, zero, width, precision, separator, letter] = groups as (string | undefined)[];
  if (!letter) throw new CommandLineError("Incomplete format specifier.");
  if (!Object.hasOwn(FIELDS, letter)) throw new CommandLineError(`Invalid format specifier '${letter}'.`);
  const field: Field = {
    letter,
    width: Math.min(Number(width), LARGEST_WIDTH),
    precision: precision === undefined ? null : Math.min(Number(precision), LARGEST_WIDTH),
    isLeft: left === "-",
    isZero: zero === "0",
    separator: separator || " ",
  };
  return { part: { kind: "field", ...field }, length: all.length };
}

/** Widest field, in bytes. */
const LARGEST_WIDTH = 65_535;

/** One message in one format. */
interface Writing {
  readonly message: IncomingMessage;
  readonly moment: Moment;
  readonly isPretty: boolean;
  readonly sink: FormatSink;
}

type FieldWriter = (writing: Writing, field: Field) => void;

const FIELDS: Readonly<Record<string, FieldWriter>> = {
  "%": ({ sink }) => sink.write("%"),
  A: ({ message, sink }, field) => writeNumber(sink, field, message.properties.topicAlias),
  C: ({ message, sink }, field) => writeText(sink, field, message.properties.contentType),
  d: ({ message, sink }, field) => writeFloat(sink, field, message.payload, 8),
  D: ({ message, sink }) => sink.write(message.properties.correlationData ?? ""),
  E: ({ message, sink }, field) => writeNumber(sink, field, message.properties.messageExpirySeconds),
  f: ({ message, sink }, field) => writeFloat(sink, field, message.payload, 4),
  F: ({ message, sink }, field) => writeNumber(sink, field, message.properties.payloadFormatIndicator),
  I: ({ moment, sink }, field) =>
    writeText(sink, field, `${formatTime("F", moment)}T${formatTime("T", moment)}${formatTime("z", moment)}`),
  j: (writing) => writeJson(writing, false),
  J: (writing) => writeJson(writing, true),
  l: ({ message, sink }, field) => writeNumber(sink, field, message.payload.length),
  m: ({ message, sink }, field) => writeNumber(sink, field, message.packetId),
  p: ({ message, sink }, field) => {
    const { payload } = message;
    writePadded(sink, field, field.width > 0 ? payload.subarray(0, field.width) : payload);
  },
  P: ({ message, sink }) =>
    sink.write((message.properties.userProperties ?? []).map(([name, value]) => `${name}:${value}`).join(" ")),
  q: ({ message, sink }) => sink.write(String(message.qos)),
  r: ({ message, sink }) => sink.write(message.retain ? "1" : "0"),
  R: ({ message, sink }, field) => {
    if (message.properties.responseTopic !== undefined) writeText(sink, field, message.properties.responseTopic);
  },
  S: ({ message, sink }, field) => writeNumber(sink, field, message.properties.subscriptionIdentifiers?.[0]),
  t: ({ message, sink }, field) => writeText(sink, field, message.topicName),
  U: ({ moment, sink }) => sink.write(`${formatTime("s", moment)}.${formatTime("N", moment)}`),
  x: ({ message, sink }, field) => writeHexadecimal(sink, field, message.payload, false),
  X: ({ message, sink }, field) => writeHexadecimal(sink, field, message.payload, true),
};

/** Writes `message` in a format, without an end of line. */
export function writeFormatted(
  parts: readonly FormatPart[],
  message: IncomingMessage,
  moment: Moment,
  isPretty: boolean,
  sink: FormatSink,
): void {
  const writing: Writing = { message, moment, isPretty, sink };
  for (const part of parts) {
    if (part.kind === "text") sink.write(part.text);
    else if (part.kind === "time") sink.write(formatTime(part.letter, moment));
    else FIELDS[part.letter]!(writing, part);
  }
}

function writePadded(sink: FormatSink, { width, isLeft, isZero }: Field, bytes: Uint8Array): void {
  const padding = Math.max(0, width - bytes.length);
  if (!isLeft) sink.write((isZero ? "0" : " ").repeat(padding));
  sink.write(bytes);
  if (isLeft) sink.write(" ".repeat(padding));
}

function writeText(sink: FormatSink, field: Field, text: string | undefined): void {
  if (text === undefined) return writeBlank(sink, field);
  const bytes = Buffer.from(text);
  const shown = field.precision === null ? bytes : bytes.subarray(0, field.precision);
  // As printf's %s: zeros are for numbers.
  writePadded(sink, { ...field, isZero: false }, shown);
}

function writeNumber(sink: FormatSink, field: Field, value: number | undefined): void {
  if (value === undefined) writeBlank(sink, field);
  else writePadded(sink, field, Buffer.from(String(value)));
}

function writeBlank(sink: FormatSink, { width, isZero }: Field): void {
  sink.write((isZero ? "0" : " ").repeat(width));
}

/** Digits after the point that printf's %f shows when nothing else is said. */
const FLOAT_DIGITS = 6;

function writeFloat(sink: FormatSink, field: Field, payload: Uint8Array, size: 4 | 8): void {
  if (payload.length !== size) {
    const name = size === 4 ? "float" : "double";
    return sink.complain(`requested ${name} printing, but non-${name} data received`);
  }
  const bytes = Buffer.from(payload);
  const value = size === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
  const text = decimal(value, Math.min(field.precision ?? FLOAT_DIGITS, 100));
  if (!field.isZero || field.isLeft || !Number.isFinite(value)) {
    return writePadded(sink, { ...field, isZero: false }, Buffer.from(text));
  }
  const sign = text.startsWith("-") ? "-" : "";
  sink.write(sign + text.slice(sign.length).padStart(field.width - sign.length, "0"));
}

function decimal(value: number, digits: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  // toFixed changes to powers of ten there; from 2^53 on all are integers.
  if (size < 1e21) return sign + size.toFixed(digits);
  return `${sign}${BigInt(size)}${digits > 0 ? `.${"0".repeat(digits)}` : ""}`;
}

function writeHexadecimal(sink: FormatSink, field: Field, payload: Uint8Array, isUpper: boolean): void {
  const { width, precision, separator, isLeft, isZero } = field;
  const shown = width > 0 ? payload.subarray(0, width) : payload;
  const digits = Buffer.from(shown).toString("hex");
  const padding = Math.max(0, width - digits.length);
  const text = (isLeft ? "" : (isZero ? "0" : " ").repeat(padding)) + (isUpper ? digits.toUpperCase() : digits);
  const grouped = precision
    ? text.replace(new RegExp(`.{${precision}}(?=.)`, "g"), (group) => group + separator)
    : text;
  sink.write(grouped + (isLeft ? " ".repeat(padding) : ""));
}

function writeJson({ message, moment, isPretty, sink }: Writing, isParsed: boolean): void {
  const pieces = jsonOf(message, moment, isParsed, isPretty);
  if (pieces === null) sink.complain(`Error: Message payload is not valid JSON on topic ${message.topicName}.`);
  else for (const piece of pieces) sink.write(piece);
}
