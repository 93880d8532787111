/**
 * A batch of changes on its way to the process that writes: records in their final form, but for the checksums, one behind the other
 * in one buffer. That one needs to know nothing of facts: only which records refer to messages.
 */
import type { Change } from "../../core/index.ts";
import { ByteWriter } from "./bytes.ts";
import { type Of, putDelivery, putMessage, putSession, putSubscription, putTextKey, putWill } from "./records.ts";
import { CRC_BYTES, DATABASE, type DatabaseName } from "./schema.ts";

/** What is to be done with a record. */
export const OPERATION = { set: 0, delete: 1, endSession: 2 } as const;

/**
 * Before each record: operation u8, database u8, length of the key u16, length of the value u32. Key and value follow, and room for
 * the checksum where a record is set. The value of a delivery that is deleted is the message that it refers to, if that is known.
 */
export const HEAD_BYTES = 8;

/** The numbers of Sessions, by Client Identifier. */
export class SessionNumbers {
  readonly #numbers: Map<string, number> = new Map();
  readonly #clientIds: Map<number, string> = new Map();
  #next = 1;
  /** How to take back what the present batch did. */
  readonly #undo: (() => void)[] = [];

  numberOf(clientId: string): number | undefined {
    return this.#numbers.get(clientId);
  }

  clientIdOf(session: number): string | undefined {
    return this.#clientIds.get(session);
  }

  /** Numbers from here on are free. */
  startAt(next: number): void {
    this.#next = next;
  }

  add(clientId: string, session: number): void {
    this.#numbers.set(clientId, session);
    this.#clientIds.set(session, clientId);
  }

  /** The number of a Session that may be new. */
  assign(clientId: string): number {
    const known = this.#numbers.get(clientId);
    if (known !== undefined) return known;
    const session = this.#next++;
    this.add(clientId, session);
    this.#undo.push(() => {
      this.#remove(clientId, session);
      this.#next = session;
    });
    return session;
  }

  /** Forgets a Session that has ended and returns the number it had. */
  end(clientId: string): number | undefined {
    const session = this.#numbers.get(clientId);
    if (session === undefined) return undefined;
    this.#remove(clientId, session);
    this.#undo.push(() => this.add(clientId, session));
    return session;
  }

  #remove(clientId: string, session: number): void {
    this.#numbers.delete(clientId);
    this.#clientIds.delete(session);
  }

  /** What the present batch did holds. */
  keep(): void {
    this.#undo.length = 0;
  }

  /** What the present batch did is taken back; the same batch will then get the same numbers again. */
  takeBack(): void {
    while (this.#undo.length > 0) this.#undo.pop()!();
  }
}

/** Writes changes as records. */
export class BatchWriter {
  readonly #sessions: SessionNumbers;
  readonly #to: ByteWriter;
  #headAt = 0;
  #valueAt = 0;

  /** @param buffer where the batch is written, if that is large enough */
  constructor(sessions: SessionNumbers, buffer: ArrayBuffer | undefined) {
    this.#sessions = sessions;
    this.#to = new ByteWriter(buffer);
  }

  get buffer(): ArrayBuffer {
    return this.#to.bytes.buffer;
  }

  get length(): number {
    return this.#to.at;
  }

  add(change: Change): void {
    switch (change.kind) {
      case "delivery-set":
        return this.#delivery(change);
      case "delivery-deleted":
        return this.#deliveryEnd(change);
      case "message-added":
        return this.#message(change);
      case "clock-set":
        return this.#clock(change);
      case "session-set":
        return this.#session(change);
      case "session-deleted":
        return this.#sessionEnd(change.clientId);
      case "subscription-set":
      case "subscription-deleted":
        return this.#subscription(change);
      case "received-set":
      case "received-deleted":
        return this.#received(change);
      case "will-set":
      case "will-deleted":
        return this.#will(change);
      case "share-set":
      case "share-deleted":
        return this.#share(change);
      case "retained-set":
      case "retained-deleted":
        return this.#retained(change);
    }
  }

