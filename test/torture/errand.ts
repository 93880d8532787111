// A plain client for a short errand: it sends packets and waits for others. Forgets everything when it is done.
import { type Address, Link } from "./link.ts";
import * as wire from "./wire.ts";

/** Longer than a machine with much to do keeps a broker waiting. */
const LIMIT_MS = 30_000;

/** A packet that came, with a copy of its body. */
export interface Received {
  readonly head: number;
  readonly body: Buffer;
}

export class Errand {
  readonly #link: Link;
  readonly #waiting: Set<() => void> = new Set();
  #isCut = false;
  readonly received: Received[] = [];
  /** Why the connection was lost, if it was. */
  lost: string | undefined;
  onPacket: (packet: Received) => void = () => {};

  constructor(address: Address) {
    this.#link = new Link(address, {
      onPacket: (head, bytes, body, end) => this.#receive({ head, body: Buffer.from(bytes.subarray(body, end)) }),
      onTurn: () => {},
      onGone: (reason) => {
        this.lost = reason;
        this.#look();
      },
    });
  }

  #receive(packet: Received): void {
    this.received.push(packet);
    this.onPacket(packet);
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Connects a client and resolves with its CONNACK. */
  static async connect(address: Address, fields: wire.ConnectFields): Promise<Errand> {
    const errand = new Errand(address);
    errand.send(wire.encodeConnect(fields));
    const { body } = await errand.packet(wire.CONNACK);
    if (body[1] !== 0) throw new Error(`CONNACK 0x${body[1]?.toString(16)}`);
    return errand;
  }

  get isSessionPresent(): boolean {
    return this.of(wire.CONNACK)[0]?.body[0] === 1;
  }

  send(bytes: Buffer): void {
    if (this.#isCut) return;
    this.#link.write(bytes);
    this.#link.flush();
  }

  /** Packets of a type that have come. */
  of(type: number): Received[] {
    return this.received.filter(({ head }) => head >> 4 === type);
  }

  /** Resolves with the first packet of a type, now or later; rejects when the connection is lost or it takes too long. */
  packet(type: number): Promise<Received> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(limit);
        this.#waiting.delete(look);
        settle();
      };
      const fail = (why: string): void => end(() => reject(new Error(`no packet of type ${type}: ${why}`)));
      const limit = setTimeout(() => fail(`${LIMIT_MS / 1000} s passed`), LIMIT_MS);
      const look = (): void => {
        const [found] = this.of(type);
        if (found !== undefined) end(() => resolve(found));
        else if (this.lost !== undefined) fail(this.lost);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Loses the connection at once. */
  cut(): void {
    this.#isCut = true;
    this.#link.cut();
  }
}
