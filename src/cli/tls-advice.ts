/** What to do when TLS fails, by the system's name of the error. */
import type { ClientError } from "../client/index.ts";
import type { ServerArguments } from "./options/server-options.ts";

const UNKNOWN_CA =
  "The broker's certificate is signed by a CA that is not trusted here: give that CA's certificate with --cafile.";
const OWN_REFUSED = "The broker does not take this client's certificate: see --cert, and the broker's log.";
const OTHER_VERSION = "The broker and --tls-version have no version of TLS in common.";
const NOT_TLS = "What answers there does not speak TLS: is it the right port? MQTT without TLS is usually on 1883.";
const KEY_MISMATCH = "The key of --key does not belong to the certificate of --cert.";

const ADVICE: Readonly<Record<string, string>> = {
  ECONNRESET:
    "The other side ended the connection instead of speaking TLS: is it the right port? MQTT without TLS is usually on 1883.",
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: "The CA of --cafile is itself signed by another one: put that one into the file too.",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: "The broker's certificate is signed by itself: give that certificate with --cafile.",
  CERT_SIGNATURE_FAILURE: "The CA of --cafile has the name of the broker's, and another key: get the new one.",
  CERT_HAS_EXPIRED: "The broker's certificate has expired, or this machine's clock is ahead.",
  CERT_NOT_YET_VALID: "The broker's certificate is not valid yet: most likely this machine's clock is behind.",
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OTHER_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OTHER_VERSION,
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "The broker does not know the protocol of --tls-alpn.",
  ERR_SSL_NO_CIPHER_MATCH: "--ciphers names no cipher that there is.",
  ERR_SSL_NO_CIPHERS_AVAILABLE: "--ciphers names no cipher for this version of TLS.",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "The broker wants a client certificate, see --cert, or has none of --ciphers.",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY: "The broker does not know the identity of --psk-identity.",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "The broker wants a client certificate: see --cert and --key.",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: OWN_REFUSED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: OWN_REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: OWN_REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "This client's certificate has expired, says the broker: see --cert.",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "This client's certificate is revoked, says the broker: see --cert.",
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    "This client's certificate is not one for clients, says the broker: see --cert.",
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: KEY_MISMATCH,
  ERR_OSSL_PEM_NO_START_LINE: "The file of --cert or --key is not PEM, which begins with -----BEGIN.",
  ERR_OSSL_BAD_DECRYPT: "The pass phrase of --key is wrong.",
};

const WRONG_PSK = "The broker has another key for --psk-identity than --psk.";

/** The same, when a key takes the place of certificates. */
const PSK_ADVICE: Readonly<Record<string, string>> = {
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "The broker does not know the identity of --psk-identity, or has none of --ciphers.",
  ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC: WRONG_PSK,
  ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER: WRONG_PSK,
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: WRONG_PSK,
  ECONNRESET: "The broker ended the connection: does it know the identity of --psk-identity, with the key of --psk?",
};

/** A sentence for the user. */
export function tlsAdvice({ errno, cause, message }: ClientError, { host, tls }: ServerArguments): string {
  if (errno === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `The broker's certificate is not for '${host}': ${namesOf(cause)}`;
  const known = tls?.psk == null ? undefined : PSK_ADVICE[errno ?? ""];
  return known ?? ADVICE[errno ?? ""] ?? `TLS failed: ${plainReason(message)}.`;
}

/** What OpenSSL says, without numbers and places in its sources. */
function plainReason(message: string): string {
  return /error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message;
}

/** Names that the certificate is for, as Node lists them. */
function namesOf(cause: unknown): string {
  const { subjectaltname, subject } =
    (cause as { readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } } })
      .cert ?? {};
  const names = subjectaltname?.replaceAll(/\b(DNS|IP Address):/g, "") ?? subject?.CN;
  return names === undefined ? "give -h a name that it is for." : `it is for ${names}; give one of these with -h.`;
}
