// Many Sessions and messages: the broker is killed and started again on them. How long until it lets clients in and how much memory that
// takes is told; that everything is there again is a must.
import { join } from "node:path";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { Errand } from "./errand.ts";
import { type Address, Link } from "./link.ts";
import { Payloads } from "./payload.ts";
import { type Progress, type Round, roundText, secondsText } from "./report.ts";
import * as wire from "./wire.ts";

export interface RestoreOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
  readonly sessions: number;
  /** Half of them for one Session, the others for all in equal parts. */
  readonly messages: number;
  readonly progress: Progress;
}

const AT_ONCE = 50;
const PUBLISHERS = 4;
/** Of each publisher, unacknowledged. */
const WINDOW = 1000;
/** Sessions that are looked at one by one. */
const SAMPLES = 100;
const FILL = { least: 52, most: 52 };
const QUIET_LIMIT_MS = 30_000;

export async function restorations(options: RestoreOptions): Promise<Round[]> {
  const { rounds, name, progress, seed, folder } = options;
  const found: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const broker = await BrokerProcess.on(options.kind, join(folder, `${name}-${number}`));
    const round = await new Restoration(options, broker, new Payloads(seed + number, FILL)).run();
    found.push(round);
    progress(roundText(name, number + 1, rounds, round));
  }
  return found;
}

class Restoration {
  readonly #options: RestoreOptions;
  readonly #broker: BrokerProcess;
  readonly #payloads: Payloads;
  readonly #faults: string[] = [];

  constructor(options: RestoreOptions, broker: BrokerProcess, payloads: Payloads) {
    this.#options = options;
    this.#broker = broker;
    this.#payloads = payloads;
  }

  async run(): Promise<Round> {
    const broker = this.#broker;
    await broker.start();
    try {
      const filledMs = await timed(() => this.#fill());
      await broker.kill();
      const startedMs = performance.now();
      await broker.start();
      const client = await Errand.connect(broker.address, durable(nameOf(0)));
      const acceptedMs = performance.now() - startedMs;
      const restoredMebibytes = broker.peakMebibytes;
      client.cut();
      const samplesMs = await timed(() => this.#lookAtSome());
      const drainedMs = await timed(() => this.#drainLongQueue());
      const { sessions, messages } = this.#options;
      const figures = {
        sessions,
        messages,
        filled: secondsText(filledMs),
        "CONNECT accepted": secondsText(acceptedMs),
        "MiB then, at most": restoredMebibytes,
        [`${SAMPLES} sessions read`]: secondsText(samplesMs),
        "long queue read": secondsText(drainedMs),
        "MiB at most": broker.peakMebibytes,
      };
      return { figures, faults: this.#faults };
    } finally {
      await broker.kill();
    }
  }

  /** Messages of each Session but for the long queue. */
  get #each(): number {
    return Math.floor(this.#options.messages / 2 / this.#options.sessions);
  }

  get #long(): number {
    return this.#options.messages - this.#each * this.#options.sessions;
  }

  async #fill(): Promise<void> {
    const { address } = this.#broker;
    const { sessions } = this.#options;
    await eachOf(sessions, AT_ONCE, (index) => subscribe(address, nameOf(index), `one/${index}`));
    await subscribe(address, LONG, "long");
    const inTurn = sessions * this.#each;
    await eachOf(PUBLISHERS, PUBLISHERS, (publisher) =>
      publishAll(
        address,
        inTurn + this.#long,
        publisher,
        (message) =>
          message < inTurn
            ? { topicName: `one/${message % sessions}`, sequence: 1 + Math.floor(message / sessions) }
            : { topicName: "long", sequence: 1 + message - inTurn },
        this.#payloads,
      ),
    );
  }

  async #lookAtSome(): Promise<void> {
    const { sessions } = this.#options;
    const step = Math.max(1, Math.floor(sessions / SAMPLES));
    for (let index = 0; index < sessions; index += step) await this.#expect(nameOf(index), this.#each);
  }

  #drainLongQueue(): Promise<void> {
    return this.#expect(LONG, this.#long);
  }

