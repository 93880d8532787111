/** The Authenticator of a listener: who comes in, by what name, and under which rules, decided in mosquitto's order. */
import {
  type Applicant,
  type Authenticator,
  type Broker,
  type Connection,
  type IdentityAsUsername,
  type Policy,
  usernameOf,
  type Verdict,
} from "../core/index.ts";
import type { Auth, EndReason } from "../protocol/index.ts";
import type { EnhancedMethod, Exchange } from "./enhanced-method.ts";
import type { AnyHash } from "./password-hash.ts";
import type { Realm } from "./realm.ts";
import { RulesPolicy } from "./rules.ts";
import type { AccessOptions } from "./security-config.ts";
import type { Asking, AuthenticationSource, Claim, Judgement, RulesSource } from "./sources.ts";
import type { Names } from "./topic-tree.ts";

/** A client that may come in. */
export type Accepted = Extract<Verdict, { kind: "accepted" }>;
type Refused = Extract<Verdict, { kind: "refused" }>;

/** Why a client is here, so that it can be asked again after a reload. */
interface Grounds {
  readonly username: string | null;
  /** Whether nobody has said that the name is the client's. */
  readonly isAnonymous: boolean;
  readonly hash: AnyHash | null;
  /** The method of enhanced authentication that it came in by; null: none. */
  readonly method: string | null;
  readonly evidence: unknown;
  /** When it must go, on the wall clock in milliseconds. */
  readonly untilMs: number;
}

/** How a client has been found out about. */
interface Findings {
  readonly username: string | null;
  readonly isVerified: boolean;
  readonly rules?: RulesSource | undefined;
  readonly hash?: AnyHash | undefined;
  readonly untilMs?: number | undefined;
  readonly method?: string;
  readonly evidence?: unknown;
}

/** Clients that have retained messages, and whose rules are remembered. */
const MOST_ABSENT = 1000;

/** Guards what clients come in by. */
export class AccessControl implements Authenticator, Asking {
  #realm: Realm;
  #options: AccessOptions;
  readonly #grounds: WeakMap<Policy, Grounds> = new WeakMap();
  /** By client identifier and user name. */
  readonly #absent: Map<string, RulesPolicy> = new Map();

  constructor(realm: Realm, options: AccessOptions) {
    this.#realm = realm;
    this.#options = options;
  }

  /** Whether anybody could come in. */
  get knowsAnybody(): boolean {
    const { sources, methods } = this.#realm;
    return (
      this.#options.allowAnonymous || this.#options.identityAsUsername !== null || sources.length + methods.size > 0
    );
  }

  asks(source: AuthenticationSource): boolean {
    return this.#realm.sources.includes(source);
  }

  /** Puts other options and files in force, at once for all clients; those that are here stay until `endUnwelcome`. */
  change(realm: Realm, options: AccessOptions): void {
    this.#realm = realm;
    this.#options = options;
    realm.parts.revision.advance();
  }

  /** Ends the connections of clients that would not be let in any more; to be called after a reload, and now and then. */
  endUnwelcome(broker: Broker): void {
    for (const connection of [...broker.connections]) {
      if (connection.authenticator === this && connection.isReady && !this.#isWelcome(connection))
        connection.close("not-authorized");
    }
  }

  #isWelcome({ policy }: Connection): boolean {
    const grounds = this.#grounds.get(policy);
    if (grounds === undefined) return true;
    const { username, isAnonymous, hash, method, evidence, untilMs } = grounds;
    if (Date.now() >= untilMs) return false;
    const { sources } = this.#realm;
    if (isAnonymous) return this.#options.allowAnonymous && (username === null || sources.length === 0);
    if (method !== null) {
      const found = this.#realm.methods.get(method);
      return found !== undefined && (found.isCurrent?.(username!, evidence) ?? true);
    }
    if (hash === null) return true;
    for (const source of sources) {
      const isCurrent = source.isCurrent?.(username!, hash) ?? null;
      if (isCurrent !== null) return isCurrent;
    }
    return false;
  }

  /** Lets in whom the operator has named, as the local end of a bridge, under the rules for its user. */
  admit(applicant: Applicant): Accepted {
    return this.#accept(applicant, { username: applicant.connect.username, isVerified: true });
  }

