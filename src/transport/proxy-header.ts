/**
 * The header of the PROXY protocol, by which a proxy tells who its client is: version 1, a line of text, and version 2, bytes with
 * attributes. Limits as mosquitto's. Bytes in, facts out; nothing here reads a socket.
 */
import { isIPv4, isIPv6 } from "node:net";

/** What a header tells. */
export interface ProxyHeader {
  /** Bytes that it takes. */
  readonly length: number;
  /** Whether the connection is the proxy's own, as that of its health check. */
  readonly isLocal: boolean;
  /** The client; null: it is the proxy itself, or the proxy does not know. */
  readonly source: { readonly address: string; readonly port: number } | null;
  /** Whether the client came by TLS. */
  readonly isTls: boolean;
  /** Whether the proxy has verified a certificate of the client. */
  readonly hasCertificate: boolean;
  /** CN of that certificate; null when the proxy does not say or it is not UTF-8. */
  readonly commonName: string | null;
  /** What the proxy and the client agreed on; null when the proxy does not say both. */
  readonly cipher: { readonly version: string; readonly name: string } | null;
}

type Told = Pick<ProxyHeader, "isTls" | "hasCertificate" | "commonName" | "cipher">;

/** Of a client that came without TLS, or of whom nothing is told. */
const TOLD_NOTHING: Told = { isTls: false, hasCertificate: false, commonName: null, cipher: null };

/** Longest header of version 1, in bytes, with its line end. */
const LONGEST_V1_BYTES = 107;

/** Longest header of version 2 behind its first 16 bytes. */
const LONGEST_V2_BYTES = 500;
const V2_FIXED_BYTES = 16;

const V1_BEGIN = Buffer.from("PROXY ");
const V2_SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);

const COMMAND_LOCAL = 0;
const COMMAND_PROXY = 1;
const TCP_IPV4 = 0x11;
const TCP_IPV6 = 0x21;
const UNIX_STREAM = 0x31;
const UNIX_PATH_BYTES = 108;

const TYPE_SSL = 0x20;
const SUBTYPE_SSL_VERSION = 0x21;
const SUBTYPE_SSL_CN = 0x22;
const SUBTYPE_SSL_CIPHER = 0x23;
const CLIENT_SSL = 1;
const CLIENT_CERT_SESS = 4;

/** Bytes of an SSL attribute before those within it. */
const SSL_FIXED_BYTES = 5;
const ATTRIBUTE_HEAD_BYTES = 3;

/**
 * Reads the header that `bytes` begin with.
 * @returns null when more bytes are needed
 * @throws RangeError when it is none of that version; as early as that can be seen
 */
export function parseProxyHeader(bytes: Uint8Array, version: 1 | 2): ProxyHeader | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return version === 1 ? parseV1(buffer) : parseV2(buffer);
}

function parseV1(bytes: Buffer): ProxyHeader | null {
  requireBeginning(bytes, V1_BEGIN);
  const end = bytes.subarray(0, LONGEST_V1_BYTES).indexOf("\r\n");
  if (end < 0) {
    if (bytes.length >= LONGEST_V1_BYTES) throw new RangeError(`no line end within ${LONGEST_V1_BYTES} bytes`);
    return null;
  }
  const words = bytes.toString("latin1", V1_BEGIN.length, end).split(" ");
  const facts = { length: end + 2, isLocal: false, ...TOLD_NOTHING };
  if (words[0] === "UNKNOWN") return { ...facts, source: null };
  const [family, from = "", to = "", fromPort, toPort, ...more] = words;
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : null;
  if (isAddress === null) throw new RangeError("neither TCP4 nor TCP6 nor UNKNOWN");
  if (!isAddress(from) || !isAddress(to) || more.length > 0) throw new RangeError("not two addresses and two ports");
  portOf(toPort);
  return { ...facts, source: { address: from, port: portOf(fromPort) } };
}

function portOf(text: string | undefined): number {
  const port = /^[1-9]\d{0,4}$/.test(text ?? "") ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new RangeError("a port is not 1 to 65535");
  return port;
}

function requireBeginning(bytes: Buffer, beginning: Buffer): void {
  const known = Math.min(bytes.length, beginning.length);
  if (bytes.compare(beginning, 0, known, 0, known) !== 0) throw new RangeError("no PROXY header at all");
}

