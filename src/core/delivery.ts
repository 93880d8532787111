/** A message that is owed to one Session at QoS 1 or 2, from the moment it is queued until it is acknowledged. */
import type { Qos } from "../protocol/index.ts";
import type { Message } from "./message.ts";
import type { Batch, Entry, Fact } from "./obligation.ts";
import type { Session } from "./session.ts";
import type { ShareGroup } from "./subscription.ts";

/** One message for one Session; for the store, what is owed of it now. */
export class Delivery implements Fact {
  readonly message: Message;
  /** At QoS 0 it waits in memory only. */
  readonly qos: Qos;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[] | null;
  /** The shared subscription it came by: it goes to another member when this one fails. */
  readonly group: ShareGroup | null;
  /** Its place in the store: among those of the Session, or among the shares when `isShare`. 0: not recorded. */
  order = 0;
  /** Whom it is recorded for. */
  session: Session | null = null;
  /** 0 while it waits in the queue. */
  packetId = 0;
  /** Whether the store knows it as owed to the group, as the Session that holds it is not durable. */
  isShare = false;
  /** The last fact recorded about it, and whether the store has been given one. */
  entry: Entry | null = null;
  isStored = false;
  /** The message as the store was last told it: by its key, or null when it was told that none is needed any more. */
  storedMessage: number | null = null;
  /** Whether it counts among the `storedUses` of its message. */
  usesStored = false;
  /** Whether it is let go of here once the store has it. */
  isLeft = false;
  /** Whether the receiver has the message at QoS 2, so that only PUBREL and PUBCOMP are left to be said. */
  isReceived = false;

  constructor(
    message: Message,
    qos: Qos,
    retain: boolean,
    subscriptionIds: readonly number[] | null,
    group: ShareGroup | null,
  ) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIds = subscriptionIds;
    this.group = group;
  }

  /** As it stands now. */
  tell(batch: Batch): void {
    const { order, qos, retain, subscriptionIds, packetId, group, isReceived, isShare } = this;
    const message = isReceived && !isShare ? null : this.#store(batch);
    const share = group?.name ?? null;
    this.isStored = true;
    this.storedMessage = message;
    if (isShare) {
      batch.changes.push({ kind: "share-set", share: share!, order, message: message! });
      return;
    }
    batch.changes.push({
      kind: "delivery-set",
      clientId: this.session!.clientId,
      order,
      message,
      qos: qos === 1 ? 1 : 2,
      retain,
      subscriptionIds,
      packetId,
      wait: isReceived ? "PUBCOMP" : qos === 1 ? "PUBACK" : "PUBREC",
      share,
      payloadBytes: this.message.payloadBytes,
    });
  }

  #store(batch: Batch): number {
    const { message } = this;
    const storeKey = message.store(batch);
    if (!this.isLeft && !this.usesStored) {
      this.usesStored = true;
      message.storedUses++;
    }
    return storeKey;
  }

  wait(): number {
    return this.message.wait();
  }

  leave(): number {
    return this.message.leave();
  }
}
