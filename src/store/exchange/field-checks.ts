/** Checks of single values that came as JSON: each returns what the value must be when it is not, and null when it is. */
import { encodeUtf8, isEncodable } from "../../protocol/index.ts";

/** One check. */
export type Check = (value: unknown) => string | null;

/** A whole number. */
export function integer(min: number, max: number): Check {
  const wanted = `a whole number from ${min} to ${max}`;
  return (value) => (Number.isInteger(value) && (value as number) >= min && (value as number) <= max ? null : wanted);
}

/** Text that MQTT can carry, of at most so many bytes. */
export function text(mostBytes: number): Check {
  const wanted = `text of at most ${mostBytes} bytes that MQTT can carry`;
  return (value) => (typeof value === "string" && fits(value, mostBytes) && isEncodable(value) ? null : wanted);
}

function fits(value: string, mostBytes: number): boolean {
  // A character is at most three bytes for each of its units.
  return value.length * 3 <= mostBytes || encodeUtf8(value).length <= mostBytes;
}

/** true or false. */
export const boolean: Check = (value) => (typeof value === "boolean" ? null : "true or false");

/** null, or what `check` asks for. */
export function nullable(check: Check): Check {
  return (value) => {
    const wanted = value === null ? null : check(value);
    return wanted === null ? null : `${wanted}, or null`;
  };
}

/** One of some texts. */
export function oneOf(...allowed: readonly string[]): Check {
  const wanted = `one of ${allowed.join(", ")}`;
  return (value) => (allowed.includes(value as string) ? null : wanted);
}
