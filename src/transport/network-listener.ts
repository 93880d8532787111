/**
 * One way in for clients, whatever lies between the socket and MQTT: a PROXY header, TLS, WebSocket, each a stage that a socket
 * passes or is refused at. The core hears of a connection when its client can say CONNECT; the time for that runs from its opening.
 */
import type { X509Certificate } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { UNKNOWN_PEER } from "../core/index.ts";
import type { EndReason } from "../protocol/index.ts";
import { HttpGate } from "./http-gate.ts";
import { BACKLOG_CONNECTIONS, type InheritedSocket } from "./inherited-sockets.ts";
import { type BindAddress, bindAddresses, isFamilyMissing } from "./listen-addresses.ts";
import { formatAddress, formatPeer, type Listener, type Reception } from "./listener.ts";
import type { ListenerOptions, ListenTarget } from "./listener-options.ts";
import { readProxyHeader } from "./proxy-gate.ts";
import { ServerTls } from "./server-tls.ts";
import { StaticFiles } from "./static-files.ts";
import { type LinkFacts, TcpLink } from "./tcp-link.ts";
import { freeUnixPath } from "./unix-socket-file.ts";
import { WebSocketGate } from "./web-socket-gate.ts";
import { WebSocketServerLink } from "./web-socket-server-link.ts";

/** Owner and group, as mosquitto. */
const DEFAULT_UNIX_MODE = 0o660;

/** A way in that only has to be opened: what takes time, as reading files and asking for names, is done. */
export interface PreparedListener {
  /**
   * Begins to listen.
   * @param port in place of the one that was set; default: that one
   * @throws the system's error, with its `code`, when an address cannot be had
   */
  open(port?: number): Promise<Listener>;
}

/**
 * Gets a listener ready, which listens nowhere yet.
 * @throws the system's error, with its `code`, when an address cannot be had; TransportError when TLS cannot be set up
 */
export async function prepareListener(options: ListenerOptions, reception: Reception): Promise<PreparedListener> {
  const { tls = null, webSocket = null, http = null } = options;
  const timeoutMs = reception.broker.options.connectTimeoutMs;
  const serverTls = tls === null ? null : await ServerTls.open(tls, timeoutMs);
  const folder = (webSocket ?? http)?.httpFolder ?? null;
  const files = folder === null ? null : await StaticFiles.open(folder);
  const gate = webSocket === null ? null : new WebSocketGate(webSocket, files, timeoutMs, reception.broker.clock);
  const httpGate = http === null ? null : new HttpGate(http, files, timeoutMs);
  const addresses = await freeAddresses(options);
  const listener = new NetworkListener(options, reception, { tls: serverTls, gate, httpGate });
  return {
    async open(port) {
      try {
        await listener.open(addresses, port);
      } catch (error) {
        await listener.close();
        throw error;
      }
      return listener;
    },
  };
}

/** What is to be bound; none: a unix socket, whose path is free now, or what is open already. */
async function freeAddresses({ target, inherited }: ListenerOptions): Promise<readonly BindAddress[]> {
  if (inherited?.has(target) === true) return [];
  if (target.kind === "network") return bindAddresses(target);
  await freeUnixPath(target.path);
  return [];
}

/** What a socket passes before MQTT, each null where the listener has none. */
interface Stages {
  readonly tls: ServerTls | null;
  readonly gate: WebSocketGate | null;
  readonly httpGate: HttpGate | null;
}

class NetworkListener implements Listener {
  readonly addresses: string[] = [];
  port = 0;
  readonly #options: ListenerOptions;
  readonly #reception: Reception;
  readonly #tls: ServerTls | null;
  readonly #gate: WebSocketGate | null;
  readonly #httpGate: HttpGate | null;
  readonly #servers: Server[] = [];
  /** Sockets that are at a stage before MQTT, or that never speak it. */
  readonly #early: Set<Socket> = new Set();
  /** Sockets for which there was no room when they came. */
  readonly #crowded: Set<Socket> = new Set();
  readonly #onEarlyClose: (this: Socket) => void;

