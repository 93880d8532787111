/** Fields of a request, checked. */

/** A request that cannot be answered: what is wrong and what is allowed. */
export class RequestError extends Error {
  override readonly name: string = "RequestError";
}

function given(ask: unknown, name: string): unknown {
  if (typeof ask !== "object" || ask === null || Array.isArray(ask))
    throw new RequestError('a request is a JSON object, as in {"command": "clients"}');
  return Object.hasOwn(ask, name) ? (ask as Record<string, unknown>)[name] : undefined;
}

/** Reads fields of a request that came as JSON. Each throws a RequestError for a value that is not allowed. */
export const field = {
  text(ask: unknown, name: string): string {
    const value = given(ask, name);
    if (typeof value === "string") return value;
    throw new RequestError(`"${name}" is ${value === undefined ? "missing" : "no text"}`);
  },

  /** null where it is absent or null. */
  optionalText(ask: unknown, name: string): string | null {
    const value = given(ask, name);
    return value === undefined || value === null ? null : field.text(ask, name);
  },

  /** `otherwise` where it is absent; without it the field must be there. */
  integer(ask: unknown, name: string, min: number, max: number, otherwise?: number): number {
    const value = given(ask, name) ?? otherwise;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new RequestError(`"${name}" must be a whole number from ${min} to ${max}`);
  },

  flag(ask: unknown, name: string): boolean {
    const value = given(ask, name) ?? false;
    if (typeof value === "boolean") return value;
    throw new RequestError(`"${name}" must be true or false`);
  },
};
