/** `lacewing sub`: subscribes and shows the messages that come, as mosquitto_sub does. */
import type { Client, ClientError, IncomingMessage } from "../client/index.ts";
import { ReasonCode, topicMatches } from "../protocol/index.ts";
import type { Connector } from "../transport/index.ts";
import { connectorOf } from "./broker-connector.ts";
import { failureOf } from "./client-failure.ts";
import { adviceOf, placeOf, reasonAdvice } from "./failure-advice.ts";
import { MessageView } from "./message-view.ts";
import { SUB_COMMAND, type SubscribeArguments, subscribeArgumentsOf } from "./options/subscribe-options.ts";
import type { ToolIo } from "./output.ts";
import { checkTopicArguments } from "./raw-arguments.ts";
import { runTool, type ToolOutput, withOutput } from "./tool.ts";
import { reconnectLikeMosquitto, TIMED_OUT, toolClient } from "./tool-client.ts";

const ENDING_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs `lacewing sub` and returns its exit code; SIGINT and SIGTERM end it. */
export function runSub(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(SUB_COMMAND, args, io, (parsed) => {
    checkTopicArguments(args);
    const wanted = subscribeArgumentsOf(parsed);
    let subscriber: Subscriber | null = null;
    const listener = {
      full: () => subscriber?.pause(),
      drained: () => subscriber?.resume(),
      broken: () => subscriber?.end(),
    };
    return withOutput(io, wanted.quiet, listener, async (output) => {
      subscriber = new Subscriber(wanted, await connectorOf(wanted, io), output);
      return subscriber.run();
    });
  });
}

/** One run: connects, subscribes, shows messages until somebody or something ends it. */
class Subscriber {
  readonly #args: SubscribeArguments;
  readonly #output: ToolOutput;
  readonly #client: Client;
  readonly #view: MessageView;
  #exitCode = 0;
  #messages = 0;
  /** In this second. */
  #rate = 0;
  /** Retained messages on their way out of the broker. */
  #removing = 0;
  #unanswered = 0;
  /** Whether no more messages are looked at. */
  #isDone = false;
  #finish: (exitCode: number) => void = () => {};

