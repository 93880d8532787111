/** A Subscription of one Session, and the group of those that share one [5.0 §4.8]. */
import { type DropReason, parseShared, type Qos } from "../protocol/index.ts";
import type { Message } from "./message.ts";
import type { Session } from "./session.ts";
import type { FilterNode } from "./subscription-index.ts";

/** What hangs in the subscription index. */
export type Target = Subscription | ShareGroup;

/** One Topic Filter that a Session subscribes to. Subscribing again changes its options and keeps it. */
export class Subscription {
  readonly session: Session;
  /** As the client wrote it, with `$share/NAME/` when it is shared. */
  readonly topicFilter: string;
  /** Largest QoS at which messages are delivered. */
  qos: Qos;
  noLocal: boolean;
  retainAsPublished: boolean;
  /** 1..268,435,455; 0: none. */
  subscriptionId: number;
  /** The group it is in when it is shared. */
  group: ShareGroup | null = null;
  /** Where it hangs when it is not. */
  place: FilterNode<Target> | null = null;

  constructor(
    session: Session,
    topicFilter: string,
    qos: Qos,
    noLocal: boolean,
    retainAsPublished: boolean,
    subscriptionId: number,
  ) {
    this.session = session;
    this.topicFilter = topicFilter;
    this.qos = qos;
    this.noLocal = noLocal;
    this.retainAsPublished = retainAsPublished;
    this.subscriptionId = subscriptionId;
  }

  /** Delivers a message for which its group has chosen it, or says why not. */
  deliver(message: Message): DropReason | null {
    const ids = this.subscriptionId > 0 ? [this.subscriptionId] : null;
    return this.session.deliver(message, this.qos, message.retain && this.retainAsPublished, ids, this.group);
  }
}

/** The Subscriptions of one `$share/NAME/FILTER`: each message goes to one of them. */
export class ShareGroup {
  /** `$share/NAME/FILTER`. */
  readonly name: string;
  /** FILTER. */
  readonly topicFilter: string;
  readonly members: Subscription[] = [];
  place: FilterNode<Target> | null = null;
  #next = 0;

  constructor(name: string) {
    this.name = name;
    this.topicFilter = parseShared(name)!.topicFilter;
  }

  add(member: Subscription): void {
    this.members.push(member);
  }

  remove(member: Subscription): void {
    const at = this.members.indexOf(member);
    if (at < 0) return;
    this.members.splice(at, 1);
    if (at < this.#next) this.#next--;
  }

  get hasDurableMember(): boolean {
    return this.members.some((member) => member.session.isDurable);
  }

  /**
   * Who gets the next message: in turn those who are connected and can take it at once, else those who are connected, else those
   * whose Session waits for them. null: nobody can have it. `without` is left out.
   */
  choose(message: Message, without: Session | null): Subscription | null {
    const at = this.#nextFor(message, without);
    if (at < 0) return null;
    this.#next = (at + 1) % this.members.length;
    return this.members[at]!;
  }

  /** Offers a message that the one chosen has refused to all others; returns whether somebody takes it. */
  deliverInstead(message: Message, refused: Subscription): boolean {
    return this.members.some((member) => member !== refused && member.deliver(message) === null);
  }

  /** Whom `choose` would choose now. */
  preview(message: Message): Subscription | null {
    return this.members[this.#nextFor(message, null)] ?? null;
  }

  #nextFor(message: Message, without: Session | null): number {
    const count = this.members.length;
    let connected = -1;
    let waiting = -1;
    for (let i = 0; i < count; i++) {
      const at = (this.#next + i) % count;
      const { session, qos } = this.members[at]!;
      if (session === without) continue;
      if (session.connection !== null) {
        if (session.canTakeNow(message.qos > 0 && qos > 0)) return at;
        if (connected < 0) connected = at;
      } else if (waiting < 0 && session.isDurable && message.qos > 0 && qos > 0) {
        waiting = at;
      }
    }
    return connected >= 0 ? connected : waiting;
  }
}
