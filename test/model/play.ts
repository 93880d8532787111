/** Plays a history to the broker and to the reference, and compares what every client receives after each step. */

import { ManualClock } from "../../src/core/index.ts";
import type { Packet, Properties } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { described, type TestClient } from "../support/test-client.ts";
import { type Profile, type Step, TOPICS } from "./history.ts";
import { PromptHarness, PromptStore } from "./prompt-store.ts";
import { type Fate, type ModelMessage, ReferenceBroker, type Sent } from "./reference-broker.ts";

const CODES: Readonly<Record<Fate, number>> = { taken: 0, unmatched: 0x10, full: 0x97 };

/** A QoS 2 message that its publisher has not released. */
interface Unreleased {
  readonly packetId: number;
  readonly message: Omit<ModelMessage, "publisher" | "expiresAt">;
  /** The connection that has sent it again already, which may happen once. */
  repeatedBy: TestClient | null;
}

type StepOf<Kind extends Step["do"]> = Extract<Step, { do: Kind }>;

/** The difference that `steps` bring out, or null when there is none. */
export async function differenceIn(steps: readonly Step[], profile: Profile): Promise<string | null> {
  const play = new Play(profile);
  for (const [i, step] of steps.entries()) {
    try {
      await play.take(step, i);
    } catch (error) {
      return `step ${i}, ${JSON.stringify(step)}: ${(error as Error).message}`;
    }
  }
  return null;
}

class Play {
  readonly #profile: Profile;
  readonly #store: PromptStore = new PromptStore();
  #harness: BrokerHarness;
  readonly #reference: ReferenceBroker;
  readonly #online: Map<string, TestClient> = new Map();
  /** Topics that a client has given an alias on its connection. */
  readonly #aliased: Map<TestClient, Set<string>> = new Map();
  readonly #unreleased: Map<string, Unreleased[]> = new Map();
  /** Answers to publishers that this step must bring, by client. */
  readonly #answers: Map<string, string[]> = new Map();
  #lastPacketId = 0;

  constructor(profile: Profile) {
    this.#profile = profile;
    this.#harness = this.#newHarness(new ManualClock());
    this.#reference = new ReferenceBroker(profile.maximumQueued, profile.isStored);
  }

  #newHarness(clock: ManualClock): BrokerHarness {
    const options = { maximumQueuedMessages: this.#profile.maximumQueued };
    if (this.#profile.isStored) return new PromptHarness({ clock, options, store: this.#store });
    return new BrokerHarness({ clock, options });
  }

  async #restart(): Promise<void> {
    this.#harness = this.#newHarness(this.#harness.clock);
    this.#online.clear();
    this.#reference.restart();
    await this.#harness.broker.restore();
  }

  async take(step: Step, number: number): Promise<void> {
    this.#answers.clear();
    if (step.do === "restart") {
      await this.#restart();
    } else if (step.do === "advance") {
      this.#reference.advance(step.seconds);
      this.#harness.advance(step.seconds * 1000);
    } else if (step.do === "connect") {
      this.#connect(step, number);
    } else {
      const client = this.#online.get(step.id);
      if (client !== undefined) this.#do(client, step, number);
    }
    // Queues are read from the store in promises.
    if (this.#profile.isStored) await this.#harness.rest();
    this.#compare();
  }

  #connect(step: StepOf<"connect">, number: number): void {
    const { id, version, cleanStart, expiry, window, isManual } = step;
    const will = step.will && { ...step.will, topic: `will/${id}`, payload: `will${number}` };
    const isPresent = this.#reference.connect(id, { version, cleanStart, expiry, window, isManual, will });
    const properties: Properties = {
      sessionExpirySeconds: expiry,
      receiveMaximum: window,
      topicAliasMaximum: step.aliases,
    };
    const client = this.#harness.open(version);
    this.#online.set(id, client);
    client.connect(id, {
      version,
      cleanStart,
      acknowledges: !isManual,
      ...(version === 5 && { properties }),
      ...(will !== null && {
        will: {
          topicName: will.topic,
          payload: will.payload,
          qos: will.qos,
          retain: will.retain,
          ...(version === 5 && { properties: { willDelaySeconds: will.delay } }),
        },
      }),
    });
    // MQTT 3.1 does not tell.
    if (client.connack?.sessionPresent !== (isPresent && version !== 3)) throw new Error("session present is wrong");
  }

