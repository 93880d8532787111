/** The client library: sessions, connections and the client that joins them. */
export {
  Client,
  type ClientListener,
  type ClientOptions,
  type PublishOptions,
  type ReconnectPolicy,
} from "./client.ts";
export {
  ClientConnection,
  type ClientConnectionOptions,
  type ClientPacketObserver,
  type ConnectionEnd,
  type ConnectionListener,
} from "./connection.ts";
export { ClientError, type ClientErrorCode } from "./errors.ts";
export type { IncomingMessage, Outcome, OutgoingMessage, Refusal } from "./message.ts";
export type { OutboxLimits, SavedMessage } from "./outbox.ts";
export {
  ClientSession,
  DEFAULT_SESSION_LIMITS,
  type SavedSession,
  type SessionLimits,
  type SessionListener,
} from "./session.ts";
