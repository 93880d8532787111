/**
 * Plugins of the user: ES modules whose default export is a `PluginFactory`, as `plugin my-plugin.mjs` in mosquitto.conf names them.
 * This is their whole interface. Whatever a plugin throws lets nobody in and nothing through.
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { EndReason, Version } from "../protocol/index.ts";
import { type Acl, type AclFile, aclOfLists } from "./acl-file.ts";
import { AclSource } from "./acl-source.ts";
import type { EnhancedMethod } from "./enhanced-method.ts";
import type { Answer, Rules } from "./rules.ts";
import type { GivenPluginConfig, ModulePluginConfig } from "./security-config.ts";
import { SecurityError } from "./security-error.ts";
import type { AuthenticationSource, Claim, Judgement, RulesSource, SecurityLog, SecurityLogType } from "./sources.ts";
import type { Names } from "./topic-tree.ts";

/** What a plugin is told of a client that asks to connect. */
export interface PluginClient {
  readonly clientId: string;
  /** null: none, or an empty one. */
  readonly username: string | null;
  readonly password: Uint8Array | null;
  /** "ADDRESS:PORT". */
  readonly remoteAddress: string;
  /** 0: a unix socket. */
  readonly localPort: number;
  /** Protocol level: 3, 4 (3.1.1) or 5. */
  readonly version: Version;
  readonly isEncrypted: boolean;
  /** The subject of its verified certificate; null: it has none. */
  readonly certificateSubject: string | null;
}

/** Topic filters by what they grant; `%c` and `%u` stand for client identifier and user name where they are a whole level. */
export type PluginAcl = Acl;

/** What a plugin says of a client: true lets it in, false refuses it, null and undefined leave it to the next who is asked. */
export type PluginVerdict =
  | boolean
  | null
  | undefined
  | {
      readonly allow: true;
      /** Who it is, when that is not the user name of its CONNECT. */
      readonly username?: string;
      /** Its rules, in place of all others. */
      readonly acl?: PluginAcl;
      /** When it must go, in milliseconds since 1970. */
      readonly untilMs?: number;
    }
  | {
      readonly allow: false;
      /** For the log; the client does not hear it. */
      readonly why?: string;
      readonly reason?: EndReason;
    };

/** What a plugin may do: each function is optional. Those of rules are called often and must be quick; null leaves it to the next. */
export interface Plugin {
  authenticate?(client: PluginClient): PluginVerdict | Promise<PluginVerdict>;
  mayPublish?(names: Names, topicName: string): Answer | undefined;
  mayReceive?(names: Names, topicName: string): Answer | undefined;
  maySubscribe?(names: Names, topicFilter: string): Answer | undefined;
  mayUnsubscribe?(names: Names, topicFilter: string): Answer | undefined;
  /** Methods of enhanced authentication that it offers. */
  readonly methods?: readonly EnhancedMethod[];
  /** Called when the plugin is not used any more: after a reload, and at the end. */
  close?(): void;
}

/** What a plugin is given. */
export interface PluginContext {
  /** `plugin_opt_*`, without that prefix. */
  readonly options: ReadonlyMap<string, string>;
  log(type: SecurityLogType, line: string): void;
  /** Has all answers about topics asked for anew: to be called when they may be others. */
  rulesChanged(): void;
}

/** The default export of a plugin. */
export type PluginFactory = (context: PluginContext) => Plugin | Promise<Plugin>;

/** A plugin as a source. */
export class PluginSource implements AuthenticationSource, RulesSource {
  readonly plugin: Plugin;
  readonly #path: string;
  readonly #log: SecurityLog;
  readonly #deniesSpecialCharacters: boolean;
  /** Whether the plugin is nobody else's. */
  readonly #isMade: boolean;

  private constructor(
    plugin: Plugin,
    path: string,
    log: SecurityLog,
    deniesSpecialCharacters: boolean,
    isMade: boolean = true,
  ) {
    this.plugin = plugin;
    this.#isMade = isMade;
    this.#path = path;
    this.#log = log;
    this.#deniesSpecialCharacters = deniesSpecialCharacters;
  }

