/** `lacewing pub`: publishes from the command line, a file or standard input, as mosquitto_pub does. */
import type { Readable } from "node:stream";
import { type Client, ClientError, type Outcome } from "../client/index.ts";
import { ReasonCode, type ReasonPacket, reasonCodeName } from "../protocol/index.ts";
import type { Connector } from "../transport/index.ts";
import { connectorOf } from "./broker-connector.ts";
import { failureOf } from "./client-failure.ts";
import { adviceOf, placeOf, reasonAdvice } from "./failure-advice.ts";
import { linesOf } from "./lines.ts";
import { payloadOf } from "./options/message-options.ts";
import { PUB_COMMAND, type PublishArguments, publishArgumentsOf } from "./options/publish-options.ts";
import type { ToolIo } from "./output.ts";
import { checkTopicArguments } from "./raw-arguments.ts";
import { runTool, type ToolOutput, withOutput } from "./tool.ts";
import { neverReconnect, reconnectLikeMosquitto, toolClient } from "./tool-client.ts";

/** Messages of -l under way from which on no more lines are read. */
const MOST_UNDER_WAY = 1000;

/** Runs `lacewing pub` and returns its exit code. */
export function runPub(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(PUB_COMMAND, args, io, (parsed) => {
    checkTopicArguments(args);
    const wanted = publishArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, async (output) => {
      const payload = wanted.source.from === "lines" ? null : await payloadOf(wanted.source, io.stdin);
      if (typeof payload === "string") {
        output.complain(payload);
        return 1;
      }
      return new Publisher(wanted, await connectorOf(wanted, io), output, payload, io.stdin).run();
    });
  });
}

/** One run: connects, publishes what there is to publish, and says goodbye. */
class Publisher {
  readonly #args: PublishArguments;
  readonly #output: ToolOutput;
  /** null: the lines of standard input. */
  readonly #payload: Uint8Array | null;
  readonly #stdin: Readable;
  readonly #client: Client;
  #left: number;
  #underWay = 0;
  #done = 0;
  #beganMs = 0;
  #exitCode = 0;
  #isAtEnd = false;
  #isOver = false;
  #isReading = false;
  #resumeReading: (() => void) | null = null;
  /** Codes that have been explained, or soon will be. */
  readonly #explained: Map<number, Promise<void>> = new Map();
  #finish: (exitCode: number) => void = () => {};

