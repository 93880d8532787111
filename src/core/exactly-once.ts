/**
 * Messages that a client publishes at QoS 2, from their PUBLISH to their PUBREL [5.0 §4.3.3]: what is new, what comes again, and how many
 * may be unreleased at once.
 */
import { type Publish, ReasonCode } from "../protocol/index.ts";
import type { Connection } from "./connection.ts";
import type { Obligation } from "./obligation.ts";
import type { Session } from "./session.ts";

/** How much of two messages under one identifier is compared, in bytes, besides their lengths. */
const COMPARED_BYTES = 4096;

/** What a connection remembers of such messages when something is out of the ordinary; most never have one. */
export class Unreleased {
  /** Identifiers that came again on this connection, and the fingerprint of what came under each. */
  readonly repeated: Map<number, number> = new Map();
  /** Identifiers whose PUBREC waits until earlier messages are released, and what it waits for besides. */
  readonly waiting: Map<number, Obligation | null> = new Map();
}

/** Judges a PUBLISH at QoS 2; a repeated one is answered again and not delivered again [5.0 MQTT-4.3.3-10]. */
export function isNew(connection: Connection, session: Session, packet: Publish): boolean {
  if (session.receivedMessages === 0) return true;
  if (session.received.has(packet.packetId)) {
    answerAgain(connection, packet);
    return false;
  }
  const { receiveMaximum } = connection.broker.options;
  if (!connection.isVersion5 || session.receivedMessages < receiveMaximum) return true;
  connection.fail(
    ReasonCode.ReceiveMaximumExceeded,
    `PUBLISH: ${session.receivedMessages} messages at QoS 2 are not released; at most ${receiveMaximum} may be [5.0 MQTT-3.3.4-7]`,
  );
  return false;
}

/**
 * Once on a connection: a client that does not hear the second answer either will not hear the third. Other messages under the
 * identifier are answered, however many come: their client numbers its messages in its own way, but it hears.
 */
function answerAgain(connection: Connection, packet: Publish): void {
  const { packetId } = packet;
  const unreleased = unreleasedOf(connection);
  // It has not been answered at all yet: whoever asks again has every reason to.
  if (unreleased.waiting.has(packetId)) return;
  const fingerprint = fingerprintOf(packet);
  if (unreleased.repeated.get(packetId) === fingerprint) {
    connection.fail(
      ReasonCode.ProtocolError,
      `PUBLISH: packet identifier ${packetId} again and again without its PUBREL; only a new connection is a reason to send it again [5.0 MQTT-4.4.0-1]`,
    );
    return;
  }
  unreleased.repeated.set(packetId, fingerprint);
  connection.answer("PUBREC", packetId, ReasonCode.Success, null);
}

/** FNV-1a of the length and the beginning of all that follows the fixed header. */
function fingerprintOf({ bytes, bodyStart, end }: Publish): number {
  let hash = 0x811c9dc5 ^ (end - bodyStart);
  const comparedEnd = Math.min(end, bodyStart + COMPARED_BYTES);
  for (let at = bodyStart; at < comparedEnd; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}

/**
 * Answers a new message that has been taken. Before 5.0 nobody can have told the client how many may be unreleased: for one too many
 * its PUBREC waits until another is released. What earlier connections have left behind does not count: it may never be released.
 */
export function answerTaken(connection: Connection, packetId: number, obligation: Obligation | null): void {
  const { options, ledger } = connection.broker;
  connection.unreleasedMessages++;
  if (connection.isVersion5 || connection.unreleasedMessages <= options.receiveMaximum) {
    connection.answer("PUBREC", packetId, ReasonCode.Success, obligation);
    return;
  }
  unreleasedOf(connection).waiting.set(packetId, obligation);
  if (ledger.isFull) connection.awaitRoom();
}

/** Applies a PUBREL. An identifier that is not known has been released before, for all that the client needs to know. */
export function receivePubrel(connection: Connection, session: Session, packetId: number): void {
  const { ledger, records } = connection.broker;
  const { unreleased } = connection;
  ledger.beginObligation();
  // Its PUBREC, which would have waited for the message to be kept, does not go out any more.
  if (unreleased?.waiting.has(packetId)) ledger.oweEarlier();
  const isKnown = session.receivedMessages > 0 && session.received.release(packetId);
  if (isKnown) {
    records.receivedDeleted(session, packetId);
    if (connection.unreleasedMessages > 0) connection.unreleasedMessages--;
  }
  connection.answer("PUBCOMP", packetId, ReasonCode.Success, ledger.endObligation());
  if (unreleased === null) return;
  unreleased.repeated.delete(packetId);
  unreleased.waiting.delete(packetId);
  answerWaiting(connection, unreleased);
}

function answerWaiting(connection: Connection, { waiting }: Unreleased): void {
  const { receiveMaximum } = connection.broker.options;
  for (const [packetId, obligation] of waiting) {
    if (connection.unreleasedMessages - waiting.size >= receiveMaximum) return;
    waiting.delete(packetId);
    connection.answer("PUBREC", packetId, ReasonCode.Success, obligation);
  }
}

function unreleasedOf(connection: Connection): Unreleased {
  connection.unreleased ??= new Unreleased();
  return connection.unreleased;
}
