/**
 * The Authenticator of a listener, or of all: who comes in, by what name, and under which rules, decided in mosquitto's order. It
 * owns the files that it was opened with; a reload reads everything first and then changes all or nothing.
 */
import type { Applicant, Authenticator, Broker, ClientIdRules, Connection, Policy, Verdict } from "../core/index.ts";
import type { Auth, EndReason } from "../protocol/index.ts";
import type { AccessOptions } from "./access-options.ts";
import { type AclFile, readAclFile } from "./acl-file.ts";
import { AclRules, type HopelessSubscriptions } from "./acl-rules.ts";
import type { EnhancedMethod, Exchange, ExchangeStep } from "./enhanced-method.ts";
import { PasswordCheck } from "./password-check.ts";
import { type PasswordFile, readPasswordFile } from "./password-file.ts";
import { PasswordSource } from "./password-source.ts";
import { Revision, type Rules, RulesPolicy } from "./rules.ts";
import type { AuthenticationSource, Claim, Judgement, RulesSource, SecurityLog } from "./sources.ts";
import type { Names } from "./topic-tree.ts";

/** What an AccessControl is made of besides its options. */
export interface AccessParts {
  readonly log: SecurityLog;
  /** Shared by all of a broker, so that the bound of hashes at once is the broker's. */
  readonly passwordCheck?: PasswordCheck;
  /** Asked after the password file, in order. */
  readonly sources?: readonly AuthenticationSource[];
  /** Asked after the ACL file, in order. */
  readonly rules?: readonly RulesSource[];
  readonly methods?: readonly EnhancedMethod[];
  /** Advances when `rules` change. */
  readonly revision?: Revision;
}

/** The files of an AccessControl, read. */
interface AccessFiles {
  readonly passwords: PasswordFile | null;
  readonly acl: AclFile | null;
}

/** Everything that a reload changes at once. */
interface State {
  readonly options: AccessOptions;
  readonly files: AccessFiles;
}

async function readState(options: AccessOptions, log: SecurityLog): Promise<State> {
  const [passwords, acl] = await Promise.all([
    options.passwordFile === null ? null : readPasswordFile(options.passwordFile),
    options.aclFile === null ? null : readAclFile(options.aclFile),
  ]);
  for (const { warnings } of [passwords, acl].filter((file) => file !== null)) {
    for (const warning of warnings) log("warning", warning);
  }
  return { options, files: { passwords, acl } };
}

type Accepted = Extract<Verdict, { kind: "accepted" }>;

/** Guards what clients come in by. */
export class AccessControl implements Authenticator {
  #state: State;
  readonly #log: SecurityLog;
  readonly #sources: readonly AuthenticationSource[];
  readonly #rules: readonly RulesSource[];
  readonly #methods: ReadonlyMap<string, EnhancedMethod>;
  readonly #passwords: PasswordSource;
  readonly #revision: Revision;
  /** Whether who was let in would be now. */
  readonly #holding: WeakMap<Policy, () => boolean> = new WeakMap();

