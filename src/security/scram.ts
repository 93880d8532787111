/**
 * SCRAM-SHA-256 [RFC 5802] [RFC 7677] on the server: the client proves that it knows a password which we do not know ourselves, and
 * we prove that we know its verifier. Verifiers are in the form that PostgreSQL made common.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { EnhancedMethod, Exchange, ExchangeStep } from "./enhanced-method.ts";
import { SecurityError } from "./security-error.ts";
import { linesOf, readText } from "./text-lines.ts";

/** The name of the method. */
export const SCRAM_SHA_256 = "SCRAM-SHA-256";

/** What is kept of a password. */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** Rounds for new verifiers [RFC 7677 §4]. */
export const SCRAM_ITERATIONS = 4096;
const MOST_ITERATIONS = 10_000_000;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 18;

const FORM = /^SCRAM-SHA-256\$(\d{1,8}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

const derive = promisify(pbkdf2);

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** Makes a verifier with a new salt. */
export async function scramVerifier(password: string, iterations: number = SCRAM_ITERATIONS): Promise<ScramVerifier> {
  const salt = randomBytes(SALT_BYTES);
  // What SASLprep does to nearly all passwords.
  const salted = await derive(password.normalize("NFKC"), salt, iterations, KEY_BYTES, "sha256");
  return { iterations, salt, storedKey: sha256(hmac(salted, "Client Key")), serverKey: hmac(salted, "Server Key") };
}

/** As it stands in a file. */
export function formatScramVerifier({ iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

/** Reads a verifier, or returns null when `text` is none. */
export function parseScramVerifier(text: string): ScramVerifier | null {
  const [, rounds, salt, storedKey, serverKey] = FORM.exec(text) ?? [];
  if (serverKey === undefined) return null;
  const bytes = (base64: string): Uint8Array => Buffer.from(base64, "base64");
  const found = {
    iterations: Number(rounds),
    salt: bytes(salt!),
    storedKey: bytes(storedKey!),
    serverKey: bytes(serverKey),
  };
  const isPossible =
    found.storedKey.length === KEY_BYTES && found.serverKey.length === KEY_BYTES && found.salt.length > 0;
  return isPossible && found.iterations >= 1 && found.iterations <= MOST_ITERATIONS ? found : null;
}

/**
 * Reads a file of `USERNAME:VERIFIER` lines.
 * @throws SecurityError when it cannot be read or has a line that cannot be understood
 */
export async function readScramFile(path: string): Promise<ReadonlyMap<string, ScramVerifier>> {
  const users = new Map<string, ScramVerifier>();
  for (const { number, text } of linesOf(await readText(path))) {
    const colon = text.indexOf(":");
    const username = text.slice(0, Math.max(colon, 0)).trim();
    const verifier = parseScramVerifier(text.slice(colon + 1).trim());
    if (username === "" || verifier === null) {
      const form = "USERNAME:SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY";
      throw new SecurityError(path, number, `is not of the form ${form}, which is PostgreSQL's with a name before it`);
    }
    if (!users.has(username)) users.set(username, verifier);
  }
  return users;
}

/** The method, for the users of a file. */
export class ScramMethod implements EnhancedMethod {
  readonly name: string = SCRAM_SHA_256;
  readonly #users: ReadonlyMap<string, ScramVerifier>;
  readonly #key: Uint8Array = randomBytes(KEY_BYTES);

  constructor(users: ReadonlyMap<string, ScramVerifier>) {
    this.#users = users;
  }

  begin(): Exchange {
    return new ScramExchange((username) => this.#users.get(username) ?? this.#nobodys(username));
  }

  isCurrent(username: string, evidence: unknown): boolean {
    const verifier = this.#users.get(username);
    return (
      verifier !== undefined && evidence instanceof Uint8Array && Buffer.compare(verifier.storedKey, evidence) === 0
    );
  }

  /** Users who are not there have a salt too, always the same, so that nobody can tell. */
  #nobodys(username: string): ScramVerifier {
    const salt = hmac(this.#key, username).slice(0, SALT_BYTES);
    const [like] = this.#users.values();
    const unknowable = randomBytes(KEY_BYTES);
    return { iterations: like?.iterations ?? SCRAM_ITERATIONS, salt, storedKey: unknowable, serverKey: unknowable };
  }
}

/** Without acting for somebody else ("a=") and without extensions that must be understood ("m="). */
const FIRST = /^([ny]|p=[^,]*),,n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?$/;
const FINAL = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[^p].*)?),p=([A-Za-z0-9+/=]+)$/;

class ScramExchange implements Exchange {
  readonly #verifierOf: (username: string) => ScramVerifier;
  #username = "";
  #verifier: ScramVerifier | null = null;
  /** What both sign so far, and what the client must say again. */
  #messages = "";
  #header = "";
  #nonce = "";

  constructor(verifierOf: (username: string) => ScramVerifier) {
    this.#verifierOf = verifierOf;
  }

  next(data: Uint8Array): ExchangeStep {
    const message = Buffer.from(data).toString();
    return this.#verifier === null ? this.#first(message) : this.#final(message, this.#verifier);
  }

  #first(message: string): ExchangeStep {
    const [, binding, name, clientNonce] = FIRST.exec(message) ?? [];
    if (clientNonce === undefined) return failed("its first message is not one of SCRAM");
    if (binding!.startsWith("p")) return failed("it asks for channel binding, which is not offered");
    this.#username = name!.replaceAll("=2C", ",").replaceAll("=3D", "=");
    this.#verifier = this.#verifierOf(this.#username);
    const bareAt = message.indexOf(",,") + 2;
    this.#header = message.slice(0, bareAt);
    this.#nonce = clientNonce + randomBytes(NONCE_BYTES).toString("base64");
    const { salt, iterations } = this.#verifier;
    const answer = `r=${this.#nonce},s=${Buffer.from(salt).toString("base64")},i=${iterations}`;
    this.#messages = `${message.slice(bareAt)},${answer}`;
    return { kind: "challenge", data: Buffer.from(answer) };
  }

  #final(message: string, { storedKey, serverKey }: ScramVerifier): ExchangeStep {
    const [, withoutProof, binding, nonce, proof] = FINAL.exec(message) ?? [];
    if (proof === undefined) return failed("its final message is not one of SCRAM");
    if (nonce !== this.#nonce || Buffer.from(binding!, "base64").toString() !== this.#header)
      return failed("its final message does not belong to its first");
    const signed = `${this.#messages},${withoutProof}`;
    const signature = hmac(storedKey, signed);
    const clientKey = xor(Buffer.from(proof, "base64"), signature);
    if (clientKey === null || !timingSafeEqual(sha256(clientKey), storedKey))
      return failed(`user ${this.#username} is not known or its password is wrong`);
    const answer = `v=${Buffer.from(hmac(serverKey, signed)).toString("base64")}`;
    return { kind: "done", username: this.#username, data: Buffer.from(answer), evidence: storedKey };
  }
}

function failed(why: string): ExchangeStep {
  return { kind: "failed", why: `${SCRAM_SHA_256}: ${why}` };
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array | null {
  return one.length === other.length ? one.map((byte, at) => byte ^ other[at]!) : null;
}
