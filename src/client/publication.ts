/** One message that the application publishes: its `mid` at once, its outcome later. */
import { NO_PROPERTIES, type Properties, type Qos } from "../protocol/index.ts";
import type { OutgoingMessage } from "./message.ts";
import { Awaitable, Settled } from "./settled.ts";

/** Properties of a message that an application sets; MQTT 5.0 only. */
export type PublishProperties = Readonly<
  Pick<
    Properties,
    | "payloadFormatIndicator"
    | "messageExpirySeconds"
    | "contentType"
    | "responseTopic"
    | "correlationData"
    | "userProperties"
  >
>;

/** A message that arrived where it was to arrive. */
export interface Published {
  readonly mid: number;
  /** Of the PUBACK or PUBCOMP: 0, or 0x10 when nobody has subscribed to the topic. 0 at QoS 0 and before 5.0. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/**
 * What `publish` returns. It can be awaited: at QoS 0 until the bytes were handed to the operating system, at QoS 1 until the
 * PUBACK, at QoS 2 until the PUBCOMP. Whoever does not await it hears of a failure by the event `undelivered`.
 */
export interface Publication extends Promise<Published> {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Its number in this client, 1..65,535; the packet identifier at QoS 1 and 2. 0 when it was not taken at all. */
  readonly mid: number;
  /** What became of it. */
  readonly outcome: Promise<Published>;
  /** Whether its outcome is known. */
  readonly isSettled: boolean;
  /** Why it did not arrive, once that is known. */
  readonly error: Error | null;
  /**
   * Resolves when the client has taken the message into its queue or sent it. With the policy "wait" that takes until the queue has
   * room: whoever awaits this is slowed down to what the server takes.
   */
  readonly accepted: Promise<void>;
  /** Resolves when the durable store has the message, so that it outlives the process; at once when there is no store or QoS 0. */
  readonly stored: Promise<void>;
}

/** A Publication as the client sees it. */
export class PendingPublication extends Awaitable<Published> implements Publication, OutgoingMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Set when the message gets its number. */
  mid = 0;
  readonly #outcome: Settled<Published> = new Settled();
  #accepted: Settled<void> | null = null;
  #stored: Settled<void> | null = null;
  #isAccepted = false;
  #isStored = false;
  /** Runs when the outcome is known. */
  onSettled: (() => void) | null = null;

  constructor(topicName: string, payload: Uint8Array, qos: Qos, retain: boolean, properties: Properties | undefined) {
    super();
    this.topicName = topicName;
    this.payload = payload;
    this.qos = qos;
    this.retain = retain;
    this.properties = properties ?? NO_PROPERTIES;
  }

  get outcome(): Promise<Published> {
    return this.#outcome.promise;
  }

  get isSettled(): boolean {
    return this.#outcome.isSettled;
  }

  get error(): Error | null {
    return this.#outcome.error;
  }

  get accepted(): Promise<void> {
    this.#accepted ??= this.#moment(this.#isAccepted);
    return this.#accepted.promise;
  }

  get stored(): Promise<void> {
    this.#stored ??= this.#moment(this.#isStored);
    return this.#stored.promise;
  }

  /** A moment on the way to the outcome, which may be over. */
  #moment(isOver: boolean): Settled<void> {
    const moment = new Settled<void>();
    if (this.error !== null) moment.reject(this.error);
    else if (isOver || this.isSettled) moment.resolve();
    return moment;
  }

  /** The message is in the queue or on its way. */
  accept(): void {
    this.#isAccepted = true;
    this.#accepted?.resolve();
  }

  /** The durable store has it. */
  store(): void {
    this.#isStored = true;
    this.#stored?.resolve();
  }

  /** It arrived. Returns false when its outcome was known already. */
  resolve(reasonCode: number, properties: Properties): boolean {
    if (!this.#outcome.resolve({ mid: this.mid, reasonCode, properties })) return false;
    this.#accepted?.resolve();
    this.#stored?.resolve();
    this.onSettled?.();
    return true;
  }

  /** It did not, or nobody knows. Returns false when its outcome was known already. */
  reject(error: Error): boolean {
    if (!this.#outcome.reject(error)) return false;
    this.#accepted?.reject(error);
    this.#stored?.reject(error);
    this.onSettled?.();
    return true;
  }
}
