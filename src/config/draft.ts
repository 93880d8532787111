/** What has been read so far, while a configuration is being read: the parts may still miss what is needed or contradict each other. */
import type { BrokerOptions, Entrance } from "../core/index.ts";
import type { BridgeConfig } from "./bridge-config.ts";
import { DEFAULT_CONFIG, type PersistenceConfig } from "./config.ts";
import { DEFAULT_LISTENER, type ListenerConfig, type SniCertificate } from "./listener-config.ts";
import { DEFAULT_LOG, type LogConfig } from "./log-config.ts";
import type { Notice, Problem } from "./problem.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A plugin as it is named; what it stands for is found out at the end. */
export interface PluginDraft {
  readonly place: string;
  /** `plugin_load` gives it one. */
  readonly name: string | null;
  readonly path: string;
  readonly options: Map<string, string>;
  denySpecialCharacters: boolean;
}

/** Whoever is asked about clients: of all listeners, or of one. */
export interface SecurityDraft {
  passwordFile: string | null;
  aclFile: string | null;
  pskFile: string | null;
  allowAnonymous: boolean | null;
  allowZeroLengthClientId: boolean | null;
  autoIdPrefix: string | null;
  refuseSubscriptions: boolean | null;
  readonly plugins: PluginDraft[];
}

/** The options of TLS; they make one with certificates or one with keys. */
export interface TlsDraft {
  certFile: string | null;
  keyFile: string | null;
  caFile: string | null;
  caPath: string | null;
  crlFile: string | null;
  version: "TLSv1.2" | "TLSv1.3" | null;
  ciphers: string | null;
  ciphersTls13: string | null;
  requireCertificate: boolean;
  ignoreClientCertificateDates: boolean;
  pskHint: string | null;
  readonly sniCertificates: SniCertificate[];
  readonly alpn: string[];
}

/** A way in. */
export interface ListenerDraft {
  /** Whether its port, or anything else that makes it a listener of its own, was given. */
  readonly isDefault: boolean;
  readonly settings: Mutable<ListenerConfig>;
  readonly entrance: Mutable<Entrance>;
  readonly tls: TlsDraft;
  readonly security: SecurityDraft;
  readonly origins: string[];
  useIdentity: boolean;
  useSubject: boolean;
}

/** A bridge. */
export interface BridgeDraft {
  readonly settings: Mutable<Omit<BridgeConfig, "addresses" | "topics" | "tls" | "psk">>;
  readonly addresses: BridgeConfig["addresses"][number][];
  readonly topics: BridgeConfig["topics"][number][];
  readonly tls: Mutable<NonNullable<BridgeConfig["tls"]>>;
  isTls: boolean;
  pskIdentity: string | null;
  pskKey: string | null;
  /** Where it stands. */
  pskKeyPlace: string | null;
}

/** Everything that has been read. */
export interface Draft {
  readonly broker: Mutable<BrokerOptions>;
  readonly log: Mutable<LogConfig>;
  readonly persistence: Mutable<Omit<PersistenceConfig, "location" | "mosquittoFile" | "hasStandIn">>;
  persistenceLocation: string | null;
  persistenceFile: string | null;
  user: string | null;
  pidFile: string | null;
  sysIntervalSeconds: number;
  enableControlApi: boolean;
  noDelay: boolean;
  headerBytes: number;
  perListenerSettings: boolean;
  /** Whether a setting of security has been read: `per_listener_settings` must come before. */
  hasSecurity: boolean;
  /** Whether only this machine's clients come in, as no `listener`, `port` or `bind_address` was read. */
  isLocalOnly: boolean;
  /** Of all listeners. */
  readonly security: SecurityDraft;
  /** Plugins that are asked about all listeners, whatever `per_listener_settings` says. */
  readonly globalPlugins: PluginDraft[];
  readonly loadedPlugins: PluginDraft[];
  readonly listeners: ListenerDraft[];
  defaultListener: ListenerDraft | null;
  readonly bridges: BridgeDraft[];
  /** What the options of listeners, bridges and plugins that come next belong to. */
  listener: ListenerDraft | null;
  bridge: BridgeDraft | null;
  plugin: PluginDraft | null;
  readonly problems: Problem[];
  readonly notices: Notice[];
}

