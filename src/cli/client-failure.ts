/** What mosquitto's clients say, and end with, when a connection fails. What it means is `failure-advice.ts`'s. */
import type { ClientError } from "../client/index.ts";
import { reasonCodeName, type Version } from "../protocol/index.ts";
import { capital, systemText } from "./system-text.ts";

/** How a tool ends. */
export interface Failure {
  readonly exitCode: number;
  /** Lines for standard error, as mosquitto's tools have them. */
  readonly lines: readonly string[];
}

const RETURN_CODES: readonly string[] = [
  "Connection Accepted.",
  "Connection Refused: unacceptable protocol version.",
  "Connection Refused: identifier rejected.",
  "Connection Refused: broker unavailable.",
  "Connection Refused: bad user name or password.",
  "Connection Refused: not authorised.",
];

const PROTOCOL_ERROR = "Error: A network protocol error occurred when communicating with the broker.";

const CONNECTION_LOST = "Error: The connection was lost.";

const LOOKUP_FAILED = "Unable to connect (Lookup error.).";

const NOT_CONNECTED = "Error: The client is not currently connected.";

/** The end of a connection as an exit code and lines of text. */
export function failureOf(error: ClientError, version: Version): Failure {
  switch (error.code) {
    case "connection-refused":
      return failure(error.reasonCode!, ...refusalLines(error.reasonCode!, version));
    case "disconnected-by-server":
      return failure(4, NOT_CONNECTED);
    case "keep-alive-timeout":
      return failure(error.rc, `Error: ${capital(error.message)} within the keep-alive.`);
    case "protocol-error":
      return failure(error.rc, PROTOCOL_ERROR);
    case "lookup-failed":
      return failure(1, LOOKUP_FAILED);
    case "tls-failed":
      // As in mosquitto's tools, 8; but 1 for what can be seen without the broker, as a key that is none.
      return /^ERR_OSSL_|^ERR_SSL_NO_CIPHER_MATCH$/.test(error.errno ?? "")
        ? failure(1, "Unable to connect (A TLS error occurred.).")
        : failure(error.rc, "Error: A TLS error occurred.");
    case "proxy-failed":
      return proxyFailure(error);
    case "network-error":
      return failure(1, `Error: ${systemText(error.errno, error.message)}`);
    default:
      return failure(error.rc, CONNECTION_LOST);
  }
}

function failure(exitCode: number, ...lines: readonly string[]): Failure {
  return { exitCode, lines };
}

function refusalLines(code: number, version: Version): string[] {
  if (version !== 5) {
    const text = RETURN_CODES[code] ?? "Connection Refused: unknown reason.";
    return [`Connection error: ${text}`, code <= 5 ? "Error: The connection was refused." : PROTOCOL_ERROR];
  }
  const name = reasonCodeName(code, "CONNACK");
  const advice = code === 0x84 ? ". Try connecting to an MQTT v5 broker, or use MQTT v3.x mode." : "";
  return [`Connection error: ${name}${advice}`, PROTOCOL_ERROR];
}

/** mosquitto's lines and exit codes for what a SOCKS5 proxy answers. */
const PROXY_ANSWERS: Readonly<Record<string, Failure>> = {
  SOCKS_NOT_ALLOWED: failure(11, "Error: Authorisation failed."),
  SOCKS_NETWORK_UNREACHABLE: failure(4, NOT_CONNECTED),
  SOCKS_HOST_UNREACHABLE: failure(4, NOT_CONNECTED),
  SOCKS_CONNECTION_REFUSED: failure(4, NOT_CONNECTED),
  ECONNRESET: failure(7, CONNECTION_LOST),
  EPIPE: failure(7, CONNECTION_LOST),
  ENOTFOUND: failure(1, LOOKUP_FAILED),
  EAI_AGAIN: failure(1, LOOKUP_FAILED),
};

function proxyFailure(error: ClientError): Failure {
  const { errno } = error;
  const known = PROXY_ANSWERS[errno ?? ""];
  if (known !== undefined) return known;
  const isOfProxy = errno === null || errno.startsWith("SOCKS_");
  return isOfProxy
    ? failure(error.rc, "Error: Proxy error.")
    : failure(1, `Error: ${systemText(error.errno, error.message)}`);
}
