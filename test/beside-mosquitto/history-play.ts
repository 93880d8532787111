// One performance of a history at one broker. What a step does depends on the steps before it and never on what the broker said, but
// for packet identifiers: so it is the same at both.
import { NO_PROPERTIES, type Properties, publishOf, type Version } from "../../src/protocol/index.ts";
import { bytesOf } from "../support/test-client.ts";
import type { Step } from "./history.ts";
import { deliveryOf, type Seen } from "./history-outcome.ts";
import { Player } from "./player.ts";
import type { PlayedBroker } from "./situation.ts";

type StepOf<Kind extends Step["do"]> = Extract<Step, { do: Kind }>;

/** A client that is connected. */
interface Played {
  readonly connect: StepOf<"connect">;
  readonly player: Player;
  lastPacketId: number;
}

/** A message at QoS 1 or 2 that a client has not acknowledged; `isHalf`: it has sent PUBREC. */
interface Held {
  readonly packetId: number;
  readonly qos: number;
  readonly topic: string;
  readonly payload: string;
  isHalf: boolean;
}

/** Rounds after which nothing new should come. */
const MOST_ROUNDS = 50;
const KEEP_ALIVE_SECONDS = 60;

export class HistoryPlay {
  readonly #seen: Seen[] = [];
  readonly #broker: PlayedBroker;
  /** Begins each topic and client identifier, so that a broker can play one history after another. */
  readonly #prefix: string;
  readonly #online: Map<string, Played> = new Map();
  /** By connection: its name and how many lines of its transcript were taken. */
  readonly #connections: Map<Player, { readonly id: string; readonly name: string; taken: number }> = new Map();
  /** By client identifier, oldest first. */
  readonly #held: Map<string, Held[]> = new Map();
  /** Client identifiers that have a Session which outlives its connection. */
  readonly #kept: Set<string> = new Set();
  #opened = 0;
  #step = 0;

  /** @param name of this performance, and of no other */
  constructor(broker: PlayedBroker, name: string) {
    this.#broker = broker;
    this.#prefix = `${name}/`;
  }

  /** Plays `steps`, ends all connections and returns what they saw, in order for each connection. */
  async perform(steps: readonly Step[]): Promise<readonly Seen[]> {
    const mark = await this.#open(4, true);
    await mark.connect(`mark of ${this.#prefix}`);
    for (const [number, step] of steps.entries()) {
      this.#step = number;
      const client = this.#online.get(step.id);
      if (step.do === "connect") await this.#connect(step, client);
      else if (client !== undefined) await this.#do(client, step);
      await this.#settle(mark);
    }
    for (const { player } of this.#online.values()) if (!player.isClosed) await player.disconnect();
    await mark.disconnect();
    return this.#seen;
  }

  /**
   * Waits until nothing new comes. A ping is answered when the broker has taken what was sent before it, a mark when what it had taken
   * is in its store, and another ping when it has said what there was to say.
   */
  async #settle(mark: Player): Promise<void> {
    const players = [...this.#connections.keys()];
    const count = (): number => players.reduce((sum, { transcript }) => sum + transcript.length, 0);
    const pinged = (): Promise<unknown> => Promise.all(players.map((player) => player.settle()));
    let before = -1;
    for (let round = 0; round < MOST_ROUNDS && before !== count(); round++) {
      before = count();
      await pinged();
      await this.#marked(mark);
      await pinged();
    }
    for (const player of players) this.#look(player);
  }

  /** The acknowledgement waits for the store, behind what came before. */
  async #marked(mark: Player): Promise<void> {
    mark.transcript.length = 0;
    await mark.publish("mark", this.#prefix, { qos: 1, retain: true });
    await mark.line((line) => line.startsWith("PUBACK"));
  }

  #open(version: Version, answers: boolean): Promise<Player> {
    return Player.open({ host: "127.0.0.1", port: this.#broker.ports.main ?? 0 }, version, answers);
  }

  /** Takes what is new in the transcript. */
  #look(player: Player): void {
    const connection = this.#connections.get(player);
    if (connection === undefined) return;
    const { id, name } = connection;
    for (const line of player.transcript.slice(connection.taken)) {
      const what = deliveryOf(line, this.#prefix) ?? this.#named(id, line);
      this.#seen.push({ connection: name, step: this.#step, what });
      const packetId = Number(/^PUBLISH .* m(\d+)/.exec(line)?.[1] ?? 0);
      if (typeof what !== "string" && packetId > 0)
        this.#hold(player, id, { ...what, packetId, isHalf: player.answers });
    }
    connection.taken = player.transcript.length;
    if (player.isClosed) this.#connections.delete(player);
  }

  /** The line of a PUBREL names the message and not its packet identifier, which is the broker's choice. */
  #named(id: string, line: string): string {
    const packetId = Number(/^PUBREL m(\d+)/.exec(line)?.[1] ?? 0);
    if (packetId === 0) return line;
    const message = this.#heldBy(id).find((held) => held.packetId === packetId);
    return line.replace(/ m\d+/, message === undefined ? " of nothing" : ` of ${message.topic}=${message.payload}`);
  }

  #hold({ answers }: Player, id: string, message: Held): void {
    const others = this.#heldBy(id).filter(({ packetId }) => packetId !== message.packetId);
    this.#held.set(id, answers && message.qos === 1 ? others : [...others, message]);
  }

