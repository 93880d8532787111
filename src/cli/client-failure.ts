/** What mosquitto's clients say, and end with, when a connection fails; and a line that says what to do. */
import { getSystemErrorMap } from "node:util";
import type { ClientError } from "../client/index.ts";
import { reasonCodeName, type Version } from "../protocol/index.ts";
import type { ServerArguments } from "./options/server-options.ts";
import { refusalAdvice } from "./refusal-advice.ts";
import { tlsAdvice } from "./tls-advice.ts";

/** What the user is told. */
export interface Failure {
  readonly exitCode: number;
  /** Lines for standard error, as mosquitto's tools have them. */
  readonly lines: readonly string[];
  /** What it means and what to do, where there is more to say. */
  readonly advice: readonly string[];
}

/** Where the tool wanted to connect to. */
export interface Target extends ServerArguments {
  readonly version: Version;
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

/** The end of a connection as an exit code and lines of text. */
export function failureOf(error: ClientError, target: Target): Failure {
  switch (error.code) {
    case "connection-refused": {
      const code = error.reasonCode!;
      const advice = refusalAdvice(code, target.version);
      return failure(code, refusalLines(code, target.version), advice);
    }
    case "disconnected-by-server":
      return failure(4, ["Error: The client is not currently connected."], `${capital(error.message)}.`);
    case "keep-alive-timeout": {
      const advice = `${placeOf(target)} takes connections and says nothing: is it a broker, and does it listen for MQTT there?`;
      return failure(error.rc, [`Error: ${capital(error.message)} within the keep-alive.`], advice);
    }
    case "protocol-error":
      return failure(
        error.rc,
        [PROTOCOL_ERROR],
        `What the broker sent is wrong: ${error.message}. ${wrongPort(target)}`,
      );
    case "lookup-failed":
      return failure(1, [LOOKUP_FAILED], lookupAdvice(error, target));
    case "tls-failed":
      return tlsFailure(error, target);
    case "proxy-failed":
      return proxyFailure(error);
    case "network-error":
      return failure(1, [`Error: ${systemText(error)}`], hint(error, target));
    default:
      return failure(error.rc, [CONNECTION_LOST], lostAdvice(target));
  }
}

function failure(exitCode: number, lines: readonly string[], advice: string | null): Failure {
  return { exitCode, lines, advice: advice === null ? [] : [advice] };
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

/** As in mosquitto's tools, 8; but 1 for what can be seen without the broker, as a key that is none. */
function tlsFailure(error: ClientError, target: Target): Failure {
  const isOwn = /^ERR_OSSL_|^ERR_SSL_NO_CIPHER_MATCH$/.test(error.errno ?? "");
  const line = isOwn ? "Unable to connect (A TLS error occurred.)." : "Error: A TLS error occurred.";
  return failure(isOwn ? 1 : error.rc, [line], tlsAdvice(error, target));
}

/** mosquitto's lines and exit codes for what a SOCKS5 proxy answers. */
const PROXY_ANSWERS: Readonly<Record<string, { readonly exitCode: number; readonly line: string }>> = {
  SOCKS_NOT_ALLOWED: { exitCode: 11, line: "Error: Authorisation failed." },
  SOCKS_NETWORK_UNREACHABLE: { exitCode: 4, line: "Error: The client is not currently connected." },
  SOCKS_HOST_UNREACHABLE: { exitCode: 4, line: "Error: The client is not currently connected." },
  SOCKS_CONNECTION_REFUSED: { exitCode: 4, line: "Error: The client is not currently connected." },
};

function proxyFailure(error: ClientError): Failure {
  const { errno } = error;
  const advice = `${capital(error.message)}.`;
  if (errno === null || errno.startsWith("SOCKS_")) {
    const { exitCode, line } = PROXY_ANSWERS[errno ?? ""] ?? { exitCode: error.rc, line: "Error: Proxy error." };
    return failure(exitCode, [line], advice);
  }
  if (errno === "ECONNRESET" || errno === "EPIPE") return failure(7, [CONNECTION_LOST], advice);
  const isLookup = errno === "ENOTFOUND" || errno.startsWith("EAI_");
  return failure(1, [isLookup ? LOOKUP_FAILED : `Error: ${systemText(error)}`], advice);
}

/** Where the C library has other words than libuv. */
const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: "Cannot assign requested address",
  EHOSTUNREACH: "No route to host",
};

/** The system's text for an error, worded as by the C library. */
function systemText(error: ClientError): string {
  const { errno } = error;
  const own = errno === null ? undefined : SYSTEM_TEXTS[errno];
  if (own !== undefined) return own;
  for (const [name, text] of getSystemErrorMap().values()) if (name === errno) return capital(text);
  return error.message;
}

function hint({ errno }: ClientError, target: Target): string | null {
  const { host, port, unixPath, bindAddress } = target;
  switch (errno) {
    case "ECONNREFUSED":
      return unixPath === null
        ? `Nothing listens on port ${port} of ${host}: is the broker running, and is it there? See -h and -p.`
        : `Nothing listens on ${unixPath}, which a broker has left behind: is it running?`;
    case "ENOENT":
      return `There is no unix socket ${unixPath}: does a broker listen there? See --unix.`;
    case "EACCES":
      return `This user may not connect to ${placeOf(target)}.`;
    case "EADDRNOTAVAIL":
    case "EINVAL":
      return bindAddress === null ? null : `This machine cannot connect from ${bindAddress} to ${host}: see -A.`;
    case "ETIMEDOUT":
      return `${host} did not answer on port ${port}: a firewall may be in between, or the address is wrong.`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return `There is no way to ${host} from here: is this machine on the network?`;
    default:
      return target.webSocketPath === null
        ? null
        : `Does a broker listen for WebSockets there, at ${target.webSocketPath}?`;
  }
}

function lookupAdvice({ message }: ClientError, { host, usesSrv }: Target): string {
  if (usesSrv) return `${capital(message)}: the domain does not say where its broker is; give -h without -S.`;
  return `No address was found for the name '${host}': see -h.`;
}

function lostAdvice(target: Target): string {
  if (target.tls !== null) {
    return target.tls.certFile === undefined
      ? "The broker closed the connection: it may want a client certificate, see --cert and --key; its log says more."
      : "The broker closed the connection: it may not take this client certificate; its log says more.";
  }
  const unused = "The client certificate was not used, as TLS is off: --cafile or --tls-use-os-certs switches it on.";
  if (target.hasUnusedCertificate) return unused;
  return `The broker, or something on the way to it, closed the connection: the broker's log may say why. ${wrongPort(target)}`;
}

/** What goes wrong most when the other side does not speak MQTT. */
function wrongPort({ unixPath, port, tls, webSocketPath }: Target): string {
  if (unixPath !== null || tls !== null || webSocketPath !== null) return "Is it the right port?";
  return `If port ${port} is for TLS, give --cafile; if it is for WebSockets, --ws.`;
}

function placeOf({ unixPath, host, port }: Target): string {
  return unixPath ?? `${host}, port ${port},`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
