/**
 * The delivery rules of QoS 1 and 2 [5.0 §4.3] [3.1.1 §4.3], once, for whoever sends and for whoever receives. They belong to the
 * Session and outlive a connection; they know neither bytes nor time.
 */
import { InOrderTable, TableEntry } from "./in-order-table.ts";
import type { Qos } from "./packet.ts";

/** What the sender of a message may hear. */
export type Ack = "PUBACK" | "PUBREC" | "PUBCOMP";

/** What an acknowledgement asks of the sender. */
export type Step = "done" | "send PUBREL" | "unexpected";

/** Waiting for the packet on the left, this one moves us on; one not listed is the peer's mistake. */
const ON_ACK: Readonly<Record<Ack, Partial<Record<Ack, { readonly step: Step; readonly wait: Ack }>>>> = {
  PUBACK: { PUBACK: { step: "done", wait: "PUBACK" } },
  PUBREC: { PUBREC: { step: "send PUBREL", wait: "PUBCOMP" } },
  PUBCOMP: {
    PUBREC: { step: "send PUBREL", wait: "PUBCOMP" }, // the peer missed our PUBREL
    PUBCOMP: { step: "done", wait: "PUBCOMP" },
  },
};

/** Largest packet identifier, and so the most messages that can be in flight one way. */
export const MAXIMUM_PACKET_ID = 65_535;

/** One message on its way: the message until it needs no sending again, and what is waited for. */
export class InflightEntry<Message> extends TableEntry {
  /** null once the PUBREC is there: a PUBLISH is not sent again after its PUBREL [5.0 MQTT-4.3.3-6]. */
  message: Message | null;
  wait: Ack;
  readonly qos: 1 | 2;

  constructor(packetId: number, message: Message | null, wait: Ack, qos: 1 | 2) {
    super(packetId);
    this.message = message;
    this.wait = wait;
    this.qos = qos;
  }
}

/** Messages sent at QoS 1 or 2 and not yet acknowledged, in the order in which they were sent. */
export class Inflight<Message> {
  readonly #entries: InOrderTable<InflightEntry<Message>> = new InOrderTable();
  #receiveMaximum: number;
  /** The identifier that was given out last; 0: none. */
  lastId = 0;

  /** @param receiveMaximum most messages unacknowledged at once, 1..65,535 [5.0 §4.9] */
  constructor(receiveMaximum: number) {
    this.#receiveMaximum = receiveMaximum;
  }

  /** The window; a new connection may bring another one. A smaller one holds new messages back and drops none. */
  get receiveMaximum(): number {
    return this.#receiveMaximum;
  }
  set receiveMaximum(value: number) {
    this.#receiveMaximum = value;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether one more message may be sent now. */
  get hasRoom(): boolean {
    return this.#entries.size < this.#receiveMaximum;
  }

  has(packetId: number): boolean {
    return this.#entries.get(packetId) !== undefined;
  }

  get(packetId: number): InflightEntry<Message> | undefined {
    return this.#entries.get(packetId);
  }

  /** A packet identifier that is in use neither here nor by `isTaken`; 0 when all 65,535 are. */
  nextId(isTaken?: (packetId: number) => boolean): number {
    for (let tries = 0; tries < MAXIMUM_PACKET_ID; tries++) {
      this.lastId = (this.lastId % MAXIMUM_PACKET_ID) + 1;
      if (!this.has(this.lastId) && !isTaken?.(this.lastId)) return this.lastId;
    }
    return 0;
  }

  /** Returns the packet identifier given to `message`, or 0 when the window is full. */
  add(message: Message, qos: 1 | 2): number {
    if (this.#entries.size >= this.#receiveMaximum) return 0;
    const packetId = this.nextId();
    if (packetId !== 0) this.#entries.add(new InflightEntry(packetId, message, qos === 1 ? "PUBACK" : "PUBREC", qos));
    return packetId;
  }

  /**
   * Puts a message on its way under an identifier that the caller has reserved or a store kept. `wait` is where it stood; one
   * that waits for PUBCOMP is given without its message.
   */
  restore(packetId: number, message: Message | null, qos: 1 | 2, wait: Ack = qos === 1 ? "PUBACK" : "PUBREC"): void {
    this.remove(packetId);
    this.#entries.add(new InflightEntry(packetId, message, wait, qos));
  }

  /**
   * Applies an acknowledgement; `refused` means its reason code was 0x80 or more. The caller answers a PUBREC for an identifier
   * that we no longer know with PUBREL: after a lost Session that is not the peer's mistake.
   */
  acknowledge(packetId: number, ack: Ack, refused: boolean): Step {
    const entry = this.#entries.get(packetId);
    if (entry === undefined) return "unexpected";
    const move = ON_ACK[entry.wait][ack];
    if (move === undefined) return "unexpected";
    const step = refused ? "done" : move.step;
    if (step === "done") this.#entries.delete(entry);
    else {
      entry.wait = move.wait;
      entry.message = null;
    }
    return step;
  }

  /** Takes a message out that can never be sent. */
  remove(packetId: number): void {
    const entry = this.#entries.get(packetId);
    if (entry !== undefined) this.#entries.delete(entry);
  }

  /**
   * What is on its way now, and so to be sent again after a reconnection, in the order of the first sending: the PUBLISH with DUP, or the PUBREL where
   * `entry.message` is null [5.0 MQTT-4.4.0-1] [5.0 MQTT-4.6.0-1] [3.1.1 MQTT-4.4.0-1].
   */
  entries(): readonly InflightEntry<Message>[] {
    return this.#entries.entries();
  }
}

/** What the receiver of a PUBLISH at QoS 2 does with it. */
export type Receipt = "new" | "repeated";

/** Packet identifiers received at QoS 2 and not yet released by PUBREL [5.0 §4.3.3]: they keep a message from being taken twice. */
export class Received {
  /** Made with the first: most sessions never get one. */
  #ids: Set<number> | null = null;

  get size(): number {
    return this.#ids?.size ?? 0;
  }

  has(packetId: number): boolean {
    return this.#ids?.has(packetId) ?? false;
  }

  /** Notes a PUBLISH at QoS 2; a repeated one must not be delivered again [5.0 MQTT-4.3.3-10]. */
  publish(packetId: number): Receipt {
    this.#ids ??= new Set();
    if (this.#ids.has(packetId)) return "repeated";
    this.#ids.add(packetId);
    return "new";
  }

  /** Applies a PUBREL; false when the identifier is not known. */
  release(packetId: number): boolean {
    return this.#ids?.delete(packetId) ?? false;
  }

  values(): Iterable<number> {
    return this.#ids?.values() ?? [];
  }
}

/** The lower of two QoS. */
export function lowerQos(a: Qos, b: Qos): Qos {
  return a < b ? a : b;
}
