// The peers of load that is held: devices that wait for messages, publishers that stamp each with the time, and who reads $SYS.
// Stamps are of this process's monotonic clock, so both ends must be here.
import { type Address, Link, type LinkOwner } from "./link.ts";
import * as wire from "./wire.ts";

/** How many messages took so long, by tenths of a millisecond; the last one counts all that took longer. */
export type Latencies = Uint32Array;

const BUCKETS_A_MS = 10;
const MOST_MS = 60_000;
const KEEP_ALIVE_SECONDS = 60;
/** Sequence number and stamp. */
const PAYLOAD_BYTES = 12;

export function newLatencies(): Latencies {
  return new Uint32Array(MOST_MS * BUCKETS_A_MS + 1);
}

/** What `part` of the messages did not take longer than, in milliseconds. */
export function percentileMs(latencies: Latencies, part: number): number {
  const all = latencies.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const bucket = latencies.findIndex((count) => (seen += count) >= all * part);
  return (bucket + 1) / BUCKETS_A_MS;
}

/** A connection that is asked for one thing after another. */
abstract class HeldPeer implements LinkOwner {
  /** Why the connection has ended; null while it lasts. */
  end: string | null = null;
  #link: Link | undefined;
  #waiting: { readonly type: number; resolve(): void; reject(error: Error): void } | null = null;

  protected abstract take(type: number, bytes: Buffer, body: number, end: number): void;

  protected get link(): Link {
    if (this.#link === undefined) throw new Error("it is not connected");
    return this.#link;
  }

  protected async open(address: Address, fields: wire.ConnectFields): Promise<void> {
    this.#link = new Link(address, this);
    await this.ask(wire.encodeConnect(fields), wire.CONNACK);
  }

  /** Sends a packet and waits for one of `type`. */
  protected async ask(packet: Buffer, type: number): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#waiting = { type, resolve, reject };
    });
    this.link.write(packet);
    this.link.flush();
    await answered;
  }

  cut(): void {
    this.#link?.cut();
  }

  onPacket(head: number, bytes: Buffer, body: number, end: number): void {
    const type = head >> 4;
    this.take(type, bytes, body, end);
    if (this.#waiting?.type !== type) return;
    if (type === wire.CONNACK && bytes[body + 1] !== 0) this.#waiting.reject(new Error(`CONNACK ${bytes[body + 1]}`));
    else this.#waiting.resolve();
    this.#waiting = null;
  }

  onTurn(): void {}

  onGone(reason: string): void {
    this.end = reason;
    this.#waiting?.reject(new Error(reason));
  }
}

/** What of a device is its own. */
export interface HeldDeviceOptions {
  readonly name: string;
  readonly index: number;
  readonly isDurable: boolean;
}

function topicOf(name: string, index: number): string {
  return `${name}/devices/${index}`;
}

/** Subscribes to its own topic at QoS 1 and checks that messages come in sequence. */
export class HeldDevice extends HeldPeer {
  /** Sequence number of the last message; the first is 1. */
  last = 0;
  /** Messages that came, and those that came out of sequence. */
  received = 0;
  wrong = 0;
  readonly #options: HeldDeviceOptions;
  readonly #latencies: Latencies;

  constructor(options: HeldDeviceOptions, latencies: Latencies) {
    super();
    this.#options = options;
    this.#latencies = latencies;
  }

  async connect(address: Address): Promise<void> {
    const { name, index, isDurable } = this.#options;
    const version = index % 2 === 0 ? 4 : 5;
    const clientId = `${name}-device-${index}`;
    await this.open(address, { version, clientId, isClean: !isDurable, keepAliveSeconds: KEEP_ALIVE_SECONDS });
    await this.ask(wire.encodeSubscribe(version, 1, topicOf(name, index), 1), wire.SUBACK);
  }

  ping(): void {
    this.link.write(wire.encodePingreq());
    this.link.flush();
  }

  protected take(type: number, bytes: Buffer, body: number, end: number): void {
    if (type !== wire.PUBLISH) return;
    const sequence = bytes.readUInt32BE(end - PAYLOAD_BYTES);
    const tookMs = Math.min(MOST_MS, performance.now() - bytes.readDoubleBE(end - 8));
    const bucket = Math.floor(tookMs * BUCKETS_A_MS);
    this.#latencies[bucket] = (this.#latencies[bucket] ?? 0) + 1;
    this.received++;
    if (sequence !== this.last + 1) this.wrong++;
    this.last = sequence;
    this.link.write(wire.encodeAck(wire.PUBACK, bytes.readUInt16BE(body + 2 + bytes.readUInt16BE(body))));
  }
}

/** Publishes at QoS 1 whatever the broker has acknowledged so far. */
export class HeldPublisher extends HeldPeer {
  acknowledged = 0;
  readonly #name: string;
  #lastPacketId = 0;

  private constructor(name: string) {
    super();
    this.#name = name;
  }

  static async connect(address: Address, name: string, index: number): Promise<HeldPublisher> {
    const publisher = new HeldPublisher(name);
    await publisher.open(address, { version: 4, clientId: `${name}-publisher-${index}`, isClean: true });
    return publisher;
  }

  /** Nothing leaves before `flush`. */
  publish(device: number, sequence: number): void {
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES);
    payload.writeUInt32BE(sequence);
    payload.writeDoubleBE(performance.now(), PAYLOAD_BYTES - 8);
    this.#lastPacketId = (this.#lastPacketId % 65_535) + 1;
    const topicName = topicOf(this.#name, device);
    this.link.write(wire.encodePublish({ version: 4, topicName, qos: 1, packetId: this.#lastPacketId, payload }));
  }

  flush(): void {
    this.link.flush();
  }

  protected take(type: number): void {
    if (type === wire.PUBACK) this.acknowledged++;
  }
}

/** Keeps every number that comes to one topic. */
export class SysWatcher extends HeldPeer {
  readonly values: { readonly atMs: number; readonly value: number }[] = [];

  async connect(address: Address, topicFilter: string): Promise<void> {
    await this.open(address, { version: 4, clientId: "watcher", isClean: true });
    await this.ask(wire.encodeSubscribe(4, 1, topicFilter, 0), wire.SUBACK);
  }

  protected take(type: number, bytes: Buffer, body: number, end: number): void {
    if (type !== wire.PUBLISH) return;
    const payload = bytes.toString("latin1", body + 2 + bytes.readUInt16BE(body), end);
    this.values.push({ atMs: performance.now(), value: Number(payload) });
  }
}
