/** A message that is owed to one Session at QoS 1 or 2, from the moment it is queued until it is acknowledged. */
import type { Qos } from "../protocol/index.ts";
import type { Entry } from "./ledger.ts";
import type { Message } from "./message.ts";
import type { ShareGroup } from "./subscription.ts";

/** One message for one Session. */
export class Delivery {
  readonly message: Message;
  /** At QoS 0 it waits in memory only. */
  readonly qos: Qos;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[] | null;
  /** The shared subscription it came by: it goes to another member when this one fails. */
  readonly group: ShareGroup | null;
  /** Its place in the store: among those of the Session, or among the shares when `isShare`. 0: not recorded. */
  order = 0;
  /** Whether the store knows it as owed to the group, as the Session that holds it is not durable. */
  isShare = false;
  /** The last fact recorded about it, and whether the store has been given one before. */
  entry: Entry | null = null;
  isStored = false;
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
}
