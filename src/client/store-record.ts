/**
 * The records of a client's store file: a length, a checksum, and one change of the Session. A message is kept as its PUBLISH of
 * MQTT 5.0, which holds everything whatever version is spoken.
 */
import { crc32 } from "node:zlib";
import { decodePacket, encodePublish, isFault, type Publish, publishOf, type Side } from "../protocol/index.ts";
import type { SessionChange } from "./journal.ts";

/** Length and checksum before each record's body. */
export const RECORD_HEAD_BYTES = 8;

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

/** One record, ready to be written. */
export function encodeRecord(record: StoreRecord): Uint8Array {
  const publish = publishBytesOf(record);
  const numberBytes = "sequence" in record ? 8 : publish === null ? 2 : 0;
  const bodyBytes = 1 + numberBytes + (publish?.length ?? 0);
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + bodyBytes);
  const view = new DataView(bytes.buffer);
  bytes[RECORD_HEAD_BYTES] = KINDS.indexOf(record.kind);
  if ("sequence" in record) view.setFloat64(RECORD_HEAD_BYTES + 1, record.sequence);
  else if (publish === null) view.setUint16(RECORD_HEAD_BYTES + 1, record.mid);
  if (publish !== null) bytes.set(publish, RECORD_HEAD_BYTES + 1 + numberBytes);
  view.setUint32(0, bodyBytes);
  view.setUint32(4, crc32(bytes.subarray(RECORD_HEAD_BYTES)));
  return bytes;
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
  /** Where it begins, and where the next one does. */
  readonly start: number;
  readonly end: number;
}

/** Why there is no record where one should be: the file ends within it, or its checksum or content is wrong. */
export type NoRecord = "cut" | "damaged";

/** The record at `start`. */
export function recordAt(bytes: Uint8Array, start: number): FoundRecord | NoRecord {
  if (bytes.length - start < RECORD_HEAD_BYTES) return "cut";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = start + RECORD_HEAD_BYTES + view.getUint32(start);
  if (end > bytes.length) return "cut";
  const body = bytes.subarray(start + RECORD_HEAD_BYTES, end);
  // The kind first: looking for a record among other bytes should not cost a checksum for each of them.
  const hasKind = body.length > 0 && body[0]! > 0 && body[0]! < KINDS.length;
  const record = hasKind && crc32(body) === view.getUint32(start + 4) ? decodeBody(body) : null;
  return record === null ? "damaged" : { record, start, end };
}

function decodeBody(body: Uint8Array): StoreRecord | null {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const kind = KINDS[body[0]!];
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
