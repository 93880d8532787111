// Brokers at both ends of a bridge, each set by the lines of a mosquitto.conf: ours in this process or in one of its own, and mosquitto.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { MqttClient, type MqttClientOptions, type ReceivedMessage } from "../../src/client/index.ts";
import { readConfig } from "../../src/config/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";

/** How long anything may take to come. */
const LIMIT_MS = 20_000;

/** A broker that can be started again on its port, with what it kept. */
export interface BridgedBroker {
  readonly port: number;
  readonly folder: string;
  readonly log: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Waits until `isSo`, which is looked at again and again. */
export async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const deadline = AbortSignal.timeout(LIMIT_MS);
  while (!isSo()) {
    if (deadline.aborted) throw new Error(`It never came to this: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function writeFile(folder: string, port: number, lines: readonly string[]): string {
  const file = join(folder, "mosquitto.conf");
  const open = lines.some((line) => line.startsWith("allow_anonymous")) ? [] : ["allow_anonymous true"];
  // Whether one has settings of its own or not, a bridge comes last.
  const text = [`listener ${port} 127.0.0.1`, ...open, ...lines].join("\n").replaceAll("FOLDER", folder);
  writeFileSync(file, `${text}\n`);
  return file;
}

/** Ours, in this process. */
export class OwnBroker implements BridgedBroker {
  readonly port: number;
  readonly folder: string;
  #lines: readonly string[];
  #server: Server | null = null;
  readonly #logged: string[] = [];

  constructor(port: number, folder: string, lines: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#lines = lines;
  }

  get server(): Server {
    if (this.#server === null) throw new Error("the broker does not run");
    return this.#server;
  }

  get log(): string {
    this.#server?.log.flush();
    return this.#logged.join("");
  }

  async start(): Promise<void> {
    const { config, notices } = readConfig({ file: writeFile(this.folder, this.port, this.#lines) });
    this.#server = await startServer(config, (text) => this.#logged.push(text), { notices });
  }

  /** Puts other lines in force, as SIGHUP does. */
  async reload(lines: readonly string[]): Promise<void> {
    this.#lines = lines;
    await this.server.reload(readConfig({ file: writeFile(this.folder, this.port, lines) }).config);
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = null;
  }

  logged(pattern: RegExp): Promise<void> {
    return until(
      () => pattern.test(this.log),
      () => `${pattern} in\n${this.log}`,
    );
  }
}

/** A broker in a process of its own. */
class BrokerProcess implements BridgedBroker {
  readonly port: number;
  readonly folder: string;
  readonly #start: (file: string) => Program;
  readonly #file: string;
  #program: Program | null = null;

  constructor(port: number, folder: string, lines: readonly string[], start: (file: string) => Program) {
    this.port = port;
    this.folder = folder;
    this.#start = start;
    this.#file = writeFile(folder, port, lines);
  }

  get log(): string {
    return this.#program?.errors ?? "";
  }

  async start(): Promise<void> {
    this.#program = this.#start(this.#file);
    await this.#program.printed(/running/);
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#program?.signal("SIGKILL");
    await this.#program?.ended;
  }
}

/** Where a broker is, and under which lines it runs. */
interface Place {
  readonly port?: number;
  readonly folder?: string;
  /** Not started yet. */
  readonly isLater?: boolean;
}

async function placed(context: TestContext, { port, folder }: Place): Promise<readonly [number, string]> {
  const [free = 0] = port === undefined ? await freePorts(1) : [port];
  return [free, folder ?? temporaryFolder(context)];
}

async function begun<B extends BridgedBroker>(context: TestContext, broker: B, { isLater = false }: Place): Promise<B> {
  context.after(() => broker.stop());
  if (!isLater) await broker.start();
  return broker;
}

/** Ours, for one test. */
export async function startOwn(context: TestContext, lines: readonly string[], place: Place = {}): Promise<OwnBroker> {
  const [port, folder] = await placed(context, place);
  return begun(context, new OwnBroker(port, folder, lines), place);
}

/** Ours in a process of its own, to be killed. */
export async function startOwnProcess(
  context: TestContext,
  lines: readonly string[],
  place: Place = {},
): Promise<BrokerProcess> {
  const [port, folder] = await placed(context, place);
  const start = (file: string): Program => new Program(process.execPath, [MAIN, "-c", file]);
  return begun(context, new BrokerProcess(port, folder, ["log_dest stderr", ...lines], start), place);
}

/** mosquitto, for one test. */
export async function startMosquitto(
  context: TestContext,
  lines: readonly string[],
  place: Place = {},
): Promise<BridgedBroker> {
  const [port, folder] = await placed(context, place);
  const start = (file: string): Program => startPeer("mosquitto", ["-c", file]);
  const common = [...(process.getuid?.() === 0 ? ["user root"] : []), "log_dest stderr", "log_type all"];
  return begun(context, new BrokerProcess(port, folder, [...common, ...lines], start), place);
}

/** A client that notes what comes, for one test. */
export class Listening {
  readonly client: MqttClient;
  readonly messages: string[] = [];

  constructor(context: TestContext, port: number, options: MqttClientOptions = {}) {
    this.client = new MqttClient(`mqtt://127.0.0.1:${port}`, options);
    context.after(() => this.client.disconnect());
  }

  async subscribe(topicFilter: string, qos: 0 | 1 | 2 = 2): Promise<this> {
    const onMessage = ({ topicName, text, qos: at, retain }: ReceivedMessage): void => {
      this.messages.push(`${topicName} ${text} q${at}${retain ? " r" : ""}`);
    };
    await this.client.subscribe([topicFilter], { qos, onMessage }).granted;
    return this;
  }

  /** Resolves when all of `messages` are there. */
  got(...messages: readonly string[]): Promise<void> {
    return until(
      () => messages.every((message) => this.messages.includes(message)),
      () => `${JSON.stringify(messages)} among ${JSON.stringify(this.messages)}`,
    );
  }
}

/** Listens to `filter` at `broker`. */
export function listenAt(context: TestContext, { port }: BridgedBroker, filter: string = "#"): Promise<Listening> {
  return new Listening(context, port).subscribe(filter);
}

/** Resolves when a bridge has said at `broker` that it is there. */
export async function isUp(context: TestContext, { port }: BridgedBroker, remoteClientId: string): Promise<void> {
  const topic = `$SYS/broker/connection/${remoteClientId}/state`;
  const watcher = await new Listening(context, port).subscribe(topic);
  await until(
    () => watcher.messages.some((message) => message.startsWith(`${topic} 1`)),
    () => `${topic} 1`,
  );
  await watcher.client.disconnect();
}

/** Waits until the local end of the bridge takes what is published. */
export async function isAttached(here: OwnBroker): Promise<void> {
  const attached = (): boolean =>
    [...here.server.broker.sessions].some(
      ({ clientId, connection }) => clientId.startsWith("local.") && connection?.isReady === true,
    );
  await until(attached, () => here.log);
}
