/** Walks DER, the encoding of certificates and revocation lists: values one after the other, in place. */

/** One value. */
export interface DerValue {
  /** The tag's byte, as 0x30 of a SEQUENCE. */
  readonly tag: number;
  /** With tag and length. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** Longest length that is understood, in bytes of the length itself: up to 4 GiB. */
const MOST_LENGTH_BYTES = 4;

/** The values in `bytes`. @throws RangeError when they are not whole */
export function derValues(bytes: Uint8Array): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const value = derValueAt(bytes, at);
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** The one value that `bytes` begins with. @throws RangeError when it is not whole */
export function derValueAt(bytes: Uint8Array, at: number = 0): DerValue {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new RangeError("DER: it ends within a tag or length");
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const lengthBytes = first & 0x7f;
    if (lengthBytes === 0 || lengthBytes > MOST_LENGTH_BYTES) throw new RangeError("DER: a length of no allowed form");
    length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[start + i] ?? 0);
    start += lengthBytes;
  }
  if (start + length > bytes.length) throw new RangeError("DER: a value is longer than what holds it");
  return { tag, whole: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) };
}
