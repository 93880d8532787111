/** A client that receives, acknowledges when it is told to, and keeps what QoS 2 asks for over connections. */
import assert from "node:assert/strict";
import type { Acknowledgement, Packet, Publish, Qos } from "../../src/protocol/index.ts";
import { textOf } from "../support/test-client.ts";
import { Received } from "./message-ledger.ts";
import type { World } from "./world.ts";
import { WorldClient, type WorldClientOptions } from "./world-client.ts";

/** What is known of a Subscription that comes and goes. Moments are steps of the world, Infinity: not yet. */
export interface Spell {
  readonly topicFilter: string;
  readonly subscribeAt: number;
  subackAt: number;
  unsubscribeAt: number;
  unsubackAt: number;
}

/** Receives with a Session of its own. */
export class Subscriber extends WorldClient {
  readonly received: Received = new Received();
  /** Every Subscription there has been, in order. */
  readonly spells: Spell[] = [];
  /** Whether it acknowledges without being told to. */
  isQuick = false;
  readonly #first: readonly (readonly [topicFilter: string, qos: Qos])[];
  /** Payloads by the packet identifiers that have not been released. */
  readonly #taken: Map<number, string> = new Map();
  #answers: [type: Acknowledgement["type"], packetId: number][] = [];
  readonly #requests: Map<number, Spell> = new Map();
  #lastPacketId = 0;

  /** @param first what it subscribes to as soon as it has a Session */
  constructor(
    world: World,
    clientId: string,
    options: WorldClientOptions,
    ...first: readonly (readonly [topicFilter: string, qos: Qos])[]
  ) {
    super(world, clientId, options);
    this.#first = first;
  }

  get hasAnswers(): boolean {
    return this.#answers.length > 0;
  }

  subscribe(topicFilter: string, qos: Qos): void {
    const spell = {
      topicFilter,
      subscribeAt: this.world.step,
      subackAt: Number.POSITIVE_INFINITY,
      unsubscribeAt: Number.POSITIVE_INFINITY,
      unsubackAt: Number.POSITIVE_INFINITY,
    };
    this.spells.push(spell);
    this.#requests.set(++this.#lastPacketId, spell);
    const request = { topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    this.send({ type: "SUBSCRIBE", packetId: this.#lastPacketId, subscriptions: [request], properties: {} });
  }

  unsubscribe(spell: Spell): void {
    // A SUBSCRIBE that was sent again began a spell of its own: they all end now.
    for (const each of this.spells) {
      if (each.topicFilter === spell.topicFilter) each.unsubscribeAt = Math.min(each.unsubscribeAt, this.world.step);
    }
    this.#requests.set(++this.#lastPacketId, spell);
    const { topicFilter } = spell;
    this.send({ type: "UNSUBSCRIBE", packetId: this.#lastPacketId, topicFilters: [topicFilter], properties: {} });
  }

  /** Sends the first `count` acknowledgements that it owes, in order. */
  answer(count: number): void {
    for (const [type, packetId] of this.#answers.splice(0, count)) this.acknowledge(type, packetId);
  }

  override lost(): void {
    super.lost();
    this.#answers = [];
    this.#requests.clear();
  }

  protected override connected(isSessionPresent: boolean): void {
    if (isSessionPresent) return;
    this.#taken.clear();
    for (const [topicFilter, qos] of this.#first) this.subscribe(topicFilter, qos);
  }

  protected override take(packet: Packet): void {
    switch (packet.type) {
      case "PUBLISH":
        this.#publish(packet);
        break;
      case "PUBREL":
        this.#taken.delete(packet.packetId);
        this.#answers.push(["PUBCOMP", packet.packetId]);
        break;
      case "SUBACK":
        this.#requests.get(packet.packetId)!.subackAt = this.world.step;
        break;
      case "UNSUBACK":
        this.#requests.get(packet.packetId)!.unsubackAt = this.world.step;
        break;
      default:
        assert.fail(`${this.clientId} got ${packet.type}`);
    }
    if (this.isQuick) this.answer(this.#answers.length);
  }

  #publish({ qos, packetId, dup, payload }: Publish): void {
    const text = textOf(payload);
    if (qos === 1) this.#answers.push(["PUBACK", packetId]);
    if (qos === 2) {
      this.#answers.push(["PUBREC", packetId]);
      const taken = this.#taken.get(packetId);
      if (taken !== undefined) {
        assert.deepEqual([text, dup], [taken, true], `identifier ${packetId} is in use`);
        return;
      }
      this.#taken.set(packetId, text);
    }
    if (qos === 2 && !dup) assert.equal(this.received.count(text), 0, `${text} came anew at QoS 2`);
    this.received.add(text);
  }
}
