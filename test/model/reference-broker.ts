/**
 * What a broker owes, written as plainly as it can be: no index, no cache, no bytes, one list after the other. It is told what
 * clients do and then shown what each client received, and throws when that is not what it owes. It knows seconds, not milliseconds.
 * Left out, and checked elsewhere: shared subscriptions, limits of size, and in which order the retained messages of one Subscription come.
 */
import type { Publish, Qos } from "../../src/protocol/index.ts";

/** A message as its publisher sent it. */
export interface ModelMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly publisher: string;
  /** Second at which it expires; Infinity: never. */
  readonly expiresAt: number;
}

export interface ModelSubscription {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** 0: none. */
  readonly subscriptionId: number;
}

export interface ModelWill {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly delay: number;
}

export interface ModelConnect {
  readonly version: 3 | 4 | 5;
  readonly cleanStart: boolean;
  /** Seconds that the Session outlives the connection. */
  readonly expiry: number;
  /** Most messages at QoS 1 and 2 unacknowledged. */
  readonly window: number;
  /** Whether the client acknowledges only when a step says so. */
  readonly isManual: boolean;
  readonly will: ModelWill | null;
}

/** What became of a message: as the reason codes 0x00, 0x10 and 0x97 tell its publisher. */
export type Fate = "taken" | "unmatched" | "full";

/** A message that one Session is to receive. Those of one `tie` may come in any order among themselves. */
interface Owed {
  readonly message: ModelMessage;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly ids: readonly number[];
  readonly tie: number;
}

/** A message that was sent at QoS 1 or 2 and is not acknowledged; `isReleased`: its PUBREC has come. */
export interface Sent {
  readonly owed: Owed;
  readonly packetId: number;
  isReleased: boolean;
}

export class ModelSession {
  readonly id: string;
  connect: ModelConnect;
  isOnline = false;
  /** Whether it ever was to outlive its connection: then it is in the store until it ends. */
  isStored = false;
  readonly subscriptions: Map<string, ModelSubscription> = new Map();
  /** At QoS 0, for now or never. */
  now: Owed[] = [];
  /** At QoS 1 and 2, not sent yet. */
  queue: Owed[] = [];
  inflight: Sent[] = [];
  /** Of `inflight`, what is to be sent again on this connection. */
  resend: Sent[] = [];
  /** Packet identifiers whose PUBREL is due. */
  releases: number[] = [];
  /** Packet identifiers taken from the client at QoS 2 and not released. */
  readonly received: Set<number> = new Set();
  will: ModelWill | null = null;
  willAt = Number.POSITIVE_INFINITY;
  endsAt = Number.POSITIVE_INFINITY;

  constructor(id: string, connect: ModelConnect) {
    this.id = id;
    this.connect = connect;
  }

  get room(): number {
    return this.connect.window - this.inflight.length;
  }
}

/** The reference. */
export class ReferenceBroker {
  readonly sessions: Map<string, ModelSession> = new Map();
  readonly retained: Map<string, ModelMessage> = new Map();
  /** Wills whose Session has ended with its connection, by client identifier. */
  readonly #loneWills: Map<string, { readonly will: ModelWill; readonly at: number }> = new Map();
  readonly #maximumQueued: number;
  readonly #isStored: boolean;
  #second = 0;
  #tie = 0;

  /** @param isStored whether QoS 2 may fall behind QoS 1, as its packet identifiers must be stored before they are used */
  constructor(maximumQueued: number, isStored: boolean) {
    this.#maximumQueued = maximumQueued;
    this.#isStored = isStored;
  }

  /** Returns whether there was a Session. */
  connect(id: string, connect: ModelConnect): boolean {
    const isTakeover = this.sessions.get(id)?.isOnline ?? false;
    if (isTakeover) this.gone(id, true);
    const lone = this.#loneWills.get(id);
    this.#loneWills.delete(id);
    if (lone !== undefined && isTakeover && connect.cleanStart) this.#publishLone(id, lone.will);
    const left = this.sessions.get(id);
    if (left !== undefined && connect.cleanStart) {
      if (!isTakeover) left.will = null;
      this.#end(left);
    }
    const isPresent = this.sessions.has(id);
    const session = this.sessions.get(id) ?? new ModelSession(id, connect);
    this.sessions.set(id, session);
    session.connect = connect;
    session.isStored ||= connect.expiry > 0;
    session.will = connect.will;
    session.willAt = session.endsAt = Number.POSITIVE_INFINITY;
    session.isOnline = true;
    session.resend = [...session.inflight];
    return isPresent;
  }

  /** The connection is gone; `expiry` is what a DISCONNECT changed the Session's to. */
  gone(id: string, publishesWill: boolean, expiry?: number): void {
    const session = this.sessions.get(id)!;
    session.isOnline = false;
    session.now = [];
    session.resend = [];
    session.releases = [];
    if (!publishesWill) session.will = null;
    const outlives = expiry ?? session.connect.expiry;
    if (outlives === 0) {
      const { will } = session;
      if (will !== null && will.delay > 0) {
        this.#loneWills.set(id, { will, at: this.#second + will.delay });
        session.will = null;
      }
      this.#end(session);
      return;
    }
    session.endsAt = this.#second + outlives;
    session.willAt = this.#second + Math.min(session.will?.delay ?? 0, outlives);
    this.#publishDueWill(session);
  }

