/** JSON web tokens (RFC 7519) as passwords: who has a valid one is whom it names. */
import { aclOfLists } from "./acl-file.ts";
import { AclSource } from "./acl-source.ts";
import { isSigned, readJwks, readPublicKey, readSecret, type TokenKey } from "./json-web-key.ts";
import type { JwtConfig } from "./security-config.ts";
import { SecurityError } from "./security-error.ts";
import type { AuthenticationSource, Claim, Judgement, SecurityLog } from "./sources.ts";

/** Longest token that is looked at, in bytes. */
const LONGEST_TOKEN_BYTES = 16_384;
/** How far clocks may be apart unless configured otherwise, in seconds. */
const DEFAULT_LEEWAY_SECONDS = 30;

const FORM = /^[\w-]+\.[\w-]+\.[\w-]*$/;

type Claims = Readonly<Record<string, unknown>>;

/** A token in its parts. */
interface Token {
  readonly algorithm: string;
  readonly keyId: string | null;
  readonly claims: Claims;
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** Knows who shows a token. */
export class TokenSource implements AuthenticationSource {
  readonly #keys: readonly TokenKey[];
  readonly #config: JwtConfig;
  readonly #log: SecurityLog;
  readonly #wallMs: () => number;

  private constructor(keys: readonly TokenKey[], config: JwtConfig, log: SecurityLog, wallMs: () => number) {
    this.#keys = keys;
    this.#config = config;
    this.#log = log;
    this.#wallMs = wallMs;
  }

  /**
   * Reads the keys.
   * @throws SecurityError when there is none, or one cannot be used
   */
  static async open(config: JwtConfig, log: SecurityLog, wallMs: () => number = Date.now): Promise<TokenSource> {
    const { jwksFile, publicKeyFile, secretFile } = config;
    const keys = [
      ...(jwksFile === null ? [] : await readJwks(jwksFile)),
      ...(publicKeyFile === null ? [] : [await readPublicKey(publicKeyFile)]),
      ...(secretFile === null ? [] : [await readSecret(secretFile)]),
    ];
    if (keys.length > 0) return new TokenSource(keys, config, log, wallMs);
    const what = "needs lacewing_jwt_jwks_file, lacewing_jwt_public_key_file or lacewing_jwt_secret_file";
    throw new SecurityError("lacewing_jwt", null, what);
  }

  async judge({ username, password }: Claim): Promise<Judgement> {
    if (password === null || password.length > LONGEST_TOKEN_BYTES) return null;
    const text = Buffer.from(password).toString("latin1");
    // What is no token may be a password, which others know.
    if (!FORM.test(text)) return null;
    const token = parseToken(text);
    if (token === null) return null;
    const fault = (await this.#signatureFault(token)) ?? this.#claimsFault(token.claims);
    if (fault !== null) return no(fault);
    return this.#accept(token.claims, username);
  }

  async #signatureFault({ algorithm, keyId, signed, signature }: Token): Promise<string | null> {
    const keys = this.#keys.filter(
      ({ id, algorithms }) => algorithms.includes(algorithm) && (id === null || keyId === null || id === keyId),
    );
    if (keys.length === 0) {
      const named = keyId === null ? "" : ` and kid ${keyId}`;
      return `no key is for algorithm ${algorithm}${named}`;
    }
    for (const { key } of keys) if (await isSigned(key, algorithm, signed, signature)) return null;
    return "it is not signed by a key of ours";
  }

  #claimsFault(claims: Claims): string | null {
    const { issuer, audience, leewaySeconds = DEFAULT_LEEWAY_SECONDS } = this.#config;
    const { exp, nbf, iss, aud } = claims;
    const now = this.#wallMs() / 1000;
    if (exp !== undefined && !(isMoment(exp) && now < exp + leewaySeconds)) return "it has expired";
    if (nbf !== undefined && !(isMoment(nbf) && now >= nbf - leewaySeconds)) return "it is not valid yet";
    if (issuer !== null && iss !== issuer) return `its issuer is not ${issuer}`;
    if (audience !== null && ![aud].flat().includes(audience)) return `it is not for ${audience}`;
    return null;
  }

  #accept(claims: Claims, username: string | null): Judgement {
    const { usernameClaim, leewaySeconds = DEFAULT_LEEWAY_SECONDS } = this.#config;
    const named = claims[usernameClaim];
    if (typeof named !== "string" || named === "") return no(`it has no claim ${usernameClaim} that names a user`);
    if (username !== null && username !== named)
      return no(`it is ${named}'s, and CONNECT names user ${username}; that must be empty or the same`);
    const { acl, exp } = claims;
    const rules = acl === undefined ? undefined : aclOfLists(acl);
    if (rules === null) return no("its claim acl is not of the form {read, write, readwrite, deny: [topic filters]}");
    return {
      kind: "yes",
      username: named,
      ...(rules !== undefined && { rules: new AclSource(rules, false, this.#log) }),
      ...(isMoment(exp) && { untilMs: (exp + leewaySeconds) * 1000 }),
    };
  }
}

function no(why: string): Judgement {
  return { kind: "no", why: `its token is no good: ${why}` };
}

function isMoment(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** null: it is no token. */
function parseToken(text: string): Token | null {
  const [head = "", body = "", signature = ""] = text.split(".");
  const header = jsonOf(head);
  const claims = jsonOf(body);
  if (header === null || claims === null || typeof header.alg !== "string") return null;
  return {
    // A header that says more than we know must not be passed over [RFC 7515 §4.1.11]; no algorithm has this name.
    algorithm: header.crit === undefined ? header.alg : `${header.alg} with crit`,
    keyId: typeof header.kid === "string" ? header.kid : null,
    claims,
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

function jsonOf(part: string): Claims | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Claims) : null;
  } catch {
    return null;
  }
}
