/**
 * Hashes of passwords in the form of mosquitto's password files: `$6$SALT$HASH` is SHA-512 over password and salt, and
 * `$7$ITERATIONS$SALT$HASH` is PBKDF2 with it; salt and hash are in base64. Reads no files.
 */
import { createHash, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { type Argon2Hash, argon2Digest } from "./argon2.ts";

/** As mosquitto_passwd names them. */
export type PasswordAlgorithm = "sha512" | "sha512-pbkdf2";

/** A hash and all that it takes to make it again. */
export interface PasswordHash {
  readonly algorithm: PasswordAlgorithm;
  /** 1 for sha512. */
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** A hash of any kind that password files hold. */
export type AnyHash = PasswordHash | Argon2Hash;

/** Rounds of PBKDF2 when nothing else is said: those of mosquitto 2.1. */
export const DEFAULT_ITERATIONS = 1000;

/** Most rounds, so that one line of a file cannot stop a broker. */
export const MOST_ITERATIONS = 10_000_000;

/** Bytes of a new salt. mosquitto 2.0 takes no other number, 2.1 any. */
const SALT_BYTES = 12;

/** Bytes of SHA-512. */
const HASH_BYTES = 64;

/** Longest salt that is read, in bytes: that of mosquitto 2.1. */
const LONGEST_SALT_BYTES = 64;

const derive = promisify(pbkdf2);

/** Hashes a password with a new salt. */
export async function hashPassword(
  password: string | Uint8Array,
  algorithm: PasswordAlgorithm = "sha512-pbkdf2",
  iterations: number = DEFAULT_ITERATIONS,
): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES);
  const rounds = algorithm === "sha512" ? 1 : iterations;
  return { algorithm, iterations: rounds, salt, hash: await digest(password, algorithm, rounds, salt) };
}

/** Whether `password` is the one that was hashed. Takes as long for a wrong one as for the right one. */
export async function verifyPassword(password: string | Uint8Array, expected: AnyHash): Promise<boolean> {
  const { hash } = expected;
  const found = await digestLike(password, expected);
  return found.length === hash.length && timingSafeEqual(found, hash);
}

function digestLike(password: string | Uint8Array, expected: AnyHash): Promise<Uint8Array> {
  if (expected.algorithm === "argon2id") return argon2Digest(password, expected);
  const { algorithm, iterations, salt } = expected;
  return digest(password, algorithm, iterations, salt);
}

async function digest(
  password: string | Uint8Array,
  algorithm: PasswordAlgorithm,
  iterations: number,
  salt: Uint8Array,
): Promise<Uint8Array> {
  if (algorithm === "sha512-pbkdf2") return derive(password, salt, iterations, HASH_BYTES, "sha512");
  return createHash("sha512").update(password).update(salt).digest();
}

/** As it stands behind the user's name in a password file. */
export function formatPasswordHash({ algorithm, iterations, salt, hash }: PasswordHash): string {
  const ending = `${base64(salt)}$${base64(hash)}`;
  return algorithm === "sha512" ? `$6$${ending}` : `$7$${iterations}$${ending}`;
}

/** Reads a hash, or returns null when `text` is none. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const [, plainSalt, plainHash] = /^\$6\$([^$]+)\$([^$]+)$/.exec(text) ?? [];
  if (plainSalt !== undefined) return hashOf("sha512", 1, plainSalt, plainHash!);
  const [, rounds, salt, hash] = /^\$7\$(\d{1,8})\$([^$]+)\$([^$]+)$/.exec(text) ?? [];
  return rounds === undefined ? null : hashOf("sha512-pbkdf2", Number(rounds), salt!, hash!);
}

function hashOf(
  algorithm: PasswordAlgorithm,
  iterations: number,
  saltText: string,
  hashText: string,
): PasswordHash | null {
  const salt = bytesOf(saltText);
  const hash = bytesOf(hashText);
  if (salt === null || hash === null || salt.length > LONGEST_SALT_BYTES || hash.length !== HASH_BYTES) return null;
  return iterations >= 1 && iterations <= MOST_ITERATIONS ? { algorithm, iterations, salt, hash } : null;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Node reads base64 leniently; a password file should not be. */
function bytesOf(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.length > 0 && bytes.toString("base64") === text ? bytes : null;
}
