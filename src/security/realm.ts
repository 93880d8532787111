/**
 * All who are asked about clients: the files, and what takes the place of mosquitto's plugins, in order.
 */
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Broker } from "../core/index.ts";
import { aclFileOf, readAclFile } from "./acl-file.ts";
import { AclSource } from "./acl-source.ts";
import { DynamicSecurity } from "./dynamic-security/dynamic-security.ts";
import type { EnhancedMethod } from "./enhanced-method.ts";
import { tellOfReaders } from "./file-readers.ts";
import { HttpSource } from "./http-source.ts";
import { PasswordCheck } from "./password-check.ts";
import { readPasswordFile } from "./password-file.ts";
import { PasswordSource } from "./password-source.ts";
import { PluginSource } from "./plugin.ts";
import { Revision, type Rules } from "./rules.ts";
import { readScramFile, SCRAM_SHA_256, ScramMethod } from "./scram.ts";
import type { DynamicSecurityConfig, SecurityConfig, SecurityPlugin } from "./security-config.ts";
import { SecurityError } from "./security-error.ts";
import type { AuthenticationSource, RulesSource, SecurityLog } from "./sources.ts";
import { TokenSource } from "./token-source.ts";
import type { Names } from "./topic-tree.ts";

/** So long clients wait for a reload at most, in milliseconds: a disk that hangs must not stop them. */
const RELOAD_PATIENCE_MS = 2000;

/** What all Realms of a broker share. */
export class RealmParts {
  readonly log: SecurityLog;
  /** Bounds the hashes that are computed at once. */
  readonly passwordCheck: PasswordCheck = new PasswordCheck();
  /** Advances whenever an answer may be another. */
  readonly revision: Revision = new Revision();
  readonly #broker: Broker;
  readonly #endOfTurn: (() => Promise<void>) | null;
  #dynamicSecurity: DynamicSecurity | null = null;
  #reloading: Promise<void> | null = null;

  /** @param endOfTurn resolves when a signal that came before has been heard; null: no signal asks for a reload */
  constructor(broker: Broker, log: SecurityLog, endOfTurn: (() => Promise<void>) | null = null) {
    this.#broker = broker;
    this.log = log;
    this.#endOfTurn = endOfTurn;
  }

  /** Resolves when whoever has just come may be judged; null: now. */
  get settled(): Promise<void> | null {
    // The event loop hears of signals last: who came after a SIGHUP is not to be judged by what that one puts out of force.
    return this.#endOfTurn === null ? this.#reloading : this.#endOfTurn().then(() => this.#reloading ?? undefined);
  }

  /** Resolves when what is being read anew is in force, or will not be, or takes too long; null: nothing is being read. */
  get reloading(): Promise<void> | null {
    return this.#reloading;
  }

  /** Does `reload`. What clients send meanwhile is judged after it, as by mosquitto, which does nothing else while it reads. */
  async whileReloading(reload: () => Promise<void>): Promise<void> {
    const done = reload();
    const patience = new AbortController();
    const settled = done.catch(() => {}).finally(() => patience.abort());
    const waited = delay(RELOAD_PATIENCE_MS, undefined, { ref: false, signal: patience.signal }).catch(() => {});
    const reloading = Promise.race([settled, waited]).then(() => {
      if (this.#reloading === reloading) this.#reloading = null;
    });
    this.#reloading = reloading;
    this.#broker.pauseClients(reloading);
    await done;
  }

  /**
   * The dynamic security of the broker, opened when it is first asked for.
   * @throws SecurityError when its file cannot be used, or is another than before
   */
  async dynamicSecurity(config: DynamicSecurityConfig): Promise<DynamicSecurity> {
    const { log, passwordCheck, revision } = this;
    this.#dynamicSecurity ??= await DynamicSecurity.open(config, {
      broker: this.#broker,
      log,
      passwordCheck,
      revision,
    });
    const { path } = this.#dynamicSecurity;
    if (path === resolve(config.configFile)) return this.#dynamicSecurity;
    throw new SecurityError(
      config.configFile,
      null,
      `is a second file of dynamic security beside ${path}; one is all that can be`,
    );
  }
}

/** Who is asked about clients. It never changes: a reload makes another. */
export class Realm {
  readonly parts: RealmParts;
  readonly sources: readonly AuthenticationSource[];
  readonly methods: ReadonlyMap<string, EnhancedMethod>;
  readonly #rules: readonly RulesSource[];

