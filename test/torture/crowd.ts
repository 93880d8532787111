// The publishers and subscribers of a round together: they come, go on after each loss of connection, and settle. A round is settled
// when everything sent is acknowledged or refused and every subscriber has all of it, or when nothing comes any more.
import { Ledger } from "./ledger.ts";
import type { Address } from "./link.ts";
import { type PayloadSize, Payloads } from "./payload.ts";
import { Publisher } from "./publisher.ts";
import type { Random } from "./random.ts";
import { Subscriber } from "./subscriber.ts";
import type { Version } from "./wire.ts";

export interface CrowdOptions {
  /** QoS of all publishers, and of the subscribers one after another. */
  readonly qos: 1 | 2;
  readonly publishers: number;
  /** Most messages unacknowledged of each publisher. */
  readonly window: number;
  /** Subscribers that stay, and those that are away while messages come. */
  readonly online: number;
  readonly offline: number;
  /** Members of one shared Subscription; the last of them is away while messages come. */
  readonly group?: number;
  readonly payload: PayloadSize;
  /** How long nothing may happen until what is missing counts as lost; 30 s unless told. */
  readonly quietMs?: number;
  /** Part of the client identifiers and topics, to tell crowds apart. */
  readonly name: string;
}

export type Peer = Publisher | Subscriber;

/** Pause between two attempts to connect. */
const RETRY_MS = 5;
const CONNECT_LIMIT_MS = 60_000;
/** How long nothing may happen until what is missing counts as lost: longer than a disk with much to do keeps a broker waiting. */
const QUIET_MS = 30_000;
const LOOK_MS = 10;

export class Crowd {
  readonly options: CrowdOptions;
  readonly ledger: Ledger;
  readonly payloads: Payloads;
  readonly publishers: readonly Publisher[];
  readonly online: readonly Subscriber[];
  readonly offline: readonly Subscriber[];
  /** While true a lost connection is no fault: the broker is about to be killed, or is not there. */
  expectsLoss = false;
  readonly #coming: Map<Peer, Promise<void>> = new Map();
  #isOver = false;

  constructor(options: CrowdOptions, random: Random) {
    this.options = options;
    const { qos, publishers, online, offline, group = 0 } = options;
    const kinds = Array.from({ length: online + offline }, () => ({ qos }));
    this.ledger = new Ledger(publishers, group === 0 ? kinds : [...kinds, { qos, isGroup: true }]);
    this.payloads = new Payloads(random.integer(1, 2 ** 31), options.payload);
    this.publishers = Array.from({ length: publishers }, (_, index) => this.#publisher(index));
    const alone = kinds.map((_, index) => this.#subscriber(index, `s${index}`, `${options.name}/+`, random));
    const members = Array.from({ length: group }, (_, index) =>
      this.#subscriber(kinds.length, `g${index}`, `$share/group/${options.name}/+`, random),
    );
    this.online = [...alone.slice(0, online), ...members.slice(0, -1)];
    this.offline = [...alone.slice(online), ...members.slice(-1)];
    for (const peer of this.peers) peer.onGoneDo = (reason) => this.#gone(peer, reason);
  }

  #publisher(index: number): Publisher {
    const { name, qos, window } = this.options;
    const own = { clientId: `${name}-p${index}`, topicName: `${name}/${index}`, version: versionOf(index) };
    return new Publisher({ index, qos, window, retainEvery: 16, ...own }, this.ledger, this.payloads);
  }

  /** @param index its row in the ledger */
  #subscriber(index: number, suffix: string, topicFilter: string, random: Random): Subscriber {
    const { name, qos } = this.options;
    const receiveMaximum = random.pick([0, 0, 200, 1000]);
    const own = { clientId: `${name}-${suffix}`, topicFilter, version: random.pick([4, 5] as const) };
    return new Subscriber({ index, qos, receiveMaximum, ...own }, this.ledger, this.payloads);
  }

  get peers(): readonly Peer[] {
    return [...this.publishers, ...this.subscribers];
  }

