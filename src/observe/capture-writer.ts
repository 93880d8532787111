/**
 * Writes captures that Wireshark and tshark read: pcapng, with the TCP and IP headers that the bytes of an MQTT connection travel in made
 * for them. The broker sees no headers, and behind TLS or WebSocket there would be nothing to decode: what is written is plain MQTT, at
 * the port by which Wireshark knows it.
 */

/** One connection in a capture. */
export interface CapturedConnection {
  /** "ADDRESS:PORT" of the client; anything else is written as an address of nobody. */
  readonly remoteAddress: string;
  /** Told apart from others that have the same address. */
  readonly number: number;
}

/** The port that dissectors know MQTT by. */
const MQTT_PORT = 1883;
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Packets that begin with their IP header. */
const LINKTYPE_RAW = 101;
const OPTION_COMMENT = 1;
const OPTION_APPLICATION = 4;
/** An IP packet has at most 65,535 bytes. */
const SEGMENT_BYTES = 65_000;
const PUSH_ACK = 0x18;
const FIN_ACK = 0x11;
const SYN = 0x02;
const SYN_ACK = 0x12;

/** A TCP connection as it is made up: the next sequence number of each side. */
interface Stream {
  readonly client: Uint8Array;
  readonly clientPort: number;
  received: number;
  sent: number;
}

/** Makes the bytes of one capture file. */
export class CaptureWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #streams: Map<number, Stream> = new Map();
  /** Bytes written so far. */
  bytes = 0;

  /** @param application who writes it, for the file's header */
  constructor(write: (bytes: Uint8Array) => void, application: string) {
    this.#write = write;
    const header = Buffer.alloc(16);
    header.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
    header.writeUInt16LE(1, 4);
    // The section's length is not known beforehand.
    header.writeBigInt64LE(-1n, 8);
    this.#block(SECTION_HEADER, header, [option(OPTION_APPLICATION, application), END_OF_OPTIONS]);
    const description = Buffer.alloc(8);
    description.writeUInt16LE(LINKTYPE_RAW, 0);
    this.#block(INTERFACE, description, []);
  }

  /** Begins a connection: what Wireshark shows as its handshake. */
  open(connection: CapturedConnection, atMs: number, comment: string | null = null): void {
    const stream = streamOf(connection);
    this.#streams.set(connection.number, stream);
    this.#segment(stream, "received", SYN, new Uint8Array(0), atMs, comment);
    stream.received++;
    this.#segment(stream, "sent", SYN_ACK, new Uint8Array(0), atMs, null);
    stream.sent++;
  }

  /** Bytes that passed on a connection that is open. */
  data(
    connection: number,
    direction: "received" | "sent",
    bytes: Uint8Array,
    atMs: number,
    comment: string | null = null,
  ): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
      const part = bytes.subarray(at, at + SEGMENT_BYTES);
      this.#segment(stream, direction, PUSH_ACK, part, atMs, at === 0 ? comment : null);
      stream[direction] += part.length;
    }
  }

  /** Bytes that are missing: Wireshark shows a lost segment. */
  gap(connection: number, direction: "received" | "sent", bytes: number): void {
    const stream = this.#streams.get(connection);
    if (stream !== undefined) stream[direction] += bytes;
  }

  /** Ends a connection. */
  close(connection: number, atMs: number, comment: string | null = null): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    this.#streams.delete(connection);
    this.#segment(stream, "sent", FIN_ACK, new Uint8Array(0), atMs, comment);
  }

  #segment(
    stream: Stream,
    direction: "received" | "sent",
    flags: number,
    payload: Uint8Array,
    atMs: number,
    comment: string | null,
  ): void {
    const packet = ipPacket(stream, direction, flags, payload);
    const header = Buffer.alloc(20);
    const micros = BigInt(Math.round(atMs * 1000));
    header.writeUInt32LE(Number(micros >> 32n), 4);
    header.writeUInt32LE(Number(micros & 0xffff_ffffn), 8);
    header.writeUInt32LE(packet.length, 12);
    header.writeUInt32LE(packet.length, 16);
    const options = comment === null ? [] : [option(OPTION_COMMENT, comment), END_OF_OPTIONS];
    this.#block(ENHANCED_PACKET, Buffer.concat([header, padded(packet)]), options);
  }

  #block(type: number, body: Uint8Array, options: readonly Uint8Array[]): void {
    const content = Buffer.concat([body, ...options]);
    const block = Buffer.alloc(content.length + 12);
    block.writeUInt32LE(type, 0);
    block.writeUInt32LE(block.length, 4);
    block.set(content, 8);
    block.writeUInt32LE(block.length, block.length - 4);
    this.bytes += block.length;
    this.#write(block);
  }
}

