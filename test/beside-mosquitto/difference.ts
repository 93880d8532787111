// What may differ between the brokers: a run of lines that one connection sees, and the row of the documentation that explains it.
import assert from "node:assert/strict";
import type { Outcome } from "./situation.ts";

/** A run of lines of one connection: what takes its place at our broker. */
export interface Edit {
  /** Name of the connection. */
  readonly at: string;
  readonly mosquitto: readonly string[];
  readonly lacewing: readonly string[];
}

/** A difference that is meant. */
export interface Difference {
  /** The first cell of its row in docs/mosquitto-compatibility.md. */
  readonly row: string;
  /** Beside mosquitto 2.0. */
  readonly edits: readonly Edit[];
  /** Whether mosquitto 2.1 does as we do. */
  readonly isAsLater: boolean;
}

/** A difference from 2.0 where 2.1 does as we do. */
export function asLater(row: string, ...edits: readonly Edit[]): Difference {
  return { row, edits, isAsLater: true };
}

/** A difference from 2.0 and 2.1. */
export function ours(row: string, ...edits: readonly Edit[]): Difference {
  return { row, edits, isAsLater: false };
}

/** mosquitto closes the connection; we say why first. */
export function saysWhy(code: string, at: string = "client"): Edit {
  return { at, mosquitto: ["closed"], lacewing: [`DISCONNECT ${code}`, "closed"] };
}

/** mosquitto closes the connection; we refuse it with a code. */
export function refuses(code: string, at: string = "client"): Edit {
  return { at, mosquitto: ["closed"], lacewing: [`CONNACK ${code}`, "closed"] };
}

/** The DISCONNECT carries another code. */
export function otherCode(theirs: string, code: string, at: string = "client"): Edit {
  return { at, mosquitto: [`DISCONNECT ${theirs}`], lacewing: [`DISCONNECT ${code}`] };
}

/** mosquitto goes on after its last line; we end the connection. @param code null: without a word, before 5.0 */
export function ends(last: string, code: string | null, at: string = "client"): Edit {
  const said = code === null ? [] : [`DISCONNECT ${code}`];
  return { at, mosquitto: [last], lacewing: [last, ...said, "closed"] };
}

/** What the other broker's outcome becomes by the edits, each of which must apply. */
export function edited(theirs: Outcome, edits: readonly Edit[]): Outcome {
  const result: Record<string, readonly string[]> = { ...theirs };
  for (const { at, mosquitto, lacewing } of edits) {
    const lines = result[at] ?? [];
    const start = lines.findIndex((_, index) => mosquitto.every((line, offset) => lines[index + offset] === line));
    assert.ok(start >= 0, `mosquitto's ${at} sees ${JSON.stringify(mosquitto)}, but it saw ${JSON.stringify(lines)}`);
    result[at] = [...lines.slice(0, start), ...lacewing, ...lines.slice(start + mosquitto.length)];
  }
  return result;
}
