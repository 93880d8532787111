/** Argon2id, as mosquitto 2.1 can write it into password files: read where this Node.js has it (24.7 or later). */
import crypto from "node:crypto";

/** `$argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$HASH`, salt and hash in base64 without "=". */
const FORM = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,6}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Most memory that one hash may ask for, in KiB, and most passes: one line of a file must not stop a broker. */
const MOST_MEMORY_KIB = 1024 * 1024;
const MOST_PASSES = 100;

/** A hash and all that it takes to make it again. */
export interface Argon2Hash {
  readonly algorithm: "argon2id";
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
  /** As it was read. */
  readonly text: string;
}

interface Argon2Parameters {
  readonly message: string | Uint8Array;
  readonly nonce: Uint8Array;
  readonly parallelism: number;
  readonly tagLength: number;
  readonly memory: number;
  readonly passes: number;
}

type Argon2 = (
  algorithm: "argon2id",
  parameters: Argon2Parameters,
  done: (error: Error | null, hash: Uint8Array) => void,
) => void;

/** Absent from older Node.js. */
const argon2 = (crypto as { readonly argon2?: Argon2 }).argon2;

/** Whether this Node.js can verify such hashes. */
export const HAS_ARGON2: boolean = argon2 !== undefined;

/** Reads a hash, or returns null when `text` is none. */
export function parseArgon2(text: string): Argon2Hash | null {
  const [, memory, passes, lanes, salt, hash] = FORM.exec(text) ?? [];
  if (hash === undefined) return null;
  const found: Argon2Hash = {
    algorithm: "argon2id",
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt!, "base64"),
    hash: Buffer.from(hash, "base64"),
    text,
  };
  const isPossible =
    found.lanes >= 1 &&
    found.memoryKib >= 8 * found.lanes &&
    found.memoryKib <= MOST_MEMORY_KIB &&
    found.passes >= 1 &&
    found.passes <= MOST_PASSES &&
    found.salt.length >= 8 &&
    found.hash.length >= 4;
  return isPossible ? found : null;
}

/** Hashes `password` as `like` was hashed, off the event loop. */
export function argon2Digest(password: string | Uint8Array, like: Argon2Hash): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (argon2 === undefined) {
      reject(new Error("Argon2 needs Node.js 24.7 or later"));
      return;
    }
    const { memoryKib: memory, passes, lanes: parallelism, salt: nonce, hash } = like;
    const parameters = { message: password, nonce, parallelism, tagLength: hash.length, memory, passes };
    argon2("argon2id", parameters, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
}
