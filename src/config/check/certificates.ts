/** The certificates of a listener: whether they can be used, for how long, and for which names. */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { readServerTlsFiles, TransportError } from "../../transport/index.ts";
import { isLocal } from "../config.ts";
import type { ListenerConfig, TlsConfig } from "../listener-config.ts";
import { serverTlsOptions } from "../server-tls.ts";
import { rightsOf } from "./file-rights.ts";
import { type Finding, finding } from "./finding.ts";

const DAY_MS = 86_400_000;
/** Less time left than this is told of, in days. */
const FEW_DAYS = 30;
const SHORTEST_RSA_BITS = 2048;

/** What a check of a listener's certificates tells. */
export interface CertificateReport {
  /** One line for each certificate. */
  readonly lines: readonly string[];
  readonly findings: readonly Finding[];
}

/** @param nowMs wall clock, in milliseconds since 1970 */
export async function checkCertificates(listener: ListenerConfig, nowMs: number): Promise<CertificateReport> {
  const { tls, place } = listener;
  if (tls === null) return { lines: [], findings: [] };
  const pairs = [tls, ...tls.sniCertificates];
  const rights = await Promise.all(pairs.map(({ keyFile }) => rightsOf(keyFile, "the private key", true)));
  try {
    const { certificates, authorities, revocationLists } = await readServerTlsFiles(serverTlsOptions(listener)!);
    const own = certificates.flatMap((certificate, at) =>
      ofServer(certificate, pairs[at]?.certFile ?? tls.certFile, nowMs),
    );
    const lines = certificates.map((certificate) => lineOf(certificate, nowMs));
    const lists = (revocationLists ?? []).flatMap(({ endsAtMs }) => ofRevocationList(tls, endsAtMs, nowMs));
    const names = certificates[0] === undefined ? [] : ofNames(listener, certificates[0]);
    const others = ofSni(tls, certificates.slice(1));
    const findings = [...own, ...ofAuthorities(tls, authorities, nowMs), ...lists, ...names, ...others];
    return { lines, findings: [...rights.flat(), ...findings] };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return { lines: [], findings: [...rights.flat(), finding("error", place, error.message)] };
  }
}

function lineOf(certificate: X509Certificate, nowMs: number): string {
  const days = Math.floor((Date.parse(certificate.validTo) - nowMs) / DAY_MS);
  const names = certificate.subjectAltName?.replaceAll("IP Address:", "").replaceAll("DNS:", "") ?? "no name";
  const until = new Date(certificate.validTo).toISOString().slice(0, 10);
  return `certificate for ${names}, until ${until} (${days < 0 ? "ended" : `${days} days`})`;
}

function ofServer(certificate: X509Certificate, file: string, nowMs: number): Finding[] {
  const found: Finding[] = [...findingsOfDates(certificate, file, "The certificate", nowMs)];
  if (certificate.subjectAltName === undefined) {
    const text = `The certificate ${file} has no name in subjectAltName, so that nearly all clients refuse it.`;
    found.push(finding("warning", file, text, "Have it made with subjectAltName=DNS:NAME or IP:ADDRESS."));
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const bits = asymmetricKeyDetails?.modulusLength ?? SHORTEST_RSA_BITS;
  if (asymmetricKeyType === "rsa" && bits < SHORTEST_RSA_BITS) {
    const text = `The certificate ${file} has an RSA key of ${bits} bits, which clients refuse; ${SHORTEST_RSA_BITS} is the least.`;
    found.push(finding("warning", file, text));
  }
  return found;
}

/** Whether a certificate is in force, and for how long. @param what names it before its file */
export function findingsOfDates(certificate: X509Certificate, file: string, what: string, nowMs: number): Finding[] {
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const days = Math.floor((until - nowMs) / DAY_MS);
  if (nowMs > until) return [finding("warning", file, `${what} ${file} has ended on ${dayOf(until)}.`, "Renew it.")];
  if (nowMs < from) {
    const text = `${what} ${file} is in force only from ${dayOf(from)}.`;
    return [finding("warning", file, text, "Is the clock of this machine right?")];
  }
  if (days < FEW_DAYS)
    return [finding("warning", file, `${what} ${file} ends on ${dayOf(until)}, in ${days} days.`, "Renew it.")];
  return [];
}

function dayOf(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10);
}

function ofAuthorities(tls: TlsConfig, authorities: readonly X509Certificate[], nowMs: number): readonly Finding[] {
  const file = tls.caFile ?? tls.caPath ?? "";
  const found = authorities.flatMap((certificate) => findingsOfDates(certificate, file, "A CA of clients in", nowMs));
  return found;
}

function ofRevocationList({ crlFile }: TlsConfig, endsAtMs: number, nowMs: number): readonly Finding[] {
  if (crlFile === null || nowMs <= endsAtMs) return [];
  const text = `A list in ${crlFile} has ended on ${dayOf(endsAtMs)}: clients of its CA are refused.`;
  return [finding("warning", crlFile, text, "Have the CA make a new one.")];
}

/** Whether a client that uses the listener's own name or address would take the certificate. */
function ofNames(listener: ListenerConfig, certificate: X509Certificate): readonly Finding[] {
  const { host, tls } = listener;
  if (tls === null || certificate.subjectAltName === undefined) return [];
  if (host !== null && isIP(host) === 0 && certificate.checkHost(host) === undefined) {
    const text = `The certificate ${tls.certFile} is not for ${host}, which the listener is bound to.`;
    return [finding("warning", tls.certFile, text, "Have it made for the name that clients use.")];
  }
  const isForHereOnly = certificate.subjectAltName
    .split(", ")
    .every((name) => /^(DNS:localhost|IP Address:(127\..*|0:0:0:0:0:0:0:1))$/.test(name));
  if (!isForHereOnly || isLocal(listener)) return [];
  const text = `The certificate ${tls.certFile} is only for this machine (${certificate.subjectAltName}), but the listener is open to others.`;
  return [finding("warning", tls.certFile, text, "Have it made for the name that clients use.")];
}

function ofSni({ sniCertificates }: TlsConfig, certificates: readonly X509Certificate[]): readonly Finding[] {
  return sniCertificates.flatMap(({ serverName, certFile }, at) => {
    const asked = serverName.replace(/^\*\./, "any.");
    if (certificates[at]?.checkHost(asked) !== undefined) return [];
    const text = `The certificate ${certFile} is not for ${serverName}, for which lacewing_sni_certificate names it.`;
    return [finding("warning", certFile, text)];
  });
}
