// A client with a durable Session that subscribes and unsubscribes all the time and books what was acknowledged: after a kill each
// Subscription must be as its last SUBACK or UNSUBACK said; only of one that was not answered either may be.
import { Errand, type Received } from "./errand.ts";
import type { Address } from "./link.ts";
import type { Random } from "./random.ts";
import * as wire from "./wire.ts";

const FILTERS = 30;
const AT_ONCE = 5;
const LAST_PACKET_ID = 65_535;

type State = "subscribed" | "unsubscribed" | "unknown";

export class SubscriptionChurner {
  readonly #name: string;
  readonly #random: Random;
  readonly #states: State[] = new Array<State>(FILTERS).fill("unsubscribed");
  /** What is under way, by packet identifier. */
  readonly #pending: Map<number, { readonly filter: number; readonly to: State }> = new Map();
  #client: Errand | undefined;
  #packetId = 0;
  /** Requests that were answered. */
  answered = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  #topic(filter: number): string {
    return `${this.#name}/${filter}`;
  }

  async #connect(address: Address): Promise<Errand> {
    return Errand.connect(address, { version: 5, clientId: this.#name, isClean: false });
  }

  /** Connects and begins. */
  async begin(address: Address): Promise<void> {
    const client = await this.#connect(address);
    this.#client = client;
    client.onPacket = (packet) => this.#receive(client, packet);
    for (let count = 0; count < AT_ONCE; count++) this.#next(client);
  }

  #receive(client: Errand, { head, body }: Received): void {
    if (head >> 4 !== wire.SUBACK && head >> 4 !== wire.UNSUBACK) return;
    const packetId = body.readUInt16BE(0);
    const done = this.#pending.get(packetId);
    this.#pending.delete(packetId);
    if (done === undefined) return;
    this.#states[done.filter] = done.to;
    this.answered++;
    client.received.length = 0;
    this.#next(client);
  }

  /** Changes a Subscription that nothing is under way for. */
  #next(client: Errand): void {
    const busy = new Set([...this.#pending.values()].map(({ filter }) => filter));
    const free = this.#states.map((_, filter) => filter).filter((filter) => !busy.has(filter));
    const filter = this.#random.pick(free);
    const to = this.#states[filter] === "subscribed" ? "unsubscribed" : "subscribed";
    this.#packetId = (this.#packetId % LAST_PACKET_ID) + 1;
    this.#pending.set(this.#packetId, { filter, to });
    const topicFilter = this.#topic(filter);
    if (to === "subscribed") client.send(wire.encodeSubscribe(5, this.#packetId, topicFilter, 0));
    else client.send(wire.encodeUnsubscribe(5, this.#packetId, topicFilter));
  }

  /** The connection is gone: what was not answered may have come about or not. */
  end(): void {
    this.#client?.cut();
    this.#client = undefined;
    for (const { filter } of this.#pending.values()) this.#states[filter] = "unknown";
    this.#pending.clear();
  }

  /** Comes back after the kill and says which Subscriptions are not as they were acknowledged. */
  async faults(address: Address): Promise<string[]> {
    const client = await this.#connect(address);
    if (!client.isSessionPresent) return [`${this.#name}: the Session is gone`];
    const seen = new Set<number>();
    client.onPacket = ({ head, body }) => {
      if (head >> 4 === wire.PUBLISH)
        seen.add(Number(body.toString("utf8", 2, 2 + body.readUInt16BE(0)).split("/")[1]));
    };
    // Its own messages at QoS 0, and a PINGRESP that comes behind those which come back.
    for (const filter of this.#states.keys()) {
      const message = { version: 5, qos: 0, packetId: 0, payload: Buffer.alloc(1) } as const;
      client.send(wire.encodePublish({ ...message, topicName: this.#topic(filter) }));
    }
    client.send(wire.encodePingreq());
    await client.packet(wire.PINGRESP);
    client.cut();
    return this.#states.flatMap((state, filter) => {
      const is = seen.has(filter) ? "subscribed" : "unsubscribed";
      if (state !== "unknown" && state !== is) return [`${this.#topic(filter)} is ${is}, ${state} was acknowledged`];
      this.#states[filter] = is;
      return [];
    });
  }
}
