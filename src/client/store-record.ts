/**
 * The records of a client's store file: a length, a checksum, and one change of the Session. A message is kept as its PUBLISH of
 * MQTT 5.0, which holds everything whatever version is spoken.
 */
import { crc32 } from "node:zlib";
import { decodePacket, encodePublish, isFault, type Publish, publishOf, type Side } from "../protocol/index.ts";
import type { SessionChange } from "./journal.ts";

/** Length and checksum before each record's body. */
const RECORD_HEAD_BYTES = 8;

/** The bit of the kind that says that the record is of the second of two Sessions. */
const SECOND_SIDE = 0x40;
/** The kind of a record that holds others, which count together or not at all. */
const BATCH = 0x20;

/** The kinds by their number in the file; `last-sequence` is only there after the file was rewritten. */
const KINDS = [
  "",
  "outgoing-added",
  "outgoing-released",
  "outgoing-done",
  "incoming-added",
  "incoming-orphaned",
  "incoming-done",
  "last-sequence",
] as const;

/** What a record holds. */
export type StoreRecord = SessionChange | { readonly kind: "last-sequence"; readonly sequence: number };

/** One record, ready to be written; `side`: of which of the Sessions in the file. */
export function encodeRecord(record: StoreRecord, side: 0 | 1 = 0): Uint8Array {
  const publish = publishBytesOf(record);
  const numberBytes = "sequence" in record ? 8 : publish === null ? 2 : 0;
  const bodyBytes = 1 + numberBytes + (publish?.length ?? 0);
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + bodyBytes);
  const view = new DataView(bytes.buffer);
  bytes[RECORD_HEAD_BYTES] = KINDS.indexOf(record.kind) | (side === 1 ? SECOND_SIDE : 0);
  if ("sequence" in record) view.setFloat64(RECORD_HEAD_BYTES + 1, record.sequence);
  else if (publish === null) view.setUint16(RECORD_HEAD_BYTES + 1, record.mid);
  if (publish !== null) bytes.set(publish, RECORD_HEAD_BYTES + 1 + numberBytes);
  seal(bytes);
  return bytes;
}

/** Bytes before the first record of a batch. */
export const BATCH_HEAD_BYTES: number = RECORD_HEAD_BYTES + 1;

/** Joins encoded records into one that is read whole or not at all. */
export function encodeBatch(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(BATCH_HEAD_BYTES + records.reduce((sum, { length }) => sum + length, 0));
  bytes[RECORD_HEAD_BYTES] = BATCH;
  let at = BATCH_HEAD_BYTES;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  seal(bytes);
  return bytes;
}

/** Writes length and checksum before a body. */
function seal(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - RECORD_HEAD_BYTES);
  view.setUint32(4, crc32(bytes.subarray(RECORD_HEAD_BYTES)));
}

function publishBytesOf(record: StoreRecord): Uint8Array | null {
  if (record.kind === "outgoing-added") {
    return encodePublish(publishOf({ ...fieldsOf(record.message), dup: false, packetId: record.mid }), 5);
  }
  if (record.kind !== "incoming-added") return null;
  const { dup, packetId } = record.message;
  return encodePublish(publishOf({ ...fieldsOf(record.message), dup, packetId }), 5);
}

function fieldsOf({
  topicName,
  payload,
  qos,
  retain,
  properties,
}: Pick<Publish, "topicName" | "payload" | "qos" | "retain" | "properties">) {
  return { topicName, payload, qos, retain, properties };
}

/** A record that was found in a file. */
export interface FoundRecord {
  readonly record: StoreRecord;
  readonly side: 0 | 1;
  /** Where it begins, and where the next one does. */
  readonly start: number;
  readonly end: number;
}

/** Why there is no record where one should be: the file ends within it, or its checksum or content is wrong. */
export type NoRecord = "cut" | "damaged";

/** The record at `start`, or those of the batch there. */
export function recordsAt(bytes: Uint8Array, start: number): readonly FoundRecord[] | NoRecord {
  if (bytes[start + RECORD_HEAD_BYTES] !== BATCH) {
    const record = recordAt(bytes, start);
    return typeof record === "string" ? record : [record];
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = start + RECORD_HEAD_BYTES + view.getUint32(start);
  if (end > bytes.length) return "cut";
  if (crc32(bytes.subarray(start + RECORD_HEAD_BYTES, end)) !== view.getUint32(start + 4)) return "damaged";
  const found: FoundRecord[] = [];
  for (let at = start + BATCH_HEAD_BYTES; at < end; ) {
    const record = recordAt(bytes, at);
    if (typeof record === "string") return "damaged";
    found.push(record);
    at = record.end;
  }
  return found;
}

function recordAt(bytes: Uint8Array, start: number): FoundRecord | NoRecord {
  if (bytes.length - start < RECORD_HEAD_BYTES) return "cut";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = start + RECORD_HEAD_BYTES + view.getUint32(start);
  if (end > bytes.length) return "cut";
  const body = bytes.subarray(start + RECORD_HEAD_BYTES, end);
  // The kind first: looking for a record among other bytes should not cost a checksum for each of them.
  const kind = (body[0] ?? 0) & ~SECOND_SIDE;
  const hasKind = kind > 0 && kind < KINDS.length;
  const record = hasKind && crc32(body) === view.getUint32(start + 4) ? decodeBody(body) : null;
  const side = (body[0] ?? 0) & SECOND_SIDE ? 1 : 0;
  return record === null ? "damaged" : { record, side, start, end };
}

function decodeBody(body: Uint8Array): StoreRecord | null {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const kind = KINDS[(body[0] ?? 0) & ~SECOND_SIDE];
  switch (kind) {
    case "outgoing-added": {
      const message = publishIn(body, 1, "client");
      return message === null ? null : { kind, mid: message.packetId, message };
    }
    case "outgoing-released":
    case "outgoing-done":
      return body.length === 3 ? { kind, mid: view.getUint16(1) } : null;
    case "incoming-added": {
      const message = body.length > 9 ? publishIn(body, 9, "server") : null;
      return message === null ? null : { kind, sequence: view.getFloat64(1), message };
    }
    case "incoming-orphaned":
    case "incoming-done":
    case "last-sequence":
      return body.length === 9 ? { kind, sequence: view.getFloat64(1) } : null;
    default:
      return null;
  }
}

function publishIn(body: Uint8Array, start: number, sender: Side): Publish | null {
  // A copy, so that one message that waits for long does not keep the whole file in memory.
  const bytes = new Uint8Array(body.subarray(start));
  const packet = decodePacket(bytes, 0, bytes.length, 5, sender);
  return !isFault(packet) && packet.type === "PUBLISH" ? packet : null;
}