  #heldBy(id: string): readonly Held[] {
    return this.#held.get(id) ?? [];
  }

  async #do(client: Played, step: Exclude<Step, StepOf<"connect">>): Promise<void> {
    switch (step.do) {
      case "disconnect":
        return this.#disconnect(client, step);
      case "drop":
        this.#gone(step.id, keepsSession(client.connect));
        return client.player.drop();
      case "subscribe":
        return this.#subscribe(client, step);
      case "unsubscribe": {
        const topicFilters = step.filters.map((filter) => this.#prefix + filter);
        const packetId = ++client.lastPacketId;
        return client.player.send({ type: "UNSUBSCRIBE", packetId, topicFilters, properties: NO_PROPERTIES });
      }
      case "publish":
        return this.#publish(client, step);
      case "acknowledge":
        return this.#acknowledge(client, step);
    }
  }

  async #connect(step: StepOf<"connect">, before: Played | undefined): Promise<void> {
    const { id, version, cleanStart, expirySeconds, will, answers } = step;
    // Of a client whose place is taken mosquitto publishes no will when the Session goes on; otherwise the client gets its own.
    if (before !== undefined && before.connect.will !== null) return;
    if (cleanStart || !this.#kept.has(id)) this.#held.delete(id);
    const player = await this.#open(version, answers);
    this.#connections.set(player, { id, name: `${id} (${++this.#opened})`, taken: 0 });
    this.#online.set(id, { connect: step, player, lastPacketId: 0 });
    if (keepsSession(step)) this.#kept.add(id);
    else this.#kept.delete(id);
    const properties: Properties = version === 5 && expirySeconds > 0 ? { sessionExpirySeconds: expirySeconds } : {};
    const testament = will && { ...will, topicName: this.#prefix + will.topic, payload: `will${this.#step}` };
    await player.connect(this.#prefix + id, {
      cleanStart,
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      properties,
      ...(testament !== null && { will: testament }),
    });
    await before?.player.closed();
  }

  #gone(id: string, isKept: boolean): void {
    this.#online.delete(id);
    if (!isKept) this.#kept.delete(id);
  }

  async #disconnect({ player, connect }: Played, step: StepOf<"disconnect">): Promise<void> {
    // An expiry of 0 cannot be changed.
    const changed = connect.version === 5 && connect.expirySeconds > 0 ? step.expirySeconds : null;
    this.#gone(step.id, changed === null ? keepsSession(connect) : changed > 0);
    const reasonCode = connect.version === 5 && step.withWill ? 0x04 : 0;
    await player.disconnect(reasonCode, changed === null ? {} : { sessionExpirySeconds: changed });
  }

  #subscribe(client: Played, { filters, subscriptionId, ...step }: StepOf<"subscribe">): void {
    const isNew = client.player.version === 5;
    const { qos, noLocal, retainAsPublished, retainHandling } = isNew ? step : { ...step, ...OLD_OPTIONS };
    client.player.send({
      type: "SUBSCRIBE",
      packetId: ++client.lastPacketId,
      subscriptions: filters.map((filter) => ({
        topicFilter: this.#prefix + filter,
        qos,
        noLocal,
        retainAsPublished,
        retainHandling,
      })),
      properties: isNew && subscriptionId > 0 ? { subscriptionIdentifiers: [subscriptionId] } : NO_PROPERTIES,
    });
  }

  async #publish(client: Played, { qos, retain, topic, isEmpty, isRepeated }: StepOf<"publish">): Promise<void> {
    const { player, connect } = client;
    const packetId = qos === 0 ? 0 : ++client.lastPacketId;
    const send = (dup: boolean, text: string): void => {
      const fields = { topicName: this.#prefix + topic, qos, retain, dup, packetId, properties: NO_PROPERTIES };
      player.send(publishOf({ ...fields, payload: bytesOf(isEmpty ? "" : text) }));
    };
    const payload = `p${this.#step}`;
    send(false, payload);
    if (qos > 0) await player.line((line) => isAnswer(line, packetId));
    // At QoS 1 it is another message to the broker, and to those who look at what came. At QoS 2 an answer may have been sent by itself.
    if (qos === 1 && isRepeated) send(true, `${payload}-again`);
    if (qos < 2 || connect.answers) return;
    if (isRepeated) send(true, payload);
    player.acknowledge("PUBREL", packetId);
  }

  async #acknowledge({ player, connect }: Played, { id, qos, isHalf }: StepOf<"acknowledge">): Promise<void> {
    // The oldest by what it is, not by when it came: retained messages come in an order of each broker's own.
    const [message] = this.#heldBy(id)
      .filter((held) => held.qos === qos)
      .sort((a, b) => stepOf(a) - stepOf(b));
    if (message === undefined || connect.answers) return;
    const { packetId } = message;
    if (qos === 2 && !message.isHalf) {
      message.isHalf = true;
      const { length } = player.transcript;
      player.acknowledge("PUBREC", packetId);
      await player.lines(length + 1);
      this.#look(player);
      if (isHalf) return;
    }
    player.acknowledge(qos === 1 ? "PUBACK" : "PUBCOMP", packetId);
    this.#held.set(
      id,
      this.#heldBy(id).filter((held) => held !== message),
    );
  }
}

/** What SUBSCRIBE cannot say before 5.0. */
const OLD_OPTIONS = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

/** The step that a message was published in: its payload names it. */
function stepOf({ payload }: Held): number {
  return Number(/\d+/.exec(payload)?.[0] ?? 0);
}

/** Whether `line` is the first answer to the PUBLISH of that packet identifier. */
function isAnswer(line: string, packetId: number): boolean {
  return new RegExp(`^(PUBACK|PUBREC) m${packetId}( |$)`).test(line);
}

/** Whether the Session outlives its connection. */
function keepsSession({ version, cleanStart, expirySeconds }: StepOf<"connect">): boolean {
  return version === 5 ? expirySeconds > 0 : !cleanStart;
}
