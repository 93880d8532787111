/** mosquitto 2.1's `$CONTROL/broker/v1`, for `enable_control_api`: what the broker has loaded, and where it listens. */
import {
  answerCommands,
  type Broker,
  type CommandOutcome,
  type ControlRequest,
  type Json,
  refusedCommands,
  respond,
} from "../core/index.ts";
import { encodeUtf8 } from "../protocol/index.ts";
import type { AdminLog } from "./admin-log.ts";
import { hasTls, type OpenListener } from "./open-listener.ts";
import { loadedPlugins } from "./plugin-list.ts";
import { refusalLine, refusalOf } from "./who-may-ask.ts";

const REQUEST_TOPIC = "$CONTROL/broker/v1";
const RESPONSE_TOPIC = `${REQUEST_TOPIC}/response`;

/** Whose commands would make an answer of many megabytes. */
const LARGEST_REQUEST_BYTES = 65_536;

/** By `protocol`, in mosquitto's words. For `http_api` it has none, and its own shell then calls the whole answer invalid. */
const PROTOCOLS = { mqtt: "mqtt", websockets: "mqtt+websockets", http_api: "httpapi" } as const;

/** What is asked for, by command in small letters. */
const COMMANDS: Readonly<
  Record<string, readonly [name: string, answer: (listeners: readonly OpenListener[]) => Json]>
> = {
  listplugins: ["listPlugins", (listeners) => ({ plugins: loadedPlugins(listeners) })],
  listlisteners: ["listListeners", (listeners) => ({ listeners: listeners.map(factsOf) })],
};

/** The answers of one broker. */
export class BrokerControl {
  readonly #broker: Broker;
  readonly #listeners: () => readonly OpenListener[];
  readonly #tell: AdminLog;

  /** @param listeners those that are open now */
  constructor(broker: Broker, listeners: () => readonly OpenListener[], tell: AdminLog) {
    this.#broker = broker;
    this.#listeners = listeners;
    this.#tell = tell;
  }

  /** Answers from now on, or not. */
  enable(isEnabled: boolean): void {
    const { controls } = this.#broker;
    if (isEnabled) controls.handle(REQUEST_TOPIC, (request) => this.#take(request));
    else controls.ignore(REQUEST_TOPIC);
  }

  #take(request: ControlRequest): void {
    this.#answer(request, request.payload.slice()).then(
      (answer) => {
        this.#broker.beginTurn();
        respond(request, RESPONSE_TOPIC, encodeUtf8(JSON.stringify(answer)));
      },
      (error: unknown) => this.#tell("error", `A request to ${REQUEST_TOPIC} failed: ${String(error)}.`),
    );
  }

  async #answer(request: ControlRequest, payload: Uint8Array): Promise<Json> {
    const refusal = refusalOf(request);
    if (refusal !== null) {
      this.#tell("notice", refusalLine(request));
      return refusedCommands(refusal);
    }
    if (payload.length > LARGEST_REQUEST_BYTES)
      return refusedCommands(`The request has ${payload.length} bytes; at most ${LARGEST_REQUEST_BYTES} are allowed`);
    return answerCommands(payload, (name) => this.#perform(request, name));
  }

  #perform({ connection }: ControlRequest, name: string): CommandOutcome | undefined {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) return undefined;
    const [spelled, answer] = command;
    const asker = `${connection.clientId}/${connection.connect?.username || "(null)"}`;
    this.#tell("information", `Broker: ${asker} | ${spelled}`);
    return { data: answer(this.#listeners()) };
  }
}

function factsOf(listener: OpenListener): Json {
  const { protocol, host, unixPath } = listener.config;
  return {
    port: listener.port,
    protocol: PROTOCOLS[protocol],
    ...(host !== null && { "bind-address": host }),
    ...(unixPath !== null && { "socket-path": unixPath }),
    tls: hasTls(listener),
  };
}
