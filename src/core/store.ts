/**
 * The Store seam: what must outlive the process, as small facts. A store keeps facts; it does not route, number or decide. It may
 * be slow, remote, failing or gone: the core holds back every acknowledgement that promises more than it keeps (`ledger.ts`).
 */
import type { Ack, Qos } from "../protocol/index.ts";
import type { Source } from "./source.ts";

/**
 * One durable fact, or the end of one. A fact replaces the one of its kind with the same key; ending one that is not there does no
 * harm. Moments are milliseconds since 1970 on the time line that `clock-set` tells of, null: never.
 */
export type Change =
  /** Somebody has set the wall clock: it is that far ahead of the time line of all moments here. Not told: 0. */
  | { readonly kind: "clock-set"; readonly aheadMs: number }
  | {
      readonly kind: "session-set";
      readonly clientId: string;
      readonly principal: string | null;
      readonly expirySeconds: number;
      readonly disconnectedAtMs: number | null;
      /** The packet identifier that was given out last when this was written; absent: none. */
      readonly lastPacketId?: number;
    }
  /** Ends all that names the Session too: Subscriptions, deliveries, received identifiers and the will. */
  | { readonly kind: "session-deleted"; readonly clientId: string }
  | {
      readonly kind: "subscription-set";
      readonly clientId: string;
      readonly topicFilter: string;
      readonly qos: Qos;
      readonly noLocal: boolean;
      readonly retainAsPublished: boolean;
      readonly subscriptionId: number | null;
    }
  | { readonly kind: "subscription-deleted"; readonly clientId: string; readonly topicFilter: string }
  /**
   * A message is kept once, whatever the fan-out, and only as long as a delivery, a share or a topic refers to it: a message to
   * which nothing refers after the last change of a batch is forgotten with that batch. It comes in the batch of the first fact that
   * refers to it. `publish` is a PUBLISH of 5.0, QoS and RETAIN as the publisher set them.
   */
  | {
      readonly kind: "message-added";
      readonly message: number;
      readonly publish: Uint8Array;
      readonly expiresAtMs: number | null;
      /** Client Identifier of the Session that published it, for no local. */
      readonly publisher: string | null;
      /** Of a retained one: who may be asked about later. */
      readonly source?: Source;
    }
  /** A message owed to a Session, at `order` in its queue; `packetId` 0 until it was sent. `wait` is what was last waited for. */
  | {
      readonly kind: "delivery-set";
      readonly clientId: string;
      readonly order: number;
      readonly message: number | null;
      readonly qos: 1 | 2;
      readonly retain: boolean;
      readonly subscriptionIds: readonly number[] | null;
      readonly packetId: number;
      readonly wait: Ack;
      readonly share: string | null;
      /** Length of the message's payload, so that a queue can be summed up without reading messages. */
      readonly payloadBytes: number;
    }
  /** `message` is the one that the delivery was last set with; null: the store finds out by itself. */
  | {
      readonly kind: "delivery-deleted";
      readonly clientId: string;
      readonly order: number;
      readonly message: number | null;
    }
  /** A message owed to a shared subscription while a member that is not durable holds it. */
  | { readonly kind: "share-set"; readonly share: string; readonly order: number; readonly message: number }
  | { readonly kind: "share-deleted"; readonly share: string; readonly order: number }
  /** A packet identifier received at QoS 2 and not released yet. */
  | { readonly kind: "received-set"; readonly clientId: string; readonly packetId: number }
  | { readonly kind: "received-deleted"; readonly clientId: string; readonly packetId: number }
  | { readonly kind: "retained-set"; readonly topicName: string; readonly message: number }
  | { readonly kind: "retained-deleted"; readonly topicName: string }
  /** The will of a durable Session; `dueAtMs` is set once its connection is gone. */
  | {
      readonly kind: "will-set";
      readonly clientId: string;
      readonly publish: Uint8Array;
      readonly delaySeconds: number;
      readonly dueAtMs: number | null;
    }
  | { readonly kind: "will-deleted"; readonly clientId: string };

/** What waits for one Session in the store and has not been sent yet, without the messages: `readQueue` gives them. */
export interface QueueSummary {
  readonly kind: "queue";
  readonly clientId: string;
  /** Deliveries without packet identifier. */
  readonly messages: number;
  /** How many of them came by shared subscriptions. */
  readonly sharedMessages: number;
  /** Their payloads together. */
  readonly payloadBytes: number;
  /** The lowest and the highest of their places. */
  readonly firstOrder: number;
  readonly lastOrder: number;
}

/** Where numbering goes on: no message in the store has this key or a higher one. */
export interface NextMessage {
  readonly kind: "next-message";
  readonly message: number;
}

/** What a store replays. */
export type Fact = Change | QueueSummary | NextMessage;

/** One delivery of a page of a queue, with its message. */
export interface QueuedFact {
  readonly delivery: Extract<Change, { kind: "delivery-set" }>;
  readonly message: Extract<Change, { kind: "message-added" }>;
}

/** Where the facts are kept. */
export interface Store {
  /** What an appended fact survives; "nothing" means that the core need not record anything. */
  readonly survives: "nothing" | "process" | "power-loss";
  /**
   * The facts in force, in an order in which each can be applied: the clock first, Sessions and their Subscriptions before all that
   * refers to them, a message before what refers to it, the deliveries of a Session by their place. Deliveries that `QueueSummary`
   * counts are left out, and messages that only they refer to.
   */
  replay(): AsyncIterable<Fact>;
  /**
   * Resolves when all of `changes`, applied in their order, survive. All are kept or none; a rejection means none, or that it is not
   * known. The core then tries again with the same changes, so applying a batch twice must do no harm. Calls do not overlap, and
   * neither the changes nor their bytes are altered afterwards.
   */
  append(changes: readonly Change[]): Promise<void>;
  /**
   * Up to `limit` deliveries of a queue as `QueueSummary` counts them, whose place is above `afterOrder`, in order: fewer when their
   * messages are large, none when the store has no more. A record that is damaged is left out.
   */
  readQueue(clientId: string, afterOrder: number, limit: number): Promise<readonly QueuedFact[]>;
}

/** The store of a broker without persistence: it keeps nothing and promises nothing. */
export const NO_STORE: Store = {
  survives: "nothing",
  async *replay() {},
  append: () => Promise.resolve(),
  readQueue: () => Promise.resolve([]),
};
