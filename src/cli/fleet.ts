/** Many clients in one process: started at a pace that a broker can bear, counted, and ended together. */
import { type Client, type ClientError, type ClientListener, isFinal, type ReconnectPolicy } from "../client/index.ts";
import { OutputPool } from "../protocol/index.ts";
import type { Connector } from "../transport/index.ts";
import { failureOf } from "./client-failure.ts";
import { adviceOf } from "./failure-advice.ts";
import { Histogram } from "./histogram.ts";
import type { ConnectionArguments } from "./options/connection-options.ts";
import type { Output } from "./output.ts";
import type { ToolOutput } from "./tool.ts";
import { toolClient } from "./tool-client.ts";

/** What all clients of a fleet have in common. */
export interface FleetOptions {
  readonly connector: Connector;
  readonly out: Output;
  /** The connecting is spread over so many milliseconds; 0: as fast as it goes. */
  readonly rampUpMs: number;
  /** Whether a client that cannot connect at first tries again; after that all do. */
  readonly retriesFirst: boolean;
}

type MemberArguments = ConnectionArguments & { readonly debug: boolean };

/** Handshakes under way at once: a broker has a backlog of some hundred. */
const MOST_CONNECTING = 100;

/** How often those whose time to connect has come are looked for, in milliseconds. */
const PACE_MS = 10;

const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [1000, 30_000];

/** Comes again after a wait that doubles, by chance, unless the broker would say the same again. */
const comeAgain: ReconnectPolicy = (error, failures) => {
  if (isFinal(error)) return null;
  const upper = Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** Math.min(failures, 10));
  return upper * (0.5 + Math.random() / 2);
};

/** The clients. */
export class Fleet {
  /** How long connecting took, from the attempt to the CONNACK, in milliseconds. */
  readonly connecting: Histogram = new Histogram();
  /** Clients that are connected now. */
  connected = 0;
  /** Attempts that came to nothing. */
  failures = 0;
  /** Connections that were there and ended. */
  losses = 0;
  /** From the first attempt until all had connected or failed, in milliseconds; 0 before that. */
  startedMs = 0;
  readonly #options: FleetOptions;
  readonly #pool: OutputPool = new OutputPool();
  readonly #clients: Client[] = [];
  /** How many have begun to connect for the first time, and how many of these attempts are over. */
  #begun = 0;
  #settled = 0;
  #hasConnected = false;
  #isEnding = false;
  #firstError: ClientError | null = null;
  #ready: (error: ClientError | null) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #beganMs = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.length;
  }

  /** The first thing that went wrong. */
  get firstError(): ClientError | null {
    return this.#firstError;
  }

  /** Adds a client, before `start`. */
  add(args: MemberArguments, listener: ClientListener): Client {
    const { connector, out, retriesFirst } = this.#options;
    let attemptMs = 0;
    let hasSettled = false;
    let isConnected = false;
    const settle = (): void => {
      if (!hasSettled) this.#settle();
      hasSettled = true;
    };
    const timed: Connector = {
      address: connector.address,
      connect: (seeker) => {
        attemptMs = performance.now();
        return connector.connect(seeker);
      },
    };
    const client = toolClient(
      args,
      timed,
      out,
      comeAgain,
      {
        ...listener,
        connected: (connack) => {
          isConnected = this.#hasConnected = true;
          this.connected++;
          this.connecting.record(performance.now() - attemptMs);
          listener.connected?.(connack);
          settle();
        },
        disconnected: (error, willReconnect, delayMs) => {
          if (isConnected) this.connected--;
          if (error !== null && !this.#isEnding) this.#count(error, isConnected);
          isConnected = false;
          listener.disconnected?.(error, willReconnect, delayMs);
          settle();
        },
      },
      { pool: this.#pool, retriesFirst },
    );
    this.#clients.push(client);
    return client;
  }

  #count(error: ClientError, wasConnected: boolean): void {
    if (wasConnected) this.losses++;
    else this.failures++;
    this.#firstError ??= error;
  }

  /**
   * Connects all. Resolves when each has connected or failed: with null, or with the error when not even the first could connect,
   * and then nobody else tries.
   */
  start(): Promise<ClientError | null> {
    this.#beganMs = performance.now();
    return new Promise((resolve) => {
      this.#ready = (error) => {
        clearInterval(this.#timer);
        this.startedMs = performance.now() - this.#beganMs;
        resolve(error);
      };
      this.#timer = setInterval(() => this.#beginNext(), PACE_MS);
      this.#beginNext();
    });
  }

  /** Connects those whose time has come. */
  #beginNext(): void {
    const { rampUpMs } = this.#options;
    const { length } = this.#clients;
    const passed = rampUpMs === 0 ? 1 : (performance.now() - this.#beganMs) / rampUpMs;
    // Whoever comes first says whether anybody can.
    const most = this.#hasConnected ? Math.min(length, Math.floor(passed * (length - 1)) + 1) : 1;
    while (this.#begun < most && this.#begun - this.#settled < MOST_CONNECTING && !this.#isEnding) {
      this.#clients[this.#begun++]!.connect();
    }
  }

  #settle(): void {
    this.#settled++;
    if (!this.#hasConnected && !this.#isEnding) return this.#ready(this.#firstError);
    if (this.#settled === this.#clients.length) this.#ready(null);
    else if (this.#options.rampUpMs === 0) this.#beginNext();
  }

  /** Says goodbye for all; those that were not begun never are. */
  end(): void {
    this.#isEnding = true;
    clearInterval(this.#timer);
    for (const client of this.#clients.slice(0, this.#begun)) client.disconnect();
    this.#ready(null);
  }
}

/** Says why nobody could connect, and returns the exit code. */
export async function sayWhyNobodyConnects(
  error: ClientError,
  args: ConnectionArguments,
  { complain }: ToolOutput,
): Promise<number> {
  const { exitCode, lines } = failureOf(error, args.version);
  for (const line of [...lines, await adviceOf(error, args)]) complain(line);
  return exitCode === 0 ? 1 : exitCode;
}
