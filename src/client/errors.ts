/** What goes wrong for a client, as one kind of Error with libmosquitto's number for it. */
import { reasonCodeName } from "../protocol/index.ts";
import type { ConnectionEnd } from "./connection.ts";
import type { Refusal } from "./message.ts";

/** What went wrong, by a name that stays. */
export type ClientErrorCode =
  | Refusal
  /** The server answered CONNECT with a refusal. */
  | "connection-refused"
  /** The server ended the connection with a DISCONNECT. */
  | "disconnected-by-server"
  /** PINGRESP or CONNACK did not come in time. */
  | "keep-alive-timeout"
  /** What the server sent is not MQTT, or not allowed. */
  | "protocol-error"
  /** The server's name has no address. */
  | "lookup-failed"
  /** No connection could be made, or the system ended it. */
  | "network-error";

/** What a ClientError is made of. */
interface ClientErrorParts {
  readonly code: ClientErrorCode;
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
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.rc = rc;
    this.reasonCode = reasonCode ?? null;
  }

  /** The system's name of the error, as ECONNREFUSED, when a system call failed. */
  get errno(): string | null {
    return systemCode(this.cause);
  }
}

/** Numbers of mosquitto.h. */
const RC = {
  nomem: 1,
  protocol: 2,
  notConnected: 4,
  connectionRefused: 5,
  connectionLost: 7,
  errno: 14,
  lookup: 15,
  keepAlive: 19,
  qosNotSupported: 24,
  packetTooLarge: 25,
  retainNotSupported: 154,
} as const;

const REFUSALS: Readonly<Record<Refusal, { readonly rc: number; readonly message: string }>> = {
  "not-connected": { rc: RC.notConnected, message: "there is no connection" },
  "connection-lost": { rc: RC.connectionLost, message: "the connection was lost before the message had left" },
  "queue-full": { rc: RC.nomem, message: "as many messages or bytes wait as may" },
  "no-packet-identifier": { rc: RC.nomem, message: "65,535 requests are under way, the most there can be" },
  "packet-too-large": { rc: RC.packetTooLarge, message: "the packet is larger than the server takes" },
  "qos-not-supported": { rc: RC.qosNotSupported, message: "the server does not take messages at this QoS" },
  "retain-not-supported": { rc: RC.retainNotSupported, message: "the server keeps no retained messages" },
};

/** The error of a request that was not sent. */
export function refusalError(refusal: Refusal): ClientError {
  return new ClientError({ code: refusal, ...REFUSALS[refusal] });
}

/** The error of a connection that ended, or null when we ended it. */
export function endError(end: ConnectionEnd, version: number): ClientError | null {
  const { reason, connack, disconnect, fault, error } = end;
  if (connack !== null) return refusedError(connack.reasonCode, version);
  if (disconnect !== null) {
    const { reasonCode, properties } = disconnect;
    const said = properties.reasonString === undefined ? "" : `: ${properties.reasonString}`;
    const message = `the server ended the connection: ${reasonCodeName(reasonCode, "DISCONNECT")}${said}`;
    return new ClientError({ code: "disconnected-by-server", rc: reasonCode, reasonCode, message });
  }
  if (fault !== null) {
    const { reasonCode, message } = fault;
    return new ClientError({ code: "protocol-error", rc: RC.protocol, reasonCode, message });
  }
  switch (reason) {
    case "client-disconnected":
    case "disconnected-with-will":
      return null;
    case "keep-alive-timeout":
      return new ClientError({
        code: "keep-alive-timeout",
        rc: RC.keepAlive,
        message: "the server did not answer PINGREQ",
      });
    case "connect-timeout":
      return new ClientError({
        code: "keep-alive-timeout",
        rc: RC.keepAlive,
        message: "the server did not answer CONNECT",
      });
    default:
      return networkError(error, end.wasOpened);
  }
}

const RETURN_CODES = [
  "",
  "unacceptable protocol version",
  "identifier rejected",
  "server unavailable",
  "bad user name or password",
  "not authorised",
] as const;

function refusedError(reasonCode: number, version: number): ClientError {
  const name = version === 5 ? reasonCodeName(reasonCode, "CONNACK") : (RETURN_CODES[reasonCode] ?? String(reasonCode));
  // As libmosquitto: every refusal of 5.0 is a protocol error there.
  const rc = version === 5 ? RC.protocol : RC.connectionRefused;
  return new ClientError({ code: "connection-refused", rc, reasonCode, message: `the server refused: ${name}` });
}

function networkError(error: Error | null, wasOpened: boolean): ClientError {
  const errno = systemCode(error);
  if (error === null || (wasOpened && (errno === "ECONNRESET" || errno === "EPIPE"))) {
    return new ClientError({
      code: "connection-lost",
      rc: RC.connectionLost,
      message: "the connection was lost",
      cause: error,
    });
  }
  const isLookup = errno === "ENOTFOUND" || (errno?.startsWith("EAI_") ?? false);
  return new ClientError({
    code: isLookup ? "lookup-failed" : "network-error",
    rc: isLookup ? RC.lookup : RC.errno,
    message: error.message === "" ? (errno ?? "the network failed") : error.message,
    cause: error,
  });
}

function systemCode(cause: unknown): string | null {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
}
