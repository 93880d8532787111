// A broker in this process with listeners of any kind, its log, and what its authenticator was told.
import type { EventEmitter } from "node:events";
import type { TestContext } from "node:test";
import {
  ANONYMOUS,
  type Applicant,
  type Authenticator,
  type BrokerOptions,
  DEFAULT_ENTRANCE,
  DEFAULT_OPTIONS,
  type Entrance,
  ManualClock,
  NO_STORE,
} from "../../src/core/index.ts";
import { BrokerLog, type BrokerLogType, Log } from "../../src/observe/index.ts";
import { EventLoop } from "../../src/server/event-loop.ts";
import { type Listener, type ListenerOptions, prepareListener } from "../../src/transport/index.ts";

/** How long a line of the log may take to come. */
const LIMIT_MS = 10_000;

/** What of a listener a test sets; it is on a free port of the loopback unless it says otherwise. */
export type RigListener = Partial<ListenerOptions>;

/** One broker. */
export class ListenerRig {
  readonly loop: EventLoop;
  readonly applicants: Applicant[] = [];
  readonly acceptErrors: Error[] = [];
  readonly #listeners: Listener[] = [];
  #log = "";
  #onLog: () => void = () => {};

  constructor(context: TestContext, options: Partial<BrokerOptions> = {}) {
    const types = ["error", "warning", "notice", "information"] as const;
    const log = new Log<BrokerLogType>({ types, timestamp: false }, (text) => {
      this.#log += text;
      this.#onLog();
    });
    const observer = new BrokerLog(log, new ManualClock(), { connectionMessages: true });
    this.loop = new EventLoop({ options: { ...DEFAULT_OPTIONS, ...options }, store: NO_STORE, observer });
    context.after(async () => {
      const closed = this.#listeners.map((listener) => listener.close());
      await this.loop.broker.shutdown();
      await Promise.all(closed);
      this.loop.stop();
    });
  }

  get log(): string {
    return this.#log;
  }

  async listen(options: RigListener, entrance: Entrance = DEFAULT_ENTRANCE): Promise<Listener> {
    const authenticator: Authenticator = {
      authenticate: (applicant) => {
        this.applicants.push(applicant);
        return ANONYMOUS.authenticate(applicant);
      },
    };
    const prepared = await prepareListener(
      { target: { kind: "network", host: "127.0.0.1", port: 0 }, ...options },
      { broker: this.loop.broker, authenticator, entrance, onAcceptError: (error) => this.acceptErrors.push(error) },
    );
    const listener = await prepared.open();
    this.#listeners.push(listener);
    return listener;
  }

  /** Waits until the log has what `pattern` looks for. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const found = pattern.exec(this.#log);
      if (found !== null) return found;
      if (deadline.aborted) throw new Error(`the log never had ${pattern}:\n${this.#log}`);
      await new Promise<void>((resolve) => {
        this.#onLog = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Forgets the log up to now. */
  clearLog(): void {
    this.#log = "";
  }
}

/** Waits until `socket` has closed, by whatever end. */
export function untilClosed(socket: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => {}).once("close", () => resolve());
  });
}
