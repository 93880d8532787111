/** `$SYS/broker/...`: what the broker counts, published as mosquitto does: retained, at QoS 2, and only what has changed. */
import type { Broker, Counters } from "../core/index.ts";
import { type DropReason, encodeUtf8, NO_PROPERTIES } from "../protocol/index.ts";

/** Losses that mosquitto counts as dropped: by limits and queues, not by what clients asked for. */
const DROPPED: readonly DropReason[] = [
  "queue-full",
  "queue-bytes-full",
  "receiver-slow",
  "memory-limit",
  "payload-too-large",
  "too-large-for-receiver",
];

function droppedOf({ dropped }: Counters): number {
  return DROPPED.reduce((sum, reason) => sum + dropped[reason], 0);
}

/** What a load is the moving average of, by its place below `$SYS/broker/load/`. */
const LOADS: Readonly<Record<string, (counters: Counters) => number>> = {
  "messages/received": ({ messagesReceived }) => messagesReceived,
  "messages/sent": ({ messagesSent }) => messagesSent,
  "publish/dropped": droppedOf,
  "publish/received": ({ publishReceived }) => publishReceived,
  "publish/sent": ({ publishSent }) => publishSent,
  "bytes/received": ({ bytesReceived }) => bytesReceived,
  "bytes/sent": ({ bytesSent }) => bytesSent,
  sockets: ({ connectionsOpened }) => connectionsOpened,
  connections: ({ connectsReceived }) => connectsReceived,
};

/** The times over which loads are averaged, in seconds. */
const WINDOWS: Readonly<Record<string, number>> = { "1min": 60, "5min": 300, "15min": 900 };

/** For so long figures are not looked up anew for whoever asks, as some take a look at every session. */
const FRESH_MS = 1000;

/** What is looked up at each update besides the counters. */
export interface ProcessFacts {
  /** As "lacewing version 1.0.0". */
  readonly version: string;
  /** Heap of the process, in bytes. */
  heapBytes(): number;
}

/** Publishes the topics of one broker. */
export class SysTopics {
  readonly #broker: Broker;
  readonly #facts: ProcessFacts;
  readonly #startedMs: number;
  /** What was published last, by topic. */
  readonly #published: Map<string, string> = new Map();
  readonly #totals: Map<string, number> = new Map();
  readonly #averages: Map<string, number> = new Map();
  #lastMs: number;
  #mostClients = 0;
  #mostHeapBytes = 0;
  #figures: { readonly atMs: number; readonly byName: ReadonlyMap<string, number> } | null = null;

  constructor(broker: Broker, facts: ProcessFacts) {
    this.#broker = broker;
    this.#facts = facts;
    this.#startedMs = this.#lastMs = broker.clock.nowMs();
  }

