/**
 * Recordings of what passes between chosen clients and the broker, sent on to whoever asked. They cost nothing for other clients, and
 * whoever records and cannot keep up gets gaps, never a broker that waits.
 */
import { type Clock, type Connection, type ControlRequest, type Observer, respond, type Tap } from "../core/index.ts";
import { decodePacket, type EndReason, encodeUtf8, type Fault, isFault, packetLength } from "../protocol/index.ts";
import { RequestError } from "./fields.ts";
import { TAP_TOPIC, type TapEvent } from "./requests.ts";

/** Recordings at once. */
const MOST_TAPS = 16;
/** Bytes kept of a connection until it is known whose it is. */
const EARLY_BYTES = 131_072;
/** Bytes of one event. */
const EVENT_BYTES = 16_384;

type Piece = { readonly atMs: number; readonly direction: "received" | "sent"; readonly bytes: Uint8Array };

/** A connection of which nobody knows yet whose it is. */
interface Early {
  pieces: Piece[];
  bytes: number;
}

/** One recording. */
class Recording {
  readonly clientId: string;
  readonly request: ControlRequest;
  readonly untilMs: number;
  readonly connections: Map<Connection, { readonly number: number; lostBytes: number }> = new Map();
  events = 0;
  nextNumber = 1;

  constructor(clientId: string, request: ControlRequest, untilMs: number) {
    this.clientId = clientId;
    this.request = request;
    this.untilMs = untilMs;
  }
}

/** All recordings of one broker. */
export class Taps implements Observer {
  readonly #clock: Clock;
  readonly #recordings: Set<Recording> = new Set();
  readonly #early: Map<Connection, Early> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a recording of the connection that is there and of those that come. */
  begin(clientId: string, seconds: number, request: ControlRequest): void {
    if (this.#recordings.size >= MOST_TAPS)
      throw new RequestError(`${MOST_TAPS} recordings run already, the most at once`);
    if (request.connection.clientId === clientId)
      throw new RequestError("a client cannot record itself: each event would be one more to record");
    const { connection, topicName, properties } = request;
    // The payload is not valid any longer than the request.
    const kept: ControlRequest = { connection, topicName, properties, payload: new Uint8Array(0) };
    const recording = new Recording(clientId, kept, this.#clock.nowMs() + seconds * 1000);
    this.#recordings.add(recording);
    const { broker } = connection;
    broker.deadlines.add(recording.untilMs, () => this.#over(recording));
    const present = broker.sessions.get(clientId)?.connection;
    if (present != null) this.#attach(recording, present, present.openedAtMs);
  }

  /** Ends the recordings of a client that `by` asked for, and says how many events they sent. */
  end(clientId: string, by: Connection): number {
    let events = 0;
    for (const recording of this.#recordings) {
      if (recording.clientId !== clientId || recording.request.connection !== by) continue;
      events += recording.events;
      this.#remove(recording);
    }
    return events;
  }

  #over(recording: Recording): void {
    if (!this.#recordings.has(recording)) return;
    this.#send(recording, { kind: "over", connection: 0, atMs: this.#clock.wallMs() });
    this.#remove(recording);
  }

  #remove(recording: Recording): void {
    this.#recordings.delete(recording);
    for (const connection of recording.connections.keys()) this.#retap(connection);
  }

  opened(connection: Connection): void {
    if (this.#recordings.size === 0) return;
    const early: Early = { pieces: [], bytes: 0 };
    this.#early.set(connection, early);
    connection.tap = (direction, bytes) => {
      early.bytes += bytes.length;
      if (early.bytes <= EARLY_BYTES)
        early.pieces.push({ atMs: this.#clock.wallMs(), direction, bytes: bytes.slice() });
    };
  }

  connected(connection: Connection): void {
    this.#known(connection);
  }

  #known(connection: Connection): void {
    const early = this.#early.get(connection);
    if (early === undefined) return;
    this.#early.delete(connection);
    connection.tap = null;
    for (const recording of this.#recordings) {
      if (recording.clientId !== connection.clientId) continue;
      this.#attach(recording, connection, connection.openedAtMs);
      for (const piece of withoutPassword(early.pieces)) this.#bytes(recording, connection, piece);
    }
  }

  ended(connection: Connection, reason: EndReason, fault: Fault | null): void {
    // One that was refused is recorded too.
    this.#known(connection);
    for (const recording of this.#recordings) {
      if (recording.request.connection === connection) {
        this.#remove(recording);
        continue;
      }
      const known = recording.connections.get(connection);
      if (known === undefined) continue;
      const detail = fault?.message ?? null;
      this.#send(recording, { kind: "ended", connection: known.number, atMs: this.#clock.wallMs(), reason, detail });
      recording.connections.delete(connection);
    }
  }

  #attach(recording: Recording, connection: Connection, openedAtMs: number): void {
    const number = recording.nextNumber++;
    recording.connections.set(connection, { number, lostBytes: 0 });
    const { remoteAddress, localPort = 0 } = connection.link;
    const atMs = this.#clock.wallMs() - (this.#clock.nowMs() - openedAtMs);
    this.#send(recording, { kind: "opened", connection: number, atMs, remoteAddress, localPort });
    this.#retap(connection);
  }

  #retap(connection: Connection): void {
    const tap: Tap = (direction, bytes) => {
      const piece = { atMs: this.#clock.wallMs(), direction, bytes };
      for (const recording of this.#recordings) this.#bytes(recording, connection, piece);
    };
    const isRecorded = [...this.#recordings].some(({ connections }) => connections.has(connection));
    connection.tap = isRecorded ? tap : null;
  }

  #bytes(recording: Recording, connection: Connection, { atMs, direction, bytes }: Piece): void {
    const known = recording.connections.get(connection);
    if (known === undefined) return;
    if (!recording.request.connection.hasRoomForQos0) {
      known.lostBytes += bytes.length;
      return;
    }
    if (known.lostBytes > 0) {
      this.#send(recording, { kind: "gap", connection: known.number, atMs, bytes: known.lostBytes });
      known.lostBytes = 0;
    }
    for (let at = 0; at < bytes.length; at += EVENT_BYTES) {
      const data = base64(bytes.subarray(at, at + EVENT_BYTES));
      this.#send(recording, { kind: "bytes", connection: known.number, atMs, direction, data });
    }
  }

  #send(recording: Recording, event: TapEvent): void {
    recording.events++;
    respond(recording.request, TAP_TOPIC, encodeUtf8(JSON.stringify(event)));
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** The pieces with the password of their CONNECT made unreadable, at its length, and the CONNECT whole in the first piece. */
function withoutPassword(pieces: readonly Piece[]): readonly Piece[] {
  const received = pieces.filter(({ direction }) => direction === "received");
  const bytes = new Uint8Array(Buffer.concat(received.map((piece) => piece.bytes)));
  const length = packetLength(bytes, 0);
  if (length <= 0 || length > bytes.length) return [];
  const connect = decodePacket(bytes, 0, length, 5, "client");
  if (isFault(connect) || connect.type !== "CONNECT") return pieces;
  // It is the last field of the payload [5.0 MQTT-3.1.3-1].
  if (connect.password !== null) bytes.fill("*".charCodeAt(0), length - connect.password.length, length);
  return [{ ...received[0]!, bytes }, ...pieces.filter(({ direction }) => direction === "sent")];
}
