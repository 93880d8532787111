/** Asks a running broker: one connection, requests and their answers, and what else comes on it. */
import type { TapEvent } from "../admin/index.ts";
import { type Answer, REQUEST_TOPIC, type RequestName, type Requests, TAP_TOPIC } from "../admin/index.ts";
import type { Client, ClientError, IncomingMessage, Outcome } from "../client/index.ts";
import { type Language, ruleText } from "../explain/index.ts";
import { decodeUtf8, encodeUtf8 } from "../protocol/index.ts";
import type { Connector } from "../transport/index.ts";
import { connectorOf } from "./broker-connector.ts";
import { failureOf } from "./client-failure.ts";
import { adviceOf } from "./failure-advice.ts";
import { say } from "./language.ts";
import type { AskArguments } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import type { ToolOutput } from "./tool.ts";
import { neverReconnect, toolClient } from "./tool-client.ts";

/** What rules must let a client write, to ask, and read, for the answers. */
const CONTROL_FILTER = "$CONTROL/lacewing/#";

/** How long an answer may take, in milliseconds. */
const ANSWER_LIMIT_MS = 10_000;

/** No answer: what to say, and the exit code. */
export class AskError extends Error {
  override readonly name: string = "AskError";
  readonly lines: readonly string[];
  readonly exitCode: number;

  constructor(lines: readonly string[], exitCode: number = 1) {
    super(lines.join(" "));
    this.lines = lines;
    this.exitCode = exitCode;
  }
}

/** Which rule lets a client ask. */
function ruleAdvice(language: Language): string {
  return say(
    language,
    `Its rules must allow it, as by "topic readwrite ${CONTROL_FILTER}" below the user in the acl_file; see -u and -P.`,
    `它的规则必须允许：在 acl_file 中该用户之下加 “topic readwrite ${CONTROL_FILTER}”；参见 -u 和 -P。`,
  );
}

/** Runs `work` with a connection for requests; what went wrong is said on standard error. */
export async function asking(
  args: AskArguments,
  io: ToolIo,
  output: ToolOutput,
  work: (asker: Asker) => Promise<number>,
): Promise<number> {
  const asker = new Asker(args, await connectorOf(args, io), output);
  try {
    await asker.connect();
    return await work(asker);
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    for (const line of error.lines) output.complain(line);
    return error.exitCode;
  } finally {
    asker.close();
  }
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: AskError): void;
}

/** A connection for requests, one at a time. */
export class Asker {
  readonly #args: AskArguments;
  readonly #client: Client;
  #waiting: Waiting | null = null;
  #onConnected: (() => void) | null = null;
  #onLost: ((error: AskError) => void) | null = null;
  #mid = 0;
  /** Told of what a recording sends. */
  onTap: ((event: TapEvent) => void) | null = null;

  constructor(args: AskArguments, connector: Connector, { out }: ToolOutput) {
    this.#args = args;
    this.#client = toolClient(args, connector, out, neverReconnect, {
      connected: () => this.#onConnected?.(),
      published: (mid, outcome) => this.#published(mid, outcome),
      message: (message) => this.#message(message),
      disconnected: (error) => this.#disconnected(error),
    });
  }

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onConnected = resolve;
      this.#onLost = reject;
      this.#client.connect();
    });
  }

  /**
   * Asks one thing.
   * @param laterMs how much later than others the answer may come
   * @throws AskError when there is no answer, or a refusal
   */
  async ask<Name extends RequestName>(
    command: Name,
    ask: Requests[Name]["ask"],
    laterMs: number = 0,
  ): Promise<Requests[Name]["answer"]> {
    const { host, port, language } = this.#args;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        const lines = [
          say(language, `Error: ${host}:${port} did not answer.`, `错误：${host}:${port} 没有应答。`),
          say(
            language,
            "Only a Lacewing broker knows these requests. Is it one, and of this version?",
            "只有 Lacewing 服务器能回答这些请求。它是吗？版本是否相符？",
          ),
        ];
        reject(new AskError(lines));
      }, ANSWER_LIMIT_MS + laterMs);
      const done = (): void => clearTimeout(timer);
      this.#waiting = {
        resolve: (value) => {
          done();
          resolve(value);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.#onLost = this.#waiting.reject;
      this.#mid = this.#client.publish(REQUEST_TOPIC, encodeUtf8(JSON.stringify({ command, ...ask })), { qos: 1 });
    });
    if ("error" in answer) {
      const rule = ruleText(answer.error, language);
      throw new AskError([say(language, `Error: The broker says: ${rule}.`, `错误：服务器回答：${rule}。`)]);
    }
    return answer.data as Requests[Name]["answer"];
  }

  #published(mid: number, { reasonCode }: Outcome): void {
    if (mid !== this.#mid || reasonCode === 0) return;
    const { host, port, language } = this.#args;
    this.#waiting?.reject(
      new AskError(
        reasonCode === 0x87
          ? [
              say(language, "Error: The broker does not let this client ask.", "错误：服务器不允许这个客户端查询。"),
              ruleAdvice(language),
            ]
          : [
              say(
                language,
                `Error: Nobody at ${host}:${port} takes these requests.`,
                `错误：${host}:${port} 上没有程序受理这些请求。`,
              ),
              say(language, "Only a Lacewing broker does. Is it one?", "只有 Lacewing 服务器受理。它是吗？"),
            ],
      ),
    );
  }

  #message({ topicName, payload }: IncomingMessage): void {
    const text = decodeUtf8(payload, 0, payload.length);
    if (text === null) return;
    if (topicName === TAP_TOPIC) this.onTap?.(JSON.parse(text) as TapEvent);
    else this.#waiting?.resolve(JSON.parse(text) as Answer);
  }

  #disconnected(error: ClientError | null): void {
    if (error === null) return;
    const { exitCode, lines } = failureOf(error, this.#args.version);
    void adviceOf(error, this.#args).then((advice) => this.#onLost?.(new AskError([...lines, advice], exitCode)));
  }

  /** Rejects when the connection is lost. */
  lost(): Promise<never> {
    return new Promise((_, reject) => {
      this.#onLost = reject;
    });
  }

  close(): void {
    this.#client.disconnect();
  }
}
