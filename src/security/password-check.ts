/**
 * Checks passwords against hashes: off the event loop, a few at once, and cheap for who has shown the right one before. A wrong
 * password takes as long for a user who is not there as for one who is.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Deque } from "../core/index.ts";
import { type AnyHash, DEFAULT_ITERATIONS, verifyPassword } from "./password-hash.ts";

/** Hashes computed at once. Node.js has four threads for them, which files need too. */
const MOST_AT_ONCE = 2;
/** Passwords that wait for their turn; more clients are told that the server is busy. */
const MOST_WAITING = 10_000;

/** What became of a check: "busy" is said when too many wait, and is no answer. */
export type PasswordAnswer = "right" | "wrong" | "busy";

/** Checks passwords; one for each broker. */
export class PasswordCheck {
  readonly #key: Uint8Array = randomBytes(32);
  /** What the right password looks like under our key, for hashes that have been met. Goes with the hash when a file is reloaded. */
  readonly #known: WeakMap<AnyHash, Uint8Array> = new WeakMap();
  #running = 0;
  readonly #waiting: Deque<() => void> = new Deque();

  /**
   * Whether `password` is that of `hash`.
   * @param hash null: there is no such user, which takes as long as `like` to find out
   */
  async check(password: Uint8Array, hash: AnyHash | null, like: AnyHash | null = null): Promise<PasswordAnswer> {
    const seal = createHmac("sha256", this.#key).update(password).digest();
    if (hash !== null) {
      const known = this.#known.get(hash);
      if (known !== undefined && timingSafeEqual(known, seal)) return "right";
    }
    if (this.#waiting.size >= MOST_WAITING) return "busy";
    const isRight = await this.#inTurn(() => verifyPassword(password, hash ?? like ?? NOBODYS));
    if (!isRight || hash === null) return "wrong";
    this.#known.set(hash, seal);
    return "right";
  }

  async #inTurn(work: () => Promise<boolean>): Promise<boolean> {
    if (this.#running >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      // The place goes to the next one, who does not count itself again.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** A hash that no password has. */
const NOBODYS: AnyHash = {
  algorithm: "sha512-pbkdf2",
  iterations: DEFAULT_ITERATIONS,
  salt: new Uint8Array(12),
  hash: new Uint8Array(64),
};
