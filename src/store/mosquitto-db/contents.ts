/**
 * What a mosquitto.db holds, as facts of a store. A first reading checks the whole file and notes what there is, without payloads;
 * then the facts can be had, and payloads are read as they are needed.
 */
import { type Change, SubscriptionIndex } from "../../core/index.ts";
import { encodePublish, isShared, lowerQos, parseShared } from "../../protocol/index.ts";
import type { FileBytes } from "../file-bytes.ts";
import { ImportError } from "../import-source.ts";
import {
  type ClientChunk,
  type ClientMessageChunk,
  type MessageChunk,
  readChunks,
  type SubscriptionChunk,
} from "./chunks.ts";

/** Session expiry that means never, in seconds. */
const NEVER_SECONDS = 4_294_967_295;

/** A message of the file. */
interface StoredMessage {
  readonly chunk: MessageChunk;
  readonly isExpired: boolean;
  /** Its key among the facts; 0: not given out yet. */
  key: number;
}

type Delivery = Omit<Extract<Change, { kind: "delivery-set" }>, "message"> & { readonly message: StoredMessage | null };

interface StoredSession {
  readonly chunk: ClientChunk;
  /** Whether it is over: by its expiry, or with its connection. */
  readonly isOver: boolean;
  readonly subscriptions: Map<string, SubscriptionChunk>;
  readonly deliveries: Delivery[];
  /** Packet identifiers in flight to the client. */
  readonly sent: Set<number>;
  readonly received: Set<number>;
}

/** What was left out, and how often. */
export interface LeftOut {
  /** Sessions that ended with their connection, or whose expiry is over. */
  sessions: number;
  /** QoS 0 messages in queues: nobody is owed them. */
  qos0: number;
  /** Deliveries and retained messages whose message has expired. */
  expired: number;
}

/** What to know besides the file. */
export interface ReadingOptions {
  /** The present on the wall clock, in milliseconds since 1970: what has expired by then is left out. */
  readonly nowMs: number;
  /** Whether a Session belongs to the user name in the file, and to nobody otherwise. */
  readonly keepsUsers: boolean;
}

/** The contents of a file, read once. */
export class Contents {
  readonly leftOut: LeftOut = { sessions: 0, qos0: 0, expired: 0 };
  /** Sessions for whose clients the file has a user name. */
  usernames = 0;
  /** Messages from clients, taken at QoS 2, which mosquitto had not passed on because their PUBREL was still to come. */
  held = 0;
  readonly #bytes: FileBytes;
  readonly #options: ReadingOptions;
  readonly #messages: Map<bigint, StoredMessage> = new Map();
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #retained: Map<string, StoredMessage> = new Map();
  readonly #held: StoredMessage[] = [];
  #lastKey = 0;

  private constructor(bytes: FileBytes, options: ReadingOptions) {
    this.#bytes = bytes;
    this.#options = options;
  }

  /**
   * Reads the whole file.
   * @throws ImportError when anything about it cannot be
   */
  static async read(bytes: FileBytes, format: 5 | 6, options: ReadingOptions): Promise<Contents> {
    const contents = new Contents(bytes, options);
    for await (const chunk of readChunks(bytes, format)) {
      switch (chunk.kind) {
        case "message":
          contents.#addMessage(chunk);
          break;
        case "client":
          contents.#addSession(chunk);
          break;
        case "client message":
          contents.#addClientMessage(chunk);
          break;
        case "subscription":
          contents.#addSubscription(chunk);
          break;
        default:
          contents.#addRetained(contents.#known(chunk.message, chunk.at));
      }
    }
    contents.#passOnHeld();
    return contents;
  }

  /** Everything, in an order in which each fact can be applied, every message right before the first that refers to it. */
  async *facts(): AsyncGenerator<Change> {
    this.#lastKey = 0;
    for (const message of this.#messages.values()) message.key = 0;
    const sessions = [...this.#sessions.values()].filter(({ isOver }) => !isOver);
    for (const { chunk } of sessions) yield this.#sessionFact(chunk);
    for (const { subscriptions } of sessions) for (const chunk of subscriptions.values()) yield subscriptionFact(chunk);
    for (const { chunk, deliveries, received } of sessions) {
      for (const delivery of deliveries) {
        const { message } = delivery;
        if (message !== null && message.key === 0) yield await this.#messageFact(message);
        yield { ...delivery, message: message === null ? null : message.key };
      }
      for (const packetId of received) yield { kind: "received-set", clientId: chunk.clientId, packetId };
    }
    for (const [topicName, message] of this.#retained) {
      if (message.key === 0) yield await this.#messageFact(message);
      yield { kind: "retained-set", topicName, message: message.key };
    }
  }

  #addMessage(chunk: MessageChunk): void {
    if (this.#messages.has(chunk.id)) throw twice(chunk.at, `the message ${chunk.id}`);
    const isExpired = chunk.expiresAtSeconds > 0 && chunk.expiresAtSeconds * 1000 <= this.#options.nowMs;
    this.#messages.set(chunk.id, { chunk, isExpired, key: 0 });
  }

  #known(id: bigint, at: number): StoredMessage {
    const message = this.#messages.get(id);
    if (message === undefined) throw unknown(at, `the message ${id}`);
    return message;
  }

  #owner(clientId: string, at: number): StoredSession {
    const session = this.#sessions.get(clientId);
    if (session === undefined) throw unknown(at, `the client "${clientId}"`);
    return session;
  }