  #do(client: TestClient, step: Exclude<Step, StepOf<"connect" | "advance" | "restart">>, number: number): void {
    switch (step.do) {
      case "disconnect":
        return this.#disconnect(client, step);
      case "drop":
        this.#online.delete(step.id);
        this.#reference.gone(step.id, true);
        return client.drop();
      case "subscribe":
        return this.#subscribe(client, step);
      case "unsubscribe": {
        const existed = this.#reference.unsubscribe(step.id, step.filter);
        const [code] = client.unsubscribe(step.filter);
        if (client.version === 5 && code !== (existed ? 0 : 0x11)) throw new Error(`UNSUBACK ${code}`);
        return;
      }
      case "publish":
        return this.#publish(client, step, number);
      case "repeat":
        return this.#repeat(client, step.id);
      case "release":
        return this.#release(client, step.id);
      case "acknowledge":
        return this.#acknowledge(client, step);
    }
  }

  #disconnect(client: TestClient, { id, withWill, expiry }: StepOf<"disconnect">): void {
    const { connect } = this.#reference.sessions.get(id)!;
    this.#online.delete(id);
    if (client.version !== 5) {
      this.#reference.gone(id, false);
      return client.disconnect();
    }
    // An expiry of 0 cannot be changed.
    const changed = expiry === null || connect.expiry === 0 ? undefined : expiry;
    this.#reference.gone(id, withWill, changed);
    client.disconnect(withWill ? 4 : 0, changed === undefined ? {} : { sessionExpirySeconds: changed });
  }

  #subscribe(client: TestClient, step: StepOf<"subscribe">): void {
    const options = client.version === 5 ? step : { ...step, ...OLD_OPTIONS };
    this.#reference.subscribe(step.id, options);
    const { filter, qos, noLocal, retainAsPublished, retainHandling, subscriptionId } = options;
    const [code] = client.subscribe(filter, {
      qos,
      noLocal,
      retainAsPublished,
      retainHandling,
      ...(subscriptionId > 0 && { id: subscriptionId }),
    });
    if (code !== qos) throw new Error(`SUBACK ${code}`);
  }

  #publish(client: TestClient, step: StepOf<"publish">, number: number): void {
    const { id, topic, qos, retain } = step;
    const message = { topic, qos, retain, payload: step.isEmpty ? "" : `m${number}` };
    const packetId = qos === 0 ? 0 : ++this.#lastPacketId;
    if (qos === 2) this.#unreleasedOf(id).push({ packetId, message, repeatedBy: null });
    const properties: Properties = {
      ...(step.expiry !== null && { messageExpirySeconds: step.expiry }),
      ...(step.isAliased && { topicAlias: TOPICS.indexOf(topic) + 1 }),
    };
    this.#send(client, id, message, packetId, false, client.version === 5 ? properties : {});
  }

  #repeat(client: TestClient, id: string): void {
    const oldest = this.#unreleasedOf(id)[0];
    if (oldest === undefined || oldest.repeatedBy === client) return;
    oldest.repeatedBy = client;
    this.#send(client, id, oldest.message, oldest.packetId, true, {});
  }

  #send(
    client: TestClient,
    id: string,
    message: Unreleased["message"],
    packetId: number,
    dup: boolean,
    properties: Properties,
  ): void {
    const { topic, payload, qos, retain } = message;
    const fate = this.#reference.publish(
      id,
      message,
      properties.messageExpirySeconds ?? Number.POSITIVE_INFINITY,
      packetId,
    );
    const code = client.version === 5 && !(qos === 2 && fate === "unmatched") ? CODES[fate] : 0;
    if (qos === 1) this.#expect(id, "PUBACK", packetId, code);
    if (qos === 2) {
      this.#expect(id, "PUBREC", packetId, code);
      if (fate === "full" && client.version === 5) this.#forget(id, packetId);
      else if (client.acknowledges) this.#released(id, packetId);
    }
    client.publish(this.#onWire(client, topic, properties), payload, {
      qos,
      retain,
      dup,
      packetId,
      ...(client.version === 5 && { properties }),
    });
  }

  /** The topic, or nothing when the client has given it the alias in `properties` before. */
  #onWire(client: TestClient, topic: string, { topicAlias }: Properties): string {
    if (topicAlias === undefined) return topic;
    const known = this.#aliased.get(client) ?? new Set();
    this.#aliased.set(client, known);
    if (known.has(topic)) return "";
    known.add(topic);
    return topic;
  }

  #release(client: TestClient, id: string): void {
    const oldest = this.#unreleasedOf(id)[0];
    if (oldest === undefined) return;
    this.#released(id, oldest.packetId);
    client.acknowledge("PUBREL", oldest.packetId);
  }

  #released(id: string, packetId: number): void {
    this.#reference.sessions.get(id)!.received.delete(packetId);
    this.#forget(id, packetId);
    this.#expect(id, "PUBCOMP", packetId, 0);
  }

  #forget(id: string, packetId: number): void {
    this.#unreleased.set(
      id,
      this.#unreleasedOf(id).filter((other) => other.packetId !== packetId),
    );
  }

  #unreleasedOf(id: string): Unreleased[] {
    const known = this.#unreleased.get(id) ?? [];
    this.#unreleased.set(id, known);
    return known;
  }

  #acknowledge(client: TestClient, { id, how, nth }: StepOf<"acknowledge">): void {
    const session = this.#reference.sessions.get(id)!;
    const sent = session.inflight.filter((other) => !session.resend.includes(other))[nth];
    if (sent === undefined) return;
    const isRefusal = how === "refusal" && client.version === 5 && !sent.isReleased;
    if (isRefusal || sent.owed.qos === 1) {
      this.#reference.acknowledged(id, sent);
      client.acknowledge(sent.owed.qos === 1 ? "PUBACK" : "PUBREC", sent.packetId, isRefusal ? 0x80 : 0);
      return;
    }
    if (!sent.isReleased) this.#half(client, id, sent);
    if (how === "half") return;
    this.#reference.acknowledged(id, sent);
    client.acknowledge("PUBCOMP", sent.packetId);
  }

  #half(client: TestClient, id: string, sent: Sent): void {
    this.#reference.half(id, sent);
    client.acknowledge("PUBREC", sent.packetId);
    this.#compare();
  }

  #expect(id: string, type: "PUBACK" | "PUBREC" | "PUBCOMP", packetId: number, reasonCode: number): void {
    const answers = this.#answers.get(id) ?? [];
    this.#answers.set(id, answers);
    answers.push(described({ type, packetId, reasonCode, properties: {} }));
  }

  #compare(): void {
    for (const [id, client] of this.#online) {
      if (client.isClosed) throw new Error(`${id} was closed: ${client.trace()}`);
      const answers: string[] = [];
      for (const packet of client.received.splice(0)) this.#show(id, packet, answers);
      const expected = this.#answers.get(id) ?? [];
      if (answers.join() !== expected.join()) throw new Error(`${id} got ${answers}; expected ${expected}`);
      this.#answers.delete(id);
      this.#attempt(id, "", () => this.#reference.settled(id));
    }
  }

  #show(id: string, packet: Packet, answers: string[]): void {
    if (packet.type === "PUBLISH") this.#attempt(id, described(packet), () => this.#reference.receives(id, packet));
    else if (packet.type === "PUBREL")
      this.#attempt(id, described(packet), () => this.#reference.receivesPubrel(id, packet.packetId));
    else answers.push(described(packet));
  }

  #attempt(id: string, what: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      throw new Error(`${id} ${what}: ${(error as Error).message}`);
    }
  }
}

/** What a Subscription of 3.1 and 3.1.1 is. */
const OLD_OPTIONS = { noLocal: false, retainAsPublished: false, retainHandling: 0, subscriptionId: 0 } as const;