  #end(session: ModelSession): void {
    this.sessions.delete(session.id);
    session.willAt = this.#second;
    this.#publishDueWill(session);
  }

  #publishDueWill(session: ModelSession): void {
    const { will } = session;
    if (will === null || session.willAt > this.#second) return;
    session.will = null;
    this.#distribute({ ...will, publisher: session.id, expiresAt: Number.POSITIVE_INFINITY });
  }

  #publishLone(publisher: string, will: ModelWill): void {
    this.#distribute({ ...will, publisher, expiresAt: Number.POSITIVE_INFINITY });
  }

  advance(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.#second++;
      this.#tie++;
      for (const [id, { will, at }] of this.#loneWills) {
        if (at > this.#second) continue;
        this.#loneWills.delete(id);
        this.#publishLone(id, will);
      }
      const away = [...this.sessions.values()].filter(({ isOnline }) => !isOnline);
      for (const session of away) this.#publishDueWill(session);
      for (const session of away) if (session.endsAt <= this.#second) this.#end(session);
    }
  }

  /** The broker has ended without a word and is back with what it stored: as if all connections had gone just now. */
  restart(): void {
    this.#tie++;
    this.#loneWills.clear();
    for (const session of this.sessions.values()) if (!session.isStored) this.sessions.delete(session.id);
    const online = [...this.sessions.values()].filter(({ isOnline }) => isOnline);
    for (const session of online) session.isOnline = false;
    for (const session of online) this.gone(session.id, true);
  }

  subscribe(id: string, subscription: ModelSubscription): void {
    const session = this.sessions.get(id)!;
    const isNew = !session.subscriptions.has(subscription.filter);
    session.subscriptions.set(subscription.filter, subscription);
    const { retainHandling, noLocal, subscriptionId } = subscription;
    if (retainHandling === 2 || (retainHandling === 1 && !isNew)) return;
    this.#tie++;
    for (const message of this.retained.values()) {
      const isOwn = noLocal && message.publisher === id;
      if (!matches(subscription.filter, message.topic) || isOwn || message.expiresAt <= this.#second) continue;
      this.#owe(session, message, subscription.qos, true, subscriptionId === 0 ? [] : [subscriptionId]);
    }
  }

  /** Returns whether there was such a Subscription. */
  unsubscribe(id: string, filter: string): boolean {
    return this.sessions.get(id)!.subscriptions.delete(filter);
  }

  /** A PUBLISH at QoS 2 comes with its packet identifier. */
  publish(id: string, message: Omit<ModelMessage, "publisher" | "expiresAt">, expiry: number, packetId: number): Fate {
    const { received } = this.sessions.get(id)!;
    if (message.qos === 2 && received.has(packetId)) return "taken";
    this.#tie++;
    const fate = this.#distribute({ ...message, publisher: id, expiresAt: this.#second + expiry });
    if (message.qos === 2 && fate !== "full") received.add(packetId);
    return fate;
  }

  #distribute(message: ModelMessage): Fate {
    let isMatched = false;
    const fates: (Fate | "lost")[] = [];
    for (const session of this.sessions.values()) {
      const matching = [...session.subscriptions.values()].filter(({ filter }) => matches(filter, message.topic));
      if (matching.length > 0) isMatched = true;
      const wanting = matching.filter(({ noLocal }) => !noLocal || session.id !== message.publisher);
      if (wanting.length === 0) continue;
      const qos = Math.max(...wanting.map((subscription) => subscription.qos)) as Qos;
      const retain = message.retain && wanting.some(({ retainAsPublished }) => retainAsPublished);
      const ids = wanting.map(({ subscriptionId }) => subscriptionId).filter((subscriptionId) => subscriptionId > 0);
      fates.push(this.#owe(session, message, qos, retain, ids));
    }
    if (message.retain && message.payload === "") this.retained.delete(message.topic);
    else if (message.retain) this.retained.set(message.topic, message);
    if (!isMatched) return "unmatched";
    return !fates.includes("taken") && fates.includes("full") ? "full" : "taken";
  }

  #owe(session: ModelSession, message: ModelMessage, most: Qos, retain: boolean, ids: number[]): Fate | "lost" {
    const qos = Math.min(message.qos, most) as Qos;
    const owed: Owed = { message, qos, retain, ids: ids.sort((a, b) => a - b), tie: this.#tie };
    if (qos === 0) {
      if (!session.isOnline) return "lost";
      session.now.push(owed);
      return "taken";
    }
    const leavesNow = session.isOnline ? Math.max(0, session.room) : 0;
    if (session.queue.length - leavesNow >= this.#maximumQueued) return "full";
    session.queue.push(owed);
    return "taken";
  }

  /** The client has received `publish`. */
  receives(id: string, publish: Publish): void {
    const session = this.sessions.get(id)!;
    if (publish.dup) {
      const sent = this.#nextAgain(session, publish.qos);
      if (sent === undefined || sent.isReleased || sent.packetId !== publish.packetId) throw new Error("an odd DUP");
      if (!this.#isSame(session, sent.owed, publish)) throw new Error("what is sent again is another message");
      session.resend.splice(session.resend.indexOf(sent), 1);
      if (!session.connect.isManual) this.acknowledged(id, sent);
      return;
    }
    if (publish.qos === 0) {
      if (this.#take(session, session.now, publish) === null) throw new Error("it is not owed");
      return;
    }
    if (session.resend.length > 0) throw new Error("it comes before what is to be sent again");
    if (session.room <= 0) throw new Error("it goes beyond the client's window");
    if (session.inflight.some(({ packetId }) => packetId === publish.packetId))
      throw new Error("its packet identifier is in use");
    const owed = this.#take(session, session.queue, publish);
    if (owed === null) throw new Error("it is not owed, or not before others");
    if (session.connect.isManual) session.inflight.push({ owed, packetId: publish.packetId, isReleased: false });
  }

  /** What is to be sent again first, or first of `qos`. */
  #nextAgain(session: ModelSession, qos: Qos): Sent | undefined {
    return session.resend.find(({ owed }) => !this.#isStored || owed.qos === qos);
  }

  /** Takes what `publish` delivers from the messages that may come first in `list`. */
  #take(session: ModelSession, list: Owed[], publish: Publish): Owed | null {
    const isExpired = ({ message }: Owed): boolean => message.expiresAt <= this.#second;
    const tie = list.find((owed) => !isExpired(owed) && (!this.#isStored || owed.qos === publish.qos))?.tie;
    const at = list.findIndex((o) => o.tie === tie && !isExpired(o) && this.#isSame(session, o, publish));
    if (at < 0) return null;
    const taken = list[at]!;
    // What expired before its turn came is gone.
    list.splice(0, at + 1, ...list.slice(0, at).filter((owed) => !isExpired(owed)));
    return taken;
  }

  #isSame(session: ModelSession, { message, qos, retain, ids }: Owed, publish: Publish): boolean {
    const { version } = session.connect;
    const { messageExpirySeconds, subscriptionIdentifiers = [] } = publish.properties;
    const seconds = Math.max(0, message.expiresAt - this.#second);
    const expiry = version === 5 && Number.isFinite(seconds) ? seconds : undefined;
    return (
      publish.topicName === message.topic &&
      new TextDecoder().decode(publish.payload) === message.payload &&
      publish.qos === qos &&
      publish.retain === retain &&
      messageExpirySeconds === expiry &&
      [...subscriptionIdentifiers].sort((a, b) => a - b).join() === (version === 5 ? ids.join() : "")
    );
  }

  /** The client has received a PUBREL. */
  receivesPubrel(id: string, packetId: number): void {
    const session = this.sessions.get(id)!;
    if (!session.connect.isManual) {
      // It is answered at once: what is left of a message of an earlier connection is done.
      session.resend = session.resend.filter((sent) => sent.packetId !== packetId);
      session.inflight = session.inflight.filter((sent) => sent.packetId !== packetId);
      return;
    }
    const next = this.#nextAgain(session, 2);
    if (next?.isReleased && next.packetId === packetId) {
      session.resend.splice(session.resend.indexOf(next), 1);
      return;
    }
    const at = session.releases.indexOf(packetId);
    if (at < 0) throw new Error("no PUBREL is due");
    session.releases.splice(at, 1);
  }

  /** The client has sent PUBREC for `sent`. */
  half(id: string, sent: Sent): void {
    sent.isReleased = true;
    this.sessions.get(id)!.releases.push(sent.packetId);
  }

  /** The client has sent the last acknowledgement for `sent`, or one that refuses it. */
  acknowledged(id: string, sent: Sent): void {
    const session = this.sessions.get(id)!;
    session.inflight = session.inflight.filter((other) => other !== sent);
  }

  /** Nothing more comes for now: throws when something that is due has not come. */
  settled(id: string): void {
    const session = this.sessions.get(id);
    if (session === undefined || !session.isOnline) return;
    const { now, resend, inflight, releases, connect } = session;
    if (now.length > 0) throw new Error(`QoS 0 missing: ${now.map(({ message }) => message.payload)}`);
    if (releases.length > 0) throw new Error(`PUBREL missing: ${releases}`);
    if (resend.length > 0) {
      if (inflight.length - resend.length < connect.window) throw new Error("not sent again");
      return;
    }
    while (session.room > 0 && session.queue.length > 0) {
      const owed = session.queue.shift()!;
      if (owed.message.expiresAt > this.#second) throw new Error(`missing: ${owed.message.payload}`);
    }
  }
}

/** Whether a Topic Filter matches a Topic Name. */
function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const names = topic.split("/");
  const levels = filter.split("/");
  for (const [i, level] of levels.entries()) {
    if (level === "#") return names.length >= i;
    if (i >= names.length || (level !== "+" && level !== names[i])) return false;
  }
  return names.length === levels.length;
}
