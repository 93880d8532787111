// Bytes of packets as a person writes them down from the specification. It knows how lengths are counted and nothing else of MQTT, so
// that what it is compared with has been made by other hands.
import type { Version } from "../../src/protocol/index.ts";
import { bytesOfHex } from "./hex.ts";

/**
 * What may stand in a notation; blanks separate and mean nothing.
 *
 *     32 003c            bytes in hexadecimal
 *     'sensor/1'         a string as MQTT has it: two bytes of length, then its UTF-8
 *     "22.5"             only the UTF-8
 *     [ ... ]            a length as a variable byte integer, then what stands inside: what follows a packet's first byte
 *     { ... }            the properties: like [ ... ] in 5.0, nothing before
 *     3( ... )           only in version 3 (MQTT 3.1); 4 is 3.1.1, 5 is 5.0
 */
const TOKENS = /\s+|((?:[0-9a-f]{2})+)(?![(0-9a-f])|'([^']*)'|"([^"]*)"|([345]\(|[[{])|([\])}])/y;

const CLOSING: Readonly<Record<string, string>> = { "[": "]", "{": "}" };

/**
 * The bytes that `notation` stands for in `version`.
 * @throws {Error} for what is no notation, and where
 */
export function bytesOfNotation(notation: string, version: Version): Uint8Array {
  const reader = new Reader(notation, version);
  return Uint8Array.from(reader.read(""));
}

class Reader {
  readonly #notation: string;
  readonly #version: Version;
  #at = 0;

  constructor(notation: string, version: Version) {
    this.#notation = notation;
    this.#version = version;
  }

  /** Everything up to `closing`, which is taken too. */
  read(closing: string): number[] {
    const bytes: number[] = [];
    while (this.#at < this.#notation.length) {
      TOKENS.lastIndex = this.#at;
      const token = TOKENS.exec(this.#notation);
      if (token === null) throw new Error(`no notation of bytes: ${this.#notation.slice(this.#at, this.#at + 40)}`);
      this.#at = TOKENS.lastIndex;
      const [, hex, string, text, opened, closed] = token;
      if (closed !== undefined && closed !== closing) throw new Error(`${closed} closes nothing: ${this.#notation}`);
      if (closed !== undefined) return bytes;
      // No spread: there may be a hundred thousand.
      for (const byte of this.#bytesOf(hex, string, text, opened)) bytes.push(byte);
    }
    if (closing !== "") throw new Error(`no ${closing} at the end: ${this.#notation}`);
    return bytes;
  }

  #bytesOf(hex?: string, string?: string, text?: string, opened?: string): Iterable<number> {
    if (hex !== undefined) return bytesOfHex(hex);
    if (text !== undefined) return utf8(text);
    if (string !== undefined) return [utf8(string).length >> 8, utf8(string).length & 0xff, ...utf8(string)];
    if (opened === undefined) return [];
    const inside = this.read(CLOSING[opened] ?? ")");
    if (opened === "{" && this.#version !== 5) return [];
    if (opened === "[" || opened === "{") return withLength(inside);
    return Number(opened[0]) === this.#version ? inside : [];
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Seven bits a byte, the lowest first, the eighth says that another follows [5.0 §1.5.5]. */
function withLength(bytes: readonly number[]): number[] {
  const length: number[] = [];
  for (let rest = bytes.length; length.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
  }
  return length.concat(bytes);
}
