/** mosquitto's psk_file: a line for each key, IDENTITY:HEXADECIMAL DIGITS. */
import { SecurityError } from "./security-error.ts";
import { linesOf, readText } from "./text-lines.ts";

/** Keys by the identity that clients name them with. */
export type PskKeys = ReadonlyMap<string, Uint8Array>;

/** OpenSSL takes no longer keys, in bytes. */
const LONGEST_KEY_BYTES = 256;

/**
 * Reads a file of keys.
 * @throws SecurityError when it cannot be read, or a line is none of that form
 */
export async function readPskFile(path: string): Promise<PskKeys> {
  const keys = new Map<string, Uint8Array>();
  for (const { number, text } of linesOf(await readText(path))) {
    const [, identity, digits] = /^([^:]+):([0-9a-fA-F]+)$/.exec(text) ?? [];
    if (identity === undefined || digits === undefined)
      throw new SecurityError(path, number, "is not IDENTITY:KEY with the key in hexadecimal digits");
    if (digits.length > 2 * LONGEST_KEY_BYTES)
      throw new SecurityError(path, number, `has a key of more than ${LONGEST_KEY_BYTES} bytes`);
    if (keys.has(identity)) throw new SecurityError(path, number, `names ${identity} a second time`);
    // A digit may be missing before the first one, as in any number.
    keys.set(identity, Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex"));
  }
  return keys;
}