  #addSession(chunk: ClientChunk): void {
    const { clientId, expirySeconds, expiresAtSeconds } = chunk;
    if (this.#sessions.has(clientId)) throw twice(chunk.at, `the client "${clientId}"`);
    const isExpired = expiresAtSeconds > 0 && expiresAtSeconds * 1000 <= this.#options.nowMs;
    const isOver = expirySeconds === 0 || isExpired;
    if (isOver) this.leftOut.sessions++;
    else if (chunk.username !== null) this.usernames++;
    this.#sessions.set(clientId, {
      chunk,
      isOver,
      subscriptions: new Map(),
      deliveries: [],
      sent: new Set(),
      received: new Set(),
    });
  }

  #addSubscription(chunk: SubscriptionChunk): void {
    const { subscriptions } = this.#owner(chunk.clientId, chunk.at);
    if (subscriptions.has(chunk.topicFilter))
      throw twice(chunk.at, `the subscription of "${chunk.clientId}" to "${chunk.topicFilter}"`);
    subscriptions.set(chunk.topicFilter, chunk);
  }

  #addClientMessage(chunk: ClientMessageChunk): void {
    const session = this.#owner(chunk.clientId, chunk.at);
    const message = this.#known(chunk.message, chunk.at);
    if (chunk.isFromClient) this.#addFromClient(session, message, chunk);
    else this.#addForClient(session, message, chunk);
  }

  #addFromClient(
    session: StoredSession,
    message: StoredMessage,
    { at, clientId, packetId, state }: ClientMessageChunk,
  ): void {
    if (session.received.has(packetId)) throw twice(at, `the packet identifier ${packetId} that "${clientId}" chose`);
    session.received.add(packetId);
    // The message was accepted, whatever becomes of the Session that sent it.
    if (state === "held") this.#held.push(message);
  }

  #addForClient(session: StoredSession, message: StoredMessage, chunk: ClientMessageChunk): void {
    const { clientId, qos, packetId, state, retain, subscriptionIds } = chunk;
    if (state !== "queued") {
      if (session.sent.has(packetId)) throw twice(chunk.at, `the packet identifier ${packetId} for "${clientId}"`);
      session.sent.add(packetId);
    }
    if (session.isOver) return;
    if (qos === 0) this.leftOut.qos0++;
    else if (message.isExpired && state !== "received") this.leftOut.expired++;
    else if (state === "received") owe(session, null, qos, { packetId, wait: "PUBCOMP" });
    else owe(session, message, qos, { packetId: state === "queued" ? 0 : packetId, retain, subscriptionIds });
  }

  #addRetained(message: StoredMessage): void {
    if (message.isExpired) this.leftOut.expired++;
    else this.#retained.set(message.chunk.topicName, message);
  }

  /**
   * mosquitto passes a message of QoS 2 on when its PUBREL comes; Lacewing does so when the PUBLISH comes, and only remembers the
   * packet identifier until then. So what mosquitto held is passed on here, to those who subscribe to it.
   */
  #passOnHeld(): void {
    if (this.#held.length === 0) return;
    const index = this.#subscriptionIndex();
    this.#held.sort((a, b) => (a.chunk.id < b.chunk.id ? -1 : 1));
    for (const message of this.#held) {
      this.held++;
      if (message.isExpired) {
        this.leftOut.expired++;
        continue;
      }
      for (const [clientId, subscriptions] of receivers(index, message.chunk))
        deliver(this.#sessions.get(clientId)!, message, subscriptions);
      if (message.chunk.retain) this.#retain(message);
    }
  }

  #subscriptionIndex(): SubscriptionIndex<SubscriptionChunk> {
    const index = new SubscriptionIndex<SubscriptionChunk>();
    for (const { isOver, subscriptions } of this.#sessions.values()) {
      if (isOver) continue;
      for (const chunk of subscriptions.values()) {
        const { topicFilter } = chunk;
        index.add(parseShared(topicFilter)?.topicFilter ?? topicFilter, chunk);
      }
    }
    return index;
  }

  /** A retained message without payload ends the one that there was [5.0 MQTT-3.3.1-6] [3.1.1 MQTT-3.3.1-10]. */
  #retain(message: StoredMessage): void {
    const { topicName, payloadBytes } = message.chunk;
    if (payloadBytes === 0) this.#retained.delete(topicName);
    else this.#retained.set(topicName, message);
  }

  #sessionFact({ clientId, username, expirySeconds, expiresAtSeconds }: ClientChunk): Change {
    // When it does not expire it does not matter since when its client is gone.
    const isDated = expirySeconds !== NEVER_SECONDS && expiresAtSeconds > 0;
    return {
      kind: "session-set",
      clientId,
      principal: this.#options.keepsUsers ? username : null,
      expirySeconds,
      disconnectedAtMs: isDated ? (expiresAtSeconds - expirySeconds) * 1000 : null,
    };
  }

  async #messageFact(message: StoredMessage): Promise<Change> {
    const { topicName, qos, retain, properties, payloadAt, payloadBytes, publisher, username, expiresAtSeconds } =
      message.chunk;
    const { topicAlias: _, subscriptionIdentifiers: __, ...kept } = properties;
    const payload = await this.#bytes.read(payloadAt, payloadBytes);
    const packetId = qos > 0 ? 1 : 0;
    message.key = ++this.#lastKey;
    return {
      kind: "message-added",
      message: message.key,
      publish: encodePublish({ topicName, payload, qos, retain, dup: false, packetId, properties: kept }, 5),
      expiresAtMs: expiresAtSeconds === 0 ? null : expiresAtSeconds * 1000,
      publisher,
      // Without a user name it may be a bridge, for which no rules hold.
      ...(retain && username !== null && { source: { username, listener: null } }),
    };
  }
}

