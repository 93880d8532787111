/** All Sessions: found, made, taken over, left by their connection, ended; and what becomes of their wills then. */
import type { EndReason } from "../protocol/index.ts";
import type { Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Delivery } from "./delivery.ts";
import { LoneWills } from "./lone-wills.ts";
import { Message } from "./message.ts";
import { NEVER_EXPIRES_SECONDS } from "./options.ts";
import { publish } from "./publishing.ts";
import { Session } from "./session.ts";
import type { PendingWill } from "./wills.ts";

/** Sessions by client identifier. */
export class Sessions {
  readonly #broker: Broker;
  readonly #byId: Map<string, Session> = new Map();
  /** By client identifier, Sessions that have ended and whose shared deliveries are still being given to others, and who waits for that. */
  readonly #settling: Map<string, (() => void)[]> = new Map();

  readonly #loneWills: LoneWills;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#loneWills = new LoneWills(broker.deadlines, (clientId, will) => this.#sendWill(clientId, will));
  }

  get count(): number {
    return this.#byId.size;
  }

  get(clientId: string): Session | undefined {
    return this.#byId.get(clientId);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  /**
   * A client is back: another connection of its Session is closed [5.0 MQTT-3.1.4-3], and a clean start ends what there was
   * [5.0 MQTT-3.1.2-4]. A will that waits is taken away [5.0 MQTT-3.1.2-8], unless the clean start ends the Session of a connection
   * that was still there [5.0 §3.1.3.2.2].
   */
  leave(clientId: string, cleanStart: boolean): void {
    const before = this.#byId.get(clientId);
    const isTakeover = before !== undefined && before.connection !== null;
    before?.connection?.close("session-taken-over");
    const lone = this.#loneWills.take(clientId);
    if (lone !== undefined && isTakeover && cleanStart) this.#sendWill(clientId, lone);
    const left = this.#byId.get(clientId);
    if (left === undefined || !cleanStart) return;
    if (!isTakeover) this.#cancelWill(left);
    this.end(left);
  }

  /** The Session for a new connection, which it belongs to from now on. `wasStored`: the store knows of what there was. */
  open(
    connection: Connection,
    clientId: string,
    principal: string | null,
    cleanStart: boolean,
    expirySeconds: number,
  ): { session: Session; isPresent: boolean; wasStored: boolean } {
    const wasStored = this.#byId.get(clientId)?.isStored ?? false;
    this.leave(clientId, cleanStart);
    const present = this.#byId.get(clientId);
    const session = present ?? this.add(new Session(this.#broker, clientId, principal, expirySeconds));
    session.expiry?.cancel();
    session.expiry = null;
    this.#cancelWill(session);
    session.principal = principal;
    session.expirySeconds = expirySeconds;
    session.connection = connection;
    return { session, isPresent: present !== undefined, wasStored };
  }

  /** Adds a Session that a store kept, or a new one. */
  add(session: Session): Session {
    this.#byId.set(session.clientId, session);
    return session;
  }

  /** The client is back before the delay was over: no will [5.0 §3.1.3.2.2]. */
  #cancelWill(session: Session): void {
    if (session.will === null) return;
    session.will.deadline?.cancel();
    session.will = null;
    this.#broker.records.willDeleted(session);
  }

  /** A DISCONNECT has brought another Session Expiry Interval. */
  changeExpiry(session: Session, expirySeconds: number): void {
    session.expirySeconds = Math.min(expirySeconds, this.#broker.options.maximumSessionExpirySeconds);
  }

  /** The connection is gone: the will is published or waits, the Session ends or waits. */
  disconnected(session: Session, reason: EndReason): void {
    const { turnMs, records } = this.#broker;
    session.detach(turnMs);
    // Whom an administrator sends away leaves no will, as in mosquitto.
    if (reason === "client-disconnected" || reason === "administrative-action") this.#cancelWill(session);
    if (!session.isDurable) {
      this.#outlive(session, turnMs);
      this.end(session);
      return;
    }
    records.sessionSet(session, turnMs);
    this.awaitReturn(session, turnMs);
    // What others of a shared subscription can have now does not wait for this client to come back.
    session.handOverShared((delivery) => this.#handOver(delivery, session, true));
  }

  /** Sets the deadlines of a Session whose connection went at `sinceMs`; `willDueAtMs` when a store kept that moment. */
  awaitReturn(session: Session, sinceMs: number, willDueAtMs?: number): void {
    const { deadlines } = this.#broker;
    if (!session.isDurable) this.#outlive(session, sinceMs);
    if (session.expirySeconds < NEVER_EXPIRES_SECONDS) {
      session.expiry = deadlines.add(sinceMs + session.expirySeconds * 1000, () => this.#expire(session));
    }
    const { will } = session;
    if (will === null) return;
    const delaySeconds = Math.min(will.delaySeconds, session.expirySeconds);
    const dueAtMs = willDueAtMs ?? sinceMs + delaySeconds * 1000;
    if (dueAtMs <= this.#broker.turnMs) {
      this.#publishWill(session);
    } else {
      will.deadline = deadlines.add(dueAtMs, () => this.#publishWill(session));
      this.#broker.records.willSet(session, will, dueAtMs);
    }
  }

  /** Lets the will of a Session that ends with its connection wait for its delay. */
  #outlive(session: Session, sinceMs: number): void {
    const { will, clientId } = session;
    if (will === null || will.delaySeconds === 0) return;
    const dueAtMs = sinceMs + will.delaySeconds * 1000;
    if (this.#loneWills.add(clientId, will, dueAtMs)) session.will = null;
  }

  /** All connections have ended for good: what no store keeps of their wills goes out now, as from mosquitto. */
  shutDown(): void {
    this.#loneWills.publishAll();
  }

  #expire(session: Session): void {
    this.#broker.counters.sessionsExpired++;
    this.end(session);
  }

  #publishWill(session: Session): void {
    const { will } = session;
    if (will === null) return;
    will.deadline?.cancel();
    session.will = null;
    this.#broker.records.willDeleted(session);
    this.#sendWill(session.clientId, will);
  }

  #sendWill(clientId: string, will: PendingWill): void {
    if (!will.policy.allowsAll && !will.policy.canPublish(will.fields.topicName)) {
      this.#broker.counters.dropped["publish-denied"]++;
      return;
    }
    const message = Message.made(will.fields, clientId, this.#broker.turnMs);
    if (message.retain) message.source = will.source;
    publish(this.#broker, message);
  }

  /** Ends a Session: its will goes out now, its Subscriptions and deliveries are gone. */
  end(session: Session): void {
    if (session.hasEnded) return;
    session.hasEnded = true;
    session.expiry?.cancel();
    this.#byId.delete(session.clientId);
    for (const subscription of session.subscriptions.values()) this.#broker.router.remove(subscription);
    if (session.leavesShared) this.#bequeath(session);
    session.subscriptions.clear();
    if (!this.#settling.has(session.clientId)) {
      session.handOverShared((delivery) => this.#handOver(delivery, session, false));
      session.end();
    }
    this.#publishWill(session);
  }

  /**
   * Gives the other members of shared subscriptions also what only the store holds for `session`. Until all is done the store knows
   * the Session as one without Subscriptions whose time is over: a crash meanwhile does not make it last.
   */
  #bequeath(session: Session): void {
    const { records, turnMs } = this.#broker;
    const { clientId } = session;
    const waiting: (() => void)[] = [];
    this.#settling.set(clientId, waiting);
    session.expirySeconds = 0;
    records.sessionSet(session, turnMs);
    for (const subscription of session.subscriptions.values()) records.subscriptionDeleted(subscription);
    session.bequeath(
      (delivery) => this.#handOver(delivery, session, false),
      () => {
        session.end();
        this.#settling.delete(clientId);
        for (const run of waiting) run();
      },
    );
  }

  /** Calls `run` once no Session of that client that has ended is left; returns whether that is later. */
  whenSettled(clientId: string, run: () => void): boolean {
    const waiting = this.#settling.get(clientId);
    waiting?.push(run);
    return waiting !== undefined;
  }

  /**
   * Gives a delivery of `from` to another member of the shared subscription; false when nobody takes it. `isOnlineOnly`: not to
   * one that is away too.
   */
  #handOver(delivery: Delivery, from: Session, isOnlineOnly: boolean): boolean {
    const { message, group } = delivery;
    const member = group!.choose(message, from);
    if (member === null || (isOnlineOnly && member.session.connection === null)) return false;
    const { ledger, records } = this.#broker;
    ledger.beginObligation();
    const reason = member.deliver(message);
    const obligation = ledger.endObligation();
    if (reason === null) records.deliveryMoved(from, delivery, obligation);
    return reason === null;
  }
}