  #gone(peer: Peer, reason: string): void {
    // An attempt that began while the broker was away may tell of it afterwards; a broker that ends by itself is found out elsewhere.
    const wasNone = reason.startsWith("connect ECONNREFUSED");
    if (!this.expectsLoss && !wasNone) this.ledger.fault(`${peer.options.clientId} lost its connection: ${reason}`);
  }

  get subscribers(): readonly Subscriber[] {
    return [...this.online, ...this.offline];
  }

  /** Lets everybody subscribe once; those of the offline kind leave again. */
  async subscribe(address: Address): Promise<void> {
    await Promise.all(this.subscribers.map((subscriber) => this.come(subscriber, address)));
    await Promise.all(this.offline.map((subscriber) => subscriber.disconnect()));
  }

  /** Lets everybody who should be there and is not come back. */
  async join(address: Address, isOfflineToo: boolean): Promise<void> {
    const wanted = [...this.online, ...(isOfflineToo ? this.offline : []), ...this.publishers];
    await Promise.all(wanted.map((peer) => this.come(peer, address)));
  }

  /** Connects a peer unless it is connected; tries again while the broker is not there. */
  come(peer: Peer, address: Address): Promise<void> {
    const coming =
      this.#coming.get(peer) ?? connected(peer, address, () => this.#isOver).finally(() => this.#coming.delete(peer));
    this.#coming.set(peer, coming);
    return coming;
  }

  /** As `join`, for whoever does not wait for it; who cannot connect is a fault. */
  beginJoining(address: Address): void {
    for (const peer of [...this.online, ...this.publishers]) this.beginComing(peer, address);
  }

  /** As `come`, for whoever does not wait for it; who cannot connect is a fault. */
  beginComing(peer: Peer, address: Address): void {
    this.come(peer, address).catch((error: Error) => this.ledger.fault(error.message));
  }

  setSending(isSending: boolean): void {
    for (const publisher of this.publishers) {
      publisher.isSending = isSending;
      publisher.pump();
    }
  }

  /** Everybody goes, and nobody comes back. */
  end(): void {
    this.expectsLoss = true;
    this.#isOver = true;
    this.kill();
  }

  /** Everybody loses the connection. */
  kill(): void {
    for (const peer of this.peers) peer.kill();
  }

  get isSettled(): boolean {
    if (this.publishers.some((publisher) => publisher.inflight > 0)) return false;
    const { ledger } = this;
    const { acknowledged } = ledger;
    // The sums first, as they cost little.
    const rows = new Set(this.subscribers.map(({ options }) => options.index));
    return (
      [...rows].every((row) => ledger.delivered(row) >= acknowledged) &&
      [...rows].every((row) => ledger.lost(row) === 0)
    );
  }

  /** Packets that have come: what changes while anything happens. */
  get events(): number {
    return this.peers.reduce((sum, { packets }) => sum + packets, 0);
  }

  /** Resolves with whether everything came; false when nothing has come for a while. */
  async settle(): Promise<boolean> {
    const { quietMs = QUIET_MS } = this.options;
    let { events } = this;
    let changedMs = performance.now();
    while (!this.isSettled) {
      await pause(LOOK_MS);
      if (this.events !== events) {
        events = this.events;
        changedMs = performance.now();
      } else if (performance.now() - changedMs > quietMs) {
        return false;
      }
    }
    return true;
  }
}

function versionOf(index: number): Version {
  return index % 2 === 0 ? 4 : 5;
}

async function connected(peer: Peer, address: Address, isOver: () => boolean): Promise<void> {
  const startedMs = performance.now();
  while (!peer.isConnected && !isOver()) {
    try {
      await peer.connect(address);
    } catch (error) {
      if (performance.now() - startedMs > CONNECT_LIMIT_MS)
        throw new Error(`${peer.options.clientId} cannot connect: ${(error as Error).message}`);
      await pause(RETRY_MS);
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
