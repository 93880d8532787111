/** What an application gives, checked where the compiler could not: it may have been written in JavaScript, or read from a file. */
import { encodeUtf8 } from "../protocol/index.ts";
import { ArgumentError } from "./errors.ts";

/**
 * The bytes of a payload.
 * @throws ArgumentError when it is neither text nor bytes
 */
export function payloadBytes(what: string, payload: unknown): Uint8Array {
  if (typeof payload === "string") return encodeUtf8(payload);
  if (isBytes(payload)) return payload;
  throw new ArgumentError(
    `${what}: the payload is ${shown(payload)}; text and Uint8Array are allowed, so write String(value) or JSON.stringify(value)`,
  );
}

/** Of another realm too, as a frame's or a test runner's. */
function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/**
 * A list of one text or of several.
 * @param what what each of them is
 * @throws ArgumentError when there is something else among them
 */
export function textList(what: string, given: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(given) ? given : [given];
  return all.map((each) => text(what, each));
}

/** @throws ArgumentError when `given` is no text */
export function text(what: string, given: unknown): string {
  if (typeof given === "string") return given;
  throw new ArgumentError(`${what} is text, and not ${shown(given)}`);
}

/**
 * Checks a whole number; one that was left out is right.
 * @throws ArgumentError when it is not between `lowest` and `highest`
 */
export function checkNumber(what: string, value: unknown, lowest: number, highest: number): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest) return;
  const range = [lowest, highest].map((bound) => bound.toLocaleString("en")).join(" to ");
  throw new ArgumentError(`${what} is ${shown(value)}; ${range} are allowed`);
}

/** What a value is, for those who look for it in their program. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return `${value}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  return Array.isArray(value) ? "an array" : "an object";
}
