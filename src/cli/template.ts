/** Texts with holes: `${NAME ARGUMENTS}` is filled for each device and each message; everything else stands for itself. */
import { randomBytes, randomUUID } from "node:crypto";
import { nearest } from "../protocol/index.ts";

/** What the holes of one message are filled from. */
export interface TemplateValues {
  /** The device's number in its kind, from 1. */
  readonly n: number;
  /** How often the device has published this message, this time included. */
  readonly counter: number;
  /** The device's identifier. */
  readonly clientId: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** What a walk remembers from message to message, by its place in the template. */
  readonly walks: Map<object, number>;
}

/** A template that was understood. */
export interface Template {
  fill(values: TemplateValues): string;
  /** Whether it is the same for each device. */
  readonly isConstant: boolean;
}

/** Why a template is not understood. */
export class TemplateError extends Error {
  override readonly name: string = "TemplateError";
}

type Fill = (values: TemplateValues) => string;

interface Hole {
  /** As in "random FROM TO [DIGITS]". */
  readonly usage: string;
  readonly help: string;
  /** Returns undefined when the arguments are not of its form. */
  create(args: readonly string[]): Fill | undefined;
}

const HOLES: Readonly<Record<string, Hole>> = {
  n: {
    usage: "n [DIGITS]",
    help: "number of the device in its kind, from 1; with so many digits",
    create: (args) => {
      const [digits = 1] = numbers(args);
      return args.length <= 1 && isCount(digits, 20) ? ({ n }) => String(n).padStart(digits, "0") : undefined;
    },
  },
  counter: plain("counter", "how often the device has published this message, from 1", ({ counter }) =>
    String(counter),
  ),
  "client-id": plain("client-id", "identifier of the device", ({ clientId }) => clientId),
  time: plain("time", "now, as 2026-01-31T12:00:00.000Z", ({ nowMs }) => new Date(nowMs).toISOString()),
  unix: plain("unix", "seconds since 1970", ({ nowMs }) => String(Math.floor(nowMs / 1000))),
  "unix-ms": plain("unix-ms", "milliseconds since 1970", ({ nowMs }) => String(Math.floor(nowMs))),
  random: {
    usage: "random FROM TO [DIGITS]",
    help: "a number by chance, with so many digits behind the point; whole without",
    create: (args) => {
      const [from, to, digits] = rangeOf(args) ?? [];
      if (from === undefined || to === undefined || digits === undefined) return undefined;
      // The ends are as likely as what is between.
      const step = 10 ** -digits;
      const steps = Math.round((to - from) / step) + 1;
      return () => (from + Math.floor(Math.random() * steps) * step).toFixed(digits);
    },
  },
  walk: {
    usage: "walk FROM TO STEP [DIGITS]",
    help: "a number that moves by at most a step from message to message, as a temperature does",
    create: (args) => {
      const [from, to, step = 0, digits = 2] = numbers(args);
      if (from === undefined || to === undefined || args.length < 3 || args.length > 4) return undefined;
      return from <= to && step > 0 && isCount(digits, 15) ? walk(from, to, step, digits) : undefined;
    },
  },
  pick: {
    usage: "pick WORD WORD...",
    help: "one of the words by chance",
    create: (args) => (args.length > 0 ? () => args[Math.floor(Math.random() * args.length)]! : undefined),
  },
  hex: {
    usage: "hex BYTES",
    help: "so many bytes by chance, in hexadecimal",
    create: (args) => {
      const [bytes = 0] = numbers(args);
      return args.length === 1 && isCount(bytes, 1_000_000) ? () => randomBytes(bytes).toString("hex") : undefined;
    },
  },
  text: {
    usage: "text BYTES",
    help: "so many letters, the same each time",
    create: (args) => {
      const [bytes = 0] = numbers(args);
      if (args.length !== 1 || !isCount(bytes, 268_435_455)) return undefined;
      const text = "lacewing ".repeat(Math.ceil(bytes / 9)).slice(0, bytes);
      return () => text;
    },
  },
  uuid: plain("uuid", "a UUID by chance", () => randomUUID()),
};

/** The holes there are, for help texts. */
export const HOLE_NOTES: readonly string[] = Object.values(HOLES).map(
  ({ usage, help }) => `  ${`\${${usage}}`.padEnd(30)} ${help}`,
);

function plain(usage: string, help: string, fill: Fill): Hole {
  return { usage, help, create: (args) => (args.length === 0 ? fill : undefined) };
}

function walk(from: number, to: number, step: number, digits: number): Fill {
  const place = {};
  return ({ walks }) => {
    const before = walks.get(place) ?? from + Math.random() * (to - from);
    const now = Math.min(to, Math.max(from, before + (Math.random() * 2 - 1) * step));
    walks.set(place, now);
    return now.toFixed(digits);
  };
}

/** Numbers of arguments; NaN, which is in no range, where it is none. */
function numbers(args: readonly string[]): readonly number[] {
  return args.map((arg) => (/^[-+]?(\d+\.?\d*|\.\d+)$/.test(arg) ? Number(arg) : Number.NaN));
}

function isCount(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

function rangeOf(args: readonly string[]): readonly [number, number, number] | undefined {
  const [from, to, digits = 0] = numbers(args);
  if (from === undefined || to === undefined || args.length > 3) return undefined;
  return from <= to && isCount(digits, 15) ? [from, to, digits] : undefined;
}

/**
 * Understands a template; `$$` is a dollar sign.
 * @throws TemplateError
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Fill)[] = [];
  let at = 0;
  for (const match of text.matchAll(/\$\$|\$\{([^}]*)(\}?)/g)) {
    parts.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[0] === "$$") parts.push("$");
    else if (match[2] === "") throw new TemplateError(`'${shortened(match[0])}' has no '}' at its end`);
    else parts.push(holeOf(match[1]!.trim()));
  }
  parts.push(text.slice(at));
  const isConstant = parts.every((part) => typeof part === "string");
  if (isConstant) {
    const whole = parts.join("");
    return { isConstant, fill: () => whole };
  }
  return {
    isConstant,
    fill: (values) => {
      let filled = "";
      for (const part of parts) filled += typeof part === "string" ? part : part(values);
      return filled;
    },
  };
}

function holeOf(text: string): Fill {
  const [name = "", ...args] = text.split(/\s+/);
  const hole = Object.hasOwn(HOLES, name) ? HOLES[name] : undefined;
  if (hole === undefined) {
    const close = nearest(name, Object.keys(HOLES));
    const hint = close === null ? `there are ${Object.keys(HOLES).join(", ")}` : `did you mean '${close}'?`;
    throw new TemplateError(`'\${${shortened(text)}}' is not known: ${hint}`);
  }
  const fill = hole.create(args);
  if (fill === undefined) throw new TemplateError(`'\${${shortened(text)}}' is not of the form \${${hole.usage}}`);
  return fill;
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
