/** Requests and their responses [5.0 §4.10]: who waits for which response, by correlation data or by topic. */
import { encodeUtf8, type Version } from "../protocol/index.ts";
import { Patience } from "../transport/browser.ts";
import { payloadBytes, text } from "./arguments.ts";
import type { ConnectInfo } from "./client-events.ts";
import type { ClientError } from "./errors.ts";
import { ArgumentError, RequestError } from "./errors.ts";
import { checkNames } from "./known-names.ts";
import type { PublishOptions } from "./options.ts";
import type { Publication } from "./publication.ts";
import { abortError } from "./publications.ts";
import { MOSQ_ERR } from "./rc.ts";
import type { ReceivedMessage } from "./received-message.ts";
import { Settled } from "./settled.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";

/** What requests need of their client. */
export interface RequestsHost {
  readonly version: Version;
  readonly isClosed: boolean;
  readonly connection: ConnectInfo | null;
  publish(topicName: string, payload: Uint8Array | string, options: PublishOptions): Publication;
  subscribe(topicFilter: string, options: SubscribeOptions): Subscription;
}

/** Options of a request. */
export interface RequestOptions extends PublishOptions {
  /** How long to wait for the response, in milliseconds; 30,000. */
  readonly timeoutMs?: number;
  /** Where the response is to come. Needed before 5.0, where the first message there is the response. */
  readonly responseTopic?: string;
}

const TIMEOUT_MS = 30_000;

/** One response topic, and who waits there. */
interface ResponseTopic {
  readonly subscription: Subscription;
  readonly waiting: Set<Waiter>;
}

interface Waiter {
  /** The correlation data as text; empty when the first message will do. */
  readonly correlation: string;
  readonly resolve: (message: ReceivedMessage) => void;
  readonly reject: (error: ClientError) => void;
}

/** All requests of a client. */
export class Requests {
  readonly #client: RequestsHost;
  readonly #pendingChanged: () => void;
  readonly #topics: Map<string, ResponseTopic> = new Map();
  /** So that two clients, and two processes of one, have their responses apart. */
  readonly #id: string = Math.random().toString(36).slice(2, 12);
  #count = 0;
  #pending = 0;

  constructor(client: RequestsHost, pendingChanged: () => void) {
    this.#client = client;
    this.#pendingChanged = pendingChanged;
  }

  get isPending(): boolean {
    return this.#pending > 0;
  }

  async request(topicName: string, payload: Uint8Array | string, options: RequestOptions): Promise<ReceivedMessage> {
    const client = this.#client;
    checkNames("request", options);
    const { timeoutMs = TIMEOUT_MS, responseTopic, signal, ...rest } = options;
    const isOld = client.version !== 5;
    if (isOld && responseTopic === undefined) {
      throw new ArgumentError("before MQTT 5.0 a request needs a responseTopic that the other side knows");
    }
    if (signal?.aborted) throw abortError(signal);
    text("the topic name", topicName);
    const bytes = payloadBytes("request", payload);
    const topic = responseTopic ?? this.#ownTopic();
    const correlation = isOld ? "" : `${this.#id}${++this.#count}`;
    const properties = { ...rest.properties, responseTopic: topic, correlationData: encodeUtf8(correlation) };
    this.#pending++;
    try {
      const { waiter, response } = this.#wait(topic, correlation, timeoutMs, signal);
      // Not before the SUBACK: the response may be faster.
      const publish = async (): Promise<void> => {
        await this.#topics.get(topic)?.subscription.granted;
        await client.publish(topicName, bytes, { ...rest, ...(!isOld && { properties }) });
      };
      publish().catch((error: ClientError) => waiter.reject(error));
      return await response;
    } finally {
      this.#pending--;
      this.#pendingChanged();
    }
  }

  /** A topic of this client, under the prefix that the server gives when it is asked for one. */
  #ownTopic(): string {
    const { responseInformation = "response" } = this.#client.connection?.properties ?? {};
    return `${responseInformation.replace(/\/$/, "")}/${this.#id}`;
  }

  #wait(topic: string, correlation: string, timeoutMs: number, signal: AbortSignal | undefined) {
    const { waiting } = this.#topicOf(topic);
    const response = new Settled<ReceivedMessage>();
    const stop = (): void => {
      patience.cancel();
      signal?.removeEventListener("abort", abort);
      waiting.delete(waiter);
      // A topic of the caller's may never be used again; our own one will.
      if (waiting.size === 0 && correlation === "") this.#forget(topic);
    };
    const waiter: Waiter = {
      correlation,
      resolve: (message) => {
        if (response.resolve(message)) stop();
      },
      reject: (error) => {
        if (response.reject(error)) stop();
      },
    };
    const abort = (): void => waiter.reject(abortError(signal!));
    const patience = new Patience(timeoutMs, () => waiter.reject(new RequestError(timedOut(timeoutMs))));
    signal?.addEventListener("abort", abort, { once: true });
    waiting.add(waiter);
    return { waiter, response: response.promise };
  }

  #topicOf(topic: string): ResponseTopic {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const onMessage = (message: ReceivedMessage): void => this.#received(topic, message);
    const subscription = this.#client.subscribe(topic, { qos: 1, onMessage });
    const created = { subscription, waiting: new Set<Waiter>() };
    this.#topics.set(topic, created);
    subscription.granted.catch((error: ClientError) => {
      this.#topics.delete(topic);
      for (const waiter of [...created.waiting]) waiter.reject(error);
    });
    return created;
  }

  #forget(topic: string): void {
    const { subscription } = this.#topics.get(topic) ?? {};
    this.#topics.delete(topic);
    if (subscription !== undefined && !this.#client.isClosed) void subscription.unsubscribe();
  }

  #received(topic: string, message: ReceivedMessage): void {
    const { correlationData } = message.properties;
    const correlation = correlationData === undefined ? "" : new TextDecoder().decode(correlationData);
    for (const waiter of [...(this.#topics.get(topic)?.waiting ?? [])]) {
      if (waiter.correlation === "" || waiter.correlation === correlation) return waiter.resolve(message);
    }
  }

  /** No response will come any more. */
  end(error: ClientError): void {
    for (const { waiting } of this.#topics.values()) for (const waiter of [...waiting]) waiter.reject(error);
    this.#topics.clear();
  }
}

function timedOut(timeoutMs: number) {
  return { code: "timed-out", rc: MOSQ_ERR.TIMEOUT, message: `no response came within ${timeoutMs / 1000} s` } as const;
}
