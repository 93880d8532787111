/**
 * A bridge: a client of this broker and a client of another one, which hand each other messages. Each end acknowledges a message only
 * when the other one has it safe: in the journal that both share, or at the broker that it was for.
 */
import { ClientError, type ClientSession, type IncomingMessage, type Outcome } from "../client/index.ts";
import { type Broker, markOf, withoutMark } from "../core/index.ts";
import {
  encodePublish,
  encodeUtf8,
  MqttError,
  NO_PROPERTIES,
  type Properties,
  publishOf,
  reasonCodeName,
} from "../protocol/index.ts";
import { BridgeJournal } from "./bridge-journal.ts";
import type { BridgeLog, BridgeOptions } from "./bridge-options.ts";
import { LocalEnd } from "./local-end.ts";
import { RemoteEnd } from "./remote-end.ts";
import { type MappedTopic, TopicMap } from "./topic-map.ts";

/** How often a lazy bridge looks whether to begin or to end, in milliseconds. */
const LAZY_LOOK_MS = 500;
/** Messages that one end has not acknowledged from which on no more are read from the other one. */
const FULL_MESSAGES = 200;
/** How long a bridge that ends waits for its connections, in milliseconds. */
const STOP_MS = 2000;
/** How long it waits, before an end goes, for acknowledgements of what that broker has been sent. */
const LAST_ACKNOWLEDGEMENTS_MS = 500;
const CONNECTED = encodeUtf8("1");
const NOT_CONNECTED = encodeUtf8("0");

/** One bridge, from `prepare` to `stop`. */
export class Bridge {
  readonly options: BridgeOptions;
  readonly #broker: Broker;
  readonly #log: BridgeLog;
  readonly #topics: TopicMap;
  readonly #journal: BridgeJournal | null;
  readonly #local: LocalEnd;
  readonly #remote: RemoteEnd;
  /** Messages of the other broker that this one has not acknowledged, by their `mid` here; without a journal only. */
  readonly #inward: Map<number, IncomingMessage> = new Map();
  /** Messages at QoS 0 that came while the other broker was asked, by their `mid` there. */
  #early: number[] = [];
  #isStopped = false;
  #lastCrossedMs = 0;
  #lazyTimer: NodeJS.Timeout | null = null;
  #whenEnded: (() => void) | null = null;
  /** Called when the other broker has acknowledged everything. */
  #whenAcknowledged: (() => void) | null = null;
  /** Called when this broker has. */
  #whenTaken: (() => void) | null = null;
  /** Whether it has been told, since the connection began, that messages are refused. */
  #hasToldRefusal = false;
  /** Whether a message was left with this broker, which sends it again once the local end comes anew. */
  #hasLeft = false;
  #isLocalPaused = false;
  #isRemotePaused = false;

