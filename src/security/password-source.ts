/** A password file as a source of who clients are. */
import type { PasswordCheck } from "./password-check.ts";
import type { PasswordFile } from "./password-file.ts";
import type { AnyHash } from "./password-hash.ts";
import type { AuthenticationSource, Claim, Judgement } from "./sources.ts";

/** Knows the users of a password file. */
export class PasswordSource implements AuthenticationSource {
  readonly #file: PasswordFile;
  readonly #check: PasswordCheck;

  constructor(file: PasswordFile, check: PasswordCheck) {
    this.#file = file;
    this.#check = check;
  }

  async judge({ username, password }: Claim): Promise<Judgement> {
    // An empty password is none, as in mosquitto, also where the file has the hash of one.
    if (username === null || password === null || password.length === 0) return null;
    const { users } = this.#file;
    const hash = users.get(username) ?? null;
    const [like = null] = users.values();
    const answer = await this.#check.check(password, hash, like);
    if (answer === "busy") {
      return { kind: "no", reason: "server-busy", why: "too many clients wait for their passwords to be checked" };
    }
    // Another source may know who this one does not.
    if (hash === null) return null;
    return answer === "right"
      ? { kind: "yes", hash }
      : { kind: "no", why: `the password of user ${username} is wrong` };
  }

  isCurrent(username: string, hash: AnyHash): boolean | null {
    const current = this.#file.users.get(username);
    return current === undefined ? null : isSame(current, hash);
  }
}

function isSame(one: AnyHash, other: AnyHash): boolean {
  return Buffer.compare(one.hash, other.hash) === 0 && Buffer.compare(one.salt, other.salt) === 0;
}
