/** Keys that sign tokens, and the algorithms that each may be used with: the token does not choose another. */
import { createHmac, createPublicKey, createSecretKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import { SecurityError } from "./security-error.ts";
import { readText } from "./text-lines.ts";

/** One key. */
export interface TokenKey {
  /** `kid`; null: it has none, and is tried for every token. */
  readonly id: string | null;
  readonly key: KeyObject;
  /** Algorithms that it verifies, as `RS256`. */
  readonly algorithms: readonly string[];
}

/** Fewest bits of an RSA key, and bytes of a secret. */
const SHORTEST_RSA_BITS = 2048;
const SHORTEST_SECRET_BYTES = 16;

const HMAC_ALGORITHMS = ["HS256", "HS384", "HS512"];
const RSA_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
/** By OpenSSL's name of the curve. */
const CURVE_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

/** Whether `signature` is that of `data` by `key`. The algorithm must be one of the key's. */
export function isSigned(key: KeyObject, algorithm: string, data: string, signature: Uint8Array): Promise<boolean> {
  const hash = `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith("HS")) {
    const expected = createHmac(hash, key).update(data).digest();
    return Promise.resolve(expected.length === signature.length && timingSafeEqual(expected, signature));
  }
  const options = algorithm.startsWith("ES")
    ? { key, dsaEncoding: "ieee-p1363" as const }
    : algorithm.startsWith("PS")
      ? { key, padding: 6, saltLength: -1 } // RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST
      : { key };
  return new Promise((resolve, reject) => {
    verify(hash, Buffer.from(data), options, signature, (error, isRight) =>
      error === null ? resolve(isRight) : reject(error),
    );
  });
}

/** @throws SecurityError when there is no key in the file that can be used */
export async function readJwks(path: string): Promise<TokenKey[]> {
  let set: unknown;
  try {
    set = JSON.parse(await readText(path));
  } catch (error) {
    if (error instanceof SecurityError) throw error;
    throw new SecurityError(path, null, `is not valid JSON: ${(error as Error).message}`);
  }
  const list = (set as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new SecurityError(path, null, 'is no JWKS: an object with a list "keys"');
  const keys = list.flatMap((jwk: unknown, at) => keyOfJwk(path, jwk, at));
  if (keys.length > 0) return keys;
  throw new SecurityError(path, null, "has no key that signs: RSA, EC or oct, whose use is not enc");
}

function keyOfJwk(path: string, jwk: unknown, at: number): TokenKey[] {
  const { kty, kid, use, alg, k } = (jwk ?? {}) as Readonly<Record<string, unknown>>;
  if (use === "enc") return [];
  const id = typeof kid === "string" ? kid : null;
  try {
    if (kty === "oct" && typeof k === "string") return [limited(secretKey(path, Buffer.from(k, "base64url"), id), alg)];
    if (kty !== "RSA" && kty !== "EC") return [];
    return [limited(publicKey(path, createPublicKey({ key: jwk as JsonWebKeyInput, format: "jwk" }), id), alg)];
  } catch (error) {
    if (error instanceof SecurityError) throw error;
    throw new SecurityError(path, null, `key ${id ?? at + 1} cannot be used: ${(error as Error).message}`);
  }
}

type JsonWebKeyInput = Parameters<typeof createPublicKey>[0] extends infer Input
  ? Input extends { key: infer Key; format: "jwk" }
    ? Key
    : never
  : never;

/** A key that names its algorithm is for no other. */
function limited(key: TokenKey, algorithm: unknown): TokenKey {
  if (typeof algorithm !== "string") return key;
  return { ...key, algorithms: key.algorithms.filter((each) => each === algorithm) };
}

/** @throws SecurityError when it is no such key */
export async function readPublicKey(path: string): Promise<TokenKey> {
  const text = await readText(path);
  try {
    return publicKey(path, createPublicKey(text), null);
  } catch (error) {
    if (error instanceof SecurityError) throw error;
    throw new SecurityError(path, null, `is no public key or certificate in PEM: ${(error as Error).message}`);
  }
}

function publicKey(path: string, key: KeyObject, id: string | null): TokenKey {
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") {
    if (modulusLength >= SHORTEST_RSA_BITS) return { id, key, algorithms: RSA_ALGORITHMS };
    throw new SecurityError(
      path,
      null,
      `has an RSA key of ${modulusLength} bits; at least ${SHORTEST_RSA_BITS} are needed`,
    );
  }
  const algorithm = CURVE_ALGORITHMS[namedCurve];
  if (algorithm !== undefined) return { id, key, algorithms: [algorithm] };
  const kind = `${key.asymmetricKeyType} ${namedCurve}`.trim();
  throw new SecurityError(path, null, `has a key of kind ${kind}; RSA and EC (P-256, P-384, P-521) are known`);
}

/** @throws SecurityError when it is too short */
export async function readSecret(path: string): Promise<TokenKey> {
  return secretKey(path, Buffer.from((await readText(path)).trim()), null);
}

function secretKey(path: string, secret: Buffer, id: string | null): TokenKey {
  if (secret.length >= SHORTEST_SECRET_BYTES) return { id, key: createSecretKey(secret), algorithms: HMAC_ALGORITHMS };
  throw new SecurityError(
    path,
    null,
    `has a secret of ${secret.length} bytes; at least ${SHORTEST_SECRET_BYTES} are needed`,
  );
}
