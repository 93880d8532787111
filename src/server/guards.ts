/** The AccessControl of each listener, and the Realm that those with the same security share; reloaded together, all or nothing. */
import { setImmediate } from "node:timers/promises";
import type { ListenerConfig } from "../config/index.ts";
import type { Applicant, Broker, Source } from "../core/index.ts";
import {
  type Accepted,
  AccessControl,
  type AccessOptions,
  Realm,
  RealmParts,
  type SecurityConfig,
  type SecurityLog,
} from "../security/index.ts";

/** What of a listener's settings decides who may come in. Listeners that share one security share one Realm. */
export type GuardedListener = Pick<ListenerConfig, "allowAnonymous" | "security" | "entrance">;

/** How often those are looked for whose time is over, in milliseconds. */
const SWEEP_MS = 5000;

interface Guard {
  readonly control: AccessControl;
  listener: GuardedListener;
}

/** Who guards the listeners of one broker. */
export class Guards {
  readonly #broker: Broker;
  readonly #parts: RealmParts;
  readonly #realms: Map<SecurityConfig, Realm> = new Map();
  readonly #guards: Guard[] = [];
  readonly #timer: NodeJS.Timeout = setInterval(() => this.#sweep(), SWEEP_MS).unref();

  constructor(broker: Broker, log: SecurityLog) {
    this.#broker = broker;
    this.#parts = new RealmParts(broker, log, setImmediate);
  }

  /**
   * The guard of a listener that is being opened.
   * @throws SecurityError when a file that it names cannot be used
   */
  async open(listener: GuardedListener): Promise<AccessControl> {
    const realm = await this.#realm(this.#realms, listener);
    const control = new AccessControl(realm, accessOf(listener));
    this.#guards.push({ control, listener });
    return control;
  }

  async #realm(realms: Map<SecurityConfig, Realm>, { security }: GuardedListener): Promise<Realm> {
    const known = realms.get(security);
    if (known !== undefined) return known;
    const realm = await Realm.open(security, this.#parts);
    realms.set(security, realm);
    return realm;
  }

  /**
   * Lets the local end of a bridge in, under the rules that the first listener has for its user.
   * @throws Error when there is no listener
   */
  admit(applicant: Applicant): Accepted {
    const [guard] = this.#guards;
    if (guard === undefined) throw new Error("without a listener there are no rules for a local_username");
    return guard.control.admit(applicant);
  }

  /** As `Broker.sourceJudge`. Where rules differ by listener, those of the one that the message came in by hold; without it none do. */
  mayPublish({ username, listener }: Source, clientId: string | null, topicName: string): boolean {
    const named = this.#guards.find((guard) => guard.listener.entrance.name === listener);
    const guard = named ?? (this.#realms.size === 1 ? this.#guards[0] : undefined);
    return guard?.control.mayPublish({ clientId: clientId ?? "", username }, topicName) ?? false;
  }

  /** Has what clients send during `reload` wait for it. */
  whileReloading(reload: () => Promise<void>): Promise<void> {
    return this.#parts.whileReloading(reload);
  }

  /**
   * Reads all files anew, for `listeners` in the order in which they were opened, and returns what puts everything in force and ends
   * the connections of clients that may not be here any more.
   * @throws SecurityError when a file cannot be used; nothing has changed then
   */
  async prepareReload(listeners: readonly GuardedListener[] = this.#listeners): Promise<() => void> {
    const realms = new Map<SecurityConfig, Realm>();
    const changes: { readonly guard: Guard; readonly listener: GuardedListener; readonly realm: Realm }[] = [];
    try {
      for (const [at, guard] of this.#guards.entries()) {
        const listener = listeners[at] ?? guard.listener;
        changes.push({ guard, listener, realm: await this.#realm(realms, listener) });
      }
    } catch (error) {
      for (const realm of realms.values()) realm.discard();
      throw error;
    }
    return () => {
      for (const realm of this.#realms.values()) realm.close();
      this.#realms.clear();
      for (const [options, realm] of realms) this.#realms.set(options, realm);
      for (const { guard, listener, realm } of changes) {
        guard.listener = listener;
        guard.control.change(realm, accessOf(listener));
      }
      this.#sweep();
    };
  }

  /** Whom time alone takes the right to be here, as by a token that has expired, goes with this. */
  #sweep(): void {
    for (const { control } of this.#guards) control.endUnwelcome(this.#broker);
  }

  /** Nobody is asked any more. */
  close(): void {
    clearInterval(this.#timer);
    for (const realm of this.#realms.values()) realm.close();
  }

  get #listeners(): readonly GuardedListener[] {
    return this.#guards.map(({ listener }) => listener);
  }
}

function accessOf({ allowAnonymous, entrance }: GuardedListener): AccessOptions {
  return { allowAnonymous, identityAsUsername: entrance.identityAsUsername };
}
