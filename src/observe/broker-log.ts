/** What happens in the broker as lines of its log, in mosquitto's words where it has any. */
import type { LogType } from "../config/index.ts";
import type {
  AgreedCipher,
  Clock,
  Connection,
  ExceededRate,
  Message,
  Observer,
  PacketObserver,
  PublishSummary,
  RefusedConnection,
  Session,
  StoreState,
} from "../core/index.ts";
import {
  type Connect,
  DROP_REASONS,
  type DropReason,
  END_REASONS,
  type EndReason,
  type Fault,
  type Packet,
  reasonCodeName,
  type SubscriptionRequest,
} from "../protocol/index.ts";
import { Denials, type DeniedAccess } from "./denials.ts";
import { type Log, printable } from "./log.ts";

/** The kinds of lines that the broker writes, by mosquitto's names. */
export type BrokerLogType = LogType;

/** What of the broker is logged. */
export interface BrokerLogOptions {
  /** Whether clients that come and go are logged. */
  readonly connectionMessages: boolean;
}

/** Losses of one receiver that an operator should hear of; the others are only counted. */
const NOTABLE_DROPS: ReadonlySet<DropReason> = new Set([
  "queue-full",
  "queue-bytes-full",
  "receiver-slow",
  "too-large-for-receiver",
]);

const DENIED: Readonly<Record<DeniedAccess, string>> = {
  publish: "Denied PUBLISH from",
  receive: "Denied delivery to",
};

/** Logs events of the broker's core. */
export class BrokerLog implements Observer {
  /** Logs each packet; to be told only while the log wants that. */
  readonly packetLog: PacketObserver;
  readonly #log: Log<BrokerLogType>;
  #connectionMessages: boolean;
  /** Sessions for which a loss has been told since they last connected. */
  readonly #told: WeakMap<Session, Set<DropReason>> = new WeakMap();
  /** Connections of which has been told that they are slowed. */
  readonly #slowed: WeakSet<Connection> = new WeakSet();
  readonly #denials: Denials = new Denials();
  readonly #clock: Clock;

  constructor(log: Log<BrokerLogType>, clock: Clock, options: BrokerLogOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#connectionMessages = options.connectionMessages;
    this.packetLog = new PacketLog(log);
  }

  /** Told of packets only when somebody wants to read of them. */
  get packets(): PacketObserver | undefined {
    return this.#log.wants("debug") ? this.packetLog : undefined;
  }

  /** Logs differently from now on. */
  change(options: BrokerLogOptions): void {
    this.#connectionMessages = options.connectionMessages;
  }

  opened(connection: Connection): void {
    if (!this.#connectionMessages) return;
    const { remoteAddress, localPort } = connection.link;
    // A bridge, and a client in the same process, came to no port.
    const where = localPort === undefined ? "" : ` on port ${localPort}`;
    this.#log.write("notice", `New connection from ${remoteAddress}${where}.`);
    const cipher = connection.link.peer?.cipher ?? null;
    if (cipher?.isProxys === true) this.#negotiated(`Connection from ${remoteAddress}`, cipher);
  }

  /** In mosquitto's words. */
  #negotiated(who: string, { version, name }: AgreedCipher): void {
    this.#log.write("notice", `${who} negotiated ${printable(version)} cipher ${printable(name)}`);
  }

  refused({ remoteAddress, localPort, reason, message }: RefusedConnection): void {
    const what = message === null ? null : printable(message);
    if (reason === "proxy-header-corrupt") {
      this.#log.write("notice", `Connection rejected, ${END_REASONS[reason].log}. From ${remoteAddress}: ${what}.`);
      return;
    }
    if (isDenied(reason) || reason.startsWith("proxy-")) {
      this.#denied(remoteAddress, reason, what);
      return;
    }
    if (this.#connectionMessages)
      this.#log.write("notice", `New connection from ${remoteAddress} on port ${localPort}.`);
    // mosquitto does not say whose error it was.
    const isTls = reason === "tls-failed" || reason === "client-certificate-refused";
    if (isTls && what !== null) this.#log.write("error", `OpenSSL Error[0]: ${what} [${remoteAddress}]`);
    this.#ended("<unknown>", remoteAddress, reason, isTls ? null : what);
  }

  #denied(remoteAddress: string, reason: EndReason, what: string | null): void {
    const denied = isDenied(reason)
      ? `Client connection from ${remoteAddress} denied:`
      : `Connection from ${remoteAddress} rejected,`;
    this.#log.write("notice", `${denied} ${END_REASONS[reason].log}${what === null ? "" : ` (${what})`}.`);
  }