const END_OF_OPTIONS = Buffer.alloc(4);

function option(code: number, text: string): Uint8Array {
  const value = Buffer.from(text).subarray(0, 65_535);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, padded(value)]);
}

/** With zeros up to a multiple of four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

function streamOf({ remoteAddress, number }: CapturedConnection): Stream {
  const [, address = "", port = ""] = /^([0-9a-fA-F:.]+):(\d+)$/.exec(remoteAddress) ?? [];
  return {
    client: addressBytes(address),
    // Those without a port of their own are told apart by their number.
    clientPort: port === "" ? 49_152 + (number % 16_384) : Number(port),
    received: 1,
    sent: 1,
  };
}

/** Four bytes of IPv4 or sixteen of IPv6; 0.0.0.0 for what is neither. */
function addressBytes(address: string): Uint8Array {
  const mapped = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (/^\d+\.\d+\.\d+\.\d+$/.test(mapped)) return Uint8Array.from(mapped.split("."), Number);
  if (!address.includes(":")) return new Uint8Array(4);
  const [head = "", tail = ""] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const middle = address.includes("::") ? 8 - before.length - after.length : 0;
  const groups = [...before, ...Array.from({ length: Math.max(0, middle) }, () => "0"), ...after];
  const bytes = new Uint8Array(16);
  for (const [i, group] of groups.slice(0, 8).entries()) {
    const value = Number.parseInt(group, 16) || 0;
    bytes[i * 2] = value >> 8;
    bytes[i * 2 + 1] = value & 0xff;
  }
  return bytes;
}

function ipPacket(stream: Stream, direction: "received" | "sent", flags: number, payload: Uint8Array): Buffer {
  const isToServer = direction === "received";
  const server = new Uint8Array(stream.client.length);
  server[server.length - 1] = 1;
  if (server.length === 4) server[0] = 127;
  const [from, to] = isToServer ? [stream.client, server] : [server, stream.client];
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(isToServer ? stream.clientPort : MQTT_PORT, 0);
  tcp.writeUInt16BE(isToServer ? MQTT_PORT : stream.clientPort, 2);
  tcp.writeUInt32BE((isToServer ? stream.received : stream.sent) >>> 0, 4);
  tcp.writeUInt32BE(flags === SYN ? 0 : (isToServer ? stream.sent : stream.received) >>> 0, 8);
  tcp[12] = 5 << 4;
  tcp[13] = flags;
  tcp.writeUInt16BE(65_535, 14);
  const segment = Buffer.concat([tcp, payload]);
  return Buffer.concat([from.length === 4 ? ipv4(from, to, segment.length) : ipv6(from, to, segment.length), segment]);
}

function ipv4(from: Uint8Array, to: Uint8Array, bytes: number): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(bytes + 20, 2);
  header[8] = 64;
  header[9] = 6;
  header.set(from, 12);
  header.set(to, 16);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  header.writeUInt16BE(~sum & 0xffff, 10);
  return header;
}

function ipv6(from: Uint8Array, to: Uint8Array, bytes: number): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(bytes, 4);
  header[6] = 6;
  header[7] = 64;
  header.set(from, 8);
  header.set(to, 24);
  return header;
}
