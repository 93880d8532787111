/** From all that was read to a Config: what belongs together is put together, and what contradicts is a problem. */
import { join } from "node:path";
import type { SecurityConfig, SecurityPlugin } from "../security/index.ts";
import { type Config, DEFAULT_PERSISTENCE_FILE, DEFAULT_PORT, DEFAULT_STORE_FOLDER, localListeners } from "./config.ts";
import type { Draft, ListenerDraft, PluginDraft, SecurityDraft } from "./draft.ts";
import { finishBridges } from "./finish-bridges.ts";
import { finishTransport } from "./finish-listener.ts";
import type { ListenerConfig } from "./listener-config.ts";
import { type PersistencePlugin, pluginOf, type SparkplugPlugin } from "./plugins.ts";
import { OptionError } from "./problem.ts";

/** Puts a Config together; what cannot be is added to the problems of the draft. */
export function finishDraft(draft: Draft, ports: readonly number[]): Config {
  const plugins = new Plugins(draft);
  const securities = new Securities(draft, plugins);
  const listeners = draft.isLocalOnly
    ? local(draft, ports, securities)
    : draft.listeners.map((listener) => finishListener(draft, listener, securities));
  if (!draft.isLocalOnly && ports.length > 0) {
    draft.notices.push({
      place: null,
      type: "warning",
      text: `Warning: -p ${ports.join(" -p ")} is ignored, as the configuration file says where to listen. It was not in mosquitto 1.6.`,
    });
  }
  // Also those that no listener uses say what is wrong with them.
  for (const plugin of draft.loadedPlugins) plugins.kindOf(plugin);
  checkDoubles(draft, listeners);
  adviseOn(draft, listeners);
  return {
    listeners,
    broker: { ...draft.broker, keepsBirthCertificates: plugins.areSparkplugAware },
    log: draft.log,
    persistence: persistenceOf(draft, plugins),
    bridges: finishBridges(draft),
    process: { user: draft.user, pidFile: draft.pidFile, tlsKeyLog: null },
    sysIntervalSeconds: draft.sysIntervalSeconds,
    enableControlApi: draft.enableControlApi,
  };
}

/** Without a listener only this machine's clients come in, on both versions of IP. */
function local(draft: Draft, ports: readonly number[], securities: Securities): readonly ListenerConfig[] {
  const base = draft.defaultListener;
  return (ports.length === 0 ? [DEFAULT_PORT] : ports).flatMap((port) =>
    localListeners(port).map((listener) => {
      if (base === null) return withSecurity(listener, securities.of(null));
      const { host, isOptional } = listener;
      return { ...finishListener(draft, base, securities), host, port, isOptional };
    }),
  );
}

function finishListener(draft: Draft, listener: ListenerDraft, securities: Securities): ListenerConfig {
  return withSecurity(finishTransport(draft, listener), securities.of(listener));
}

interface ListenerSecurity {
  readonly allowAnonymous: boolean;
  readonly allowZeroLengthClientId: boolean;
  readonly autoIdPrefix: string;
  readonly security: SecurityConfig;
}

function withSecurity(listener: ListenerConfig, found: ListenerSecurity): ListenerConfig {
  const { allowAnonymous, allowZeroLengthClientId, autoIdPrefix, security } = found;
  const { unixPath, host, port } = listener;
  const name = unixPath ?? `${host ?? "*"}:${port}`;
  const entrance = { ...listener.entrance, name, allowZeroLengthClientId, autoIdPrefix };
  return { ...listener, allowAnonymous, security, entrance };
}

type AnyPlugin = SecurityPlugin | PersistencePlugin | SparkplugPlugin;

/** What plugins stand for, each found out once. */
class Plugins {
  readonly #draft: Draft;
  readonly #known: Map<PluginDraft, AnyPlugin | null> = new Map();

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  kindOf(plugin: PluginDraft): AnyPlugin | null {
    let kind = this.#known.get(plugin);
    if (kind === undefined) {
      kind = this.#find(plugin);
      this.#known.set(plugin, kind);
    }
    return kind;
  }

  #find(plugin: PluginDraft): AnyPlugin | null {
    try {
      return pluginOf(plugin);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      const { message, foundWhen } = error;
      this.#draft.problems.push({ place: plugin.place, text: message, foundWhen });
      return null;
    }
  }

  security(plugins: readonly PluginDraft[]): readonly SecurityPlugin[] {
    return plugins.flatMap((plugin) => {
      const kind = this.kindOf(plugin);
      return kind === null || kind.kind === "persistence" || kind.kind === "sparkplug" ? [] : [kind];
    });
  }

  /** Where a plugin for persistence says that the store is; undefined: there is none. */
  get persistence(): PersistencePlugin | undefined {
    return this.#named.find((kind) => kind?.kind === "persistence") as PersistencePlugin | undefined;
  }

  /** Whether one of them has birth certificates of Sparkplug at hand. */
  get areSparkplugAware(): boolean {
    return this.#named.some((kind) => kind?.kind === "sparkplug");
  }

  /** Those that are in use, at whatever listener. */
  get #named(): readonly (AnyPlugin | null)[] {
    const all = [this.#draft.security, ...this.#draft.listeners.map(({ security }) => security)];
    const named = [...this.#draft.globalPlugins, ...all.flatMap(({ plugins }) => plugins)];
    return named.map((plugin) => this.kindOf(plugin));
  }
}

