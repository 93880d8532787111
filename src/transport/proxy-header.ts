/**
 * The header of the PROXY protocol, by which a proxy tells who its client is: version 1, a line of text, and version 2, bytes with
 * attributes. Limits as mosquitto's. Bytes in, facts out; nothing here reads a socket.
 */
import { isIPv4, isIPv6 } from "node:net";

/** What a header tells. */
export interface ProxyHeader {
  /** Bytes that it takes. */
  readonly length: number;
  /** The client; null: the connection is the proxy's own, as that of its health check, or it does not know. */
  readonly source: { readonly address: string; readonly port: number } | null;
  /** Whether the client came by TLS. */
  readonly isTls: boolean;
  /** Whether the proxy has verified a certificate of the client. */
  readonly hasCertificate: boolean;
  /** CN of that certificate; null when the proxy does not say or it is not UTF-8. */
  readonly commonName: string | null;
}

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
const SUBTYPE_SSL_CN = 0x22;
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
  const facts = { length: end + 2, isTls: false, hasCertificate: false, commonName: null };
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
  if (command === COMMAND_LOCAL)
    return { length: whole, source: null, isTls: false, hasCertificate: false, commonName: null };
  const { source, addressBytes } = sourceOf(family, body);
  return { length: whole, source, ...attributesIn(body.subarray(addressBytes)) };
}

function sourceOf(family: number, body: Buffer): { source: ProxyHeader["source"]; addressBytes: number } {
  const addressBytes = family === TCP_IPV4 ? 12 : family === TCP_IPV6 ? 36 : 2 * UNIX_PATH_BYTES;
  if (family !== TCP_IPV4 && family !== TCP_IPV6 && family !== UNIX_STREAM)
    throw new RangeError("neither TCP nor a unix socket");
  if (body.length < addressBytes) throw new RangeError("too short for its addresses");
  if (family === TCP_IPV4) {
    const address = [...body.subarray(0, 4)].join(".");
    return { source: { address, port: body.readUInt16BE(8) }, addressBytes };
  }
  if (family === TCP_IPV6) return { source: { address: ipv6Text(body), port: body.readUInt16BE(32) }, addressBytes };
  const path = body.subarray(0, UNIX_PATH_BYTES);
  const end = path.indexOf(0);
  return { source: { address: path.toString("utf8", 0, end < 0 ? path.length : end), port: 0 }, addressBytes };
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  // The way of RFC 5952 is that of URLs.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

function attributesIn(bytes: Buffer): Pick<ProxyHeader, "isTls" | "hasCertificate" | "commonName"> {
  let facts: Pick<ProxyHeader, "isTls" | "hasCertificate" | "commonName"> = {
    isTls: false,
    hasCertificate: false,
    commonName: null,
  };
  for (const { type, value } of attributes(bytes)) {
    if (type !== TYPE_SSL) continue;
    if (value.length < SSL_FIXED_BYTES) throw new RangeError("an SSL attribute that is too short");
    const client = value[0]!;
    const isVerified = value.readUInt32BE(1) === 0;
    const isTls = (client & CLIENT_SSL) !== 0;
    const hasCertificate = isTls && (client & CLIENT_CERT_SESS) !== 0 && isVerified;
    const name = attributes(value.subarray(SSL_FIXED_BYTES)).find((each) => each.type === SUBTYPE_SSL_CN)?.value;
    facts = { isTls, hasCertificate, commonName: hasCertificate && name !== undefined ? nameText(name) : null };
  }
  return facts;
}

function attributes(bytes: Buffer): readonly { readonly type: number; readonly value: Buffer }[] {
  const found: { readonly type: number; readonly value: Buffer }[] = [];
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
