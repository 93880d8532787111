/**
 * What an application exchanges with the server: publications, subscriptions and requests, each part made when it is first needed, as
 * most of many thousand clients are silent; and whether reading goes on.
 */
import type { Client } from "./client.ts";
import type { ClientError } from "./errors.ts";
import type { Outcome, OutgoingMessage } from "./message.ts";
import { Publications, type PublicationsHost } from "./publications.ts";
import { Reading } from "./reading.ts";
import type { ReceivedMessage } from "./received-message.ts";
import { Requests, type RequestsHost } from "./requests.ts";
import { Subscriptions, type SubscriptionsHost } from "./subscriptions.ts";

/** What the parts see of their client. */
export type TrafficHost = PublicationsHost &
  Omit<SubscriptionsHost, "requested" | "flowChanged"> & {
    readonly requests: RequestsHost;
    /** Whether an answer to something else is awaited. */
    isAnswerAwaited(): boolean;
  };

/** The traffic of one client. */
export class Traffic {
  readonly #client: Client;
  readonly #hostOf: () => TrafficHost;
  #host: (TrafficHost & SubscriptionsHost) | null = null;
  #publications: Publications | null = null;
  #subscriptions: Subscriptions | null = null;
  #requests: Requests | null = null;
  readonly reading: Reading;

  /** @param hostOf asked once, when something is exchanged */
  constructor(client: Client, hostOf: () => TrafficHost) {
    this.#client = client;
    this.#hostOf = hostOf;
    this.reading = new Reading(client, () => this.#mustPause());
  }

  #ownHost(): TrafficHost & SubscriptionsHost {
    this.#host ??= {
      ...this.#hostOf(),
      requested: () => this.#client.requestFlush(),
      flowChanged: () => this.reading.changed(),
    };
    return this.#host;
  }

  get publications(): Publications {
    this.#publications ??= new Publications(this.#ownHost());
    return this.#publications;
  }

  get subscriptions(): Subscriptions {
    this.#subscriptions ??= new Subscriptions(this.#ownHost());
    return this.#subscriptions;
  }

  get requests(): Requests {
    this.#requests ??= new Requests(this.#ownHost().requests, () => this.reading.changed());
    return this.#requests;
  }

  /** Messages at QoS 0 that came and were dropped, as their consumer was too slow. */
  get droppedMessages(): number {
    return this.#subscriptions?.droppedMessages ?? 0;
  }

  /** Whether a consumer is so far behind that nothing more should be read. */
  get isFull(): boolean {
    return this.#subscriptions?.isFull ?? false;
  }

  /** To stop reading while somebody waits for an answer could mean to wait for ever. */
  #mustPause(): boolean {
    if (!this.isFull) return false;
    const isAsked = !this.publications.isIdle || this.subscriptions.pendingRequests > 0;
    return !isAsked && !(this.#requests?.isPending ?? false) && !this.#ownHost().isAnswerAwaited();
  }

  /** The server has let us in. */
  connected(isSessionPresent: boolean): void {
    this.#subscriptions?.connected(isSessionPresent);
    this.pump();
    this.reading.connected();
  }

  /** The network, or the queue, has room again. */
  pump(): void {
    this.#publications?.pump();
  }

  /** The Session says what became of a message. */
  settled(mid: number, outcome: Outcome, message: OutgoingMessage | null): void {
    this.#publications?.settled(mid, outcome, message);
  }

  /** Messages that came before anybody wanted them; they count as taken. */
  takeUnclaimed(): readonly ReceivedMessage[] {
    return this.#subscriptions?.takeUnclaimed() ?? [];
  }

  /** Nothing is exchanged any more: the client was ended, by `error` unless it was told to. */
  end(error: ClientError | null, closed: ClientError): void {
    this.#publications?.end(closed);
    this.#subscriptions?.end(error, closed);
    this.#requests?.end(closed);
  }
}
