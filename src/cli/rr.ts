/** `lacewing rr`: publishes a request and shows the response, as mosquitto_rr does. */
import { type Client, ClientError, type IncomingMessage, type Outcome } from "../client/index.ts";
import type { Text } from "../explain/index.ts";
import { ReasonCode, type ReasonPacket, reasonCodeName } from "../protocol/index.ts";
import type { Connector } from "../transport/index.ts";
import { connectorOf } from "./broker-connector.ts";
import { failureOf } from "./client-failure.ts";
import { adviceOf, placeOf, reasonAdvice } from "./failure-advice.ts";
import { MessageView } from "./message-view.ts";
import { payloadOf } from "./options/message-options.ts";
import { type RequestArguments, RR_COMMAND, requestArgumentsOf } from "./options/request-options.ts";
import type { ToolIo } from "./output.ts";
import { checkTopicArguments } from "./raw-arguments.ts";
import { runTool, type ToolOutput, withOutput } from "./tool.ts";
import { neverReconnect, TIMED_OUT, toolClient } from "./tool-client.ts";

/** Runs `lacewing rr` and returns its exit code. */
export function runRr(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(RR_COMMAND, args, io, (parsed) => {
    checkTopicArguments(args);
    const wanted = requestArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, async (output) => {
      const payload = await payloadOf(wanted.source, io.stdin);
      if (typeof payload === "string") {
        output.complain(payload);
        return 1;
      }
      return new Requester(wanted, await connectorOf(wanted, io), output, payload).run();
    });
  });
}

const NO_RESPONSE_TOPIC: Text = {
  en: "The broker does not let this client subscribe to the response topic.",
  zh: "服务器不允许这个客户端订阅应答主题。",
};

/** One run: connects, subscribes to the response, asks, and waits. */
class Requester {
  readonly #args: RequestArguments;
  readonly #output: ToolOutput;
  readonly #payload: Uint8Array;
  readonly #client: Client;
  readonly #view: MessageView;
  #askedMs = 0;
  #exitCode = 0;
  #isDone = false;
  #finish: (exitCode: number) => void = () => {};

  constructor(args: RequestArguments, connector: Connector, output: ToolOutput, payload: Uint8Array) {
    this.#args = args;
    this.#output = output;
    this.#payload = payload;
    this.#view = new MessageView(args, output);
    this.#client = toolClient(args, connector, output.out, neverReconnect, {
      connected: () => this.#connected(),
      subscribed: (_mid, [reasonCode]) => this.#subscribed(reasonCode!),
      published: (_mid, outcome) => this.#published(outcome),
      message: (message) => this.#message(message),
      disconnected: (error) => this.#disconnected(error),
    });
  }

  async run(): Promise<number> {
    const { timeoutSeconds } = this.#args;
    const timer = timeoutSeconds === null ? undefined : setTimeout(() => this.#timedOut(), timeoutSeconds * 1000);
    try {
      return await new Promise((resolve) => {
        this.#finish = resolve;
        this.#output.progress.start(() => this.#progressText());
        this.#client.connect();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #progressText(): string {
    if (!this.#client.isConnected) return `Connecting to ${placeOf(this.#args)} ...`;
    if (this.#askedMs === 0) return `Subscribing to ${this.#args.responseTopic} ...`;
    const seconds = Math.round((performance.now() - this.#askedMs) / 1000);
    return `Waiting for a response on ${this.#args.responseTopic}, ${seconds} s ...`;
  }

  #end(exitCode: number, reasonCode: ReasonCode = ReasonCode.NormalDisconnection): void {
    this.#isDone = true;
    this.#exitCode = exitCode;
    this.#client.disconnect(reasonCode, this.#args.given.DISCONNECT);
  }

  #timedOut(): void {
    this.#output.complain("Timed out");
    const isFive = this.#args.version === 5;
    this.#end(TIMED_OUT, isFive ? ReasonCode.DisconnectWithWill : ReasonCode.NormalDisconnection);
  }

  #connected(): void {
    const { responseTopic: topicFilter, qos, version, retainHandling, retainAsPublished, given } = this.#args;
    const isFive = version === 5;
    const options = {
      noLocal: false,
      retainAsPublished: isFive && retainAsPublished,
      retainHandling: isFive ? retainHandling : (0 as const),
    };
    this.#client.subscribe([{ topicFilter, qos, ...options }], given.SUBSCRIBE);
  }

  #subscribed(reasonCode: number): void {
    if (reasonCode < 0x80) return this.#ask();
    const name = reasonCodeName(reasonCode, "SUBACK");
    void this.#refused([name, NO_RESPONSE_TOPIC[this.#args.language]], reasonCode, "SUBACK");
  }

  /** Nothing will come any more. */
  async #refused(lines: readonly string[], reasonCode: number, packet: ReasonPacket): Promise<void> {
    const advice = await reasonAdvice(reasonCode, packet, this.#args);
    for (const line of [...lines, ...(advice === null ? [] : [advice])]) this.#output.complain(line);
    this.#end(reasonCode);
  }

  #ask(): void {
    const { topicName, qos, requestProperties: properties } = this.#args;
    this.#askedMs = performance.now();
    try {
      this.#client.publish(topicName, this.#payload, { qos, properties });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const { message } = error;
      const text = { en: `Error: The request was not sent: ${message}.`, zh: `错误：请求没有发出：${message}` };
      this.#output.complain(text[this.#args.language]);
      this.#end(error.rc);
    }
  }

  /** A request that was refused has no response. */
  #published({ reasonCode }: Outcome): void {
    if (reasonCode < 0x80 || this.#isDone) return;
    const packet = this.#args.qos === 1 ? "PUBACK" : "PUBREC";
    const line = `Error: The broker refused the request: ${reasonCodeName(reasonCode, packet)}.`;
    void this.#refused([line], reasonCode, packet);
  }

  #message(message: IncomingMessage): void {
    if (this.#isDone || (message.retain && this.#args.skipsRetained)) return;
    const tookMs = performance.now() - this.#askedMs;
    this.#view.show(message);
    const { showsLatency, json } = this.#args;
    if (showsLatency)
      this.#output.out.write(json ? `{"latencyMs":${tookMs.toFixed(3)}}\n` : `Latency: ${tookMs.toFixed(3)} ms\n`);
    this.#end(0);
  }

  #disconnected(error: ClientError | null): void {
    this.#isDone = true;
    if (error === null) return this.#finish(this.#exitCode);
    void this.#fail(error);
  }

  async #fail(error: ClientError): Promise<void> {
    const { exitCode, lines } = failureOf(error, this.#args.version);
    const advice = await adviceOf(error, this.#args);
    const isRefused = error.code === "connection-refused";
    for (const line of [...(isRefused ? lines.slice(0, 1) : lines), advice]) this.#output.complain(line);
    this.#finish(exitCode);
  }
}
