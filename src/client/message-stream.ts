/**
 * Messages on their way to one consumer: an async iterator, or a callback that may return a promise. What the consumer has not
 * taken waits in a buffer with a bound; when that is full, whoever fills it is told to stop.
 */
import { Deque } from "../core/index.ts";
import { throwLater } from "./emitter.ts";
import type { ReceivedMessage } from "./received-message.ts";

/** How much may wait for a consumer before reading from the network stops. */
export interface StreamLimits {
  readonly maximumMessages: number;
  /** Of payload. */
  readonly maximumBytes: number;
}

/** Takes one message; the next one comes when the promise, if there is one, has resolved. */
export type MessageCallback = (message: ReceivedMessage) => unknown;

/** Whoever fills a stream. */
export interface StreamSource {
  /** The consumer is done with a message that was "held". */
  taken(message: ReceivedMessage): void;
  /** The buffer is full, or has room again. */
  full(stream: MessageStream, isFull: boolean): void;
  /** The consumer wants nothing more. */
  left(stream: MessageStream): void;
}

/** When reading cannot stop, a message is dropped for a consumer for whom so many times his bound waits. */
const DROP_FACTOR = 10;

/** What became of a message: the consumer is done with it, will be later, or there was no room for it. */
export type Pushed = "taken" | "held" | "dropped";

interface Waiter {
  readonly resolve: (result: IteratorResult<ReceivedMessage, undefined>) => void;
  readonly reject: (error: Error) => void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** The messages of one Subscription. */
export class MessageStream {
  readonly #limits: StreamLimits;
  readonly #callback: MessageCallback | null;
  readonly #source: StreamSource;
  readonly #buffer: Deque<ReceivedMessage> = new Deque();
  #bytes = 0;
  #isFull = false;
  /** What an iterator was given last, or a callback is at work on. */
  #current: ReceivedMessage | null = null;
  readonly #waiters: Deque<Waiter> = new Deque();
  #isClaimed: boolean;
  #isAbandoned = false;
  #end: { readonly error: Error | null } | null = null;
  #whenEnded: (() => void) | null = null;

  constructor(limits: StreamLimits, callback: MessageCallback | null, source: StreamSource) {
    this.#limits = limits;
    this.#callback = callback;
    this.#source = source;
    this.#isClaimed = callback !== null;
  }

  /** Whether somebody has begun to take messages. */
  get isClaimed(): boolean {
    return this.#isClaimed;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#buffer.size;
  }

  /** @param mayDrop whether the message may be lost when so much waits already that it must end */
  push(message: ReceivedMessage, mayDrop: boolean): Pushed {
    if (this.#end !== null || this.#isAbandoned) return "taken";
    if (this.#buffer.size === 0) {
      if (this.#callback !== null && this.#current === null) return this.#run(this.#callback, message);
      const waiter = this.#waiters.shift();
      if (waiter !== undefined) {
        this.#give(message, waiter);
        return "held";
      }
    }
    if (mayDrop && this.#exceeds(DROP_FACTOR)) return "dropped";
    // A copy: the chunk that it came in should not live as long as the consumer takes.
    message.payload = new Uint8Array(message.payload);
    this.#buffer.push(message);
    this.#bytes += message.payload.length;
    this.#checkFull();
    return "held";
  }

  #exceeds(times: number): boolean {
    const { maximumMessages, maximumBytes } = this.#limits;
    return this.#buffer.size >= times * maximumMessages || this.#bytes >= times * maximumBytes;
  }

  #checkFull(): void {
    // It has room again when half of it is free: stopping and starting for each message would be slow.
    const isFull = this.#isFull ? this.#exceeds(0.5) && this.#buffer.size > 0 : this.#exceeds(1);
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#source.full(this, isFull);
  }

  #give(message: ReceivedMessage, waiter: Waiter): void {
    this.#finishCurrent();
    this.#current = message;
    waiter.resolve({ done: false, value: message });
  }

  #finishCurrent(): void {
    const current = this.#current;
    this.#current = null;
    if (current !== null) this.#source.taken(current);
  }

  #shift(): ReceivedMessage | undefined {
    const message = this.#buffer.shift();
    if (message !== undefined) {
      this.#bytes -= message.payload.length;
      this.#checkFull();
    }
    return message;
  }

  #run(callback: MessageCallback, message: ReceivedMessage): Pushed {
    let result: unknown;
    try {
      result = callback(message);
    } catch (error) {
      throwLater(error);
    }
    if (!isPromise(result)) return "taken";
    this.#current = message;
    result.then(
      () => this.#goOn(callback),
      (error) => {
        throwLater(error);
        this.#goOn(callback);
      },
    );
    return "held";
  }

  /** The callback is done with a message; those that came meanwhile are next. */
  #goOn(callback: MessageCallback): void {
    this.#finishCurrent();
    for (let message = this.#shift(); message !== undefined; message = this.#shift()) {
      if (this.#run(callback, message) === "held") return;
      this.#source.taken(message);
    }
  }

  /** The next message for an iterator. */
  next(): Promise<IteratorResult<ReceivedMessage, undefined>> {
    this.#finishCurrent();
    const message = this.#shift();
    if (message !== undefined) {
      this.#current = message;
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#end === null) {
      return new Promise((resolve, reject) => {
        this.#waiters.push({ resolve, reject });
      });
    }
    return this.#end.error === null ? Promise.resolve(DONE) : Promise.reject(this.#end.error);
  }

  /** Somebody takes messages from now on. */
  iterate(): AsyncIterableIterator<ReceivedMessage, undefined> {
    this.#isClaimed = true;
    const iterator: AsyncIterableIterator<ReceivedMessage, undefined> = {
      next: () => this.next(),
      return: () => {
        this.#source.left(this);
        this.discard();
        return Promise.resolve(DONE);
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Nobody will take what is here: others got it too. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#drop();
  }

  /** Nothing more comes; what waits can still be taken. */
  end(error: Error | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#whenEnded?.();
    for (const { resolve, reject } of this.#waiters.drain()) {
      if (error === null) resolve(DONE);
      else reject(error);
    }
  }

  /** Calls once when nothing more will come: at once when that is so already. */
  whenEnded(run: () => void): void {
    if (this.#end !== null) run();
    else this.#whenEnded = run;
  }

  /** Ends, and counts what waits as taken. */
  discard(): void {
    this.end(null);
    this.#finishCurrent();
    this.#drop();
  }

  #drop(): void {
    for (let message = this.#shift(); message !== undefined; message = this.#shift()) this.#source.taken(message);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