function parseV2(bytes: Buffer): ProxyHeader | null {
  requireBeginning(bytes, V2_SIGNATURE);
  if (bytes.length < V2_FIXED_BYTES) return null;
  const command = bytes[12]! & 0x0f;
  const family = bytes[13]!;
  const length = bytes.readUInt16BE(14);
  if (bytes[12]! >> 4 !== 2) throw new RangeError("not version 2");
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) throw new RangeError("a command that is unknown");
  if (length > LONGEST_V2_BYTES) throw new RangeError(`longer than ${LONGEST_V2_BYTES} bytes`);
  if (bytes.length < V2_FIXED_BYTES + length) return null;
  const body = bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + length);
  const whole = V2_FIXED_BYTES + length;
  if (command === COMMAND_LOCAL) return { length: whole, isLocal: true, source: null, ...TOLD_NOTHING };
  const { source, addressBytes } = sourceOf(family, body);
  return { length: whole, isLocal: false, source, ...toldBy(attributes(body.subarray(addressBytes))) };
}

function sourceOf(family: number, body: Buffer): { source: ProxyHeader["source"]; addressBytes: number } {
  switch (family) {
    case TCP_IPV4:
      return sourceIn(body, 12, (addresses) => ({
        address: [...addresses.subarray(0, 4)].join("."),
        port: addresses.readUInt16BE(8),
      }));
    case TCP_IPV6:
      return sourceIn(body, 36, (addresses) => ({ address: ipv6Text(addresses), port: addresses.readUInt16BE(32) }));
    case UNIX_STREAM:
      // As mosquitto, which takes a path that is not filled up with zeros to its 108 bytes; nothing can follow it then.
      return sourceIn(body, Math.max(1, Math.min(body.length, 2 * UNIX_PATH_BYTES)), (addresses) => ({
        address: pathIn(addresses.subarray(0, UNIX_PATH_BYTES)),
        port: 0,
      }));
    default:
      throw new RangeError("neither TCP nor a unix socket");
  }
}

function sourceIn(
  body: Buffer,
  addressBytes: number,
  read: (addresses: Buffer) => ProxyHeader["source"],
): ReturnType<typeof sourceOf> {
  if (body.length < addressBytes) throw new RangeError("too short for its addresses");
  return { source: read(body.subarray(0, addressBytes)), addressBytes };
}

function pathIn(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  // The way of RFC 5952 is that of URLs.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

interface Attribute {
  readonly type: number;
  readonly value: Buffer;
}

function toldBy(all: readonly Attribute[]): Told {
  let told = TOLD_NOTHING;
  for (const { type, value } of all) if (type === TYPE_SSL) told = toldBySsl(value);
  return told;
}

function toldBySsl(value: Buffer): Told {
  if (value.length < SSL_FIXED_BYTES) throw new RangeError("an SSL attribute that is too short");
  const client = value[0]!;
  const isVerified = value.readUInt32BE(1) === 0;
  const isTls = (client & CLIENT_SSL) !== 0;
  const hasCertificate = isTls && (client & CLIENT_CERT_SESS) !== 0 && isVerified;
  const within = attributes(value.subarray(SSL_FIXED_BYTES));
  const textOf = (wanted: number): string | null => {
    const found = within.find(({ type }) => type === wanted);
    return found === undefined ? null : nameText(found.value);
  };
  const version = textOf(SUBTYPE_SSL_VERSION);
  const name = textOf(SUBTYPE_SSL_CIPHER);
  return {
    isTls,
    hasCertificate,
    commonName: hasCertificate ? textOf(SUBTYPE_SSL_CN) : null,
    cipher: isTls && version !== null && name !== null ? { version, name } : null,
  };
}

function attributes(bytes: Buffer): readonly Attribute[] {
  const found: Attribute[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < ATTRIBUTE_HEAD_BYTES) throw new RangeError("an attribute that is cut");
    const start = at + ATTRIBUTE_HEAD_BYTES;
    const length = bytes.readUInt16BE(at + 1);
    if (start + length > bytes.length) throw new RangeError("an attribute that is cut");
    found.push({ type: bytes[at]!, value: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function nameText(bytes: Buffer): string | null {
  const text = bytes.toString("utf8");
  return text === "" || /[\0\ufffd]/.test(text) ? null : text;
}
