/** What goes wrong for a client, as Errors with a code that stays and libmosquitto's number. */
import type { Language } from "../explain/index.ts";
import { reasonCodeName } from "../protocol/index.ts";
import { TransportError } from "../transport/browser.ts";
import type { ConnectionEnd } from "./connection.ts";
import type { ConnectionEnding } from "./ending.ts";
import type { ErrorExplanation } from "./error-explanation.ts";
import type { Refusal } from "./message.ts";
import { MOSQ_ERR } from "./rc.ts";

/** Why a connection ended or did not come to be. */
export type ConnectionErrorCode =
  /** The server answered CONNECT with a refusal. */
  | "connection-refused"
  /** The server ended the connection with a DISCONNECT. */
  | "disconnected-by-server"
  /** PINGRESP or CONNACK did not come in time. */
  | "keep-alive-timeout"
  /** What the server sent is not MQTT, or not allowed. */
  | "protocol-error"
  /** The server closed the connection without a word, or it broke. */
  | "connection-lost"
  /** The server's name has no address. */
  | "lookup-failed"
  /** TLS failed: `cause` has the verification error. */
  | "tls-failed"
  /** The proxy failed or refused. */
  | "proxy-failed"
  /** Our own part of the authentication failed. */
  | "authentication-failed"
  /** No connection could be made, or the system ended it. */
  | "network-error";

/** Why a request came to nothing. */
export type RequestErrorCode =
  | Refusal
  /** The server refused the message. */
  | "publish-refused"
  /** The server refused every Subscription. */
  | "subscribe-refused"
  /** The server refused to remove a Subscription. */
  | "unsubscribe-refused"
  /** Its AbortSignal ended it. */
  | "aborted"
  /** Its time ran out. */
  | "timed-out"
  /** The server or this version of MQTT cannot do it. */
  | "not-supported"
  /** The client was ended, by `disconnect` or by an error that does not heal. */
  | "closed";

/** What can go wrong with a durable store. */
export type StoreErrorCode =
  /** It could not be read or written. */
  | "store-failed"
  /** Another process uses it. */
  | "store-locked";

/** What went wrong, by a name that stays. */
export type ClientErrorCode = ConnectionErrorCode | RequestErrorCode | StoreErrorCode | "invalid-argument";

/** What a ClientError is made of. */
export interface ClientErrorParts<Code extends ClientErrorCode = ClientErrorCode> {
  readonly code: Code;
  readonly rc: number;
  readonly message: string;
  readonly reasonCode?: number | null;
  readonly cause?: unknown;
}

/** Something that a client could not do, or the end of its connection. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  readonly code: ClientErrorCode;
  /** libmosquitto's number: MOSQ_ERR_*. */
  readonly rc: number;
  /** What the server said, or null: a reason code of 5.0, or a return code of CONNACK before. */
  readonly reasonCode: number | null;

  constructor({ code, rc, message, reasonCode, cause }: ClientErrorParts) {
    super(message, cause === undefined || cause === null ? undefined : { cause });
    this.code = code;
    this.rc = rc;
    this.reasonCode = reasonCode ?? null;
  }

  /** The system's name of the error, as ECONNREFUSED or CERT_HAS_EXPIRED, when it has one. */
  get errno(): string | null {
    return systemCode(this.cause);
  }

  /** What it means, why that may be and what to do about it. The catalogue is loaded with the first call. */
  async explain(language: Language = "en"): Promise<ErrorExplanation> {
    const { explanationOfError } = await import("./error-explanation.ts");
    return explanationOfError(this, language);
  }
}

/** The end of a connection, or of the attempt to make one. */
export class ConnectionError extends ClientError {
  override readonly name: string = "ConnectionError";
  declare readonly code: ConnectionErrorCode;
  /** Where the server says to go instead, with reason code 0x9C or 0x9D. */
  readonly serverReference: string | null;
  /** Who ended the connection, by which rule, and what passed before; null when there was none. Set by the client. */
  ending: ConnectionEnding | null = null;

  constructor(parts: ClientErrorParts<ConnectionErrorCode> & { readonly serverReference?: string | undefined }) {
    super(parts);
    this.serverReference = parts.serverReference ?? null;
  }
}

/** A request that was not sent or that the server refused. */
export class RequestError extends ClientError {
  override readonly name: string = "RequestError";
  declare readonly code: RequestErrorCode;
}

/** An argument that is not allowed; `cause` says which rule it breaks. */
export class ArgumentError extends ClientError {
  override readonly name: string = "ArgumentError";
  declare readonly code: "invalid-argument";

  constructor(message: string, cause?: unknown) {
    super({ code: "invalid-argument", rc: MOSQ_ERR.INVAL, message, cause });
  }
}

/** The durable store failed. */
export class ClientStoreError extends ClientError {
  override readonly name: string = "ClientStoreError";
  declare readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super({ code, rc: MOSQ_ERR.ERRNO, message, cause });
  }
}

