/** What a client tells, by name. */
import type { Properties, Version } from "../protocol/index.ts";
import type { ConnectionEnding } from "./ending.ts";
import type { ClientError } from "./errors.ts";
import type { Publication } from "./publication.ts";
import type { ReceivedMessage } from "./received-message.ts";
import type { Subscribed, Unsubscribed } from "./subscription.ts";

/** What the server said when it let us in. */
export interface ConnectInfo {
  /** 0, or in `onConnect` the code of a refusal: before 5.0 a return code, 1 to 5. */
  readonly reasonCode: number;
  /** Whether the server has kept the Session. */
  readonly sessionPresent: boolean;
  /** What the server allows; empty before 5.0. */
  readonly properties: Properties;
  readonly clientId: string;
  readonly version: Version;
  /** Its URL. */
  readonly server: string;
}

/** How a connection, or the attempt to make one, ended. */
export interface DisconnectInfo {
  /** Null when we ended it. */
  readonly error: ClientError | null;
  readonly willReconnect: boolean;
  /** Milliseconds until then. */
  readonly delayMs: number;
  /** Whether the server had let us in. */
  readonly wasConnected: boolean;
  /** Who ended it, by which rule, and what passed before; null when there was no attempt to end. */
  readonly ending: ConnectionEnding | null;
}

/** Levels of log lines, by libmosquitto's numbers. */
export const LOG_LEVEL = { info: 1, notice: 2, warning: 4, error: 8, debug: 16 } as const;

/** A level of a log line. */
export type LogLevel = (typeof LOG_LEVEL)[keyof typeof LOG_LEVEL];

/** The events and what comes with each. */
export interface ClientEvents {
  /** The server has let us in. */
  readonly connect: readonly [info: ConnectInfo];
  /** A connection, or an attempt to make one, is over. */
  readonly disconnect: readonly [info: DisconnectInfo];
  /** A message came, whatever subscribed to it. */
  readonly message: readonly [message: ReceivedMessage];
  /** A message has left (QoS 0) or arrived (QoS 1, 2). */
  readonly publish: readonly [mid: number, reasonCode: number];
  /** A message will not arrive, or nobody knows whether it did. */
  readonly undelivered: readonly [publication: Publication, error: ClientError];
  readonly subscribe: readonly [subscribed: Subscribed];
  readonly unsubscribe: readonly [unsubscribed: Unsubscribed];
  /** The client has ended and will not connect again; with what ended it, if it was not `disconnect`. */
  readonly close: readonly [error: ClientError | null];
  readonly log: readonly [level: LogLevel, text: string];
}
