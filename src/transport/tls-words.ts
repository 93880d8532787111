/** What OpenSSL says, as its own programs and mosquitto print it. */
import type { TlsRefusal } from "./server-tls.ts";

/** OpenSSL's words for what is wrong with a certificate, by Node's code. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  NO_CERTIFICATE: "peer did not return a certificate",
  CERT_HAS_EXPIRED: "certificate has expired",
  CERT_NOT_YET_VALID: "certificate is not yet valid",
  CERT_REVOKED: "certificate revoked",
  CRL_HAS_EXPIRED: "CRL has expired",
  UNABLE_TO_GET_CRL: "unable to get certificate CRL",
  DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
  SELF_SIGNED_CERT_IN_CHAIN: "self-signed certificate in certificate chain",
  UNABLE_TO_GET_ISSUER_CERT: "unable to get issuer certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unable to get local issuer certificate",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unable to verify the first certificate",
  CERT_SIGNATURE_FAILURE: "certificate signature failure",
  INVALID_CA: "invalid CA certificate",
  INVALID_PURPOSE: "unsupported certificate purpose",
  CERT_UNTRUSTED: "certificate not trusted",
};

/** A client's certificate is refused for what Node calls `code`. */
export function certificateRefusal(code: string): TlsRefusal {
  const words = CERTIFICATE_FAULTS[code] ?? code.toLowerCase().replaceAll("_", " ");
  return {
    reason: "client-certificate-refused",
    message: `error:0A000086:SSL routines::certificate verify failed: ${words}`,
  };
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
