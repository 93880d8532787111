/** Mount points: clients that live below a prefix of all topics and do not see it, as mosquitto's `mount_point` has it. */
import { type Publish, parseShared } from "../protocol/index.ts";
import { Message } from "./message.ts";

/** A Topic Filter of a client below `mountPoint` as the broker knows it; a shared one keeps its name in front. */
export function mountedFilter(mountPoint: string, topicFilter: string): string {
  if (mountPoint === "") return topicFilter;
  const shared = parseShared(topicFilter);
  if (shared === null) return mountPoint + topicFilter;
  return `$share/${shared.shareName}/${mountPoint}${shared.topicFilter}`;
}

/** A message as it came from a client below `mountPoint`, with its whole topic. */
export function mountedMessage(mountPoint: string, packet: Publish, publisher: string, nowMs: number): Message {
  const { payload, qos, retain, properties } = packet;
  const topicName = mountPoint + packet.topicName;
  const { topicAlias: _, ...forwarded } = properties;
  const fields = { topicName, payload: payload.slice(), qos, retain, dup: false, packetId: 0, properties: forwarded };
  return Message.made(fields, publisher, nowMs);
}

/** Messages as clients below a mount point see them. Of a fan-out to many of them, one is made. */
export class UnmountedMessages {
  #message: Message | null = null;
  #mountPoint = "";
  #seen: Message | null = null;

  /** `message` as clients below `mountPoint` see it, who have not been refused it. */
  seenBelow(mountPoint: string, message: Message): Message {
    return mountPoint === "" ? message : (this.below(mountPoint, message) ?? message);
  }

  /** `message` without the prefix; null: its topic is not below `mountPoint`. */
  below(mountPoint: string, message: Message): Message | null {
    if (message === this.#message && mountPoint === this.#mountPoint) return this.#seen;
    const { topicName } = message;
    const isBelow = topicName.length > mountPoint.length && topicName.startsWith(mountPoint);
    this.#message = message;
    this.#mountPoint = mountPoint;
    this.#seen = isBelow ? message.renamed(topicName.slice(mountPoint.length)) : null;
    return this.#seen;
  }
}
