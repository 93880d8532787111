// A client with a durable Session that books what it receives. What it must remember at QoS 2 lives in the process that supervises
// the round, so it can be "killed" at any moment and come back.
import type { Ledger } from "./ledger.ts";
import { type Address, Link, type LinkOwner } from "./link.ts";
import type { Payloads } from "./payload.ts";
import * as wire from "./wire.ts";

export interface SubscriberOptions {
  /** Its row in the ledger. */
  readonly index: number;
  readonly clientId: string;
  readonly version: wire.Version;
  readonly qos: 1 | 2;
  readonly topicFilter: string;
  /** 5.0 only; 0 leaves it out. */
  readonly receiveMaximum: number;
}

export class Subscriber implements LinkOwner {
  readonly options: SubscriberOptions;
  readonly #ledger: Ledger;
  readonly #payloads: Payloads;
  #link: Link | undefined;
  #isConnected = false;
  #isSubscribed = false;
  /** Packet identifiers received at QoS 2 and not released. */
  readonly #received: Uint8Array = new Uint8Array(65_536);
  #connectWaiter: Waiter | undefined;
  #subscribeWaiter: Waiter | undefined;
  #endWaiter: (() => void) | undefined;
  /** PINGRESP received. */
  pongs = 0;
  /** Packets received, of every kind. */
  packets = 0;
  /** Told when the connection is lost, but not by `kill`. */
  onGoneDo: ((reason: string) => void) | undefined;

  constructor(options: SubscriberOptions, ledger: Ledger, payloads: Payloads) {
    this.options = options;
    this.#ledger = ledger;
    this.#payloads = payloads;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Whether messages at QoS 2 are not released yet. */
  get isHolding(): boolean {
    return this.#received.includes(1);
  }

  /** Connects, and subscribes the first time. */
  async connect(address: Address): Promise<void> {
    const { version, clientId, receiveMaximum } = this.options;
    const link = new Link(address, this);
    this.#link = link;
    link.write(wire.encodeConnect({ version, clientId, isClean: false, receiveMaximum }));
    link.flush();
    await new Promise<void>((resolve, reject) => {
      this.#connectWaiter = { resolve, reject };
    });
    if (!this.#isSubscribed) await this.#subscribe();
  }

  async #subscribe(): Promise<void> {
    const { version, topicFilter, qos } = this.options;
    this.#link?.write(wire.encodeSubscribe(version, 1, topicFilter, qos));
    this.#link?.flush();
    await new Promise<void>((resolve, reject) => {
      this.#subscribeWaiter = { resolve, reject };
    });
    this.#isSubscribed = true;
  }

  /** Leaves by DISCONNECT; resolves when the connection is closed. */
  disconnect(): Promise<void> {
    const link = this.#link;
    if (link === undefined) return Promise.resolve();
    const ended = new Promise<void>((resolve) => {
      this.#endWaiter = resolve;
    });
    link.write(wire.encodeDisconnect());
    link.end();
    return ended;
  }

  /** Loses the connection at once, as when the process is killed. */
  kill(): void {
    this.#link?.cut();
    this.#gone("killed");
  }

  onGone(reason: string): void {
    this.#gone(reason);
    const endWaiter = this.#endWaiter;
    this.#endWaiter = undefined;
    if (endWaiter !== undefined) endWaiter();
    else this.onGoneDo?.(reason);
  }

  #gone(reason: string): void {
    this.#isConnected = false;
    this.#link = undefined;
    const error = new Error(reason);
    this.#connectWaiter?.reject(error);
    this.#subscribeWaiter?.reject(error);
    this.#connectWaiter = this.#subscribeWaiter = undefined;
  }

  ping(): void {
    this.#link?.write(wire.encodePingreq());
    this.#link?.flush();
  }

  onTurn(): void {}

  onPacket(head: number, bytes: Buffer, body: number, end: number): void {
    this.packets++;
    switch (head >> 4) {
      case wire.PUBLISH:
        this.#receive(head, bytes, body, end);
        return;
      case wire.PUBREL:
        this.#release(bytes.readUInt16BE(body));
        return;
      case wire.CONNACK:
        this.#welcome(bytes, body);
        return;
      case wire.SUBACK:
        this.#subscribed(bytes[end - 1] as number);
        return;
      case wire.DISCONNECT:
        return;
      case wire.PINGRESP:
        this.pongs++;
        return;
      default:
        this.#ledger.fault(`subscriber ${this.options.index} was sent a packet of type ${head >> 4}`);
    }
  }

  #receive(head: number, bytes: Buffer, body: number, end: number): void {
    const { index, version } = this.options;
    const qos = (head >> 1) & 3;
    const identifierAt = body + 2 + bytes.readUInt16BE(body);
    if (qos === 0) {
      this.#ledger.fault(`subscriber ${index} was sent a message at QoS 0`);
      return;
    }
    const packetId = bytes.readUInt16BE(identifierAt);
    const payloadAt = version === 5 ? wire.afterProperties(bytes, identifierAt + 2) : identifierAt + 2;
    if (qos === 1) {
      this.#book(bytes, payloadAt, end);
    } else if (this.#received[packetId] === 0) {
      this.#received[packetId] = 1;
      this.#book(bytes, payloadAt, end);
    }
    this.#link?.write(wire.encodeAck(qos === 1 ? wire.PUBACK : wire.PUBREC, packetId));
  }

  #book(bytes: Buffer, at: number, end: number): void {
    const { index } = this.options;
    const sequence = this.#payloads.sequenceOf(bytes, at, end);
    if (sequence === 0) this.#ledger.receiveAltered(index);
    else this.#ledger.receive(index, this.#payloads.publisherOf(bytes, at), sequence);
  }

  #release(packetId: number): void {
    this.#received[packetId] = 0;
    this.#link?.write(wire.encodeAck(wire.PUBCOMP, packetId));
  }

  #welcome(bytes: Buffer, body: number): void {
    const waiter = this.#connectWaiter;
    this.#connectWaiter = undefined;
    const reasonCode = bytes[body + 1] as number;
    if (reasonCode !== 0) {
      waiter?.reject(new Error(`CONNACK 0x${reasonCode.toString(16)}`));
      this.kill();
      return;
    }
    if (this.#isSubscribed) {
      this.#ledger.restartSubscriber(this.options.index);
      // A broker that has forgotten the Session has forgotten its identifiers too.
      if (bytes[body] !== 1) {
        this.#ledger.loseSession();
        this.#received.fill(0);
        this.#isSubscribed = false;
      }
    }
    this.#isConnected = true;
    waiter?.resolve();
  }

  #subscribed(reasonCode: number): void {
    const waiter = this.#subscribeWaiter;
    this.#subscribeWaiter = undefined;
    if (reasonCode >= 0x80) waiter?.reject(new Error(`SUBACK 0x${reasonCode.toString(16)}`));
    else waiter?.resolve();
  }
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}