  connected(connection: Connection, connect: Connect): void {
    const { session, link } = connection;
    this.#told.delete(session!);
    if (!this.#connectionMessages) return;
    // The name that it goes by, which may be that of its certificate.
    const { username } = connection.connect ?? connect;
    const user = username === null ? "" : `, u'${printable(username)}'`;
    const facts = `p${connect.version}, c${connect.cleanStart ? 1 : 0}, k${connect.keepAliveSeconds}${user}`;
    this.#log.write("notice", `New client connected from ${link.remoteAddress} as ${nameOf(connection)} (${facts}).`);
    const cipher = link.peer?.cipher ?? null;
    if (cipher?.isProxys === false) this.#negotiated(`Client ${nameOf(connection)}`, cipher);
  }

  ended(connection: Connection, reason: EndReason, fault: Fault | null): void {
    if (reason === "too-many-connections") {
      this.#denied(connection.link.remoteAddress, reason, null);
      return;
    }
    const what = fault === null ? null : `${reasonCodeName(fault.reasonCode)}: ${printable(fault.message)}`;
    if (reason === "session-taken-over" && this.#connectionMessages)
      this.#log.write("notice", `Client ${nameOf(connection)} already connected, closing old connection.`);
    this.#ended(nameOf(connection), connection.link.remoteAddress, reason, what);
  }

  #ended(name: string, remoteAddress: string, reason: EndReason, what: string | null): void {
    const client = `Client ${name} [${remoteAddress}]`;
    if (what !== null) this.#log.write("notice", `${client}: ${what}.`);
    if (!this.#connectionMessages) return;
    const why = reason === "client-disconnected" ? "" : `: ${END_REASONS[reason].log}`;
    this.#log.write("notice", `${client} disconnected${why}.`);
  }

  subscribed(connection: Connection, request: SubscriptionRequest, reasonCode: number): void {
    const filter = printable(request.topicFilter);
    if (reasonCode < 0x80) {
      this.#log.write("subscribe", `${nameOf(connection)} ${reasonCode} ${filter}`);
    } else {
      this.#log.write("notice", `${nameOf(connection)} may not subscribe to ${filter}: ${reasonCodeName(reasonCode)}.`);
    }
  }

  unsubscribed(connection: Connection, topicFilter: string): void {
    this.#log.write("unsubscribe", `${nameOf(connection)} ${printable(topicFilter)}`);
  }

  publishDenied(connection: Connection, message: Message): void {
    this.#accessDenied("publish", connection.clientId ?? "", message);
  }

  /**
   * mosquitto tells nobody. Here the first of its kind is for everybody to read, and all of them with `log_type debug`. Who floods is
   * told of once, so what is not told must cost little.
   */
  #accessDenied(access: DeniedAccess, clientId: string, message: Message): void {
    const telling = this.#denials.noteworthy(clientId, access, message.topicName, this.#clock.nowMs());
    if (telling === null && !this.#log.wants("debug")) return;
    const line = `${DENIED[access]} ${printable(clientId)} ${summary(summaryOf(message))}`;
    if (telling === null) {
      this.#log.write("debug", line);
      return;
    }
    const { pattern, untold } = telling;
    const others = untold === 0 ? "" : ` ${untold} denials before it were not logged.`;
    const like = `this client and ${printable(pattern)} are not told of again.`;
    this.#log.write("notice", `${line}: the rules do not allow it; ${like}${others}`);
  }

  notTaken(connection: Connection, reason: DropReason, message: Message): void {
    if (!this.#log.wants("debug")) return;
    const what = reason === "payload-too-large" ? "Dropped too large PUBLISH" : "Dropped PUBLISH";
    const line = `${what} from ${nameOf(connection)} ${summary(summaryOf(message))}: ${DROP_REASONS[reason].log}`;
    this.#log.write("debug", line);
  }

  slowed(connection: Connection, exceeded: ExceededRate): void {
    if (this.#slowed.has(connection)) return;
    this.#slowed.add(connection);
    const { entrance, link } = connection;
    const most =
      exceeded === "message-rate"
        ? `lacewing_max_message_rate allows (${entrance.maximumMessageRate} messages a second)`
        : `lacewing_max_byte_rate allows (${entrance.maximumByteRate} bytes a second)`;
    this.#log.write(
      "notice",
      `Client ${nameOf(connection)} [${link.remoteAddress}] is slowed: it sends more than ${most}.`,
    );
  }

  dropped(reason: DropReason, session: Session, message: Message): void {
    if (reason === "receive-denied") {
      this.#accessDenied("receive", session.clientId, message);
      return;
    }
    if (!NOTABLE_DROPS.has(reason)) return;
    let told = this.#told.get(session);
    if (told === undefined) this.#told.set(session, (told = new Set()));
    if (told.has(reason)) return;
    told.add(reason);
    const client = printable(session.clientId);
    this.#log.write("notice", `Outgoing messages are being dropped for client ${client}: ${DROP_REASONS[reason].log}.`);
  }

  storeState(state: StoreState, error: unknown): void {
    if (state === "up") this.#log.write("notice", "The store works again; acknowledgements go on.");
    else
      this.#log.write(
        "error",
        `The store does not take changes (${String(error)}); nothing is acknowledged that it must keep.`,
      );
  }

  storeReads(state: StoreState, error: unknown): void {
    if (state === "up") this.#log.write("notice", "The store can be read again; queues go on.");
    else
      this.#log.write("error", `The store cannot be read (${String(error)}); queued messages wait there until it can.`);
  }

  queueDamaged(session: Session, deliveries: number): void {
    const client = printable(session.clientId);
    this.#log.write("error", `${deliveries} queued messages for client ${client} are damaged in the store and lost.`);
  }

  authenticatorFailed(connection: Connection, error: unknown): void {
    this.#log.write("error", `Nobody could say whether ${nameOf(connection)} may connect: ${String(error)}.`);
  }
}

/** Whether the client was turned away before it could say anything. */
function isDenied(reason: EndReason): boolean {
  return reason === "too-many-connections" || reason === "connection-rate-exceeded";
}

function nameOf(connection: Connection): string {
  const { clientId } = connection;
  return clientId === null ? "<unknown>" : printable(clientId);
}

function summaryOf(message: Message): PublishSummary {
  const { topicName, payloadBytes, qos, retain } = message;
  return { topicName, payloadBytes, qos, retain, dup: false, packetId: 0 };
}

function summary(publish: PublishSummary): string {
  const { dup, qos, retain, packetId, topicName, payloadBytes } = publish;
  const flags = `d${dup ? 1 : 0}, q${qos}, r${retain ? 1 : 0}, m${packetId}`;
  return `(${flags}, '${printable(topicName)}', ... (${payloadBytes} bytes))`;
}

/** Logs each packet, as mosquitto does with `-v`. */
class PacketLog implements PacketObserver {
  readonly #log: Log<BrokerLogType>;

  constructor(log: Log<BrokerLogType>) {
    this.#log = log;
  }

  received(connection: Connection, packet: Packet): void {
    // The CONNECT has a line of its own once it is accepted.
    if (packet.type === "CONNECT") return;
    this.#log.write("debug", `Received ${packet.type} from ${nameOf(connection)}${receivedDetail(packet)}`);
    for (const line of filters(packet)) this.#log.write("debug", `\t${line}`);
  }

  sent(connection: Connection, packet: Packet): void {
    this.#log.write("debug", `Sending ${packet.type} to ${nameOf(connection)}${sentDetail(packet)}`);
  }

  sentPublish(connection: Connection, publish: PublishSummary): void {
    this.#log.write("debug", `Sending PUBLISH to ${nameOf(connection)} ${summary(publish)}`);
  }
}

function receivedDetail(packet: Packet): string {
  switch (packet.type) {
    case "PUBLISH": {
      const payloadBytes = packet.end - packet.payloadStart;
      const { topicName, qos, retain, dup, packetId } = packet;
      return ` ${summary({ topicName, payloadBytes, qos, retain, dup, packetId })}`;
    }
    case "PUBACK":
    case "PUBCOMP":
      return ` (Mid: ${packet.packetId}, RC:${packet.reasonCode})`;
    case "PUBREC":
    case "PUBREL":
      return ` (Mid: ${packet.packetId})`;
    default:
      return "";
  }
}

function sentDetail(packet: Packet): string {
  switch (packet.type) {
    case "CONNACK":
      return ` (${packet.sessionPresent ? 1 : 0}, ${packet.reasonCode})`;
    case "PUBACK":
    case "PUBREC":
      return ` (m${packet.packetId}, rc${packet.reasonCode})`;
    case "PUBREL":
    case "PUBCOMP":
      return ` (m${packet.packetId})`;
    case "DISCONNECT":
    case "AUTH":
      return ` (rc${packet.reasonCode})`;
    default:
      return "";
  }
}

function filters(packet: Packet): readonly string[] {
  if (packet.type === "SUBSCRIBE") {
    return packet.subscriptions.map(({ topicFilter, qos }) => `${printable(topicFilter)} (QoS ${qos})`);
  }
  return packet.type === "UNSUBSCRIBE" ? packet.topicFilters.map(printable) : [];
}