  constructor(
    args: PublishArguments,
    connector: Connector,
    output: ToolOutput,
    payload: Uint8Array | null,
    stdin: Readable,
  ) {
    this.#args = args;
    this.#output = output;
    this.#payload = payload;
    this.#stdin = stdin;
    this.#left = args.repeat;
    // One message is sent or is not; a stream of lines goes on after the network has come back.
    this.#client = toolClient(args, connector, output.out, payload === null ? reconnectLikeMosquitto : neverReconnect, {
      connected: () => this.#connected(),
      published: (mid, outcome) => this.#published(mid, outcome),
      drained: () => this.#resumeReading?.(),
      disconnected: (error, willReconnect) => this.#disconnected(error, willReconnect),
    });
  }

  run(): Promise<number> {
    return new Promise((resolve) => {
      this.#finish = resolve;
      // Where each packet is shown, nobody needs more.
      if (!this.#args.debug) this.#output.progress.start(() => this.#progressText());
      this.#beganMs = performance.now();
      this.#client.connect();
    });
  }

  #progressText(): string {
    const done = this.#done.toLocaleString("en");
    const published = this.#payload === null ? done : `${done} of ${this.#args.repeat.toLocaleString("en")}`;
    if (!this.#client.isConnected) return `${published} published; connecting to ${placeOf(this.#args)} ...`;
    const rate = Math.round(this.#done / ((performance.now() - this.#beganMs) / 1000));
    return `${published} published, ${rate.toLocaleString("en")} a second; ${this.#underWay} under way`;
  }

  #connected(): void {
    if (this.#payload !== null) this.#publishNext(this.#payload);
    else if (this.#isReading) this.#resumeReading?.();
    else void this.#publishLines();
  }

  #goodbye(): void {
    this.#client.disconnect(ReasonCode.NormalDisconnection, this.#args.given.DISCONNECT);
  }

  #publishNext(payload: Uint8Array): void {
    this.#left--;
    this.#isAtEnd = this.#left === 0;
    if (!this.#publish(payload)) this.#goodbye();
  }

  /** Publishes; false when the message cannot be taken. */
  #publish(payload: Uint8Array): boolean {
    const { topicName, qos, retain, given } = this.#args;
    const properties = given.PUBLISH;
    try {
      this.#client.publish(topicName, payload, { qos, retain, properties });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.code !== "retain-not-supported") return this.#refused(error);
      if (this.#args.isStrict) return this.#refused(error);
      this.#output.complain("Warning: The broker keeps no retained messages; publishing without retain.");
      this.#client.publish(topicName, payload, { qos, properties });
    }
    this.#underWay++;
    return true;
  }

  #refused(error: ClientError): false {
    const text = REFUSAL_TEXTS[error.code] ?? error.message;
    this.#output.complain(`Error: ${text}`);
    // mosquitto_pub ends with 0 when its one message was refused.
    if (this.#payload === null || this.#args.isStrict) this.#exitCode = error.rc;
    return false;
  }

  #published(mid: number, { reasonCode, refusal }: Outcome): void {
    this.#underWay--;
    this.#done++;
    if (this.#args.isStrict) this.#judge(reasonCode);
    if (refusal !== null) {
      this.#output.complain(`Warning: Publish ${mid} failed: ${refusal}.`);
    } else if (reasonCode >= 0x80) {
      this.#output.complain(`Warning: Publish ${mid} failed: ${failureName(reasonCode, this.#args.qos)}.`);
      this.#explain(reasonCode);
    }
    this.#resumeReading?.();
    if (this.#isOver || this.#underWay > 0) return;
    if (this.#isAtEnd) this.#goodbye();
    else if (this.#payload !== null) this.#later(this.#payload);
  }

  /** Says what a code means, once for each code. */
  #explain(reasonCode: number): void {
    if (this.#explained.has(reasonCode)) return;
    const { qos } = this.#args;
    const said = reasonAdvice(reasonCode, qos === 1 ? "PUBACK" : "PUBREC", this.#args).then((advice) => {
      if (advice !== null) this.#output.complain(advice);
    });
    this.#explained.set(reasonCode, said);
  }

  /** With --strict the first that goes wrong decides how the program ends. */
  #judge(reasonCode: number): void {
    // The broker keeps what is to be retained.
    const isLost = reasonCode === ReasonCode.NoMatchingSubscribers && !this.#args.retain;
    if (isLost) this.#output.complain("Error: Nobody has subscribed to the topic; the message is lost.");
    if ((isLost || reasonCode >= 0x80) && this.#exitCode === 0) this.#exitCode = reasonCode;
  }

  #later(payload: Uint8Array): void {
    const { repeatDelayMs } = this.#args;
    if (repeatDelayMs === 0) this.#publishNext(payload);
    else setTimeout(() => this.#isOver || this.#publishNext(payload), repeatDelayMs);
  }

  async #publishLines(): Promise<void> {
    this.#isReading = true;
    try {
      for await (const lines of linesOf(this.#stdin)) {
        for (const line of lines) {
          while (!this.#hasRoom && !this.#isOver) await this.#room();
          if (this.#isOver) return;
          if (!this.#publish(line)) return this.#goodbye();
        }
      }
    } catch (error) {
      if (this.#isOver) return;
      this.#output.complain(`Error: ${error instanceof Error ? error.message : String(error)}.`);
      this.#exitCode = 1;
    }
    this.#isAtEnd = true;
    if (this.#underWay === 0) this.#goodbye();
  }

  get #hasRoom(): boolean {
    return this.#client.isConnected && this.#client.hasRoom && this.#underWay < MOST_UNDER_WAY;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumeReading = () => {
        this.#resumeReading = null;
        resolve();
      };
    });
  }

  #disconnected(error: ClientError | null, willReconnect: boolean): void {
    if (willReconnect) return;
    this.#isOver = true;
    this.#resumeReading?.();
    if (this.#payload === null) this.#stdin.destroy();
    void this.#end(error);
  }

  async #end(error: ClientError | null): Promise<void> {
    await Promise.all(this.#explained.values());
    if (error === null) return this.#finish(this.#exitCode);
    const { exitCode, lines } = failureOf(error, this.#args.version);
    for (const line of lines) this.#output.complain(line);
    this.#output.complain(await adviceOf(error, this.#args));
    this.#finish(exitCode);
  }
}

const REFUSAL_TEXTS: Readonly<Record<string, string>> = {
  "qos-not-supported": "Message QoS not supported on broker, try a lower QoS.",
  "packet-too-large": "Message payload is too large for the broker.",
};

function failureName(reasonCode: number, qos: number): string {
  const packets: readonly ReasonPacket[] = qos === 1 ? ["PUBACK"] : ["PUBREC", "PUBCOMP"];
  const name = packets.map((packet) => reasonCodeName(reasonCode, packet)).find((text) => !text.startsWith("0x"));
  return name ?? `0x${reasonCode.toString(16)}`;
}
