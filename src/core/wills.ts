/** Wills [5.0 §3.1.2.5]: kept with the Session, published when its connection ends badly and the delay is over. */
import { encodePublish, NO_PROPERTIES, type Properties, type PublishFields, type Will } from "../protocol/index.ts";
import type { Policy } from "./authenticator.ts";
import type { Deadline } from "./deadlines.ts";
import type { Source } from "./source.ts";

/** The will of one Session. */
export class PendingWill {
  readonly fields: PublishFields;
  /** From the end of the connection to the publishing, unless the Session outlives the connection and ends earlier [5.0 §3.1.3.2.2]. */
  readonly delaySeconds: number;
  /** What its client may do. */
  readonly policy: Policy;
  /** Who is judged again later, if it is retained; null: nobody. */
  readonly source: Source | null;
  /** Set while it waits for its delay. */
  deadline: Deadline | null = null;

  constructor(fields: PublishFields, delaySeconds: number, policy: Policy, source: Source | null) {
    this.fields = fields;
    this.delaySeconds = delaySeconds;
    this.policy = policy;
    this.source = source;
  }

  /** The will that a CONNECT carries. Its payload is copied, as it outlives the chunk. */
  static of(will: Will, mountPoint: string, policy: Policy, source: Source | null): PendingWill {
    const { willDelaySeconds, ...rest } = will.properties;
    const properties: Properties = Object.keys(rest).length === 0 ? NO_PROPERTIES : copied(rest);
    const { qos, retain } = will;
    const topicName = mountPoint + will.topicName;
    return new PendingWill(
      { topicName, payload: will.payload.slice(), qos, retain, dup: false, packetId: 0, properties },
      willDelaySeconds ?? 0,
      policy,
      source,
    );
  }

  /** As a PUBLISH of 5.0. */
  toStored(): Uint8Array {
    return encodePublish({ ...this.fields, packetId: this.fields.qos > 0 ? 1 : 0 }, 5);
  }
}

function copied(properties: Properties): Properties {
  const { correlationData } = properties;
  return correlationData === undefined ? properties : { ...properties, correlationData: correlationData.slice() };
}
