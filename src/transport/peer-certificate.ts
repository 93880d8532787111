/** A client's certificate as the plain facts that an Authenticator judges by. */
import type { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "../core/index.ts";

/** The facts of `certificate`, which has been verified. */
export function peerCertificate(certificate: X509Certificate): PeerCertificate {
  return {
    subject: distinguishedName(certificate.subject),
    commonName: commonNameOf(certificate),
    issuer: distinguishedName(certificate.issuer),
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(":", ""),
    endsAtMs: Date.parse(certificate.validTo),
  };
}

/**
 * A name in the form of RFC 2253, as mosquitto's `use_subject_as_username` has it.
 * @param lines as Node gives a name: a part a line, the least specific first, with what is special escaped, but not what is not ASCII
 */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? "")
    .split("\n")
    .reverse()
    .join(",")
    .replace(/[^ -~]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    );
}

function commonNameOf(certificate: X509Certificate): string | null {
  const names = certificate.toLegacyObject().subject?.CN as string | readonly string[] | undefined;
  const name = typeof names === "string" ? names : names?.[0];
  // What is not UTF-8 has become U+FFFD.
  return name === undefined || name === "" || /[\0\ufffd]/.test(name) ? null : name;
}
