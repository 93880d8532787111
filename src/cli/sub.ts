/** `lacewing sub`: subscribes and shows the messages that come, as mosquitto_sub does. */
import type { Client, ClientError, IncomingMessage } from "../client/index.ts";
import { NO_PROPERTIES, ReasonCode, topicMatches } from "../protocol/index.ts";
import { failureOf } from "./client-failure.ts";
import { SUB_COMMAND, type SubscribeArguments, subscribeArgumentsOf } from "./options/subscribe-options.ts";
import type { ToolIo } from "./output.ts";
import { reconnectLikeMosquitto, runTool, type ToolOutput, toolClient, withOutput } from "./tool.ts";

/** Exit code when the time of -W is over: MOSQ_ERR_TIMEOUT. */
const TIMED_OUT = 27;

const ENDING_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs `lacewing sub` and returns its exit code; SIGINT and SIGTERM end it. */
export function runSub(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(SUB_COMMAND, args, io, (parsed) => {
    const wanted = subscribeArgumentsOf(parsed);
    let subscriber: Subscriber | null = null;
    const listener = {
      full: () => subscriber?.pause(),
      drained: () => subscriber?.resume(),
      broken: () => subscriber?.end(),
    };
    return withOutput(io, wanted.quiet, listener, (output) => {
      subscriber = new Subscriber(wanted, output);
      return subscriber.run();
    });
  });
}

/** One run: connects, subscribes, shows messages until somebody or something ends it. */
class Subscriber {
  readonly #args: SubscribeArguments;
  readonly #output: ToolOutput;
  readonly #client: Client;
  #exitCode = 0;
  #messages = 0;
  #isOver = false;
  #finish: (exitCode: number) => void = () => {};

  constructor(args: SubscribeArguments, output: ToolOutput) {
    this.#args = args;
    this.#output = output;
    this.#client = toolClient(args, output.out, reconnectLikeMosquitto, {
      connected: () => this.#connected(),
      subscribed: (mid, reasonCodes) => this.#subscribed(mid, reasonCodes),
      message: (message) => this.#message(message),
      disconnected: (error, willReconnect) => this.#disconnected(error, willReconnect),
    });
  }

  async run(): Promise<number> {
    const { timeoutSeconds } = this.#args;
    const timer = timeoutSeconds === null ? undefined : setTimeout(() => this.#timedOut(), timeoutSeconds * 1000);
    const interrupt = (): void => this.#interrupt();
    for (const signal of ENDING_SIGNALS) process.once(signal, interrupt);
    try {
      return await new Promise((resolve) => {
        this.#finish = resolve;
        this.#client.connect();
      });
    } finally {
      clearTimeout(timer);
      for (const signal of ENDING_SIGNALS) process.off(signal, interrupt);
    }
  }

  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    this.#client.resume();
  }

  /** Says goodbye. */
  end(reasonCode: ReasonCode = ReasonCode.NormalDisconnection): void {
    this.#client.disconnect(reasonCode, NO_PROPERTIES);
  }

  /** Ends as mosquitto_sub does on a signal: a will of ours goes out, where the version can say so. */
  #interrupt(): void {
    const { version } = this.#args;
    this.end(version === 5 ? ReasonCode.DisconnectWithWill : ReasonCode.NormalDisconnection);
  }

  #timedOut(): void {
    this.#exitCode = TIMED_OUT;
    this.#interrupt();
    this.#output.complain("Timed out");
  }

  #connected(): void {
    const { topicFilters, unsubscribes, qos, version, skipsRetained } = this.#args;
    // In 5.0 what would not be shown need not be sent.
    const retainHandling = skipsRetained && version === 5 ? 2 : 0;
    if (topicFilters.length > 0) {
      this.#client.subscribe(
        topicFilters.map((topicFilter) => ({
          topicFilter,
          qos,
          noLocal: false,
          retainAsPublished: false,
          retainHandling,
        })),
      );
    }
    for (const topicFilter of unsubscribes) this.#client.unsubscribe([topicFilter]);
  }

  #subscribed(mid: number, reasonCodes: readonly number[]): void {
    const { debug, endsSubscribed } = this.#args;
    if (debug) this.#output.out.write(`Subscribed (mid: ${mid}): ${reasonCodes.join(", ")}\n`);
    const isDenied = reasonCodes.every((code) => code >= 0x80);
    if (isDenied || endsSubscribed) this.end();
    if (isDenied) this.#output.complain("All subscription requests were denied.");
  }

  #message(message: IncomingMessage): void {
    if (this.#isOver || !this.#isWanted(message)) return;
    this.#show(message);
    this.#messages++;
    if (this.#messages === this.#args.count) this.end();
  }

  #isWanted({ retain, topicName }: IncomingMessage): boolean {
    const { skipsRetained, hides } = this.#args;
    if (retain && skipsRetained) return false;
    return !hides.some((topicFilter) => topicMatches(topicFilter, topicName));
  }

  #show({ topicName, payload }: IncomingMessage): void {
    const { verbose, noNewline } = this.#args;
    const { out } = this.#output;
    const isEmpty = payload.length === 0;
    // As mosquitto_sub: an empty message is nothing, or (null) beside its topic.
    if (isEmpty && !verbose) return;
    if (verbose) out.write(`${topicName} `);
    out.write(isEmpty ? "(null)" : payload);
    if (!noNewline) out.write("\n");
  }

  #disconnected(error: ClientError | null, willReconnect: boolean): void {
    if (willReconnect) return;
    this.#isOver = true;
    if (error === null) return this.#finish(this.#exitCode);
    const { exitCode, lines } = failureOf(error, this.#args);
    if (error.code === "disconnected-by-server") {
      // mosquitto_sub says nothing and ends with 0.
      this.#output.complain(lines.at(-1)!);
      return this.#finish(0);
    }
    // A refusal shows one line in mosquitto_sub, two in mosquitto_pub.
    const isRefused = error.code === "connection-refused";
    if (isRefused && this.#args.debug) this.#output.out.write(this.#goodbyeLine());
    for (const line of isRefused ? lines.slice(0, 1) : lines) this.#output.complain(line);
    this.#finish(exitCode);
  }

  /** mosquitto_sub logs a DISCONNECT after a refusal, though none can leave. */
  #goodbyeLine(): string {
    return `Client ${this.#client.clientId === "" ? "(null)" : this.#client.clientId} sending DISCONNECT\n`;
  }
}
