// The little of node:assert/strict that the scenarios use, for the page in which they run.

class Failed extends Error {
  override readonly name: string = "AssertionError";
}

/** Equal for what is deeply equal. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner) => plain(inner)) ?? String(value);
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function check(isGood: boolean, message: unknown, text: string): void {
  if (!isGood) throw new Failed(typeof message === "string" ? `${message}: ${text}` : text);
}

export default {
  ok: (value: unknown, message?: unknown): void => check(Boolean(value), message, `${shown(value)} is not truthy`),
  equal: (actual: unknown, expected: unknown, message?: unknown): void =>
    check(Object.is(actual, expected), message, `${shown(actual)} is not ${shown(expected)}`),
  notEqual: (actual: unknown, expected: unknown, message?: unknown): void =>
    check(!Object.is(actual, expected), message, `it is ${shown(expected)}`),
  deepEqual: (actual: unknown, expected: unknown, message?: unknown): void =>
    check(shown(actual) === shown(expected), message, `${shown(actual)} is not ${shown(expected)}`),
};
