/** What the client library gives to others, in Node and in browsers alike. */
export { type BackOffLimits, DEFAULT_BACK_OFF } from "./back-off.ts";
export {
  type AttemptChanges,
  Client,
  type ClientListener,
  type ClientOptions,
  type ReconnectPolicy,
} from "./client.ts";
export {
  type ClientEvents,
  type ConnectInfo,
  type DisconnectInfo,
  LOG_LEVEL,
  type LogLevel,
} from "./client-events.ts";
export type { ClientStore, PairStore, SidedChange } from "./client-store.ts";
export {
  ClientConnection,
  type ClientConnectionOptions,
  type ClientPacketObserver,
  type ConnectionEnd,
  type ConnectionListener,
} from "./connection.ts";
export type { ListenOptions } from "./emitter.ts";
export type { ConnectionEnding, PassedPackets } from "./ending.ts";
export type { ErrorExplanation } from "./error-explanation.ts";
export {
  ArgumentError,
  ClientError,
  type ClientErrorCode,
  ClientStoreError,
  ConnectionError,
  type ConnectionErrorCode,
  RequestError,
  type RequestErrorCode,
  type StoreErrorCode,
} from "./errors.ts";
export type { DisconnectOptions } from "./goodbye.ts";
export { isFinal } from "./healing.ts";
export type { SessionChange, SessionJournal } from "./journal.ts";
export type { IncomingMessage, Outcome, OutgoingMessage, Refusal } from "./message.ts";
export type { MqttClientBase } from "./mqtt-client-base.ts";
export type {
  Authentication,
  CommonOptions,
  ConnectProperties,
  Credentials,
  OlderVersionOptions,
  PublishOptions,
  QueueOptions,
  QueuePolicy,
  ReconnectOptions,
  SharedClientOptions,
  Version5Options,
  WillOptions,
} from "./options.ts";
export type { OutboxLimits, SavedMessage } from "./outbox.ts";
export { PacketLog } from "./packet-log.ts";
export type { Publication, Published, PublishProperties } from "./publication.ts";
export { MOSQ_ERR, MOSQ_ERRORS, type MosqErrorName, strerror } from "./rc.ts";
export type { ReceivedMessage } from "./received-message.ts";
export type { RequestOptions } from "./requests.ts";
export type { Server } from "./servers.ts";
export {
  ClientSession,
  DEFAULT_SESSION_LIMITS,
  type SavedReceipt,
  type SavedSession,
  type SessionLimits,
  type SessionListener,
  type SessionTraits,
} from "./session.ts";
export { StoreJournal } from "./store-journal.ts";
export type {
  Subscribed,
  SubscribeOptions,
  Subscription,
  Unsubscribed,
  Unsubscription,
} from "./subscription.ts";
export type { ServerScheme, ServerUrl, ServerUrls, TopicFilter, TopicFilters, TopicName } from "./topic-types.ts";
