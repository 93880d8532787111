/**
 * The flight recorder: what is known of each client's last connections, always written and bounded. It answers why a client went after
 * it has gone: who ended the connection, by which rule, and what passed before.
 */
import type { Clock, Connection, Message, Observer, Session } from "../core/index.ts";
import type { DropReason, EndReason, Fault, PacketTrail, SubscriptionRequest, TrailEntry } from "../protocol/index.ts";
import { type Incident, Incidents } from "./incidents.ts";

/** What is remembered. */
export interface RecorderOptions {
  /** Ended connections of all clients together. */
  readonly endedConnections: number;
  /** Ended connections of one client, so that one that comes and goes all the time pushes nobody else out. */
  readonly endedPerClient: number;
  /** Entries of the trail that are kept of an ended connection. */
  readonly endedTrailEntries: number;
}

export const DEFAULT_RECORDER_OPTIONS: RecorderOptions = {
  endedConnections: 10_000,
  endedPerClient: 50,
  endedTrailEntries: 16,
};

/** Keep-alive losses of other clients that came so close count as one wave. */
const WAVE_MS = 60_000;

/** One connection of a client, ended or not. Times are wall time in milliseconds since 1970. */
export interface ConnectionRecord {
  readonly clientId: string;
  readonly remoteAddress: string;
  readonly localPort: number | null;
  readonly version: number;
  readonly cleanStart: boolean;
  /** As the client asked. */
  readonly keepAliveSeconds: number;
  readonly username: string | null;
  /** Whether its CONNECT was accepted. */
  readonly wasAccepted: boolean;
  readonly openedMs: number;
  /** null: it is still there. */
  readonly endedMs: number | null;
  readonly reason: EndReason | null;
  /** The rule that was broken, when one was. */
  readonly detail: string | null;
  /** When the last packet of the client came. */
  readonly lastReceivedMs: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
  /** Address of the connection that took the client identifier over, where one did. */
  readonly takenOverBy: string | null;
  /** Other clients that were lost by keep-alive at the same time, and those of them in the same network (/24, /64). */
  readonly lostWith: { readonly all: number; readonly sameNetwork: number } | null;
  /** What was denied to it on this connection. */
  readonly denied: readonly Incident[];
  /** What passed lately, oldest first. */
  readonly trail: readonly TrailEntry[];
}

/** A connection that is there, and what is noted of it beside what it knows itself. */
interface Flight {
  readonly openedMs: number;
  wasAccepted: boolean;
  denied: Incidents | null;
}

/** A connection that has ended. It holds nothing of the connection but its trail. */
interface Ended {
  readonly facts: Omit<ConnectionRecord, "trail" | "takenOverBy" | "lostWith">;
  readonly trail: PacketTrail;
  /** On the monotonic clock, as the trail. */
  readonly atMs: number;
  takenOverBy: string | null;
}

/** Remembers the last connections of each client, and what did not reach it. */
export class FlightRecorder implements Observer {
  readonly #options: RecorderOptions;
  readonly #clock: Clock;
  readonly #live: Map<Connection, Flight> = new Map();
  /** Oldest first. */
  readonly #ended: Set<Ended> = new Set();
  readonly #byClient: Map<string, Ended[]> = new Map();
  readonly #losses: WeakMap<Session, Incidents> = new WeakMap();

  constructor(clock: Clock, options: RecorderOptions = DEFAULT_RECORDER_OPTIONS) {
    this.#clock = clock;
    this.#options = options;
  }

  opened(connection: Connection): void {
    this.#live.set(connection, { openedMs: this.#clock.wallMs(), wasAccepted: false, denied: null });
  }

  connected(connection: Connection): void {
    const flight = this.#live.get(connection);
    if (flight === undefined) return;
    flight.wasAccepted = true;
    const earlier = this.#byClient.get(connection.clientId ?? "")?.at(-1);
    if (earlier?.facts.reason === "session-taken-over") earlier.takenOverBy ??= connection.link.remoteAddress;
  }

  ended(connection: Connection, reason: EndReason, fault: Fault | null): void {
    const flight = this.#live.get(connection);
    if (flight === undefined) return;
    this.#live.delete(connection);
    const { trail } = connection.machine;
    trail.shrink(this.#options.endedTrailEntries);
    const [nowMs, wallMs] = [this.#clock.nowMs(), this.#clock.wallMs()];
    const facts = factsOf(connection, flight, wallMs - nowMs);
    this.#keep({
      facts: { ...facts, endedMs: wallMs, reason, detail: fault?.message ?? connection.lastWords },
      trail,
      atMs: nowMs,
      takenOverBy: null,
    });
  }

  #keep(ended: Ended): void {
    const { endedConnections, endedPerClient } = this.#options;
    const { clientId } = ended.facts;
    const ofClient = this.#byClient.get(clientId);
    if (ofClient === undefined) this.#byClient.set(clientId, [ended]);
    else {
      ofClient.push(ended);
      if (ofClient.length > endedPerClient) this.#forget(ofClient[0]!);
    }
    this.#ended.add(ended);
    if (this.#ended.size <= endedConnections) return;
    for (const oldest of this.#ended) {
      this.#forget(oldest);
      break;
    }
  }