  constructor(options: ListenerOptions, reception: Reception, { tls, gate, httpGate }: Stages) {
    this.#options = options;
    this.#reception = reception;
    this.#tls = tls;
    this.#gate = gate;
    this.#httpGate = httpGate;
    const early = this.#early;
    this.#onEarlyClose = function (this: Socket): void {
      early.delete(this);
    };
  }

  get address(): string {
    return this.addresses[0] ?? "";
  }

  get certificates(): readonly X509Certificate[] {
    return this.#tls?.certificates ?? [];
  }

  async prepareReload(): Promise<() => void> {
    return (await this.#tls?.prepareReload()) ?? (() => {});
  }

  async hasChanged(): Promise<boolean> {
    return (await this.#tls?.hasChanged()) ?? false;
  }

  /** @param port in place of the target's, which is the default */
  async open(addresses: readonly BindAddress[], port?: number): Promise<void> {
    const { target, inherited } = this.#options;
    const ready = inherited?.claim(target) ?? [];
    for (const socket of ready) this.#takeOver(socket);
    if (ready.length > 0) return;
    if (target.kind === "unix") return this.#openUnix(target);
    // None: another listener at the same place has got the socket that is open.
    await this.#openNetwork(addresses.length > 0 ? addresses : await bindAddresses(target), port ?? target.port);
  }

  #takeOver({ server, address, port, waiting }: InheritedSocket): void {
    this.addresses.push(address);
    this.port = port;
    server.removeAllListeners("connection").on("connection", (socket: Socket) => this.#opened(socket));
    server.on("error", this.#reception.onAcceptError);
    this.#servers.push(server);
    for (const socket of waiting) this.#opened(socket);
  }

  async #openUnix({ path, mode = DEFAULT_UNIX_MODE }: Extract<ListenTarget, { kind: "unix" }>): Promise<void> {
    const server = this.#createServer();
    // The file is made before `listen` returns: there is no moment at which others could open it.
    const before = process.umask(0o777 & ~mode);
    try {
      await listening(
        server,
        () => server.listen({ path, backlog: BACKLOG_CONNECTIONS }),
        () => process.umask(before),
      );
    } finally {
      process.umask(before);
    }
    this.addresses.push(path);
    server.on("error", this.#reception.onAcceptError);
  }

  async #openNetwork(addresses: readonly BindAddress[], port: number): Promise<void> {
    // With any free port asked for, all addresses get the same one.
    const failures =
      port === 0
        ? [...(await this.#bind(addresses.slice(0, 1), 0)), ...(await this.#bind(addresses.slice(1), this.port))]
        : await this.#bind(addresses, port);
    if (this.addresses.length === 0) throw failures[0];
  }

  /**
   * Begins with all of `addresses` before it waits for one. Returns why those that it can do without could not be had.
   * @throws the system's error when another could not
   */
  async #bind(addresses: readonly BindAddress[], port: number): Promise<readonly unknown[]> {
    const attempts = addresses.map(({ host, isIpv6, isOptional }) => {
      const server = this.#createServer();
      const wanted = { host, port, ipv6Only: isIpv6, backlog: BACKLOG_CONNECTIONS };
      const failure: Promise<unknown> = listening(server, () => server.listen(wanted)).then(
        () => null,
        (error: unknown) => error,
      );
      return { server, isOptional, failure };
    });
    const failures: unknown[] = [];
    for (const { server, isOptional, failure } of attempts) {
      const error = await failure;
      if (error === null) this.#bound(server);
      else if (isOptional && isFamilyMissing(error)) failures.push(error);
      else throw error;
    }
    return failures;
  }

  #bound(server: Server): void {
    const { address, port } = server.address() as AddressInfo;
    this.port = port;
    this.addresses.push(formatAddress(address, port));
    server.on("error", this.#reception.onAcceptError);
  }

  #createServer(): Server {
    const server = createServer({ noDelay: true }, (socket) => this.#opened(socket));
    this.#servers.push(server);
    return server;
  }

  #opened(socket: Socket): void {
    if (this.#hasRoom) {
      this.#admit(socket);
      return;
    }
    this.#crowded.add(socket.on("error", ignore));
    setImmediate(() => {
      socket.off("error", ignore);
      if (this.#crowded.delete(socket) && !socket.destroyed) this.#admit(socket);
    });
  }

  #admit(socket: Socket): void {
    const { target, proxy = null } = this.#options;
    // A peer that has gone before we looked has no address any more.
    if (target.kind === "network" && socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const facts = this.#factsOf(socket);
    if (proxy === null && this.#tls === null && this.#gate === null && this.#httpGate === null) {
      this.#greet(socket, facts, undefined);
      return;
    }
    if (!this.#hasRoom) {
      socket.destroy();
      this.#refused(facts, "too-many-connections", null);
      return;
    }
    // Of a proxy's clients only its header tells where they are.
    if (proxy === null && this.#isTooFast(socket, facts)) return;
    this.#early.add(socket);
    socket.on("close", this.#onEarlyClose);
    const openedAtMs = this.#reception.broker.clock.nowMs();
    if (proxy === null) {
      this.#secure(socket, facts, openedAtMs);
      return;
    }
    readProxyHeader(socket, facts, proxy, this.#timeoutMs, {
      told: (client) => {
        if (!this.#isTooFast(socket, client)) this.#secure(socket, client, openedAtMs);
      },
      refused: (remoteAddress, reason, message) => this.#refused({ ...facts, remoteAddress }, reason, message),
      left: () => {},
    });
  }

  /** Closes a connection that comes too soon after others: the handshake, which a flood would cost most, is saved. */
  #isTooFast(socket: Socket, facts: LinkFacts): boolean {
    const { broker, entrance } = this.#reception;
    const refusal = broker.admission.rateRefusal(entrance, facts.remoteAddress, broker.clock.nowMs());
    if (refusal === null) return false;
    socket.destroy();
    this.#refused(facts, "connection-rate-exceeded", refusal);
    return true;
  }

  #factsOf(socket: Socket): LinkFacts {
    const { target } = this.#options;
    const remoteAddress =
      target.kind === "unix" ? target.path : formatPeer(socket.remoteAddress ?? "unknown", socket.remotePort ?? 0);
    return { remoteAddress, localPort: this.port, peer: UNKNOWN_PEER };
  }

  /** Whether one more may come: those at an early stage, of whom the core does not know yet, count as well. */
  get #hasRoom(): boolean {
    const { broker, entrance } = this.#reception;
    const early = this.#early.size;
    const { maximumConnections: most } = broker.options;
    const { maximumConnections: mostHere } = entrance;
    if (most > 0 && broker.connections.size + early >= most) return false;
    return mostHere === 0 || broker.connectionsBy(entrance) + early < mostHere;
  }

  get #timeoutMs(): number {
    return this.#reception.broker.options.connectTimeoutMs;
  }

  #secure(socket: Socket, facts: LinkFacts, openedAtMs: number): void {
    if (this.#tls === null) {
      this.#upgrade(socket, socket, facts, openedAtMs);
      return;
    }
    this.#tls.begin(socket, {
      secured: (secure, peer) => this.#upgrade(socket, secure, { ...facts, peer }, openedAtMs),
      refused: ({ reason, message }) => this.#refused(facts, reason, message),
    });
  }

  /** @param socket what MQTT is read from, and `below` what it stands on */
  #upgrade(below: Socket, socket: Socket, facts: LinkFacts, openedAtMs: number): void {
    if (this.#httpGate !== null) {
      this.#httpGate.begin(socket, facts);
      return;
    }
    if (this.#gate === null) {
      this.#passed(below);
      this.#greet(socket, facts, openedAtMs);
      return;
    }
    this.#gate.begin(socket, openedAtMs, {
      upgraded: (head, askedAtMs) => {
        this.#passed(below);
        const link = new WebSocketServerLink(socket, facts);
        const { broker, authenticator, entrance } = this.#reception;
        link.attach(broker.accept(link, authenticator, entrance, askedAtMs));
        if (head.length > 0) link.received(head);
      },
      refused: (reason, message) => this.#refused(facts, reason, message),
      left: () => {},
    });
  }

  #passed(socket: Socket): void {
    this.#early.delete(socket);
    socket.off("close", this.#onEarlyClose);
  }

  /** The client can say CONNECT. */
  #greet(socket: Socket, facts: LinkFacts, openedAtMs: number | undefined): void {
    const { broker, authenticator, entrance } = this.#reception;
    const link = new TcpLink(socket, facts);
    // Without a handshake an answer costs little, and whoever gets it knows why.
    const isFirst = openedAtMs === undefined;
    const refusal = isFirst ? broker.admission.rateRefusal(entrance, facts.remoteAddress, broker.clock.nowMs()) : null;
    link.attach(broker.accept(link, authenticator, entrance, openedAtMs, refusal));
  }

  #refused({ remoteAddress, localPort }: LinkFacts, reason: EndReason, message: string | null): void {
    this.#reception.broker.refused({ remoteAddress, localPort, reason, message });
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#early) socket.destroy();
    for (const socket of this.#crowded) socket.destroy();
    this.#crowded.clear();
    await Promise.all(closed);
  }
}

/** A socket that fails while it waits is seen to have gone. */
function ignore(): void {}

/** Waits until `begin` has made `server` listen, or could not. @param begun called when `begin` has returned */
function listening(server: Server, begin: () => void, begun: () => void = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    begin();
    begun();
  });
}