/** Who gets a message, with the Subscriptions that match it: of those that share one only the first. */
function receivers(
  index: SubscriptionIndex<SubscriptionChunk>,
  { topicName, publisher }: MessageChunk,
): Map<string, SubscriptionChunk[]> {
  const found = new Map<string, SubscriptionChunk[]>();
  const groups = new Set<string>();
  for (const subscription of index.match(topicName)) {
    const { clientId, topicFilter, noLocal } = subscription;
    if (noLocal && clientId === publisher) continue;
    if (isShared(topicFilter)) {
      if (groups.has(topicFilter)) continue;
      groups.add(topicFilter);
    }
    const others = found.get(clientId);
    if (others === undefined) found.set(clientId, [subscription]);
    else others.push(subscription);
  }
  return found;
}

function unknown(at: number, what: string): ImportError {
  return new ImportError(`the chunk at byte ${at} names ${what}, which the file does not have before it`);
}

function twice(at: number, what: string): ImportError {
  return new ImportError(`the chunk at byte ${at} has ${what} for the second time`);
}

/** Puts one more delivery at the end of what `session` is owed. */
function owe(
  session: StoredSession,
  message: StoredMessage | null,
  qos: 1 | 2,
  rest: Partial<Pick<Delivery, "packetId" | "wait" | "retain" | "subscriptionIds" | "share">>,
): void {
  session.deliveries.push({
    kind: "delivery-set",
    clientId: session.chunk.clientId,
    order: session.deliveries.length + 1,
    message,
    qos,
    retain: false,
    subscriptionIds: null,
    packetId: 0,
    wait: qos === 1 ? "PUBACK" : "PUBREC",
    share: null,
    payloadBytes: message?.chunk.payloadBytes ?? 0,
    ...rest,
  });
}

/** Owes a message to a Session as the core would: once for its plain Subscriptions together, and once for each shared one. */
function deliver(session: StoredSession, message: StoredMessage, subscriptions: readonly SubscriptionChunk[]): void {
  const plain = subscriptions.filter(({ topicFilter }) => !isShared(topicFilter));
  const shared = subscriptions.filter(({ topicFilter }) => isShared(topicFilter));
  for (const asked of [plain, ...shared.map((subscription) => [subscription])]) {
    const highest = Math.max(0, ...asked.map(({ qos }) => qos)) as 0 | 1 | 2;
    const qos = lowerQos(message.chunk.qos, highest);
    if (qos === 0) continue;
    const ids = asked.flatMap(({ subscriptionId }) => subscriptionId ?? []);
    owe(session, message, qos, {
      retain: message.chunk.retain && asked.some(({ retainAsPublished }) => retainAsPublished),
      subscriptionIds: ids.length > 0 ? ids : null,
      share: asked === plain ? null : asked[0]!.topicFilter,
    });
  }
}

function subscriptionFact(chunk: SubscriptionChunk): Change {
  const { clientId, topicFilter, qos, noLocal, retainAsPublished, subscriptionId } = chunk;
  return { kind: "subscription-set", clientId, topicFilter, qos, noLocal, retainAsPublished, subscriptionId };
}
