/** Bytes as hexadecimal text, for tests. */

/** The bytes that `hex` stands for; blanks are ignored. */
export function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

/** Pairs of digits without blanks. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
