/** The messages that the application publishes: handed to the Session or waiting for room, taken back, and told their outcome. */
import { Deque } from "../core/index.ts";
import { reasonCodeName } from "../protocol/index.ts";
import { payloadBytes, text } from "./arguments.ts";
import type { Client } from "./client.ts";
import { ArgumentError, type ClientError, RequestError, refusalError } from "./errors.ts";
import { checkNames } from "./known-names.ts";
import type { Outcome, OutgoingMessage, Refusal } from "./message.ts";
import type { PublishOptions, QueuePolicy } from "./options.ts";
import { PendingPublication, type Publication } from "./publication.ts";
import { MOSQ_ERR } from "./rc.ts";
import type { StoreJournal } from "./store-journal.ts";

/** What publications need of their client. */
export interface PublicationsHost {
  readonly client: Client;
  readonly journal: StoreJournal | null;
  readonly policy: QueuePolicy;
  /** Whether properties are left out, as the server turned out to be older. */
  isFallenBack(): boolean;
  /** Why nothing can be published any more, or null. */
  closedError(): ClientError | null;
  /** A message will not arrive, or nobody knows whether it did. */
  undelivered(publication: Publication, error: ClientError): void;
}

/** All publications of a client. */
export class Publications {
  readonly #host: PublicationsHost;
  /** Those at QoS 2: after the PUBREC only the number of a message is left. */
  readonly #byMid: Map<number, PendingPublication> = new Map();
  /** Those for which the queue has no room. */
  readonly #waiting: Deque<PendingPublication> = new Deque();
  readonly #open: Set<PendingPublication> = new Set();
  #idle: (() => void)[] = [];

  constructor(host: PublicationsHost) {
    this.#host = host;
  }

  /** Whether no outcome is missing, that of messages from an earlier process included. */
  get isIdle(): boolean {
    return this.#open.size === 0 && this.#host.client.session.unacknowledgedMessages === 0;
  }

  /** Calls `then` once when `isIdle`. */
  whenIdle(then: () => void): void {
    if (this.isIdle) then();
    else this.#idle.push(then);
  }

  /** @throws ArgumentError for a field that is not allowed */
  publish(topicName: string, payload: Uint8Array | string, options: PublishOptions): Publication {
    const { qos = 0, retain = false, properties, signal } = options;
    checkNames("publish", options);
    if (properties !== undefined) checkNames("publishProperty", properties);
    text("the topic name", topicName);
    const bytes = payloadBytes("publish", payload);
    const kept = properties !== undefined && this.#host.isFallenBack() ? undefined : properties;
    const publication = new PendingPublication(topicName, bytes, qos, retain, kept);
    const closedError = this.#host.closedError();
    if (closedError !== null) return this.#fail(publication, closedError);
    if (signal?.aborted) return this.#fail(publication, abortError(signal));
    this.#open.add(publication);
    if (this.#waiting.size > 0) this.#wait(publication);
    else this.#handOver(publication);
    if (signal !== undefined && !publication.isSettled) this.#obey(signal, publication);
    return publication;
  }

  #handOver(publication: PendingPublication): void {
    const { client, policy } = this.#host;
    if (policy === "wait") publication.mid = client.session.reserve();
    let result: number | Refusal;
    try {
      result = client.session.publish(publication, publication.mid);
    } catch (error) {
      this.#open.delete(publication);
      client.session.release(publication.mid);
      throw argumentError(error);
    }
    if (typeof result === "number") return this.#handedOver(publication, result);
    if (result === "queue-full" && policy === "wait") this.#wait(publication);
    else this.#withdrawn(publication, refusalError(result));
  }

  #handedOver(publication: PendingPublication, mid: number): void {
    const { client, journal } = this.#host;
    publication.mid = mid;
    publication.accept();
    if (publication.qos === 2) this.#byMid.set(mid, publication);
    if (journal === null || publication.qos === 0) publication.store();
    else journal.whenKept(() => publication.store());
    client.requestFlush();
  }

  #wait(publication: PendingPublication): void {
    const mid = publication.mid === 0 ? this.#host.client.session.reserve() : publication.mid;
    if (mid === 0) {
      this.#fail(publication, refusalError("no-packet-identifier"));
      return;
    }
    publication.mid = mid;
    this.#waiting.push(publication);
  }

  /** The queue may have room again. */
  pump(): void {
    const { session } = this.#host.client;
    for (let first = this.#waiting.peek(); first !== undefined; first = this.#waiting.peek()) {
      if (!first.isSettled) {
        const result = session.publish(first, first.mid);
        if (result === "queue-full") break;
        if (typeof result === "number") this.#handedOver(first, result);
        else this.#withdrawn(first, refusalError(result));
      }
      this.#waiting.shift();
    }
  }

  #withdrawn(publication: PendingPublication, error: ClientError): void {
    this.#host.client.session.release(publication.mid);
    publication.mid = 0;
    this.#fail(publication, error);
  }

  #fail(publication: PendingPublication, error: ClientError): PendingPublication {
    this.#open.delete(publication);
    if (publication.reject(error)) this.#host.undelivered(publication, error);
    this.#checkIdle();
    return publication;
  }

  #obey(signal: AbortSignal, publication: PendingPublication): void {
    const abort = (): void => {
      const { session } = this.#host.client;
      if (!session.withdraw(publication.mid)) session.release(publication.mid);
      this.#fail(publication, abortError(signal));
    };
    signal.addEventListener("abort", abort, { once: true });
    publication.onSettled = () => signal.removeEventListener("abort", abort);
  }

  /** The Session says what became of a message. Returns its publication when this process made it. */
  settled(mid: number, outcome: Outcome, message: OutgoingMessage | null): Publication | null {
    const known = message instanceof PendingPublication ? message : this.#byMid.get(mid);
    if (known !== undefined) {
      if (known.qos === 2) this.#byMid.delete(mid);
      this.#open.delete(known);
      const error = failureOf(outcome);
      if (error === null) known.resolve(outcome.reasonCode, outcome.properties);
      else if (known.reject(error)) this.#host.undelivered(known, error);
    }
    if (this.#waiting.size > 0) this.pump();
    this.#checkIdle();
    return known ?? null;
  }

  #checkIdle(): void {
    if (this.#idle.length === 0 || !this.isIdle) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const then of idle) then();
  }

  /** Nothing more goes out. */
  end(error: ClientError): void {
    this.#waiting.drain();
    for (const publication of [...this.#open]) this.#fail(publication, error);
    this.#byMid.clear();
  }
}

function failureOf({ refusal, reasonCode, properties }: Outcome): RequestError | null {
  if (refusal !== null) return refusalError(refusal);
  if (reasonCode < 0x80) return null;
  const said = properties.reasonString === undefined ? "" : `: ${properties.reasonString}`;
  const message = `the server refused the message: ${reasonName(reasonCode)}${said}`;
  return new RequestError({ code: "publish-refused", rc: reasonCode, reasonCode, message });
}

function reasonName(reasonCode: number): string {
  const name = reasonCodeName(reasonCode, "PUBREC");
  return name.startsWith("0x") ? reasonCodeName(reasonCode) : name;
}

/** The error of something that a signal has ended. */
export function abortError(signal: AbortSignal): RequestError {
  const cause: unknown = signal.reason;
  return new RequestError({ code: "aborted", rc: MOSQ_ERR.UNKNOWN, message: "it was aborted", cause });
}

/** What the protocol library threw, as an error with a code and a number. */
export function argumentError(error: unknown): ArgumentError {
  return new ArgumentError(error instanceof Error ? error.message : String(error), error);
}
