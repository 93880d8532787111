/**
 * Certificate revocation lists, judged as `crlfile` of mosquitto asks for: the list of the CA that signed a client's certificate, and
 * not, as Node's own option `crl` does it, also one of each CA above [RFC 5280 §5].
 */
import { verify, type X509Certificate } from "node:crypto";
import { type DerValue, derValueAt, derValues } from "./der.ts";
import { TransportError } from "./transport-error.ts";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const BIT_STRING = 0x03;
/** [0] of a list: its extensions; of a certificate: its version. */
const EXPLICIT_0 = 0xa0;

/** The hash of each signature algorithm, by the hexadecimal digits of its object identifier; null: chosen by the key. */
const SIGNATURE_HASHES: Readonly<Record<string, string | null>> = {
  "2a864886f70d010105": "sha1",
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d0401": "sha1",
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  "2b6570": null,
  "2b6571": null,
};

/** One list, whose signature has been checked when `issuerOf` gave its CA. */
export interface RevocationList {
  /** DER of the CA's name. */
  readonly issuer: Uint8Array;
  /** Until when it is in force, in milliseconds since 1970; Infinity: it does not say. */
  readonly endsAtMs: number;
  /** Serial numbers in hexadecimal digits, upper case, without zeros before them. */
  readonly revoked: ReadonlySet<string>;
}

/** Why a certificate cannot be taken. */
export type RevocationFault = "CERT_REVOKED" | "UNABLE_TO_GET_CRL" | "CRL_HAS_EXPIRED";

/**
 * Reads lists and checks their signatures.
 * @param authorities the CAs that may have signed them
 * @throws TransportError when one is not readable, or its CA is not there or did not sign it
 */
export function readRevocationLists(
  pem: string,
  authorities: readonly X509Certificate[],
  file: string,
): RevocationList[] {
  const blocks = [...pem.matchAll(/-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g)];
  if (blocks.length === 0) throw listError(file, "there is no revocation list in it");
  return blocks.map(([, base64]) => {
    try {
      return readRevocationList(Buffer.from(base64!, "base64"), authorities);
    } catch (error) {
      throw listError(file, (error as Error).message);
    }
  });
}

function listError(file: string, why: string): TransportError {
  return new TransportError(
    "tls",
    `Unable to load certificate revocation file "${file}". Check crlfile: ${why}. Make it with "openssl ca -gencrl".`,
  );
}

function readRevocationList(der: Uint8Array, authorities: readonly X509Certificate[]): RevocationList {
  const [list, algorithm, signature] = derValues(derValueAt(der).content);
  if (list?.tag !== SEQUENCE || algorithm?.tag !== SEQUENCE || signature?.tag !== BIT_STRING)
    throw new RangeError("it is not a revocation list");
  const fields = derValues(list.content);
  // A version may come first, then the algorithm once more.
  const issuerAt = fields[0]?.tag === INTEGER ? 2 : 1;
  const issuer = fields[issuerAt];
  if (issuer === undefined) throw new RangeError("it names no issuer");
  const times = fields.filter(({ tag }) => tag === UTC_TIME || tag === GENERALIZED_TIME);
  const rest = fields.slice(issuerAt + 1 + times.length);
  const entries = rest.find(({ tag }) => tag === SEQUENCE);
  refuseDelta(rest.find(({ tag }) => tag === EXPLICIT_0));
  checkSignature(list, algorithm, signature, issuer.whole, authorities);
  return {
    issuer: issuer.whole,
    endsAtMs: times[1] === undefined ? Number.POSITIVE_INFINITY : timeOf(times[1]),
    revoked: new Set(entries === undefined ? [] : derValues(entries.content).map(serialOfEntry)),
  };
}

/** A delta list says only what changed, and is worth nothing alone [RFC 5280 §5.2.4]. */
function refuseDelta(extensions: DerValue | undefined): void {
  const text = extensions === undefined ? "" : Buffer.from(extensions.content).toString("hex");
  if (text.includes("0603551d1b")) throw new RangeError("it is a delta list; a complete one is needed");
}

function checkSignature(
  list: DerValue,
  algorithm: DerValue,
  signature: DerValue,
  issuer: Uint8Array,
  authorities: readonly X509Certificate[],
): void {
  const signers = authorities.filter(({ raw }) => sameBytes(subjectOf(raw), issuer));
  if (signers.length === 0) throw new RangeError("the CA that signed it is not in cafile or capath");
  const identifier = Buffer.from(derValueAt(algorithm.content).content).toString("hex");
  const hash = SIGNATURE_HASHES[identifier];
  if (hash === undefined) throw new RangeError("its signature algorithm is not supported; RSA, ECDSA and EdDSA are");
  const bytes = signature.content.subarray(1);
  if (!signers.some(({ publicKey }) => verify(hash, list.whole, publicKey, bytes)))
    throw new RangeError("its CA did not sign it");
}

function serialOfEntry(entry: DerValue): string {
  return serialText(derValueAt(entry.content).content);
}

function serialText(content: Uint8Array): string {
  return Buffer.from(content)
    .toString("hex")
    .toUpperCase()
    .replace(/^0+(?=.)/, "");
}

function timeOf({ tag, content }: DerValue): number {
  const text = Buffer.from(content).toString("latin1");
  const [, years, month, day, hour, minute, second] = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  if (years === undefined || (years.length === 2) !== (tag === UTC_TIME))
    throw new RangeError("its time is not readable");
  const year = tag === UTC_TIME ? Number(years) + (Number(years) < 50 ? 2000 : 1900) : Number(years);
  return Date.UTC(year, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

/** What speaks against `certificate` at `nowMs`; null: nothing. */
export function revocationFault(
  certificate: Uint8Array,
  lists: readonly RevocationList[],
  nowMs: number,
): RevocationFault | null {
  const { issuer, serial } = issuerAndSerialOf(certificate);
  const ofIssuer = lists.filter((list) => sameBytes(list.issuer, issuer));
  if (ofIssuer.length === 0) return "UNABLE_TO_GET_CRL";
  if (ofIssuer.some(({ revoked }) => revoked.has(serial))) return "CERT_REVOKED";
  return ofIssuer.some(({ endsAtMs }) => endsAtMs > nowMs) ? null : "CRL_HAS_EXPIRED";
}

function certificateFields(certificate: Uint8Array): readonly DerValue[] {
  const fields = derValues(derValueAt(derValueAt(certificate).content).content);
  return fields[0]?.tag === EXPLICIT_0 ? fields.slice(1) : fields;
}

function issuerAndSerialOf(certificate: Uint8Array): { readonly issuer: Uint8Array; readonly serial: string } {
  const [serial, , issuer] = certificateFields(certificate);
  return { issuer: issuer!.whole, serial: serialText(serial!.content) };
}

function subjectOf(certificate: Uint8Array): Uint8Array {
  return certificateFields(certificate)[4]!.whole;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