  constructor(broker: Broker, options: BridgeOptions, log: BridgeLog) {
    this.options = options;
    this.#broker = broker;
    this.#log = log;
    this.#topics = new TopicMap(options.topics);
    const { store } = options;
    this.#journal =
      store === null
        ? null
        : new BridgeJournal(
            store,
            () => this.#flush(),
            (error) => this.#failed(error),
          );
    this.#local = new LocalEnd(broker, options, this.#topics.localFilters, this.#journal, log, {
      connected: () => {
        this.#isLocalPaused = false;
      },
      message: (message) => this.#goOut(message),
      published: (mid, outcome) => this.#arrivedHere(mid, outcome),
      drained: () => this.#balance(),
    });
    this.#remote = new RemoteEnd(options, this.#topics, this.#journal, log, {
      opened: () => this.#local.attach(),
      connected: () => this.#connected(),
      ended: (error, wasConnected) => this.#ended(error, wasConnected),
      stopped: () => this.#whenEnded?.(),
      message: (message) => this.#comeIn(message),
      published: (_mid, outcome, topicName) => this.#arrivedThere(outcome, topicName),
      drained: () => this.#balance(),
    });
  }

  /** Whether the other broker has let us in. */
  get isConnected(): boolean {
    return this.#remote.isConnected;
  }

  /** Comes before `start`. Resolves when what is published from now on waits for the other broker, if it is to. */
  async prepare(): Promise<void> {
    this.#tellHere(NOT_CONNECTED);
    await this.#local.start();
  }

  /** Begins to connect. A lazy bridge waits for messages. */
  start(): void {
    this.#remote.session.resume();
    if (this.options.startType === "lazy")
      this.#lazyTimer = setInterval(() => this.#lookLazily(), LAZY_LOOK_MS).unref();
    // As in mosquitto, for which a handshake is no reason to drop what is published at QoS 0 meanwhile. What waits already is not
    // handed over to a broker that may not be there.
    else this.#remote.start(this.#local.waitingMessages === 0);
  }

  /** Calls `then` when the connection has ended, or at once. */
  whenEnded(then: () => void): void {
    if (!this.isConnected) return then();
    this.#whenEnded = then;
  }

  /** Ends both connections. Resolves when everything is kept. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#lazyTimer !== null) clearInterval(this.#lazyTimer);
    await Promise.race([this.#acknowledged(), later(LAST_ACKNOWLEDGEMENTS_MS)]);
    this.#remote.stop();
    await Promise.race([this.#journal?.settled(), later(STOP_MS)]);
    this.#local.stop();
    await this.options.store?.close();
  }

  /** Takes no more messages out, and resolves when the other broker has those that are under way: they need not go again. */
  async #acknowledged(): Promise<void> {
    if (!this.isConnected) return;
    this.#balance();
    if (this.#remote.session.unacknowledgedMessages === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenAcknowledged = resolve;
    });
  }

  #connected(): void {
    this.#hasToldRefusal = false;
    this.#lastCrossedMs = performance.now();
    this.#tellHere(CONNECTED);
    this.#isRemotePaused = false;
    this.#early = [];
    this.#local.open();
  }

  #ended(error: Error | null, wasConnected: boolean): void {
    this.#whenAcknowledged?.();
    if (wasConnected) this.#tellHere(NOT_CONNECTED);
    for (const mid of this.#early) this.#remote.session.withdraw(mid);
    this.#early = [];
    // It is to hear what this broker has taken, and stays when the link is there again at once.
    if (this.#isLocalPaused && !this.#isStopped) {
      this.#isLocalPaused = false;
      this.#local.client.resume();
    }
    const why =
      error === null ? "the bridge was stopped" : `the bridge lost its link to the other broker: ${error.message}`;
    void this.#closeLocal(why);
    const then = this.#whenEnded;
    this.#whenEnded = null;
    if (!this.#isStopped) then?.();
  }

  /** What each of the two has handed over is acknowledged before the local end goes, so that it does not come again. */
  async #closeLocal(why: string): Promise<void> {
    if (this.#local.session.unacknowledgedMessages > 0) {
      const taken = new Promise<void>((resolve) => {
        this.#whenTaken = resolve;
      });
      await Promise.race([taken, later(LAST_ACKNOWLEDGEMENTS_MS)]);
    }
    const close = (): void => {
      if (!this.#remote.isOpen) this.#local.close(why);
      else if (this.#hasLeft) this.#local.comeAnew(why);
      this.#hasLeft = false;
    };
    if (this.#journal === null) close();
    else this.#journal.whenKept(close);
  }

  #flush(): void {
    this.#local.client.requestFlush();
    this.#remote.client.requestFlush();
  }

  #failed(error: unknown): void {
    const { name } = this.options;
    this.#log.write("error", `Bridge ${name}: its store has failed, and it ends: ${String(error)}.`);
    void this.stop().catch(() => {});
  }

  #lookLazily(): void {
    const { idleTimeoutSeconds, thresholdMessages } = this.options;
    if (this.#isStopped) return;
    if (!this.#remote.isConnected) {
      if (this.#local.waitingMessages >= thresholdMessages) this.#remote.start();
      return;
    }
    const isBusy = this.#remote.session.unacknowledgedMessages + this.#local.waitingMessages > 0;
    if (isBusy || performance.now() - this.#lastCrossedMs < idleTimeoutSeconds * 1000) return;
    this.#log.write("notice", `Bridge ${this.options.name} has been idle for ${idleTimeoutSeconds} s and disconnects.`);
    this.#remote.stop();
  }

  /** A message of this broker. false: it is acknowledged later. */
  #goOut(message: IncomingMessage): boolean {
    const mapped = this.#topics.outward(message.topicName, message.qos);
    // At QoS 0 nothing waits for the other broker, except while it is asked to let us in.
    if (mapped === null || (mapped.qos === 0 && !this.#remote.isOpen)) return true;
    const retain = message.retain && this.options.outgoingRetain;
    // The other end is gone, and this one closes when what it has taken is kept: this comes again, and would go out twice.
    if (message.qos === 1 && this.#journal !== null && !this.#remote.isOpen) {
      this.#hasLeft = true;
      return false;
    }
    if (this.#isTooLarge(message, mapped)) return true;
    const mid = this.#publish(this.#remote, message, mapped, retain);
    if (mid !== null && mapped.qos === 0 && !this.isConnected) this.#early.push(mid);
    if (mid === null || mapped.qos === 0) return true;
    this.#balance();
    // Without a journal both ends live and die with this process.
    return this.#journal === null || this.#takenWhenKept(message, this.#local.session);
  }

  #isTooLarge({ payload, properties }: IncomingMessage, { topicName, qos }: MappedTopic): boolean {
    const { maximumPacketSize, version } = this.options;
    if (maximumPacketSize === 0) return false;
    const packet = publishOf({
      ...{ topicName, payload, qos, retain: false, dup: false, packetId: qos === 0 ? 0 : 1 },
      properties: version === 5 ? this.#carried(properties, this.#remote) : NO_PROPERTIES,
    });
    const { length } = encodePublish(packet, version);
    if (length <= maximumPacketSize) return false;
    this.#lost(topicName, `its ${length} bytes are more than bridge_max_packet_size (${maximumPacketSize})`);
    return true;
  }

  /** A message of the other broker. false: it is acknowledged later. */
  #comeIn(message: IncomingMessage): boolean {
    const mapped = this.#topics.inward(message.topicName, message.qos);
    if (mapped === null) return true;
    const mid = this.#publish(this.#local, message, mapped, message.retain);
    if (mid === null || mapped.qos === 0) return true;
    this.#balance();
    if (this.#journal !== null) return this.#takenWhenKept(message, this.#remote.session);
    this.#inward.set(mid, message);
    return false;
  }

  #takenWhenKept(message: IncomingMessage, session: ClientSession): boolean {
    // At QoS 2 leaving one end and entering the other are one entry of the journal, and PUBCOMP waits for it.
    if (message.qos === 2) return true;
    this.#journal?.whenKept(() => session.taken(message));
    return false;
  }

  #publish(to: LocalEnd | RemoteEnd, message: IncomingMessage, mapped: MappedTopic, retain: boolean): number | null {
    this.#lastCrossedMs = performance.now();
    const { topicName, qos } = mapped;
    const properties = to.session.version === 5 ? this.#carried(message.properties, to) : NO_PROPERTIES;
    try {
      // What was read is a view of a buffer that is used again.
      return to.client.publish(topicName, message.payload.slice(), { qos, retain, properties });
    } catch (error) {
      if (!(error instanceof ClientError || error instanceof MqttError)) throw error;
      this.#lost(topicName, error.message);
      return null;
    }
  }

  /** Other brokers than ours show the mark to their clients: they get it only with what might go in circles. */
  #carried(properties: Properties, to: LocalEnd | RemoteEnd): Properties {
    const all = forwarded(properties);
    if (to === this.#local || this.#remote.knowsMarks) return all;
    return (markOf({ properties })?.hops ?? 0) > 1 ? all : withoutMark(all);
  }

  #lost(topicName: string, why: string): void {
    if (this.#hasToldRefusal) return;
    this.#hasToldRefusal = true;
    const { name } = this.options;
    this.#log.write(
      "warning",
      `Bridge ${name}: a message of ${topicName} did not cross it: ${why}. Others may follow.`,
    );
  }

  #arrivedHere(mid: number, { reasonCode, refusal }: Outcome): void {
    if (refusal !== null || reasonCode >= 0x80) this.#lost("the other broker", refusal ?? reasonCodeName(reasonCode));
    const message = this.#inward.get(mid);
    if (message !== undefined) {
      this.#inward.delete(mid);
      this.#remote.session.taken(message);
      this.#remote.client.requestFlush();
    }
    if (this.#local.session.unacknowledgedMessages === 0) this.#whenTaken?.();
    this.#balance();
  }

  #arrivedThere({ reasonCode, refusal }: Outcome, topicName: string | null): void {
    if (refusal !== null || reasonCode >= 0x80)
      this.#lost(topicName ?? "?", `the other broker says ${refusal ?? reasonCodeName(reasonCode)}`);
    if (this.#remote.session.unacknowledgedMessages === 0) this.#whenAcknowledged?.();
    this.#balance();
  }

  /** Reads from an end only while the other one keeps up; nothing from this broker any more once the bridge ends. */
  #balance(): void {
    const { session: here, client: hereClient } = this.#local;
    const { session: there, client: thereClient } = this.#remote;
    const isThereFull = this.#isStopped || there.unacknowledgedMessages >= FULL_MESSAGES || !thereClient.hasRoom;
    if (isThereFull !== this.#isLocalPaused && hereClient.isConnected) {
      this.#isLocalPaused = isThereFull;
      if (isThereFull) hereClient.pause();
      else hereClient.resume();
    }
    const isHereFull = here.unacknowledgedMessages >= FULL_MESSAGES || !hereClient.hasRoom;
    if (isHereFull !== this.#isRemotePaused && thereClient.isConnected) {
      this.#isRemotePaused = isHereFull;
      if (isHereFull) thereClient.pause();
      else thereClient.resume();
    }
  }

  #tellHere(payload: Uint8Array): void {
    const { notificationTopic: topicName } = this.options;
    if (topicName === null) return;
    this.#broker.publish({
      ...{ topicName, payload, qos: 1, retain: true, dup: false, packetId: 0 },
      properties: NO_PROPERTIES,
    });
  }
}

/** The properties of a message that are for whoever gets it. */
function forwarded({ topicAlias: _, subscriptionIdentifiers: __, ...properties }: Properties): Properties {
  return properties;
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