  /** Has the messages 1 to `count` come to a Session, each once or more. */
  async #expect(clientId: string, count: number): Promise<void> {
    const seen = new Set<number>();
    const { isPresent, others } = await receive(this.#broker.address, clientId, (bytes, at, end) => {
      seen.add(this.#payloads.sequenceOf(bytes, at, end));
      return seen.size >= count;
    });
    if (!isPresent) this.#faults.push(`the session of ${clientId} is not there`);
    if (seen.size < count || seen.has(0)) this.#faults.push(`${clientId} got ${seen.size} of ${count} messages`);
    if (others !== "") this.#faults.push(`${clientId}: ${others}`);
  }
}

const LONG = "long-queue";

function nameOf(index: number): string {
  return `device-${index}`;
}

function durable(clientId: string): wire.ConnectFields {
  return { version: 4, clientId, isClean: false, keepAliveSeconds: 600 };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Does `work` for 0 to `count` - 1, so many `atOnce`. */
async function eachOf(count: number, atOnce: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Leaves a durable Session that subscribes to a topic. */
async function subscribe(address: Address, clientId: string, topicFilter: string): Promise<void> {
  const client = await Errand.connect(address, durable(clientId));
  client.send(wire.encodeSubscribe(4, 1, topicFilter, 1));
  await client.packet(wire.SUBACK);
  client.cut();
}

/** Publishes every `PUBLISHERS`th of `count` messages from `first` on; resolves when all are acknowledged. */
function publishAll(
  address: Address,
  count: number,
  first: number,
  messageOf: (message: number) => { readonly topicName: string; readonly sequence: number },
  payloads: Payloads,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = first;
    let inflight = 0;
    const send = (packetId: number): void => {
      if (next >= count) return;
      const { topicName, sequence } = messageOf(next);
      next += PUBLISHERS;
      inflight++;
      const payload = payloads.make(0, sequence);
      link.write(wire.encodePublish({ version: 4, topicName, qos: 1, packetId, payload }));
    };
    const link: Link = new Link(address, {
      onPacket(head, bytes, body) {
        if (head >> 4 === wire.CONNACK) for (let packetId = 1; packetId <= WINDOW; packetId++) send(packetId);
        if (head >> 4 !== wire.PUBACK) return;
        inflight--;
        send(bytes.readUInt16BE(body));
        if (inflight > 0) return;
        link.cut();
        resolve();
      },
      onTurn() {},
      onGone: (reason) => reject(new Error(`a publisher lost its connection: ${reason}`)),
    });
    link.write(
      wire.encodeConnect({ version: 4, clientId: `publisher-${first}`, isClean: true, keepAliveSeconds: 600 }),
    );
    link.flush();
  });
}

/** Takes the messages of a Session until `onMessage`, which gets where the payload lies, returns that it has enough, or none come. */
function receive(
  address: Address,
  clientId: string,
  onMessage: (bytes: Buffer, at: number, end: number) => boolean,
): Promise<{ isPresent: boolean; others: string }> {
  return new Promise((resolve) => {
    let isPresent = false;
    const finish = (others: string): void => {
      clearTimeout(quiet);
      link.cut();
      resolve({ isPresent, others });
    };
    const quiet = setTimeout(() => finish("nothing came any more"), QUIET_LIMIT_MS);
    const link: Link = new Link(address, {
      onPacket(head, bytes, body, end) {
        if (head >> 4 === wire.CONNACK) isPresent = bytes[body] === 1;
        if (head >> 4 !== wire.PUBLISH) return;
        quiet.refresh();
        const at = body + 2 + bytes.readUInt16BE(body);
        link.write(wire.encodeAck(wire.PUBACK, bytes.readUInt16BE(at)));
        if (onMessage(bytes, at + 2, end)) finish("");
      },
      onTurn() {},
      onGone: (reason) => finish(reason),
    });
    link.write(wire.encodeConnect(durable(clientId)));
    link.flush();
  });
}
