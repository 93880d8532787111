/**
 * Whether a client's certificate leads to a CA that is trusted, whatever the dates say. OpenSSL tells only the last thing that it
 * found wrong, so "expired" of it may stand for "signed by nobody that we trust, and expired": where dates do not count, the rest must
 * be looked at here.
 */
import type { X509Certificate } from "node:crypto";

/** Certificates from the client's to the CA's, both included: more are not followed. */
const LONGEST_PATH = 10;

/** Extended key usage of a client of TLS [RFC 5280 §4.2.1.12]. */
const CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";
const ANY_USAGE = "2.5.29.37.0";

/**
 * Whether `leaf` may be a client's and leads to a self-signed one of `authorities`.
 * @param between what the client sent besides
 */
export function leadsToAuthority(
  leaf: X509Certificate,
  between: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): boolean {
  const usages = leaf.keyUsage as readonly string[] | undefined;
  if (usages !== undefined && !usages.includes(CLIENT_AUTHENTICATION) && !usages.includes(ANY_USAGE)) return false;
  let certificate = leaf;
  for (let length = 1; length < LONGEST_PATH; length++) {
    const authority = authorities.find((candidate) => hasIssued(candidate, certificate));
    // A CA that is trusted need not be at the top of what is trusted, but the path must get there.
    if (authority !== undefined && hasIssued(authority, authority)) return true;
    const next = authority ?? between.find((candidate) => hasIssued(candidate, certificate));
    if (next === undefined) return false;
    certificate = next;
  }
  return false;
}

function hasIssued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** The certificates that came with `leaf`, from the next one on. */
export function sentWith(leaf: X509Certificate): readonly X509Certificate[] {
  const sent: X509Certificate[] = [];
  for (
    let next = leaf.issuerCertificate;
    next !== undefined && sent.length < LONGEST_PATH;
    next = next.issuerCertificate
  ) {
    sent.push(next);
  }
  return sent;
}