  /** Publishes what has changed since the last time; the first time, everything. */
  update(): void {
    const nowMs = this.#broker.clock.nowMs();
    this.#publish("version", this.#facts.version);
    this.#publish("uptime", `${this.#uptimeSeconds(nowMs)} seconds`);
    this.#updateLoads(nowMs);
    for (const [name, value] of this.#values()) this.#publish(name, String(value));
  }

  /** What is published as one number, and the uptime in seconds, by topic below `$SYS/broker/`; at most a second old. */
  figures(): ReadonlyMap<string, number> {
    const nowMs = this.#broker.clock.nowMs();
    if (this.#figures === null || nowMs - this.#figures.atMs >= FRESH_MS) {
      const byName = new Map([...this.#values(), ["uptime", this.#uptimeSeconds(nowMs)] as const]);
      this.#figures = { atMs: nowMs, byName };
    }
    return this.#figures.byName;
  }

  #uptimeSeconds(nowMs: number): number {
    return Math.floor((nowMs - this.#startedMs) / 1000);
  }

  *#values(): Iterable<readonly [string, number]> {
    const { sessions, connectedClients, counters, router, retained, pendingOutputBytes } = this.#broker;
    const held = heldBy(this.#broker);
    this.#mostClients = Math.max(this.#mostClients, sessions.count);
    const heapBytes = this.#facts.heapBytes();
    this.#mostHeapBytes = Math.max(this.#mostHeapBytes, heapBytes);
    const disconnected = sessions.count - connectedClients;
    yield ["clients/total", sessions.count];
    yield ["clients/maximum", this.#mostClients];
    yield ["clients/disconnected", disconnected];
    yield ["clients/inactive", disconnected];
    yield ["clients/connected", connectedClients];
    yield ["clients/active", connectedClients];
    yield ["clients/expired", counters.sessionsExpired];
    yield ["messages/stored", held.messages];
    yield ["store/messages/count", held.messages];
    yield ["store/messages/bytes", held.bytes];
    yield ["messages/inflight", held.inflight];
    yield ["subscriptions/count", router.subscriptions];
    yield ["shared_subscriptions/count", router.sharedSubscriptions];
    yield ["retained messages/count", retained.count];
    yield ["heap/current", heapBytes];
    yield ["heap/maximum", this.#mostHeapBytes];
    yield ["messages/received", counters.messagesReceived];
    yield ["messages/sent", counters.messagesSent];
    yield ["bytes/received", counters.bytesReceived];
    yield ["bytes/sent", counters.bytesSent];
    yield ["publish/bytes/received", counters.publishBytesReceived];
    yield ["publish/bytes/sent", counters.publishBytesSent];
    yield ["publish/messages/received", counters.publishReceived];
    yield ["publish/messages/sent", counters.publishSent];
    yield ["publish/messages/dropped", droppedOf(counters)];
    yield ["packet/out/bytes", pendingOutputBytes];
    yield ["packet/out/count", waitingWrites(this.#broker)];
    yield ["connections/socket/count", counters.connectionsOpened];
    yield* losses(counters);
  }

  /** As many a minute, averaged with what came before, of which the more counts the shorter ago it is. */
  #updateLoads(nowMs: number): void {
    const { counters } = this.#broker;
    const seconds = (nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    for (const [name, totalOf] of Object.entries(LOADS)) {
      const total = totalOf(counters);
      const perMinute = seconds > 0 ? ((total - (this.#totals.get(name) ?? 0)) * 60) / seconds : 0;
      this.#totals.set(name, total);
      for (const [window, windowSeconds] of Object.entries(WINDOWS)) {
        const topic = `load/${name}/${window}`;
        const before = this.#averages.get(topic) ?? 0;
        const average = perMinute + Math.exp(-seconds / windowSeconds) * (before - perMinute);
        this.#averages.set(topic, average);
        this.#publish(topic, average.toFixed(2));
      }
    }
  }

  #publish(name: string, text: string): void {
    if (this.#published.get(name) === text) return;
    this.#published.set(name, text);
    this.#broker.publish({
      topicName: `$SYS/broker/${name}`,
      payload: encodeUtf8(text),
      qos: 2,
      retain: true,
      dup: false,
      packetId: 0,
      properties: NO_PROPERTIES,
    });
  }
}

/** Packets that wait for the network; those of one connection are one write here. */
function waitingWrites({ connections, pendingOutputBytes }: Broker): number {
  if (pendingOutputBytes === 0) return 0;
  return [...connections].reduce((count, { backlogBytes }) => (backlogBytes > 0 ? count + 1 : count), 0);
}

/** What was refused, ended or lost, by its reason, once there has been any: beyond what mosquitto tells. */
function* losses(counters: Counters): Iterable<readonly [string, number]> {
  for (const [reason, count] of Object.entries(counters.ended))
    if (count > 0) yield [`lacewing/connections/ended/${reason}`, count];
  for (const [reason, count] of Object.entries(counters.dropped))
    if (count > 0) yield [`lacewing/messages/dropped/${reason}`, count];
  if (counters.subscriptionsRefused > 0) yield ["lacewing/subscriptions/refused", counters.subscriptionsRefused];
  if (counters.timesSlowed > 0) yield ["lacewing/clients/slowed", counters.timesSlowed];
}

/** What waits for Sessions and is retained. A message that waits for several counts for each. */
function heldBy({ sessions, retained }: Broker): { messages: number; bytes: number; inflight: number } {
  let messages = retained.count;
  let bytes = retained.payloadBytes;
  let inflight = 0;
  for (const session of sessions) {
    messages += session.queuedMessages + session.inflightMessages;
    bytes += session.queuedBytes;
    inflight += session.inflightMessages;
  }
  return { messages, bytes, inflight };
}