  constructor(args: SubscribeArguments, connector: Connector, output: ToolOutput) {
    this.#args = args;
    this.#output = output;
    this.#view = new MessageView(args, output, args.isWatch ? (args.unixPath ?? args.host) : null);
    this.#client = toolClient(args, connector, output.out, reconnectLikeMosquitto, {
      connected: () => this.#connected(),
      subscribed: (mid, reasonCodes) => this.#subscribed(mid, reasonCodes),
      unsubscribed: () => this.#answered(),
      published: () => this.#removed(),
      message: (message) => this.#message(message),
      disconnected: (error, willReconnect) => this.#disconnected(error, willReconnect),
    });
  }

  async run(): Promise<number> {
    const { timeoutSeconds, isRate } = this.#args;
    const timer = timeoutSeconds === null ? undefined : setTimeout(() => this.#timedOut(), timeoutSeconds * 1000);
    const second = isRate ? setInterval(() => this.#showRate(), 1000) : undefined;
    const interrupt = (): void => this.#interrupt();
    for (const signal of ENDING_SIGNALS) process.once(signal, interrupt);
    try {
      return await new Promise((resolve) => {
        this.#finish = resolve;
        this.#output.progress.start(() => `Connecting to ${placeOf(this.#args)} ...`);
        this.#client.connect();
      });
    } finally {
      clearTimeout(timer);
      clearInterval(second);
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
    this.#client.disconnect(reasonCode, this.#args.given.DISCONNECT);
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
    this.#output.progress.stop();
    const { topicFilters, unsubscribes, qos, version, retainAsPublished, retainHandling, given } = this.#args;
    const isFive = version === 5;
    this.#unanswered = unsubscribes.length;
    if (topicFilters.length > 0) {
      this.#unanswered++;
      this.#client.subscribe(
        topicFilters.map((topicFilter) => ({
          topicFilter,
          qos,
          noLocal: false,
          retainAsPublished: isFive && retainAsPublished,
          retainHandling: isFive ? retainHandling : 0,
        })),
        given.SUBSCRIBE,
      );
    }
    for (const topicFilter of unsubscribes) this.#client.unsubscribe([topicFilter], given.UNSUBSCRIBE);
  }

  #subscribed(mid: number, reasonCodes: readonly number[]): void {
    const { debug, quiet, endsSubscribed } = this.#args;
    if (debug && !quiet) this.#output.out.write(`Subscribed (mid: ${mid}): ${reasonCodes.join(", ")}\n`);
    const isDenied = reasonCodes.every((code) => code >= 0x80);
    this.#unanswered--;
    if (isDenied) void this.#denied(reasonCodes[0]!);
    else if (endsSubscribed) this.end();
  }

  async #denied(reasonCode: number): Promise<void> {
    this.#output.complain("All subscription requests were denied.");
    const advice = await reasonAdvice(reasonCode, "SUBACK", this.#args);
    if (advice !== null) this.#output.complain(advice);
    this.end();
  }

  #answered(): void {
    this.#unanswered--;
    const { endsSubscribed, topicFilters } = this.#args;
    if (endsSubscribed && topicFilters.length === 0 && this.#unanswered === 0) this.end();
  }

  #message(message: IncomingMessage): void {
    if (this.#isDone) return;
    const { retain, topicName } = message;
    const { retainedOnly, skipsRetained, removesRetained, hides, chance, isRate, count } = this.#args;
    if (retainedOnly && !retain) return this.#enough();
    if (hides.some((topicFilter) => topicMatches(topicFilter, topicName))) return;
    if (retain && removesRetained) this.#remove(topicName);
    if (retain && skipsRetained) return;
    this.#rate++;
    if (!isRate && (chance === 1 || Math.random() < chance)) this.#view.show(message);
    if (++this.#messages === count) this.#enough();
  }

  #remove(topicName: string): void {
    this.#removing++;
    this.#client.publish(topicName, "", { qos: 1, retain: true });
  }

  #removed(): void {
    this.#removing--;
    if (this.#isDone && this.#removing === 0) this.end();
  }

  #enough(): void {
    this.#isDone = true;
    if (this.#removing === 0) this.end();
  }

  #showRate(): void {
    this.#output.out.write(`${this.#rate}\n`);
    this.#rate = 0;
  }

  #disconnected(error: ClientError | null, willReconnect: boolean): void {
    if (willReconnect) {
      this.#output.progress.start(() => `The connection was lost; connecting to ${placeOf(this.#args)} again ...`);
      return;
    }
    this.#isDone = true;
    if (error === null) return this.#finish(this.#exitCode);
    void this.#fail(error);
  }

  async #fail(error: ClientError): Promise<void> {
    const { exitCode, lines } = failureOf(error, this.#args.version);
    const advice = await adviceOf(error, this.#args);
    if (error.code === "disconnected-by-server") {
      // mosquitto_sub says nothing and ends with 0.
      this.#output.complain(advice);
      return this.#finish(0);
    }
    // A refusal shows one line in mosquitto_sub, two in mosquitto_pub.
    const isRefused = error.code === "connection-refused";
    if (isRefused && this.#args.debug) this.#output.out.write(this.#goodbyeLine());
    for (const line of [...(isRefused ? lines.slice(0, 1) : lines), advice]) this.#output.complain(line);
    this.#finish(exitCode);
  }

  /** mosquitto_sub logs a DISCONNECT after a refusal, though none can leave. */
  #goodbyeLine(): string {
    return `Client ${this.#client.clientId === "" ? "(null)" : this.#client.clientId} sending DISCONNECT\n`;
  }
}