  private constructor(state: State, parts: AccessParts) {
    this.#state = state;
    this.#log = parts.log;
    this.#sources = parts.sources ?? [];
    this.#rules = parts.rules ?? [];
    this.#methods = new Map((parts.methods ?? []).map((method) => [method.name, method]));
    this.#revision = parts.revision ?? new Revision();
    this.#passwords = new PasswordSource(
      () => this.#state.files.passwords ?? NO_PASSWORDS,
      parts.passwordCheck ?? new PasswordCheck(),
    );
  }

  /**
   * Reads all files.
   * @throws SecurityError when one of them cannot be used
   */
  static async open(options: AccessOptions, parts: AccessParts): Promise<AccessControl> {
    return new AccessControl(await readState(options, parts.log), parts);
  }

  get clientIds(): ClientIdRules {
    const { autoIdPrefix, allowZeroLengthClientId } = this.#state.options;
    return { autoIdPrefix, allowZeroLength: allowZeroLengthClientId };
  }

  /**
   * Reads all files anew and returns what puts them in force, so that several can be read before any is.
   * @throws SecurityError when one of them cannot be used; nothing has changed then
   */
  async prepareReload(options: AccessOptions = this.#state.options): Promise<() => void> {
    const state = await readState(options, this.#log);
    return () => {
      this.#state = state;
      this.#revision.advance();
    };
  }

  /** Ends the connections of clients that would not be let in any more; to be called after a reload. */
  endUnwelcome(broker: Broker): void {
    for (const connection of [...broker.connections]) {
      if (connection.authenticator === this && connection.isReady && !this.#isWelcome(connection))
        connection.close("not-authorized");
    }
  }

  #isWelcome({ policy }: Connection): boolean {
    return this.#holding.get(policy)?.() ?? true;
  }

  authenticate(applicant: Applicant): Verdict | Promise<Verdict> {
    const { connect, clientId } = applicant;
    const { clientIdPrefix } = this.#state.options;
    if (!clientId.startsWith(clientIdPrefix)) {
      return this.#refuse(applicant, `its client identifier does not begin with ${clientIdPrefix}`);
    }
    const { authenticationMethod, authenticationData } = connect.properties;
    if (authenticationMethod === undefined) return this.#authenticateSimply(applicant);
    const method = this.#methods.get(authenticationMethod);
    if (method === undefined) {
      const why = `authentication method ${authenticationMethod} is not offered here`;
      return this.#refuse(applicant, why, "bad-authentication-method");
    }
    return this.#exchange(applicant, method, method.begin(applicant), authenticationData ?? NO_DATA);
  }

  #authenticateSimply(applicant: Applicant): Verdict | Promise<Verdict> {
    const { usernameFrom } = this.#state.options;
    if (usernameFrom !== "connect") return this.#byIdentity(applicant, usernameFrom);
    const { username, password } = applicant.connect;
    // An empty user name is none, as in mosquitto.
    const claim: Claim = { applicant, username: username || null, password };
    const { passwords } = this.#state.files;
    const sources = passwords === null ? this.#sources : [this.#passwords, ...this.#sources];
    return sources.length === 0 ? this.#undecided(claim, false) : this.#ask(claim, sources);
  }

  async #ask(claim: Claim, sources: readonly AuthenticationSource[]): Promise<Verdict> {
    for (const source of sources) {
      const judgement = await source.judge(claim);
      if (judgement === null) continue;
      const { applicant } = claim;
      if (judgement.kind === "no") return this.#refuse(applicant, judgement.why, judgement.reason);
      return this.#accept(applicant, judgement.username ?? claim.username, true, judgement);
    }
    return this.#undecided(claim, true);
  }

  /** Nobody knows the client: who names no user may be anonymous, and names mean nothing where nobody could know them. */
  #undecided({ applicant, username }: Claim, couldBeKnown: boolean): Verdict {
    if (username !== null && couldBeKnown) return this.#refuse(applicant, `user ${username} is not known or has no password`);
    const isAllowed = (): boolean => this.#state.options.allowAnonymous;
    if (!isAllowed()) return this.#refuse(applicant, "allow_anonymous is false, and nothing says who it is");
    return this.#accept(applicant, username, false, { kind: "yes", holds: isAllowed });
  }

  #byIdentity(applicant: Applicant, from: "identity" | "subject"): Verdict {
    const { certificate, pskIdentity } = applicant.peer;
    const username = from === "subject" ? certificate?.subject : (certificate?.commonName ?? pskIdentity);
    if (username !== null && username !== undefined && username !== "") return this.#accept(applicant, username, true);
    const why = certificate === null ? "it has sent no client certificate" : "its certificate has no common name";
    return this.#refuse(applicant, why, "identity-missing");
  }

  async #exchange(
    applicant: Applicant,
    method: EnhancedMethod,
    exchange: Exchange,
    data: Uint8Array,
  ): Promise<Verdict> {
    const step: ExchangeStep = await exchange.next(data);
    if (step.kind === "failed") return this.#refuse(applicant, step.why, step.reason);
    if (step.kind === "challenge") {
      const next = (auth: Auth): Promise<Verdict> =>
        this.#exchange(applicant, method, exchange, auth.properties.authenticationData ?? NO_DATA);
      return { kind: "challenge", data: step.data, next };
    }
    const { username } = step;
    const verdict = this.#accept(applicant, username, true, {
      kind: "yes",
      holds: () => exchange.holds?.(username) ?? true,
    });
    if (verdict.kind !== "accepted") return verdict;
    const reauthenticate = (auth: Auth): Promise<Verdict> =>
      this.#exchange(applicant, method, method.begin(applicant), auth.properties.authenticationData ?? NO_DATA);
    return { ...verdict, reauthenticate, ...(step.data !== undefined && { data: step.data }) };
  }

  /** @param isVerified whether somebody has said that the name is the client's */
  #accept(
    applicant: Applicant,
    username: string | null,
    isVerified: boolean,
    judgement: Extract<Judgement, { kind: "yes" }> = { kind: "yes" },
  ): Accepted | Extract<Verdict, { kind: "refused" }> {
    const { usernameAsClientId } = this.#state.options;
    if (usernameAsClientId && username === null)
      return this.#refuse(applicant, "use_username_as_clientid is set and it names no user");
    const clientId = usernameAsClientId ? username! : applicant.clientId;
    const policy = new RulesPolicy(() => this.#rulesOf({ clientId, username }, judgement.rules), this.#revision);
    const { holds } = judgement;
    if (holds !== undefined) this.#holding.set(policy, () => holds());
    return { kind: "accepted", policy, principal: isVerified ? username : null, clientId, username };
  }

  #rulesOf(names: Names, own: Rules | undefined): readonly Rules[] {
    if (own !== undefined) return [own];
    const { acl } = this.#state.files;
    const others = this.#rules.map((source) => source.rulesFor(names));
    return acl === null ? others : [new AclRules(acl, names, this.#hopeless()), ...others];
  }

  #hopeless(): HopelessSubscriptions {
    const areRefused = this.#state.options.refuseHopelessSubscriptions;
    return {
      areRefused,
      found: ({ clientId }, topicFilter) => {
        const what = areRefused ? "is refused" : "is granted, as mosquitto does, but nothing will come of it";
        const line = `Client ${clientId} subscribes to ${topicFilter}, which its rules let nothing through for: it ${what}.`;
        this.#log("notice", line);
      },
    };
  }

  #refuse(
    { clientId, remoteAddress }: Applicant,
    why: string,
    reason: EndReason = "not-authorized",
  ): Extract<Verdict, { kind: "refused" }> {
    this.#log("notice", `Client ${clientId} [${remoteAddress}] is refused: ${why}.`);
    return { kind: "refused", reason };
  }
}

const NO_DATA = new Uint8Array(0);
const NO_PASSWORDS: PasswordFile = { users: new Map(), warnings: [] };
