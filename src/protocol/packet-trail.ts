/**
 * What passed on one connection lately: a bounded ring that is always written, so a note must cost nearly nothing. Packets that look
 * the same, go the same way and come one after the other in one turn are one entry: a publisher at full speed would leave nothing else
 * in it. So are the pings of a connection that is otherwise silent.
 */
import { PacketType } from "./packet.ts";

/** The time, as whoever runs the connection noted it when the present turn of its event loop began. */
export interface Turn {
  /** On a clock that never goes back, in milliseconds. */
  readonly turnMs: number;
}

/** Packets that passed one way, at once or one after the other. */
export interface TrailEntry {
  readonly direction: "received" | "sent";
  /** The first byte of their fixed header: type and flags [5.0 §2.1.1]. */
  readonly firstByte: number;
  readonly count: number;
  /** Of the first and of the last of them; 0: they have none. */
  readonly firstPacketId: number;
  readonly lastPacketId: number;
  /** All of them together, with their headers. */
  readonly bytes: number;
  /** When the first and the last passed, on the clock of the `Turn`. */
  readonly firstMs: number;
  readonly lastMs: number;
}

// An entry of the ring is so many numbers in a row.
const ORDER = 0;
const KIND = 1;
const COUNT = 2;
const FIRST_ID = 3;
const LAST_ID = 4;
const BYTES = 5;
const FIRST_MS = 6;
const LAST_MS = 7;
const NUMBERS = 8;
/** Added to the first byte of what was sent. */
const SENT = 256;
/** No packet begins with it. */
const NONE = -1;

/** The ring of one connection. Packets of the present turn are counted beside it. */
export class PacketTrail {
  readonly #most: number;
  readonly #turn: Turn;
  readonly #received: Run = new Run();
  readonly #sent: Run = new Run();
  /** It grows to `#most` entries: a connection that says little needs little. An array of numbers is smaller than a Float64Array. */
  #ring: number[] = [];
  #written = 0;
  /** Runs begun, in both directions. */
  #order = 0;
  #receivedPackets = 0;
  #sentPackets = 0;

  /** @param most entries kept; 0: none is */
  constructor(most: number, turn: Turn) {
    this.#most = most;
    this.#turn = turn;
  }

  /** Notes a packet that came. */
  received(firstByte: number, packetId: number, bytes: number): void {
    const run = this.#received;
    if (run.kind !== firstByte) this.#begin(run, firstByte, packetId);
    run.count++;
    run.lastPacketId = packetId;
    run.bytes += bytes;
  }

  /** Notes a packet that is on its way out. */
  sent(firstByte: number, packetId: number, bytes: number): void {
    const run = this.#sent;
    if (run.kind !== firstByte + SENT) this.#begin(run, firstByte + SENT, packetId);
    run.count++;
    run.lastPacketId = packetId;
    run.bytes += bytes;
  }

  #begin(run: Run, kind: number, packetId: number): void {
    this.#end(run);
    run.kind = kind;
    run.order = this.#order++;
    run.firstPacketId = packetId;
    run.firstMs = this.#turn.turnMs;
  }

  /** Bytes are about to be read: what comes now comes at another time. */
  endReceived(): void {
    if (this.#received.count > 0) this.#end(this.#received);
  }

  /** The output is about to be written. */
  endSent(): void {
    if (this.#sent.count > 0) this.#end(this.#sent);
  }

  /** Packets that came since the beginning. */
  get receivedPackets(): number {
    return this.#receivedPackets + this.#received.count;
  }

  /** Packets that went out since the beginning. */
  get sentPackets(): number {
    return this.#sentPackets + this.#sent.count;
  }

  #end(run: Run): void {
    if (run === this.#sent) this.#sentPackets += run.count;
    else this.#receivedPackets += run.count;
    if (run.count > 0 && this.#most > 0) this.#write(run);
    run.kind = NONE;
    run.count = run.bytes = 0;
  }

  /** Writes a run to the ring. */
  #write(run: Run): void {
    const at = this.#placeFor(run);
    const ring = this.#ring;
    ring[at + COUNT]! += run.count;
    ring[at + LAST_ID] = run.lastPacketId;
    ring[at + BYTES]! += run.bytes;
    ring[at + LAST_MS] = run.firstMs;
  }

  /** Where a run goes: to the entry of the pings that it goes on with, or to a new one, in place of the oldest when there are most. */
  #placeFor({ kind, order, firstPacketId, firstMs }: Run): number {
    const ring = this.#ring;
    const size = ring.length / NUMBERS;
    // The pings of one direction alternate with those of the other.
    for (let back = 1; isPing(kind) && back <= Math.min(2, this.#written); back++) {
      const at = ((this.#written - back) % size) * NUMBERS;
      if (ring[at + KIND] === kind) return at;
      if (!isPing(ring[at + KIND]!)) break;
    }
    const at = (this.#written++ % this.#most) * NUMBERS;
    if (at === ring.length) ring.push(order, kind, 0, firstPacketId, 0, 0, firstMs, firstMs);
    ring[at + ORDER] = order;
    ring[at + KIND] = kind;
    ring[at + FIRST_ID] = firstPacketId;
    ring[at + FIRST_MS] = firstMs;
    ring[at + COUNT] = ring[at + BYTES] = 0;
    return at;
  }

  /** Its entries, oldest first. */
  entries(): TrailEntry[] {
    this.#endRuns();
    return this.#rows().map(entryOf);
  }

  #endRuns(): void {
    this.#end(this.#received);
    this.#end(this.#sent);
  }

  #rows(): number[][] {
    const rows: number[][] = [];
    for (let at = 0; at < this.#ring.length; at += NUMBERS) rows.push(this.#ring.slice(at, at + NUMBERS));
    return rows.sort((a, b) => a[ORDER]! - b[ORDER]!);
  }

  /** Keeps only the newest entries: the connection has ended, and nothing is noted any more. */
  shrink(entries: number): void {
    this.#endRuns();
    if (this.#ring.length <= entries * NUMBERS) return;
    const rows = this.#rows();
    this.#ring = rows.slice(rows.length - entries).flat();
  }
}

/** Packets of one kind that come one after the other in one turn. */
class Run {
  /** The first byte, and SENT. */
  kind = NONE;
  count = 0;
  firstPacketId = 0;
  lastPacketId = 0;
  bytes = 0;
  firstMs = 0;
  order = 0;
}

function entryOf(row: readonly number[]): TrailEntry {
  const kind = row[KIND]!;
  return {
    direction: kind >= SENT ? "sent" : "received",
    firstByte: kind % SENT,
    count: row[COUNT]!,
    firstPacketId: row[FIRST_ID]!,
    lastPacketId: row[LAST_ID]!,
    bytes: row[BYTES]!,
    firstMs: row[FIRST_MS]!,
    lastMs: row[LAST_MS]!,
  };
}

function isPing(kind: number): boolean {
  const type = (kind % SENT) >> 4;
  return type === PacketType.PINGREQ || type === PacketType.PINGRESP;
}

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(PacketType).map(([name, type]) => [type, name]));

/** The type of a packet and what its first byte says besides, as in `PUBLISH q1 retain dup`. */
export function packetName(firstByte: number): string {
  const name = NAMES.get(firstByte >> 4) ?? "?";
  if (name !== "PUBLISH") return name;
  const qos = (firstByte >> 1) & 3;
  return `PUBLISH q${qos}${(firstByte & 1) === 1 ? " retain" : ""}${(firstByte & 8) === 8 ? " dup" : ""}`;
}

/** Remembers nothing. */
export const NO_TRAIL: PacketTrail = new PacketTrail(0, { turnMs: 0 });