  #forget(ended: Ended): void {
    this.#ended.delete(ended);
    const { clientId } = ended.facts;
    const ofClient = this.#byClient.get(clientId)!;
    // Whatever is forgotten is the oldest of its client.
    ofClient.shift();
    if (ofClient.length === 0) this.#byClient.delete(clientId);
  }

  publishDenied(connection: Connection, { topicName }: Message): void {
    this.#deny(connection, "publish-denied", topicName);
  }

  subscribed(connection: Connection, { topicFilter }: SubscriptionRequest, reasonCode: number): void {
    if (reasonCode >= 0x80) this.#deny(connection, "subscribe-denied", topicFilter);
  }

  #deny(connection: Connection, kind: Incident["kind"], topic: string): void {
    const flight = this.#live.get(connection);
    if (flight !== undefined) (flight.denied ??= new Incidents()).note(kind, topic, this.#clock.wallMs());
  }

  dropped(reason: DropReason, session: Session, { topicName }: Message): void {
    let losses = this.#losses.get(session);
    if (losses === undefined) this.#losses.set(session, (losses = new Incidents()));
    losses.note(reason, topicName, this.#clock.wallMs());
  }

  /** What did not reach a Session lately, by reason and topic. */
  lossesOf(session: Session): readonly Incident[] {
    return this.#losses.get(session)?.list() ?? [];
  }

  /** The last connections of a client, oldest first, with the one that is there. "" is those that named none. */
  connectionsOf(clientId: string): readonly ConnectionRecord[] {
    const records = (this.#byClient.get(clientId) ?? []).map((ended) => this.#recordOfEnded(ended));
    for (const [connection, flight] of this.#live)
      if ((connection.clientId ?? "") === clientId) records.push(this.#recordOfLive(connection, flight));
    return records;
  }

  /** Client identifiers that something is known of. */
  knownClients(): readonly string[] {
    const live = [...this.#live.keys()].map(({ clientId }) => clientId ?? "");
    return [...new Set([...this.#byClient.keys(), ...live])];
  }

  /** Connections that have ended and are remembered. */
  get endedConnections(): number {
    return this.#ended.size;
  }

  #recordOfEnded(ended: Ended): ConnectionRecord {
    const { facts, trail, takenOverBy, atMs } = ended;
    const lostWith = facts.reason === "keep-alive-timeout" ? this.#wave(ended) : null;
    return { ...facts, takenOverBy, lostWith, trail: entriesOf(trail, facts.endedMs! - atMs) };
  }

  #recordOfLive(connection: Connection, flight: Flight): ConnectionRecord {
    const aheadMs = this.#clock.wallMs() - this.#clock.nowMs();
    const trail = entriesOf(connection.machine.trail, aheadMs);
    return { ...factsOf(connection, flight, aheadMs), takenOverBy: null, lostWith: null, trail };
  }

  #wave({ facts, atMs }: Ended): { all: number; sameNetwork: number } {
    const network = networkOf(facts.remoteAddress);
    let all = 0;
    let sameNetwork = 0;
    for (const other of this.#ended) {
      if (Math.abs(other.atMs - atMs) > WAVE_MS || other.facts.clientId === facts.clientId) continue;
      if (other.facts.reason !== "keep-alive-timeout") continue;
      all++;
      if (networkOf(other.facts.remoteAddress) === network) sameNetwork++;
    }
    return { all, sameNetwork };
  }
}

/** @param aheadMs how far the wall clock is ahead of the monotonic one */
function factsOf(connection: Connection, { openedMs, wasAccepted, denied }: Flight, aheadMs: number): Ended["facts"] {
  const { link, machine, connect } = connection;
  return {
    clientId: connection.clientId ?? "",
    remoteAddress: link.remoteAddress,
    localPort: link.localPort ?? null,
    version: connect?.version ?? 0,
    cleanStart: connect?.cleanStart ?? false,
    keepAliveSeconds: connect?.keepAliveSeconds ?? 0,
    username: connect?.username ?? null,
    wasAccepted,
    openedMs,
    endedMs: null,
    reason: null,
    detail: null,
    lastReceivedMs: machine.lastReceivedMs + aheadMs,
    receivedPackets: machine.trail.receivedPackets,
    sentPackets: machine.trail.sentPackets,
    denied: denied?.list() ?? [],
  };
}

function entriesOf(trail: PacketTrail, aheadMs: number): readonly TrailEntry[] {
  return trail
    .entries()
    .map((entry) => ({ ...entry, firstMs: entry.firstMs + aheadMs, lastMs: entry.lastMs + aheadMs }));
}

/** The first three numbers of an address of IPv4, or the first four groups of one of IPv6. */
function networkOf(remoteAddress: string): string {
  const address = remoteAddress.replace(/^(.*):\d+$/, "$1");
  return address.includes(".") ? address.split(".").slice(0, 3).join(".") : address.split(":").slice(0, 4).join(":");
}
