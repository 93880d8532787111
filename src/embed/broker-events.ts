/** What an application can hear of its broker. */
import type { EventEmitter } from "node:events";
import type { Connection, Observer } from "../core/index.ts";

/** A client with an accepted CONNECT. */
export interface ConnectedClient {
  readonly clientId: string;
  /** By which it goes; null: anonymous. */
  readonly username: string | null;
  /** "ADDRESS:PORT"; of `broker.connect()`: "in this process". */
  readonly remoteAddress: string;
  /** Protocol level: 3, 4 (3.1.1) or 5. */
  readonly version: 3 | 4 | 5;
}

/** The events, with what their listeners get. */
export interface BrokerEvents {
  connect: [client: ConnectedClient];
  /** `reason` is one of `lacewing explain`, as "keep-alive-timeout". */
  disconnect: [client: ConnectedClient, reason: string];
  subscribe: [clientId: string, topicFilter: string, qos: number];
  unsubscribe: [clientId: string, topicFilter: string];
  /** A client published what it may not. */
  denied: [clientId: string, topicName: string];
  /** A message was dropped for a client, and why. */
  dropped: [clientId: string, topicName: string, reason: string];
  /** A line of the log. */
  log: [type: string, text: string];
}

/** SUBACK reason codes from here on are refusals. */
const FIRST_REFUSAL = 0x80;

/**
 * Tells `emitter` of what happens. Listeners run when the broker is done with what it does, so that nothing of theirs can come between,
 * and what they throw is thrown as from any callback.
 */
export function eventObserver(emitter: EventEmitter<BrokerEvents>): Omit<Observer, "packets"> {
  const clients = new WeakMap<Connection, ConnectedClient>();
  const later = <Name extends keyof BrokerEvents>(name: Name, what: () => BrokerEvents[Name]): void => {
    if (emitter.listenerCount(name) === 0) return;
    const args = what();
    queueMicrotask(() => (emitter as EventEmitter).emit(name, ...args));
  };
  return {
    connected(connection, { version, username }) {
      const { clientId, link, connect } = connection;
      const name = connect === null ? username : connect.username;
      const client = { clientId: clientId ?? "", username: name, remoteAddress: link.remoteAddress, version };
      clients.set(connection, client);
      later("connect", () => [client]);
    },
    ended(connection, reason) {
      const client = clients.get(connection);
      if (client !== undefined) later("disconnect", () => [client, reason]);
    },
    subscribed({ clientId }, { topicFilter }, reasonCode) {
      if (reasonCode < FIRST_REFUSAL) later("subscribe", () => [clientId ?? "", topicFilter, reasonCode]);
    },
    unsubscribed({ clientId }, topicFilter) {
      later("unsubscribe", () => [clientId ?? "", topicFilter]);
    },
    publishDenied({ clientId }, { topicName }) {
      later("denied", () => [clientId ?? "", topicName]);
    },
    dropped(reason, { clientId }, { topicName }) {
      later("dropped", () => [clientId, topicName, reason]);
    },
  };
}
