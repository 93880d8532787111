/**
 * Marks by which bridges of 5.0 tell messages apart, so that one that comes by two ways, or comes back, is taken once: a User Property
 * with the broker where it first crossed a bridge, its number there, and how many bridges it has crossed. Clients never see it.
 */
import type { Properties, Publish } from "../protocol/index.ts";
import type { Message } from "./message.ts";

/** The name of the User Property; in a CONNACK it says that the broker knows such marks. */
export const BRIDGE_MARK = "lacewing-bridge";
/** Bridges that a message may cross: one that has crossed as many goes in circles, unseen. */
const MOST_HOPS = 16;
/** Messages that are remembered; the oldest are forgotten first. */
const MOST_REMEMBERED = 16_384;

/** What is known of a message that has crossed bridges. */
export interface BridgeMark {
  /** Names the run of a broker. */
  readonly origin: string;
  readonly number: number;
  readonly hops: number;
}

/** The marks of one broker. */
export class BridgeMarks {
  readonly #randomId: () => string;
  #origin: string | null = null;
  #lastNumber = 0;
  readonly #taken: Set<string> = new Set();
  readonly #marks: WeakMap<Message, BridgeMark> = new WeakMap();
  /** The last message that a bridge got, and how it got it: of a fan-out to many, one is made. */
  #last: { readonly message: Message; readonly marked: Message } | null = null;

  /** @param randomId text that no other broker has */
  constructor(randomId: () => string) {
    this.#randomId = randomId;
  }

  get #ownOrigin(): string {
    this.#origin ??= this.#randomId();
    return this.#origin;
  }

  /**
   * Whether a message has been here before, or is never to arrive anywhere; if not, it is remembered. One that is sent again, as after a
   * lost connection, is not told from the first: it may be the one that counts.
   */
  isLoop(topicName: string, { origin, number, hops }: BridgeMark, isSentAgain: boolean): boolean {
    if (hops >= MOST_HOPS || origin === this.#origin) return true;
    const key = `${origin} ${number} ${topicName}`;
    if (this.#taken.has(key)) return !isSentAgain;
    this.#taken.add(key);
    if (this.#taken.size > MOST_REMEMBERED) for (const oldest of this.#taken) return this.#forget(oldest);
    return false;
  }

  #forget(key: string): false {
    this.#taken.delete(key);
    return false;
  }

  /** Notes the mark that `message` came with. */
  note(message: Message, mark: BridgeMark): void {
    this.#marks.set(message, mark);
  }

  /** `message` as a bridge gets it. */
  marked(message: Message): Message {
    if (this.#last?.message === message) return this.#last.marked;
    const { properties } = message;
    const { origin, number, hops } = this.#markOf(message);
    const value = `${origin}:${number}:${hops + 1}`;
    const userProperties = [...(properties.userProperties ?? []), [BRIDGE_MARK, value] as const];
    const marked = message.withProperties({ ...properties, userProperties });
    this.#last = { message, marked };
    return marked;
  }

  #markOf(message: Message): BridgeMark {
    let mark = this.#marks.get(message);
    if (mark === undefined) {
      mark = { origin: this.#ownOrigin, number: ++this.#lastNumber, hops: 0 };
      this.#marks.set(message, mark);
    }
    return mark;
  }
}

/** The mark of a PUBLISH; null: it has none. */
export function markOf({ properties }: Pick<Publish, "properties">): BridgeMark | null {
  const found = properties.userProperties?.find(([name]) => name === BRIDGE_MARK);
  return found === undefined ? null : parsed(found[1]);
}

/** Properties without the mark. */
export function withoutMark({ userProperties = [], ...others }: Properties): Properties {
  const own = userProperties.filter(([name]) => name !== BRIDGE_MARK);
  return own.length === 0 ? others : { ...others, userProperties: own };
}

function parsed(value: string): BridgeMark | null {
  const [, origin, number, hops] = /^([^:]{1,64}):(\d{1,15}):(\d{1,3})$/.exec(value) ?? [];
  return origin === undefined ? null : { origin, number: Number(number), hops: Number(hops) };
}
