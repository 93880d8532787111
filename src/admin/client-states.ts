/** Clients as requests see them: page by page in the order of their names, and the busiest of a while. No request looks at all of them for long. */
import { type Broker, type Connection, NEVER_EXPIRES_SECONDS, type Session } from "../core/index.ts";
import type { BusyClient, ClientState, Requests } from "./requests.ts";

/** The first `limit` Sessions whose names come after `after`, in order: one pass, in which few names are moved. */
export function pageOf(sessions: Iterable<Session>, after: string, limit: number): readonly Session[] {
  const page: Session[] = [];
  for (const session of sessions) {
    const { clientId } = session;
    if (clientId <= after || (page.length === limit && clientId > page.at(-1)!.clientId)) continue;
    page.splice(placeIn(page, clientId), 0, session);
    if (page.length > limit) page.pop();
  }
  return page;
}

function placeIn(page: readonly Session[], clientId: string): number {
  let [low, high] = [0, page.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (page[middle]!.clientId < clientId) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A client as it is now. */
export function stateOf(session: Session, broker: Broker): ClientState {
  const { connection } = session;
  const { clock } = broker;
  return {
    clientId: session.clientId,
    remoteAddress: connection?.link.remoteAddress ?? null,
    username: connection?.connect?.username ?? null,
    version: connection?.version ?? null,
    keepAliveSeconds: connection?.connect?.keepAliveSeconds ?? null,
    connectedSinceMs: connection === null ? null : clock.wallMs() - (clock.nowMs() - connection.openedAtMs),
    sessionExpirySeconds: Math.min(session.expirySeconds, NEVER_EXPIRES_SECONDS),
    subscriptions: session.subscriptions.size,
    queuedMessages: session.queuedMessages,
    inflightMessages: session.inflightMessages,
    receivedPackets: connection?.machine.trail.receivedPackets ?? 0,
    receivedBytes: connection?.machine.receivedBytes ?? 0,
    sentPackets: connection?.machine.trail.sentPackets ?? 0,
    backlogBytes: connection?.backlogBytes ?? 0,
  };
}

/** Packets of all connections at one moment, for what passes until another. */
export class Activity {
  readonly #broker: Broker;
  readonly #beganMs: number;
  readonly #before: Map<Connection, readonly [received: number, sent: number]> = new Map();

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#beganMs = broker.clock.nowMs();
    for (const connection of broker.connections) {
      const { receivedPackets, sentPackets } = connection.machine.trail;
      this.#before.set(connection, [receivedPackets, sentPackets]);
    }
  }

  /** What has passed since; the `limit` busiest clients. */
  until(limit: number): Requests["top"]["answer"] {
    const seconds = Math.max(0.001, (this.#broker.clock.nowMs() - this.#beganMs) / 1000);
    const busiest: { session: Session; received: number; sent: number }[] = [];
    let [allReceived, allSent] = [0, 0];
    for (const connection of this.#broker.connections) {
      const { session, machine } = connection;
      if (session === null || session.connection !== connection) continue;
      const [receivedBefore, sentBefore] = this.#before.get(connection) ?? [0, 0];
      const received = machine.trail.receivedPackets - receivedBefore;
      const sent = machine.trail.sentPackets - sentBefore;
      allReceived += received;
      allSent += sent;
      const last = busiest.at(-1);
      if (busiest.length === limit && last !== undefined && last.received + last.sent >= received + sent) continue;
      const at = busiest.findIndex((other) => other.received + other.sent < received + sent);
      busiest.splice(at < 0 ? busiest.length : at, 0, { session, received, sent });
      if (busiest.length > limit) busiest.pop();
    }
    const clients: BusyClient[] = busiest.map(({ session, received, sent }) => ({
      ...stateOf(session, this.#broker),
      receivedPerSecond: received / seconds,
      sentPerSecond: sent / seconds,
    }));
    const { connectedClients: connected } = this.#broker;
    return { clients, connected, receivedPerSecond: allReceived / seconds, sentPerSecond: allSent / seconds };
  }
}
