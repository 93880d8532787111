// A client that publishes in sequence and keeps, as a careful device would, what is not acknowledged: over lost connections and over
// its own "death", as its state lives in the process that supervises the round. It books what it sends and what is acknowledged.
import type { Ledger } from "./ledger.ts";
import { type Address, Link, type LinkOwner } from "./link.ts";
import type { Payloads } from "./payload.ts";
import * as wire from "./wire.ts";

export interface PublisherOptions {
  /** Its row in the ledger. */
  readonly index: number;
  readonly clientId: string;
  readonly version: wire.Version;
  readonly qos: 1 | 2;
  readonly topicName: string;
  /** Most messages unacknowledged. */
  readonly window: number;
  /** Every so many messages one is retained; 0: none. */
  readonly retainEvery: number;
}

type Stage = 0 | 1 | 2;
const FREE: Stage = 0;
/** PUBLISH is out. */
const PUBLISHED: Stage = 1;
/** PUBREC came, PUBREL is out. */
const RELEASED: Stage = 2;

const LAST_PACKET_ID = 65_535;
/** After a refusal nothing new is sent for so long, in milliseconds: whoever is told of a quota does not insist. */
const REFUSED_PAUSE_MS = 10;

export class Publisher implements LinkOwner {
  readonly options: PublisherOptions;
  readonly #ledger: Ledger;
  readonly #payloads: Payloads;
  readonly #topic: Buffer;
  #link: Link | undefined;
  #isConnected = false;
  #isPausing = false;
  #hasSession = false;
  /** Whether new messages are to be sent; those that wait for their acknowledgement always are. */
  isSending = false;
  /** New messages that may still be sent. */
  credit: number = Number.POSITIVE_INFINITY;
  /** Told of every acknowledgement: for limits of rate. */
  onAcknowledged: (() => void) | undefined;
  readonly #sequences: Uint32Array = new Uint32Array(LAST_PACKET_ID + 1);
  readonly #stages: Uint8Array = new Uint8Array(LAST_PACKET_ID + 1);
  /** The oldest identifier in flight, and the one after the newest; in a ring. */
  #oldest = 1;
  #next = 1;
  #inflight = 0;
  #receiveMaximum = LAST_PACKET_ID;
  /** Highest sequence number retained and acknowledged. */
  retained = 0;
  #waiter: { resolve: () => void; reject: (error: Error) => void } | undefined;
  /** PINGRESP received. */
  pongs = 0;
  /** Packets received, of every kind. */
  packets = 0;
  /** Told when the connection is lost, but not by `kill`. */
  onGoneDo: ((reason: string) => void) | undefined;

  constructor(options: PublisherOptions, ledger: Ledger, payloads: Payloads) {
    this.options = options;
    this.#ledger = ledger;
    this.#payloads = payloads;
    const name = Buffer.from(options.topicName);
    this.#topic = Buffer.concat([Buffer.from([name.length >> 8, name.length & 255]), name]);
  }

