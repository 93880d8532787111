// Devices that publish and one application that listens, all on our client library, as users have it: it finds out that the network is
// gone, backs off and comes back by itself. They book in the ledger. Must not know what the network does.
import { MqttClient, type MqttClientOptions } from "../../src/client/index.ts";
import { pause } from "./crowd.ts";
import { Ledger } from "./ledger.ts";
import type { Address } from "./link.ts";
import { Payloads } from "./payload.ts";

export interface DeviceCrowdOptions {
  /** Part of the client identifiers and topics. */
  readonly name: string;
  readonly qos: 1 | 2;
  readonly seed: number;
}

const PUBLISHERS = 3;
const SUBSCRIBERS = 2;
/** Each publishes so often, as long as not too much is unacknowledged. */
const PERIOD_MS = 10;
const MOST_WAITING = 500;
/** An end of the network that nobody told is seen after one and a half times this. */
const KEEP_ALIVE_SECONDS = 1;
/** Who is to be back within 5 s may not wait longer than this between two attempts. */
const RECONNECT = { minimumDelayMs: 200, maximumDelayMs: 2000 };
const ATTEMPT_MS = 2000;
const SETTLE_LIMIT_MS = 60_000;
const LOOK_MS = 10;

export class DeviceCrowd {
  readonly ledger: Ledger;
  readonly #options: DeviceCrowdOptions;
  readonly #payloads: Payloads;
  readonly #publishers: readonly MqttClient[];
  readonly #subscribers: readonly MqttClient[];
  readonly #waiting: number[] = Array.from({ length: PUBLISHERS }, () => 0);
  /** Of each client, when something came of its work. */
  readonly #worked: Map<MqttClient, number> = new Map();
  #timer: NodeJS.Timeout | undefined;
  /** Connections that were lost and made again. */
  reconnects = 0;

  constructor(address: Address, options: DeviceCrowdOptions) {
    const { qos, seed, name } = options;
    const kinds = Array.from({ length: SUBSCRIBERS }, () => ({ qos }));
    this.#options = options;
    this.ledger = new Ledger(PUBLISHERS, kinds);
    this.#payloads = new Payloads(seed, { least: 8, most: 200 });
    const client = (kind: string, onBack: (index: number) => void) => (_: unknown, index: number) =>
      this.#client(address, `${name}-${kind}${index}`, index, onBack);
    const { ledger } = this;
    this.#publishers = kindsOf(PUBLISHERS).map(client("p", (index) => ledger.restartPublisher(index)));
    this.#subscribers = kindsOf(SUBSCRIBERS).map(client("s", (index) => ledger.restartSubscriber(index)));
  }

  #client({ host, port }: Address, clientId: string, index: number, onBack: (index: number) => void): MqttClient {
    const own = { clientId, cleanStart: false, keepAliveSeconds: KEEP_ALIVE_SECONDS, reconnect: RECONNECT };
    const limits = { connectTimeoutMs: ATTEMPT_MS, connackTimeoutMs: ATTEMPT_MS };
    const five = { version: 5, properties: { sessionExpirySeconds: 3600 } } as const;
    const options: MqttClientOptions = { ...own, ...limits, ...(index % 2 === 0 ? five : {}) };
    const client = new MqttClient(`mqtt://${host}:${port}`, options);
    let isKnown = false;
    client.on("connect", ({ sessionPresent }) => {
      if (isKnown) {
        this.reconnects++;
        onBack(index);
        if (!sessionPresent) this.ledger.loseSession();
      }
      isKnown = true;
    });
    client.on("close", (error) => {
      if (error !== null) this.ledger.fault(`${clientId} gave up: ${error.message}`);
    });
    return client;
  }

  /** Subscribes, and publishes from then on. */
  async begin(): Promise<void> {
    const { name, qos } = this.#options;
    await Promise.all(
      this.#subscribers.map((client, index) => {
        const onMessage = ({ payload }: { readonly payload: Uint8Array }): void => this.#book(client, index, payload);
        return client.subscribe<string>(`${name}/+`, { qos, onMessage }).granted;
      }),
    );
    await Promise.all(this.#publishers.map(({ connected }) => connected));
    this.#timer = setInterval(() => this.#publish(), PERIOD_MS);
  }

  #book(client: MqttClient, index: number, payload: Uint8Array): void {
    this.#worked.set(client, performance.now());
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const sequence = this.#payloads.sequenceOf(bytes, 0, bytes.length);
    if (sequence === 0) this.ledger.receiveAltered(index);
    else this.ledger.receive(index, this.#payloads.publisherOf(bytes, 0), sequence);
  }

  #publish(): void {
    const { name, qos } = this.#options;
    for (const [index, client] of this.#publishers.entries()) {
      if ((this.#waiting[index] as number) >= MOST_WAITING) continue;
      this.#waiting[index] = (this.#waiting[index] as number) + 1;
      const sequence = this.ledger.send(index);
      const publication = client.publish<string>(`${name}/${index}`, this.#payloads.make(index, sequence), { qos });
      void publication.outcome
        .then(
          () => {
            this.ledger.acknowledge(index, sequence);
            this.#worked.set(client, performance.now());
          },
          (error: Error) => this.ledger.fault(`publisher ${index}: message ${sequence}: ${error.message}`),
        )
        .finally(() => {
          this.#waiting[index] = (this.#waiting[index] as number) - 1;
        });
    }
  }

  /** Resolves when every client has done some work after `sinceMs`, with how long after that the last of them did. */
  async allWork(sinceMs: number, limitMs: number): Promise<number> {
    const clients = [...this.#publishers, ...this.#subscribers];
    for (;;) {
      if (clients.every((client) => (this.#worked.get(client) ?? 0) > sinceMs)) return performance.now() - sinceMs;
      if (performance.now() - sinceMs > limitMs) {
        this.ledger.fault(`not everybody is back ${limitMs / 1000} s after the network`);
        return limitMs;
      }
      await pause(LOOK_MS);
    }
  }

  /** Publishes nothing more; resolves when everything is acknowledged and has come, or when that takes too long. */
  async settle(): Promise<void> {
    clearInterval(this.#timer);
    const limitMs = performance.now() + SETTLE_LIMIT_MS;
    const isSettled = (): boolean =>
      this.#waiting.every((count) => count === 0) && this.#subscribers.every((_, row) => this.ledger.lost(row) === 0);
    while (!isSettled() && performance.now() < limitMs) await pause(LOOK_MS);
    const open = this.#waiting.reduce((sum, count) => sum + count, 0);
    if (open > 0) this.ledger.fault(`${open} messages have no outcome`);
    // What comes twice comes at once.
    await pause(LOOK_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#publishers, ...this.#subscribers].map((client) => client.disconnect({ drainMs: 0 })));
  }
}

function kindsOf(count: number): readonly undefined[] {
  return Array.from({ length: count });
}