const REFUSALS: Readonly<Record<Refusal, { readonly rc: number; readonly message: string }>> = {
  "not-connected": { rc: MOSQ_ERR.NO_CONN, message: "there is no connection" },
  "connection-lost": { rc: MOSQ_ERR.CONN_LOST, message: "the connection was lost before the message had left" },
  "queue-full": { rc: MOSQ_ERR.NOMEM, message: "as many messages or bytes wait as may" },
  dropped: {
    rc: MOSQ_ERR.NOMEM,
    message: "the message was dropped: the queue was full, and newer ones needed its place",
  },
  expired: { rc: MOSQ_ERR.TIMEOUT, message: "the message expired while it waited" },
  "no-packet-identifier": {
    rc: MOSQ_ERR.NOMEM,
    message: "65,535 requests are under way, the most there can be",
  },
  "packet-too-large": { rc: MOSQ_ERR.OVERSIZE_PACKET, message: "the packet is larger than the server takes" },
  "qos-not-supported": {
    rc: MOSQ_ERR.QOS_NOT_SUPPORTED,
    message: "the server does not take messages at this QoS",
  },
  "retain-not-supported": { rc: MOSQ_ERR.RETAIN_NOT_SUPPORTED, message: "the server keeps no retained messages" },
};

/** The error of a request that was not sent. */
export function refusalError(refusal: Refusal): RequestError {
  return new RequestError({ code: refusal, ...REFUSALS[refusal] });
}

/** The error of what is asked of a client that has ended, by `cause` unless it was told to. */
export function closedError(message: string = "the client has ended", cause: Error | null = null): RequestError {
  return new RequestError({ code: "closed", rc: MOSQ_ERR.NO_CONN, message, cause });
}

/** The error of a connection that ended, or null when we ended it. */
export function endError(end: ConnectionEnd, version: number): ConnectionError | null {
  const { reason, connack, disconnect, fault, error } = end;
  if (connack !== null) return refusedError(connack.reasonCode, version, connack.properties.serverReference);
  if (disconnect !== null) {
    const { reasonCode, properties } = disconnect;
    const said = properties.reasonString === undefined ? "" : `: ${properties.reasonString}`;
    const message = `the server ended the connection: ${reasonCodeName(reasonCode, "DISCONNECT")}${said}`;
    const { serverReference } = properties;
    return new ConnectionError({
      code: "disconnected-by-server",
      rc: reasonCode,
      reasonCode,
      message,
      serverReference,
    });
  }
  if (fault !== null) {
    const { reasonCode, message } = fault;
    return new ConnectionError({ code: "protocol-error", rc: MOSQ_ERR.PROTOCOL, reasonCode, message });
  }
  switch (reason) {
    case "client-disconnected":
    case "disconnected-with-will":
      return null;
    case "keep-alive-timeout":
      return silenceError("PINGREQ");
    case "connect-timeout":
      return silenceError("CONNECT");
    default:
      return networkError(error, end.wasOpened);
  }
}

function silenceError(packet: string): ConnectionError {
  const message = `the server did not answer ${packet}`;
  return new ConnectionError({ code: "keep-alive-timeout", rc: MOSQ_ERR.KEEPALIVE, message });
}

const RETURN_CODES = [
  "",
  "unacceptable protocol version",
  "identifier rejected",
  "server unavailable",
  "bad user name or password",
  "not authorised",
] as const;

function refusedError(reasonCode: number, version: number, serverReference: string | undefined): ConnectionError {
  const name = version === 5 ? reasonCodeName(reasonCode, "CONNACK") : (RETURN_CODES[reasonCode] ?? String(reasonCode));
  // As libmosquitto: every refusal of 5.0 is a protocol error there.
  const rc = version === 5 ? MOSQ_ERR.PROTOCOL : MOSQ_ERR.CONN_REFUSED;
  const message = `the server refused: ${name}`;
  return new ConnectionError({ code: "connection-refused", rc, reasonCode, message, serverReference });
}

const PARTS = {
  tls: { code: "tls-failed", rc: MOSQ_ERR.TLS },
  proxy: { code: "proxy-failed", rc: MOSQ_ERR.PROXY },
  websocket: { code: "network-error", rc: MOSQ_ERR.ERRNO },
} as const;

function networkError(error: Error | null, wasOpened: boolean): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof TransportError) {
    const { message, cause = error } = error;
    return new ConnectionError({ ...PARTS[error.part], message, cause });
  }
  const errno = systemCode(error);
  // After the handshake too: a server of TLS 1.3 refuses a client's certificate only then.
  if (error !== null && errno !== null && /^ERR_(SSL|TLS|OSSL)_/.test(errno)) {
    return new ConnectionError({ ...PARTS.tls, message: `TLS failed: ${error.message}`, cause: error });
  }
  if (error === null || (wasOpened && (errno === "ECONNRESET" || errno === "EPIPE"))) {
    return new ConnectionError({
      code: "connection-lost",
      rc: MOSQ_ERR.CONN_LOST,
      message: "the connection was lost",
      cause: error,
    });
  }
  const isLookup = errno === "ENOTFOUND" || (errno?.startsWith("EAI_") ?? false);
  return new ConnectionError({
    code: isLookup ? "lookup-failed" : "network-error",
    rc: isLookup ? MOSQ_ERR.EAI : MOSQ_ERR.ERRNO,
    message: error.message === "" ? (errno ?? "the network failed") : error.message,
    cause: error,
  });
}

function systemCode(cause: unknown): string | null {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
}
