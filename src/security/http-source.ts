/** A web service that is asked about each CONNECT. Whatever goes wrong lets nobody in. */
import { createHmac, randomBytes } from "node:crypto";
import { aclOfLists } from "./acl-file.ts";
import { AclSource } from "./acl-source.ts";
import type { HttpAuthConfig } from "./security-config.ts";
import type { AuthenticationSource, Claim, Judgement, SecurityLog } from "./sources.ts";

/** Largest answer, in bytes. */
const LARGEST_ANSWER_BYTES = 65_536;
/** Requests at once; more clients are told that the server is busy. */
const MOST_AT_ONCE = 200;
/** Answers that are remembered. */
const MOST_REMEMBERED = 10_000;

interface Remembered {
  readonly judgement: Judgement;
  readonly untilMs: number;
}

/** Asks a web service. */
export class HttpSource implements AuthenticationSource {
  readonly #config: HttpAuthConfig;
  readonly #log: SecurityLog;
  /** Answers by a seal of what was asked, so that no password is kept. */
  readonly #remembered: Map<string, Remembered> = new Map();
  readonly #key: Uint8Array = randomBytes(32);
  #running = 0;

  constructor(config: HttpAuthConfig, log: SecurityLog) {
    this.#config = config;
    this.#log = log;
  }

  async judge(claim: Claim): Promise<Judgement> {
    const question = questionOf(claim);
    const seal = createHmac("sha256", this.#key).update(question).digest("base64");
    const known = this.#remembered.get(seal);
    if (known !== undefined && performance.now() < known.untilMs) return known.judgement;
    if (this.#running >= MOST_AT_ONCE)
      return { kind: "no", reason: "server-busy", why: `${MOST_AT_ONCE} others wait for the web service` };
    this.#running++;
    try {
      const judgement = await this.#ask(question);
      this.#remember(seal, judgement);
      return judgement;
    } finally {
      this.#running--;
    }
  }

  #remember(seal: string, judgement: Judgement): void {
    const { cacheSeconds } = this.#config;
    if (cacheSeconds === 0) return;
    this.#remembered.delete(seal);
    this.#remembered.set(seal, { judgement, untilMs: performance.now() + cacheSeconds * 1000 });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MOST_REMEMBERED) this.#remembered.delete(oldest!);
  }

  /** @throws Error when there is no answer in time, or none that is one */
  async #ask(question: string): Promise<Judgement> {
    const { url, timeoutMs } = this.#config;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: question,
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status } = response;
    const text = await boundedText(response);
    if (status === 401 || status === 403) return { kind: "no", why: `the web service answers ${status}` };
    if (status !== 200) throw new Error(`the web service answers ${status}`);
    return this.#judgementOf(text);
  }

  #judgementOf(text: string): Judgement {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== "object" || answer === null) throw new Error("the answer of the web service is no object");
    const { allow, username, acl, reason } = answer as Readonly<Record<string, unknown>>;
    if (allow === null) return null;
    if (allow === false)
      return {
        kind: "no",
        why: typeof reason === "string" ? `the web service says: ${reason}` : "the web service says no",
      };
    if (allow !== true) throw new Error('the answer of the web service has no "allow" that is true, false or null');
    if (username !== undefined && (typeof username !== "string" || username === ""))
      throw new Error('the answer of the web service has a "username" that is no name');
    const rules = acl === undefined ? undefined : aclOfLists(acl);
    if (rules === null) throw new Error('the answer of the web service has an "acl" of another form');
    return {
      kind: "yes",
      ...(username !== undefined && { username }),
      ...(rules !== undefined && { rules: new AclSource(rules, false, this.#log) }),
    };
  }
}

function questionOf({ applicant, username, password }: Claim): string {
  const { clientId, remoteAddress, localPort, peer, connect } = applicant;
  return JSON.stringify({
    username,
    password: password === null ? null : Buffer.from(password).toString(),
    clientId,
    protocolVersion: connect.version,
    // Each connection has a port of its own, by which nothing could be remembered.
    remoteAddress: remoteAddress.replace(/:\d+$/, ""),
    localPort,
    isEncrypted: peer.isEncrypted,
    certificateSubject: peer.certificate?.subject ?? null,
  });
}

/** @throws Error when it is too long */
async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER_BYTES)
      throw new Error(`the web service answers more than ${LARGEST_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
}
