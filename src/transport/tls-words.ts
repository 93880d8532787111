/** What OpenSSL says, as its own programs and mosquitto print it. */
import type { TlsRefusal } from "./server-tls.ts";

/** Numbers of alerts [RFC 8446 §6]. */
const ALERTS = {
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateRevoked: 44,
  certificateExpired: 45,
  certificateUnknown: 46,
  unknownCa: 48,
  decryptError: 51,
  certificateRequired: 116,
} as const;

/** OpenSSL's words for what is wrong with a certificate, and the alert that it sends for it, by Node's code. */
const CERTIFICATE_FAULTS: Readonly<Record<string, { readonly words: string; readonly alert: number }>> = {
  NO_CERTIFICATE: { words: "peer did not return a certificate", alert: ALERTS.certificateRequired },
  CERT_HAS_EXPIRED: { words: "certificate has expired", alert: ALERTS.certificateExpired },
  CERT_NOT_YET_VALID: { words: "certificate is not yet valid", alert: ALERTS.badCertificate },
  CERT_REVOKED: { words: "certificate revoked", alert: ALERTS.certificateRevoked },
  CRL_HAS_EXPIRED: { words: "CRL has expired", alert: ALERTS.certificateExpired },
  UNABLE_TO_GET_CRL: { words: "unable to get certificate CRL", alert: ALERTS.unknownCa },
  DEPTH_ZERO_SELF_SIGNED_CERT: { words: "self-signed certificate", alert: ALERTS.unknownCa },
  SELF_SIGNED_CERT_IN_CHAIN: { words: "self-signed certificate in certificate chain", alert: ALERTS.unknownCa },
  UNABLE_TO_GET_ISSUER_CERT: { words: "unable to get issuer certificate", alert: ALERTS.unknownCa },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { words: "unable to get local issuer certificate", alert: ALERTS.unknownCa },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { words: "unable to verify the first certificate", alert: ALERTS.unknownCa },
  CERT_SIGNATURE_FAILURE: { words: "certificate signature failure", alert: ALERTS.decryptError },
  INVALID_CA: { words: "invalid CA certificate", alert: ALERTS.unknownCa },
  INVALID_PURPOSE: { words: "unsupported certificate purpose", alert: ALERTS.unsupportedCertificate },
  CERT_UNTRUSTED: { words: "certificate not trusted", alert: ALERTS.badCertificate },
};

/** A client's certificate is refused for what Node calls `code`. */
export function certificateRefusal(code: string): TlsRefusal {
  const words = CERTIFICATE_FAULTS[code]?.words ?? code.toLowerCase().replaceAll("_", " ");
  return {
    reason: "client-certificate-refused",
    message: `error:0A000086:SSL routines::certificate verify failed: ${words}`,
  };
}

/** The number of the alert that tells a client so. */
export function certificateAlert(code: string): number {
  return CERTIFICATE_FAULTS[code]?.alert ?? ALERTS.certificateUnknown;
}

/** The words of an error of TLS, in the form of ERR_error_string() of OpenSSL 3. */
export function opensslWords(error: Error & { readonly code?: unknown; readonly reason?: unknown }): string {
  const [, number] = /error:([0-9A-F]{8}):/.exec(error.message) ?? [];
  if (number !== undefined && typeof error.reason === "string") return `error:${number}:SSL routines::${error.reason}`;
  switch (error.code) {
    case "ECONNRESET":
      return "the client closed the connection during the TLS handshake";
    case "ERR_TLS_HANDSHAKE_TIMEOUT":
      return "no complete TLS handshake within the connect timeout";
    default:
      return error.message;
  }
}
