/**
 * The rows of the *.json beside this file: packets as data, for any MQTT program. One row a line:
 *
 *   hex      the bytes; blanks are only for the eye
 *   version  of the connection: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0; for a CONNECT the one that it asks for
 *   sender   "client" or "server"
 *   packet | fault | incomplete   what the bytes mean: a packet by its fields, where {"hex": ...} is bytes and a field that is
 *            not named is at its neutral value (false, 0, null, empty); or the reason code that answers them; or nothing yet
 *   limit    the largest packet that the receiver takes; by default as large as the protocol allows
 *   encoding "other": legal, but a sender writes the same packet differently; "refused": a sender must not write it, though
 *            a receiver reads it; absent: encoding the packet gives the same bytes
 *   machine  the reason code on a connection on which nothing has been sent yet, when that is not what the bytes mean by
 *            themselves (an alias that stands for nothing, an AUTH that nobody asked for, text that our server does not take)
 *   unanswered  true: a server closes the connection without a word, as mosquitto does
 *   tag, why the rule, with the version of the specification, and the case in words
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Packet, Side, Version } from "../../src/protocol/index.ts";
import { bytesOfHex } from "../support/hex.ts";
import { ROOT } from "../support/repository.ts";

/** One row, with its bytes and packet made real. */
export interface Row {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly version: Version;
  readonly sender: Side;
  /** The packet's fields, when it is legal. */
  readonly packet: Packet | null;
  /** The reason code that answers it, when it is not. */
  readonly fault: number | null;
  readonly limit: number;
  readonly encoding: "same" | "other" | "refused";
  readonly machine: number | null;
  /** Whether a server tells the client of it. */
  readonly isAnswered: boolean;
  /** For the name of a test. */
  readonly title: string;
}

interface JsonRow {
  readonly hex: string;
  readonly version: Version;
  readonly sender: Side;
  readonly packet?: { readonly type: Packet["type"] };
  readonly fault?: string;
  readonly incomplete?: true;
  readonly limit?: number;
  readonly encoding?: "other" | "refused";
  readonly machine?: string;
  readonly unanswered?: true;
  readonly tag: string;
  readonly why: string;
}

const SUBSCRIPTION = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
const WILL = { qos: 0, retain: false, properties: {} };
const ACKNOWLEDGEMENT = { reasonCode: 0, properties: {} };

/** Fields at their neutral value, by packet type. */
const NEUTRAL: Readonly<Record<Packet["type"], object>> = {
  CONNECT: { bridge: false, will: null, username: null, password: null, properties: {} },
  CONNACK: { sessionPresent: false, reasonCode: 0, properties: {} },
  PUBLISH: { qos: 0, retain: false, dup: false, packetId: 0, properties: {} },
  PUBACK: ACKNOWLEDGEMENT,
  PUBREC: ACKNOWLEDGEMENT,
  PUBREL: ACKNOWLEDGEMENT,
  PUBCOMP: ACKNOWLEDGEMENT,
  SUBSCRIBE: { properties: {} },
  SUBACK: { properties: {} },
  UNSUBSCRIBE: { properties: {} },
  UNSUBACK: { reasonCodes: [], properties: {} },
  PINGREQ: {},
  PINGRESP: {},
  DISCONNECT: { reasonCode: 0, properties: {} },
  AUTH: { reasonCode: 0, properties: {} },
};

/** Every row of every file. */
export function readRows(): Row[] {
  const folder = join(ROOT, "test/vectors");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.flatMap((file) => {
    const rows = JSON.parse(readFileSync(join(folder, file), "utf8"), toBytes) as JsonRow[];
    return rows.map((row) => rowOf(file, row));
  });
}

/** {"hex": ...} as a field is bytes; a row, which has a hex too, is not. */
function toBytes(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("hex" in value) || Object.keys(value).length > 1) return value;
  return bytesOfHex(String(value.hex));
}

function rowOf(file: string, row: JsonRow): Row {
  const { hex, version, sender, packet, limit, encoding = "same", tag, why } = row;
  return {
    file,
    bytes: bytesOfHex(hex),
    version,
    sender,
    packet: packet === undefined ? null : packetOf(packet),
    fault: row.fault === undefined ? null : Number(row.fault),
    limit: limit ?? Number.POSITIVE_INFINITY,
    encoding,
    machine: row.machine === undefined ? null : Number(row.machine),
    isAnswered: row.unanswered === undefined,
    title: `${hex.length > 60 ? `${hex.slice(0, 60)}…` : hex} (${version}, ${sender}): ${why} [${tag}]`,
  };
}

function packetOf(fields: NonNullable<JsonRow["packet"]>): Packet {
  const packet: Record<string, unknown> = { ...NEUTRAL[fields.type], ...fields };
  if (packet.will) packet.will = { ...WILL, ...(packet.will as object) };
  if (packet.subscriptions)
    packet.subscriptions = (packet.subscriptions as object[]).map((request) => ({ ...SUBSCRIPTION, ...request }));
  return packet as unknown as Packet;
}

/** `packet` by its fields alone, so that packets can be compared however they were made. */
export function fieldsOf(packet: Packet): object {
  if (packet.type !== "PUBLISH") return packet;
  const { type, topicName, payload, qos, retain, dup, packetId } = packet;
  // Without their order, which means nothing.
  const properties = Object.fromEntries(Object.entries(packet.properties));
  return { type, topicName, payload, qos, retain, dup, packetId, properties };
}
