/**
 * Requests to the running broker, over MQTT itself: JSON published to `$CONTROL/lacewing/v1`, answered to the client that asked. The
 * types are those of both ends.
 */
import type { Trace, TraceQuestion } from "../core/index.ts";
import type { ConnectionRecord, Incident } from "../observe/index.ts";

/** Where requests go. */
export const REQUEST_TOPIC = "$CONTROL/lacewing/v1";
/** Where answers go unless the request has a Response Topic [5.0 §3.3.2.3.5]. */
export const RESPONSE_TOPIC = "$CONTROL/lacewing/v1/response";

/** A client that is connected, or whose Session lasts. Times: milliseconds since 1970; amounts since the connection began. */
export interface ClientState {
  readonly clientId: string;
  /** null: it is away. */
  readonly remoteAddress: string | null;
  readonly username: string | null;
  readonly version: number | null;
  readonly keepAliveSeconds: number | null;
  readonly connectedSinceMs: number | null;
  readonly sessionExpirySeconds: number;
  readonly subscriptions: number;
  readonly queuedMessages: number;
  readonly inflightMessages: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  /** Bytes that wait for its network. */
  readonly backlogBytes: number;
}

/** A client, and what passed between it and the broker in each second. */
export interface BusyClient extends ClientState {
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
}

/** What is asked, by command, and the answer. */
export interface Requests {
  /** Clients in the order of their names, after `after`. */
  readonly clients: {
    readonly ask: { readonly after?: string; readonly limit?: number };
    readonly answer: { readonly clients: readonly ClientState[]; readonly all: number };
  };
  /** The clients with the most packets in the next `seconds`; the answer comes when they are over. */
  readonly top: {
    readonly ask: { readonly seconds: number; readonly limit?: number };
    readonly answer: {
      readonly clients: readonly BusyClient[];
      readonly connected: number;
      /** Of all clients. */
      readonly receivedPerSecond: number;
      readonly sentPerSecond: number;
    };
  };
  /** The last connections of a client. */
  readonly why: {
    readonly ask: { readonly clientId: string; readonly limit?: number };
    readonly answer: {
      readonly connections: readonly ConnectionRecord[];
      /** What did not reach it lately. */
      readonly losses: readonly Incident[];
      /** When this broker began to remember, in milliseconds since 1970. */
      readonly sinceMs: number;
      /** Names like the one that was asked for, when nothing is known of it. */
      readonly similar: readonly string[];
    };
  };
  /** What would become of a message. */
  readonly "why-not": {
    readonly ask: TraceQuestion;
    readonly answer: {
      readonly trace: Trace;
      readonly losses: readonly Incident[];
      readonly similar: readonly string[];
    };
  };
  /** Sends on what passes between a client and the broker, from now on; what follows is `TapEvent`s. */
  readonly tap: {
    readonly ask: { readonly clientId: string; readonly seconds: number };
    readonly answer: { readonly isConnected: boolean; readonly seconds: number };
  };
  /** Ends what `tap` began. */
  readonly untap: {
    readonly ask: { readonly clientId: string };
    readonly answer: { readonly events: number };
  };
}

/** A command. */
export type RequestName = keyof Requests;

/** The payload of an answer. */
export type Answer<Name extends RequestName = RequestName> =
  | { readonly command: Name; readonly data: Requests[Name]["answer"] }
  | { readonly command: string | null; readonly error: string };

/** Where answers of `tap` go. */
export const TAP_TOPIC = "$CONTROL/lacewing/v1/tap";

/** Something that happened on a connection that is tapped. Times: milliseconds since 1970. */
export type TapEvent =
  | {
      readonly kind: "opened";
      readonly connection: number;
      readonly atMs: number;
      readonly remoteAddress: string;
      readonly localPort: number;
    }
  | {
      readonly kind: "bytes";
      readonly connection: number;
      readonly atMs: number;
      readonly direction: "received" | "sent";
      /** Base64. */
      readonly data: string;
    }
  /** The one who records was too slow: so many bytes are missing here. */
  | { readonly kind: "gap"; readonly connection: number; readonly atMs: number; readonly bytes: number }
  | {
      readonly kind: "ended";
      readonly connection: number;
      readonly atMs: number;
      readonly reason: string;
      readonly detail: string | null;
    }
  /** Nothing more comes: the time is over. */
  | { readonly kind: "over"; readonly connection: 0; readonly atMs: number };
