/** What happens in the core, told to whoever writes logs, metrics or recordings. Nobody here can change anything. */
import type { Connect, DropReason, EndReason, Fault, Packet, SubscriptionRequest } from "../protocol/index.ts";
import type { Connection } from "./connection.ts";
import type { StoreState } from "./ledger.ts";
import type { Message } from "./message.ts";
import type { ExceededRate } from "./receive-rates.ts";
import type { Session } from "./session.ts";

/** A PUBLISH as a log line shows it. */
export interface PublishSummary {
  readonly topicName: string;
  readonly payloadBytes: number;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly packetId: number;
}

/** Told of every packet. Only asked for when somebody listens, as it costs time for each message. */
export interface PacketObserver {
  received(connection: Connection, packet: Packet): void;
  /** Of packets other than PUBLISH. */
  sent(connection: Connection, packet: Packet): void;
  sentPublish(connection: Connection, publish: PublishSummary): void;
}

/** A connection that ended before it could have said anything of MQTT, or that was not taken at all. */
export interface RefusedConnection {
  /** "ADDRESS:PORT" of the peer, as far as it is known. */
  readonly remoteAddress: string;
  /** Port that the peer connected to; 0: a unix socket. */
  readonly localPort: number;
  readonly reason: EndReason;
  /** What the reason does not say. */
  readonly message: string | null;
}

/** Told of events; a method that is absent is not called. */
export interface Observer {
  readonly packets?: PacketObserver | undefined;
  opened?(connection: Connection): void;
  refused?(refused: RefusedConnection): void;
  /** A client has got its CONNACK. */
  connected?(connection: Connection, connect: Connect): void;
  /** A connection has ended, whether or not a CONNECT was ever accepted on it. */
  ended?(connection: Connection, reason: EndReason, fault: Fault | null): void;
  subscribed?(connection: Connection, request: SubscriptionRequest, reasonCode: number): void;
  unsubscribed?(connection: Connection, topicFilter: string, existed: boolean): void;
  /** A client published what it may not. */
  publishDenied?(connection: Connection, message: Message): void;
  /** A message was not taken because of a limit, and goes nowhere. */
  notTaken?(connection: Connection, reason: DropReason, message: Message): void;
  /** A client is not read from for a while, as it sends too fast. */
  slowed?(connection: Connection, exceeded: ExceededRate): void;
  dropped?(reason: DropReason, session: Session, message: Message): void;
  /** Deliveries of `session` could not be read back from the store. */
  queueDamaged?(session: Session, deliveries: number): void;
  /** Changes fail to be stored or are overdue, or are stored again. */
  storeState?(state: StoreState, error: unknown): void;
  /** The same for reading queues back. */
  storeReads?(state: StoreState, error: unknown): void;
  /** An Authenticator failed, which counts as a refusal. */
  authenticatorFailed?(connection: Connection, error: unknown): void;
}