  /** Whether a client of these names, who need not be here, may publish to a topic by the rules as they are now. */
  mayPublish(names: Names, topicName: string): boolean {
    const key = `${names.clientId}\0${names.username ?? ""}`;
    let policy = this.#absent.get(key);
    if (policy === undefined) {
      if (this.#absent.size >= MOST_ABSENT) this.#absent.clear();
      policy = new RulesPolicy(() => this.#realm.rulesFor(names), this.#realm.parts.revision);
      this.#absent.set(key, policy);
    }
    return policy.allowsAll || policy.canPublish(topicName);
  }

  authenticate(applicant: Applicant): Verdict | Promise<Verdict> {
    const { settled } = this.#realm;
    return settled === null ? this.#authenticate(applicant) : settled.then(() => this.#authenticate(applicant));
  }

  #authenticate(applicant: Applicant): Verdict | Promise<Verdict> {
    const { authenticationMethod, authenticationData } = applicant.connect.properties;
    if (authenticationMethod === undefined) return this.#authenticateSimply(applicant);
    const method = this.#realm.methods.get(authenticationMethod);
    if (method === undefined) {
      const why = `authentication method ${authenticationMethod} is not offered here`;
      return this.#refuse(applicant, why, "bad-authentication-method");
    }
    return this.#exchange(applicant, method, method.begin(applicant), authenticationData);
  }

  #authenticateSimply(applicant: Applicant): Verdict | Promise<Verdict> {
    const { identityAsUsername } = this.#options;
    if (identityAsUsername !== null) return this.#byIdentity(applicant, identityAsUsername);
    const { username, password } = applicant.connect;
    // An empty user name is none, as in mosquitto.
    const claim: Claim = { applicant, username: username || null, password };
    return this.#realm.sources.length === 0 ? this.#undecided(claim, false) : this.#ask(claim);
  }

  async #ask(claim: Claim): Promise<Verdict> {
    const realm = this.#realm;
    for (const source of realm.sources) {
      const judgement: Judgement = await source.judge(claim);
      // Whoever has been read anew meanwhile must be asked instead: nobody comes in by what is no longer so.
      const { reloading } = realm.parts;
      if (reloading !== null || realm !== this.#realm) {
        await reloading;
        return this.#ask(claim);
      }
      if (judgement === null) continue;
      if (judgement.kind === "no") return this.#refuse(claim.applicant, judgement.why, judgement.reason);
      const { username = claim.username, rules, hash, untilMs } = judgement;
      return this.#accept(claim.applicant, { username, isVerified: true, rules, hash, untilMs });
    }
    return this.#undecided(claim, true);
  }

  /** Nobody knows the client: who names no user may be anonymous, and names mean nothing where nobody could know them. */
  #undecided({ applicant, username }: Claim, couldBeKnown: boolean): Verdict {
    if (username !== null && couldBeKnown)
      return this.#refuse(applicant, `user ${username} is not known or has shown no password`);
    if (!this.#options.allowAnonymous) {
      const why = username === null ? "it names no user" : "nothing is configured that could know its user";
      return this.#refuse(applicant, `${why}, and allow_anonymous is false`);
    }
    return this.#accept(applicant, { username, isVerified: false });
  }

  #byIdentity(applicant: Applicant, part: IdentityAsUsername): Verdict {
    const { connect, peer } = applicant;
    const username = usernameOf({ identityAsUsername: part }, connect, peer);
    if (username) return this.#accept(applicant, { username, isVerified: true });
    const why =
      part === "psk-identity"
        ? "it has shown no pre-shared key"
        : peer.certificate === null
          ? "it has shown no client certificate, whose name it would have"
          : "its certificate has no usable name";
    return this.#refuse(applicant, why, "identity-missing");
  }

  async #exchange(
    applicant: Applicant,
    method: EnhancedMethod,
    exchange: Exchange,
    data: Uint8Array | undefined,
  ): Promise<Verdict> {
    const step = await exchange.next(data ?? NO_DATA);
    if (step.kind === "failed") return this.#refuse(applicant, step.why, step.reason);
    if (step.kind === "challenge") {
      const next = (auth: Auth): Promise<Verdict> =>
        this.#exchange(applicant, method, exchange, auth.properties.authenticationData);
      return { kind: "challenge", data: step.data, next };
    }
    const { username, evidence } = step;
    const verdict = this.#accept(applicant, { username, isVerified: true, method: method.name, evidence });
    const reauthenticate = (auth: Auth): Promise<Verdict> =>
      this.#exchange(applicant, method, method.begin(applicant), auth.properties.authenticationData);
    return { ...verdict, reauthenticate, ...(step.data !== undefined && { data: step.data }) };
  }

  #accept(applicant: Applicant, findings: Findings): Accepted {
    const { username, isVerified, rules, hash = null, untilMs = Number.POSITIVE_INFINITY, method = null } = findings;
    const names = { clientId: applicant.clientId, username };
    const { revision } = this.#realm.parts;
    const policy = new RulesPolicy(
      () => (rules === undefined ? this.#realm.rulesFor(names) : [rules.rulesFor(names)]),
      revision,
      rules !== undefined,
    );
    const { evidence } = findings;
    this.#grounds.set(policy, { username, isAnonymous: !isVerified, hash, method, evidence, untilMs });
    return { kind: "accepted", policy, principal: isVerified ? username : null, username };
  }

  #refuse({ clientId, remoteAddress }: Applicant, why: string, reason: EndReason = "not-authorized"): Refused {
    this.#realm.parts.log("notice", `Client ${clientId} [${remoteAddress}] is refused: ${why}.`);
    return { kind: "refused", reason };
  }
}

const NO_DATA = new Uint8Array(0);
