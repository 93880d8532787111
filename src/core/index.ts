/** The broker's core: what a broker decides, without I/O. */
export {
  type AgreedCipher,
  ALLOW_ALL,
  ANONYMOUS,
  type Applicant,
  type Authenticator,
  NOBODY,
  type PeerCertificate,
  type PeerIdentity,
  type Policy,
  UNKNOWN_PEER,
  type Verdict,
} from "./authenticator.ts";
export { BRIDGE_MARK, markOf, withoutMark } from "./bridge-marks.ts";
export { Broker, type BrokerParts, type Host } from "./broker.ts";
export { type Clock, ManualClock } from "./clock.ts";
export { Connection } from "./connection.ts";
export { type ControlHandler, type ControlRequest, respond } from "./control.ts";
export {
  answerCommands,
  CommandError,
  type CommandOutcome,
  type CommandPerformer,
  refusedCommands,
} from "./control-commands.ts";
export type { Counters } from "./counters.ts";
export { Deque } from "./deque.ts";
export { DEFAULT_ENTRANCE, type Entrance, type IdentityAsUsername, usernameOf } from "./entrance.ts";
export { has, isJson, isNoText, type Json, listOf, namedItems, numberOf, switchOf, textOf } from "./json.ts";
export type { StoreState } from "./ledger.ts";
export type { Link, Tap } from "./link.ts";
export { ALONE, type Mesh } from "./mesh.ts";
export type { Message } from "./message.ts";
export { type MissKind, type NearMiss, nearMisses } from "./near-misses.ts";
export type { Observer, PacketObserver, PublishSummary, RefusedConnection } from "./observer.ts";
export { type BrokerOptions, DEFAULT_OPTIONS, NEVER_EXPIRES_SECONDS } from "./options.ts";
export type { ExceededRate } from "./receive-rates.ts";
export type { Session } from "./session.ts";
export type { Source, SourceJudge } from "./source.ts";
export {
  type Change,
  type Fact,
  type NextMessage,
  NO_STORE,
  type QueuedFact,
  type QueueSummary,
  type Store,
} from "./store.ts";
export { SubscriptionIndex } from "./subscription-index.ts";
export { type Outcome, type SessionState, type Trace, type TraceQuestion, trace } from "./tracing.ts";