  private constructor(parts: RealmParts, asked: Asked) {
    this.parts = parts;
    this.sources = asked.sources;
    this.methods = asked.methods;
    this.#rules = asked.rules;
  }

  /**
   * Reads all that the options name.
   * @throws SecurityError when something of it cannot be used
   */
  static async open(options: SecurityConfig, parts: RealmParts): Promise<Realm> {
    return new Realm(parts, await read(options, parts));
  }

  /** Gives up what plugins hold; nobody is to be asked any more. */
  close(): void {
    for (const source of this.sources) source.close?.();
  }

  /** In place of `close`, when nobody has ever been asked. */
  discard(): void {
    for (const source of this.sources) source.discard?.();
  }

  /** As of RealmParts; without files and plugins there is nothing to wait for. */
  get settled(): Promise<void> | null {
    const isOpen = this.sources.length + this.methods.size + this.#rules.length === 0;
    return isOpen ? this.parts.reloading : this.parts.settled;
  }

  /** The rules for a client; none: it may do everything. */
  rulesFor(names: Names): readonly Rules[] {
    return this.#rules.map((source) => source.rulesFor(names));
  }
}

interface Asked {
  readonly sources: readonly AuthenticationSource[];
  readonly rules: readonly RulesSource[];
  readonly methods: ReadonlyMap<string, EnhancedMethod>;
}

async function read(options: SecurityConfig, parts: RealmParts): Promise<Asked> {
  const asked: Gathered = { sources: [], rules: [], methods: new Map() };
  try {
    for (const plugin of [...ownFiles(options), ...options.plugins]) await gather(plugin, options, parts, asked);
  } catch (error) {
    for (const source of asked.sources) source.discard?.();
    throw error;
  }
  return asked;
}

interface Gathered {
  readonly sources: AuthenticationSource[];
  readonly rules: RulesSource[];
  readonly methods: Map<string, EnhancedMethod>;
}

/** Adds what one of them is asked for. */
async function gather(
  plugin: SecurityPlugin,
  options: SecurityConfig,
  parts: RealmParts,
  { sources, rules, methods }: Gathered,
): Promise<void> {
  const { log, revision } = parts;
  switch (plugin.kind) {
    case "password-file":
      sources.push(await passwordSource(plugin.file, parts));
      break;
    case "acl-file":
      rules.push(await aclSource(plugin.file, options, parts));
      break;
    case "dynamic-security": {
      const dynamicSecurity = await parts.dynamicSecurity(plugin);
      sources.push(dynamicSecurity);
      rules.push(dynamicSecurity.rules);
      break;
    }
    case "jwt":
      sources.push(await TokenSource.open(plugin, log));
      break;
    case "http":
      sources.push(new HttpSource(plugin, log));
      break;
    case "scram":
      await tellOfReaders(plugin.file, log);
      methods.set(SCRAM_SHA_256, new ScramMethod(await readScramFile(plugin.file)));
      break;
    case "acl-lists":
      rules.push(new AclSource(aclFileOf(plugin.lists), options.refuseSubscriptions, log));
      break;
    case "module":
    case "given": {
      const parts = [options.denySpecialCharacters, log, () => revision.advance()] as const;
      const source = await (plugin.kind === "given"
        ? PluginSource.given(plugin, ...parts)
        : PluginSource.open(plugin, ...parts));
      sources.push(source);
      if (source.hasRules) rules.push(source);
      for (const method of source.plugin.methods ?? []) methods.set(method.name, method);
      break;
    }
  }
}

/** `password_file` and `acl_file` are asked before all plugins. */
function ownFiles({ passwordFile, aclFile }: SecurityConfig): readonly SecurityPlugin[] {
  const passwords: SecurityPlugin[] = passwordFile === null ? [] : [{ kind: "password-file", file: passwordFile }];
  return aclFile === null ? passwords : [...passwords, { kind: "acl-file", file: aclFile }];
}

async function passwordSource(path: string, { log, passwordCheck }: RealmParts): Promise<PasswordSource> {
  const file = await readPasswordFile(path);
  await tellOfReaders(path, log);
  for (const warning of file.warnings) log("warning", warning);
  return new PasswordSource(file, passwordCheck);
}

async function aclSource(
  path: string,
  { refuseSubscriptions }: SecurityConfig,
  { log }: RealmParts,
): Promise<AclSource> {
  const file = await readAclFile(path);
  for (const warning of file.warnings) log("warning", warning);
  return new AclSource(file, refuseSubscriptions, log);
}
