/** What publishers sent and were told, and what subscribers got, so that the broker can be judged by counting. */
import assert from "node:assert/strict";
import type { Qos } from "../../src/protocol/index.ts";

/** One message on its way from its publisher's point of view. Moments are steps of the world. */
export interface SentMessage {
  readonly publisher: string;
  /** Place among the messages of its publisher. */
  readonly number: number;
  readonly topicName: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly sentAt: number;
  /** When PUBACK or PUBREC came; Infinity: not yet. */
  acknowledgedAt: number;
  /** Whether that was a refusal. */
  isRefused: boolean;
}

/** All messages of a world. */
export class MessageLedger {
  readonly #sent: Map<string, SentMessage> = new Map();

  send(publisher: string, topicName: string, qos: Qos, retain: boolean, sentAt: number): SentMessage {
    const number = this.#sent.size;
    const payload = `${publisher}-${number}`;
    const message = {
      publisher,
      number,
      topicName,
      payload,
      qos,
      retain,
      sentAt,
      acknowledgedAt: Number.POSITIVE_INFINITY,
      isRefused: false,
    };
    this.#sent.set(payload, message);
    return message;
  }

  get(payload: string): SentMessage {
    const message = this.#sent.get(payload);
    assert.ok(message !== undefined, `nobody sent ${payload}`);
    return message;
  }

  /** Messages that the broker has taken over. */
  acknowledged(isWanted: (message: SentMessage) => boolean): SentMessage[] {
    return [...this.#sent.values()].filter(
      (message) => !message.isRefused && message.acknowledgedAt !== Number.POSITIVE_INFINITY && isWanted(message),
    );
  }

  refused(isWanted: (message: SentMessage) => boolean): SentMessage[] {
    return [...this.#sent.values()].filter((message) => message.isRefused && isWanted(message));
  }
}

/** Messages got, in order, each as often as it came. */
export class Received {
  readonly #counts: Map<string, number> = new Map();
  readonly inOrder: string[] = [];

  add(payload: string): void {
    this.#counts.set(payload, this.count(payload) + 1);
    this.inOrder.push(payload);
  }

  count(payload: string): number {
    return this.#counts.get(payload) ?? 0;
  }
}

/** Fails unless everything of `expected` came to one of `receivers`, once in all where it was sent and subscribed to at QoS 2. */
export function assertAllCame(
  expected: readonly SentMessage[],
  subscribedQos: Qos,
  receivers: readonly Received[],
): void {
  for (const { payload, qos } of expected) {
    const count = receivers.reduce((sum, received) => sum + received.count(payload), 0);
    if (Math.min(qos, subscribedQos) === 2) assert.equal(count, 1, `${payload} came ${count} times at QoS 2`);
    else if (Math.min(qos, subscribedQos) === 1) assert.ok(count > 0, `${payload} was acknowledged and never came`);
  }
}

/** Fails unless the messages of each publisher, topic and QoS came in the order in which they were sent; repetitions do not count. */
export function assertOrder(
  ledger: MessageLedger,
  received: Received,
  isWanted: (message: SentMessage) => boolean,
): void {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const payload of received.inOrder) {
    if (seen.has(payload) || !isWanted(ledger.get(payload))) continue;
    seen.add(payload);
    const { publisher, topicName, qos, number } = ledger.get(payload);
    const stream = `${publisher} ${topicName} ${qos}`;
    assert.ok(number > (last.get(stream) ?? -1), `${payload} came after ${last.get(stream)} of the same stream`);
    last.set(stream, number);
  }
}