  /** Messages not acknowledged to the end. */
  get inflight(): number {
    return this.#inflight;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Connects; resolves with the CONNACK, after which the rest is sent again and new messages follow. */
  connect(address: Address): Promise<void> {
    const { version, clientId } = this.options;
    this.#link = new Link(address, this);
    this.#link.write(wire.encodeConnect({ version, clientId, isClean: false }));
    this.#link.flush();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** Loses the connection at once, as when the process is killed. */
  kill(): void {
    this.#link?.cut();
    this.#gone();
    this.#waiter?.reject(new Error("killed"));
    this.#waiter = undefined;
  }

  onGone(reason: string): void {
    this.#gone();
    this.#waiter?.reject(new Error(reason));
    this.#waiter = undefined;
    this.onGoneDo?.(reason);
  }

  #gone(): void {
    this.#isConnected = false;
    this.#link = undefined;
  }

  ping(): void {
    this.#link?.write(wire.encodePingreq());
    this.#link?.flush();
  }

  onTurn(): void {
    this.pump();
  }

  onPacket(head: number, bytes: Buffer, body: number, end: number): void {
    this.packets++;
    switch (head >> 4) {
      case wire.PUBACK:
      case wire.PUBREC:
      case wire.PUBCOMP:
        this.#acknowledged(head >> 4, bytes.readUInt16BE(body), end > body + 2 ? (bytes[body + 2] as number) : 0);
        return;
      case wire.CONNACK:
        this.#welcome(bytes, body, end);
        return;
      case wire.DISCONNECT:
        return;
      case wire.PINGRESP:
        this.pongs++;
        return;
      default:
        this.#ledger.fault(`publisher ${this.options.index} was sent a packet of type ${head >> 4}`);
    }
  }

  #welcome(bytes: Buffer, body: number, end: number): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    const reasonCode = bytes[body + 1] as number;
    if (reasonCode !== 0) {
      waiter?.reject(new Error(`CONNACK 0x${reasonCode.toString(16)}`));
      this.kill();
      return;
    }
    if (this.options.version === 5 && end > body + 2) this.#receiveMaximum = wire.receiveMaximumOf(bytes, body + 2);
    const isPresent = bytes[body] === 1;
    if (this.#hasSession && !isPresent) this.#ledger.loseSession();
    this.#hasSession = true;
    this.#isConnected = true;
    if (this.#inflight > 0) this.#sendAgain(isPresent);
    waiter?.resolve();
    this.pump();
  }

  /** Sends everything that is not acknowledged again, in order; DUP only where the broker still has the Session. */
  #sendAgain(isPresent: boolean): void {
    this.#ledger.restartPublisher(this.options.index);
    for (let packetId = this.#oldest; packetId !== this.#next; packetId = after(packetId)) {
      const stage = this.#stages[packetId];
      if (stage === PUBLISHED) this.#write(packetId, isPresent);
      else if (stage === RELEASED) this.#writeRelease(packetId);
    }
    this.#link?.flush();
  }

  #acknowledged(type: number, packetId: number, reasonCode: number): void {
    const { index, qos, version } = this.options;
    const stage = this.#stages[packetId];
    const isExpected = qos === 1 ? type === wire.PUBACK && stage === PUBLISHED : type !== wire.PUBACK && stage !== FREE;
    if (!isExpected) {
      this.#ledger.fault(`publisher ${index}: packet type ${type} for ${packetId} in stage ${stage}`);
      return;
    }
    const sequence = this.#sequences[packetId] as number;
    if (type === wire.PUBCOMP) {
      this.#free(packetId);
    } else if (version === 5 && reasonCode >= 0x80) {
      this.#ledger.refuse(index);
      this.#free(packetId);
      this.#pause();
    } else {
      this.#taken(type, packetId, sequence);
    }
    this.onAcknowledged?.();
  }

  #taken(type: number, packetId: number, sequence: number): void {
    this.#ledger.acknowledge(this.options.index, sequence);
    if (this.#isRetained(sequence) && sequence > this.retained) this.retained = sequence;
    if (type === wire.PUBACK) {
      this.#free(packetId);
      return;
    }
    this.#stages[packetId] = RELEASED;
    this.#writeRelease(packetId);
  }

  #free(packetId: number): void {
    this.#stages[packetId] = FREE;
    this.#inflight--;
    while (this.#oldest !== this.#next && this.#stages[this.#oldest] === FREE) this.#oldest = after(this.#oldest);
  }

  #pause(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    setTimeout(() => {
      this.#isPausing = false;
      this.pump();
    }, REFUSED_PAUSE_MS);
  }

  /** Sends new messages as far as the window allows. */
  pump(): void {
    const link = this.#link;
    if (link === undefined || !this.#isConnected || !this.isSending || this.#isPausing) return;
    const window = Math.min(this.options.window, this.#receiveMaximum);
    while (this.#inflight < window && this.credit > 0 && !link.isCongested) {
      const packetId = this.#next;
      // The ring is full: the oldest identifier is not free yet.
      if (after(packetId) === this.#oldest) break;
      this.#next = after(packetId);
      this.#sequences[packetId] = this.#ledger.send(this.options.index);
      this.#stages[packetId] = PUBLISHED;
      this.#inflight++;
      this.credit--;
      this.#write(packetId, false);
    }
    link.flush();
  }

  #isRetained(sequence: number): boolean {
    const { retainEvery } = this.options;
    return retainEvery > 0 && sequence % retainEvery === 0;
  }

  #write(packetId: number, isDup: boolean): void {
    const { index, version, qos } = this.options;
    const link = this.#link as Link;
    const sequence = this.#sequences[packetId] as number;
    const payloadBytes = this.#payloads.bytes(sequence);
    const remaining = this.#topic.length + 2 + (version === 5 ? 1 : 0) + payloadBytes;
    const length = wire.varint(remaining);
    let at = link.reserve(1 + length.length + remaining);
    const out = link.output;
    out[at++] = 0x30 | (isDup ? 8 : 0) | (qos << 1) | (this.#isRetained(sequence) ? 1 : 0);
    at += length.copy(out, at);
    at += this.#topic.copy(out, at);
    at = out.writeUInt16BE(packetId, at);
    if (version === 5) out[at++] = 0;
    this.#payloads.write(out, at, index, sequence);
  }

  #writeRelease(packetId: number): void {
    this.#link?.write(wire.encodeAck(wire.PUBREL, packetId));
  }
}

function after(packetId: number): number {
  return packetId === LAST_PACKET_ID ? 1 : packetId + 1;
}
