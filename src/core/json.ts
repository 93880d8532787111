/** Fields of JSON objects in requests below `$CONTROL/`, read as mosquitto reads them. */

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Whether `value` is a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field of `json`: names are not told apart by capital letters, and an inherited one is none. */
function field(json: Json, name: string): unknown {
  if (Object.hasOwn(json, name)) return json[name];
  const wanted = name.toLowerCase();
  const key = Object.keys(json).find((each) => each.toLowerCase() === wanted);
  return key === undefined ? undefined : json[key];
}

/** A text; undefined: it is absent or something else. */
export function textOf(json: Json, name: string): string | undefined {
  const value = field(json, name);
  return typeof value === "string" ? value : undefined;
}

/** Whether a field is there but no text. */
export function isNoText(json: Json, name: string): boolean {
  const value = field(json, name);
  return value !== undefined && typeof value !== "string";
}

/** A whole number, `otherwise` when it is absent or something else. */
export function numberOf(json: Json, name: string, otherwise: number): number {
  const value = field(json, name);
  return typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) : otherwise;
}

/** true or false; undefined: it is absent or something else. */
export function switchOf(json: Json, name: string): boolean | undefined {
  const value = field(json, name);
  return typeof value === "boolean" ? value : undefined;
}

/** The items of a list; undefined: it is absent or something else. */
export function listOf(json: Json, name: string): readonly unknown[] | undefined {
  const value = field(json, name);
  return Array.isArray(value) ? value : undefined;
}

/** Whether a field is there. */
export function has(json: Json, name: string): boolean {
  return field(json, name) !== undefined;
}

/** Objects of a list that have a text `key`. */
export function namedItems(json: Json, name: string, key: string): readonly (readonly [name: string, item: Json])[] {
  return (listOf(json, name) ?? []).flatMap((item) => {
    const text = isJson(item) ? textOf(item, key) : undefined;
    return text === undefined ? [] : [[text, item as Json] as const];
  });
}