/** Nothing read yet: mosquitto's defaults. */
export function newDraft(): Draft {
  const { durability, enabled } = DEFAULT_CONFIG.persistence;
  return {
    broker: { ...DEFAULT_CONFIG.broker },
    log: { ...DEFAULT_LOG },
    persistence: { enabled, durability },
    persistenceLocation: null,
    persistenceFile: null,
    user: null,
    pidFile: null,
    sysIntervalSeconds: DEFAULT_CONFIG.sysIntervalSeconds,
    enableControlApi: false,
    noDelay: true,
    headerBytes: DEFAULT_LISTENER.webSocket.maximumHeaderBytes,
    perListenerSettings: false,
    hasSecurity: false,
    isLocalOnly: true,
    security: newSecurity(),
    globalPlugins: [],
    loadedPlugins: [],
    listeners: [],
    defaultListener: null,
    bridges: [],
    listener: null,
    bridge: null,
    plugin: null,
    problems: [],
    notices: [],
  };
}

function newSecurity(): SecurityDraft {
  return {
    passwordFile: null,
    aclFile: null,
    pskFile: null,
    allowAnonymous: null,
    allowZeroLengthClientId: null,
    autoIdPrefix: null,
    refuseSubscriptions: null,
    plugins: [],
  };
}

/** A listener with the defaults. */
export function newListener(place: string | null, isDefault: boolean): ListenerDraft {
  return {
    isDefault,
    settings: { ...DEFAULT_LISTENER, place },
    entrance: { ...DEFAULT_LISTENER.entrance },
    tls: {
      certFile: null,
      keyFile: null,
      caFile: null,
      caPath: null,
      crlFile: null,
      version: null,
      ciphers: null,
      ciphersTls13: null,
      requireCertificate: false,
      ignoreClientCertificateDates: false,
      pskHint: null,
      sniCertificates: [],
      alpn: [],
    },
    security: newSecurity(),
    origins: [],
    useIdentity: false,
    useSubject: false,
  };
}

/** A bridge with the defaults. */
export function newBridge(place: string, name: string): BridgeDraft {
  return {
    settings: {
      place,
      name,
      roundRobin: false,
      version: 4,
      cleanSession: false,
      localCleanSession: null,
      remoteClientId: null,
      remoteUsername: null,
      remotePassword: null,
      localClientId: null,
      localUsername: null,
      localPassword: null,
      keepAliveSeconds: 60,
      notifications: true,
      notificationsLocalOnly: false,
      notificationTopic: null,
      startType: "automatic",
      idleTimeoutSeconds: 60,
      thresholdMessages: 10,
      restartDelay: { kind: "jitter", baseSeconds: 5, capSeconds: 30, stableSeconds: 0 },
      tryPrivate: true,
      attemptUnsubscribe: true,
      bindAddress: null,
      maximumPacketSize: 0,
      topicAliasMaximum: 10,
      receiveMaximum: null,
      sessionExpirySeconds: null,
      outgoingRetain: true,
      reloadType: "lazy",
      tcpKeepAlive: null,
      tcpUserTimeoutMs: null,
    },
    addresses: [],
    topics: [],
    tls: {
      caFile: null,
      caPath: null,
      useSystemCas: false,
      certFile: null,
      keyFile: null,
      version: null,
      ciphers: null,
      ciphersTls13: null,
      alpn: null,
      isInsecure: false,
      requireOcsp: false,
    },
    isTls: false,
    pskIdentity: null,
    pskKey: null,
    pskKeyPlace: null,
  };
}