  #begin(operation: number, database: DatabaseName): void {
    const to = this.#to;
    this.#headAt = to.at;
    to.reserve(HEAD_BYTES);
    to.bytes[to.at] = operation;
    to.bytes[to.at + 1] = DATABASE[database];
    to.at += HEAD_BYTES;
  }

  #keyDone(): void {
    const to = this.#to;
    const length = to.at - this.#headAt - HEAD_BYTES;
    to.bytes[this.#headAt + 2] = length >>> 8;
    to.bytes[this.#headAt + 3] = length;
    this.#valueAt = to.at;
  }

  #end(): void {
    const to = this.#to;
    const head = this.#headAt;
    const length = to.at - this.#valueAt;
    to.bytes[head + 4] = length >>> 24;
    to.bytes[head + 5] = length >>> 16;
    to.bytes[head + 6] = length >>> 8;
    to.bytes[head + 7] = length;
    if (to.bytes[head] !== OPERATION.set) return;
    to.reserve(CRC_BYTES);
    to.at += CRC_BYTES;
  }

  #clock(fact: Of<"clock-set">): void {
    this.#begin(OPERATION.set, "clock");
    this.#to.uint8(0);
    this.#keyDone();
    this.#to.float64(fact.aheadMs);
    this.#end();
  }

  #session(fact: Of<"session-set">): void {
    this.#begin(OPERATION.set, "sessions");
    this.#to.uint48(this.#sessions.assign(fact.clientId));
    this.#keyDone();
    putSession(this.#to, fact);
    this.#end();
  }

  #sessionEnd(clientId: string): void {
    const session = this.#sessions.end(clientId);
    if (session === undefined) return;
    this.#begin(OPERATION.endSession, "sessions");
    this.#to.uint48(session);
    this.#keyDone();
    this.#end();
  }

  #subscription(change: Of<"subscription-set"> | Of<"subscription-deleted">): void {
    const session = this.#sessions.numberOf(change.clientId);
    if (session === undefined) return;
    const isSet = change.kind === "subscription-set";
    this.#begin(isSet ? OPERATION.set : OPERATION.delete, "subscriptions");
    this.#to.uint48(session);
    const isInKey = putTextKey(this.#to, change.topicFilter);
    this.#keyDone();
    if (isSet) putSubscription(this.#to, change, isInKey);
    this.#end();
  }

  #message(fact: Of<"message-added">): void {
    this.#begin(OPERATION.set, "messages");
    this.#to.uint48(fact.message);
    this.#keyDone();
    putMessage(this.#to, fact);
    this.#end();
  }

  #delivery(fact: Of<"delivery-set">): void {
    const session = this.#sessions.numberOf(fact.clientId);
    if (session === undefined) return;
    this.#begin(OPERATION.set, "deliveries");
    this.#to.uint48(session);
    this.#to.uint48(fact.order);
    this.#keyDone();
    putDelivery(this.#to, fact);
    this.#end();
  }

  #deliveryEnd({ clientId, order, message }: Of<"delivery-deleted">): void {
    const session = this.#sessions.numberOf(clientId);
    if (session === undefined) return;
    this.#begin(OPERATION.delete, "deliveries");
    this.#to.uint48(session);
    this.#to.uint48(order);
    this.#keyDone();
    if (message !== null) this.#to.uint48(message);
    this.#end();
  }

  #received({ kind, clientId, packetId }: Of<"received-set"> | Of<"received-deleted">): void {
    const session = this.#sessions.numberOf(clientId);
    if (session === undefined) return;
    this.#begin(kind === "received-set" ? OPERATION.set : OPERATION.delete, "received");
    this.#to.uint48(session);
    this.#to.uint16(packetId);
    this.#keyDone();
    this.#end();
  }

  #will(change: Of<"will-set"> | Of<"will-deleted">): void {
    const session = this.#sessions.numberOf(change.clientId);
    if (session === undefined) return;
    const isSet = change.kind === "will-set";
    this.#begin(isSet ? OPERATION.set : OPERATION.delete, "wills");
    this.#to.uint48(session);
    this.#keyDone();
    if (isSet) putWill(this.#to, change);
    this.#end();
  }

  #share(change: Of<"share-set"> | Of<"share-deleted">): void {
    const isSet = change.kind === "share-set";
    this.#begin(isSet ? OPERATION.set : OPERATION.delete, "shares");
    const isInKey = putTextKey(this.#to, change.share);
    this.#to.uint48(change.order);
    this.#keyDone();
    if (isSet) this.#reference(change.message, isInKey ? "" : change.share);
    this.#end();
  }

  #retained(change: Of<"retained-set"> | Of<"retained-deleted">): void {
    const isSet = change.kind === "retained-set";
    this.#begin(isSet ? OPERATION.set : OPERATION.delete, "retained");
    const isInKey = putTextKey(this.#to, change.topicName);
    this.#keyDone();
    if (isSet) this.#reference(change.message, isInKey ? "" : change.topicName);
    this.#end();
  }

  #reference(message: number, text: string): void {
    this.#to.uint48(message);
    this.#to.text(text);
  }
}