/** Who is asked, for each listener; one object for all that share it. */
class Securities {
  readonly #draft: Draft;
  readonly #plugins: Plugins;
  #shared: SecurityConfig | null = null;

  constructor(draft: Draft, plugins: Plugins) {
    this.#draft = draft;
    this.#plugins = plugins;
  }

  of(listener: ListenerDraft | null): ListenerSecurity {
    const { perListenerSettings, security: global, isLocalOnly } = this.#draft;
    const own = listener?.security ?? null;
    const asked = perListenerSettings ? own : global;
    const isAlone = perListenerSettings || (own !== null && own.plugins.length > 0);
    return {
      allowAnonymous: own?.allowAnonymous ?? asked?.allowAnonymous ?? isLocalOnly,
      allowZeroLengthClientId: asked?.allowZeroLengthClientId ?? true,
      autoIdPrefix: own?.autoIdPrefix ?? asked?.autoIdPrefix ?? "auto-",
      security: isAlone && own !== null ? this.#make(asked ?? own, own) : (this.#shared ??= this.#make(global, null)),
    };
  }

  #make(files: SecurityDraft, own: SecurityDraft | null): SecurityConfig {
    const { globalPlugins, security: global, perListenerSettings } = this.#draft;
    const shared = perListenerSettings ? globalPlugins : [...globalPlugins, ...global.plugins];
    const plugins = [...shared, ...(own?.plugins ?? [])];
    const { passwordFile, aclFile, pskFile, refuseSubscriptions } = files;
    return {
      passwordFile,
      aclFile,
      pskFile,
      plugins: this.#plugins.security(plugins),
      denySpecialCharacters: plugins.every(({ denySpecialCharacters }) => denySpecialCharacters),
      refuseSubscriptions: refuseSubscriptions ?? false,
    };
  }
}

function persistenceOf(draft: Draft, plugins: Plugins): Config["persistence"] {
  const { persistence, persistenceFile } = draft;
  const plugin = plugins.persistence;
  const file = persistenceFile ?? DEFAULT_PERSISTENCE_FILE;
  const isNamed = file !== DEFAULT_PERSISTENCE_FILE;
  // As mosquitto a named file is seen from where the broker is started; our own folder has a name of its own there.
  const folder = draft.persistenceLocation ?? plugin?.location ?? (isNamed ? "" : DEFAULT_STORE_FOLDER);
  return {
    ...persistence,
    enabled: persistence.enabled || plugin !== undefined,
    location: isNamed ? `${join(folder, file)}.lacewing` : folder,
    mosquittoFile: join(folder, file),
    hasStandIn: isNamed,
  };
}

function checkDoubles(draft: Draft, listeners: readonly ListenerConfig[]): void {
  const taken = new Map<string, ListenerConfig>();
  for (const listener of listeners) {
    const { unixPath, host, port, place } = listener;
    if (unixPath === null && port === 0) continue;
    const key = unixPath ?? `${host ?? "*"} ${port} ${listener.socketDomain ?? ""} ${listener.bindInterface ?? ""}`;
    const other = taken.get(key);
    if (other === undefined) {
      taken.set(key, listener);
      continue;
    }
    const where = unixPath ?? `port ${port}${host === null ? "" : ` of ${host}`}`;
    draft.problems.push({
      place,
      text: `Error: Two listeners on ${where}; the other one is at ${other.place}. Remove one, or give it another port.`,
    });
  }
}

/** What can surprise who comes from an older mosquitto, or is likely not meant. */
function adviseOn(draft: Draft, listeners: readonly ListenerConfig[]): void {
  const { notices } = draft;
  for (const { protocol, webSocket, psk, security, place, entrance } of listeners) {
    if (protocol === "mqtt" && (webSocket.origins.length > 0 || webSocket.httpDir !== null)) {
      const text =
        "Warning: websockets_origin and http_dir do nothing on a listener without 'protocol websockets' or 'protocol http_api'.";
      notices.push({ place, type: "warning", text });
    }
    if (psk !== null && security.pskFile === null) {
      const text = "Warning: psk_hint without psk_file: no client can have a key, so that nobody can connect here.";
      notices.push({ place, type: "warning", text });
    }
    if (entrance.usernameAsClientId && draft.broker.clientIdPrefix !== "") {
      const text =
        "Warning: clientid_prefixes also holds for the user names that use_username_as_clientid makes identifiers of.";
      notices.push({ place, type: "warning", text });
    }
  }
}