  /**
   * Loads a module and makes its plugin; one that has changed since it was last loaded is loaded anew.
   * @throws SecurityError when it cannot be loaded or is no plugin
   */
  static async open(
    { path, options }: ModulePluginConfig,
    deniesSpecialCharacters: boolean,
    log: SecurityLog,
    rulesChanged: () => void,
  ): Promise<PluginSource> {
    const url = pathToFileURL(resolve(path));
    try {
      url.searchParams.set("changed", `${(await stat(path)).mtimeMs}`);
      const { default: factory } = (await import(url.href)) as { readonly default?: unknown };
      if (typeof factory !== "function")
        throw new SecurityError(path, null, "has no function as its default export, which makes the plugin");
      const plugin: unknown = await (factory as PluginFactory)({ options, log, rulesChanged });
      if (typeof plugin !== "object" || plugin === null)
        throw new SecurityError(path, null, "has a default export that returns no plugin, which is an object");
      return new PluginSource(plugin as Plugin, path, log, deniesSpecialCharacters);
    } catch (error) {
      if (error instanceof SecurityError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new SecurityError(path, null, `cannot be loaded: ${why}`, { isUnopened: true });
    }
  }

  /**
   * Takes a plugin that is here already.
   * @throws SecurityError when its maker fails or makes none
   */
  static async given(
    { name, plugin: given }: GivenPluginConfig,
    deniesSpecialCharacters: boolean,
    log: SecurityLog,
    rulesChanged: () => void,
  ): Promise<PluginSource> {
    try {
      const isMade = typeof given === "function";
      const plugin: unknown = isMade ? await given({ options: new Map(), log, rulesChanged }) : given;
      if (typeof plugin !== "object" || plugin === null) throw new Error("it is no object");
      return new PluginSource(plugin as Plugin, name, log, deniesSpecialCharacters, isMade);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new SecurityError(name, null, `cannot be used as a plugin: ${why}`);
    }
  }

  get hasRules(): boolean {
    const { mayPublish, mayReceive, maySubscribe, mayUnsubscribe } = this.plugin;
    return [mayPublish, mayReceive, maySubscribe, mayUnsubscribe].some((each) => each !== undefined);
  }

  async judge({ applicant, username, password }: Claim): Promise<Judgement> {
    const { clientId, remoteAddress, localPort, connect, peer } = applicant;
    const verdict = await this.plugin.authenticate?.({
      clientId,
      username,
      password,
      remoteAddress,
      localPort,
      version: connect.version,
      isEncrypted: peer.isEncrypted,
      certificateSubject: peer.certificate?.subject ?? null,
    });
    return this.#judgementOf(verdict);
  }

  #judgementOf(verdict: PluginVerdict): Judgement {
    if (verdict === null || verdict === undefined) return null;
    if (verdict === true) return { kind: "yes" };
    if (verdict === false) return { kind: "no", why: `plugin ${this.#path} says no` };
    if (verdict.allow === false) {
      const { why = "no", reason } = verdict;
      return { kind: "no", why: `plugin ${this.#path} says: ${why}`, ...(reason !== undefined && { reason }) };
    }
    if (verdict.allow !== true) throw new Error(`plugin ${this.#path} returns a verdict without "allow"`);
    const { username, acl, untilMs } = verdict;
    return {
      kind: "yes",
      ...(username !== undefined && { username }),
      ...(acl !== undefined && { rules: new AclSource(this.#aclOf(acl), false, this.#log) }),
      ...(untilMs !== undefined && { untilMs }),
    };
  }

  #aclOf(acl: PluginAcl): AclFile {
    const file = aclOfLists(acl);
    if (file !== null) return file;
    throw new Error(`plugin ${this.#path} returns an acl that is not {read, write, readwrite, deny: [topic filters]}`);
  }

  rulesFor(names: Names): Rules {
    // A plugin that puts names into topics would let such a client see what is others' (CVE-2017-7650).
    if (this.#deniesSpecialCharacters && /[+#]/.test(`${names.clientId}${names.username ?? ""}`)) return NOTHING;
    const { plugin } = this;
    return {
      publish: (topic) => this.#answer(() => plugin.mayPublish?.(names, topic)),
      receive: (topic) => this.#answer(() => plugin.mayReceive?.(names, topic)),
      subscribe: (filter) => this.#answer(() => plugin.maySubscribe?.(names, filter)),
      unsubscribe: (filter) => this.#answer(() => plugin.mayUnsubscribe?.(names, filter) ?? true),
    };
  }

  #answer(ask: () => Answer | undefined): Answer {
    try {
      const answer = ask() ?? null;
      if (answer === null || typeof answer === "boolean") return answer;
      throw new Error("it answers neither true nor false nor null");
    } catch (error) {
      this.#log("error", `Plugin ${this.#path} failed, which denies what it was asked: ${String(error)}.`);
      return false;
    }
  }

  close(): void {
    try {
      this.plugin.close?.();
    } catch (error) {
      this.#log("error", `Plugin ${this.#path} failed at its end: ${String(error)}.`);
    }
  }

  discard(): void {
    if (this.#isMade) this.close();
  }
}

const NOTHING: Rules = {
  publish: () => false,
  receive: () => false,
  subscribe: () => false,
  unsubscribe: () => false,
};
