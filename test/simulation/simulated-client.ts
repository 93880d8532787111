/** A client program in a simulated world: it connects again whenever it has lost its connection, and may die and start anew. */
import assert from "node:assert/strict";
import {
  ClientConnection,
  ClientSession,
  type ConnectionEnd,
  DEFAULT_SESSION_LIMITS,
  type IncomingMessage,
  type Outcome,
  type SessionListener,
} from "../../src/client/index.ts";
import { type Connect, NO_PROPERTIES, OutputPool, type Qos, type Version } from "../../src/protocol/index.ts";
import type { Random } from "../support/random.ts";
import { bytesOf, textOf } from "../support/test-client.ts";
import { SimulatedLink } from "./simulated-link.ts";
import type { World } from "./world.ts";

/** Longest time between two attempts to connect, in milliseconds. */
const LONGEST_RETRY_MS = 3000;

/** What a client is like. */
export interface ClientTraits {
  readonly clientId: string;
  readonly version: Version;
  readonly receiveMaximum: number;
  readonly maximumInflightMessages: number;
  readonly topicAliases: number;
  readonly topicFilter: string;
}

/** One client: everything it published, everything it got. */
export class SimulatedClient implements SessionListener {
  readonly traits: ClientTraits;
  /** Payloads in the order in which they came. */
  readonly received: string[] = [];
  /** How often each published payload was told to be done. */
  readonly done: Map<string, number> = new Map();
  isSubscribed = false;
  readonly #world: World;
  readonly #random: Random;
  readonly #pool: OutputPool = new OutputPool();
  readonly #mids: Map<number, string> = new Map();
  #session: ClientSession;
  #connection: ClientConnection | null = null;
  #link: SimulatedLink | null = null;
  #attempt = 0;

  constructor(world: World, random: Random, traits: ClientTraits) {
    this.#world = world;
    this.#random = random;
    this.traits = traits;
    this.#session = this.#newSession();
  }

  get isConnected(): boolean {
    return this.#connection?.isAccepted ?? false;
  }

  /** Whether it owes nothing. */
  get isAtRest(): boolean {
    return this.isConnected && this.#session.unacknowledgedMessages === 0;
  }

  get deadlineMs(): number {
    return this.#connection?.deadlineMs() ?? Number.POSITIVE_INFINITY;
  }

  #newSession(): ClientSession {
    const { version, receiveMaximum, maximumInflightMessages } = this.traits;
    const limits = { ...DEFAULT_SESSION_LIMITS, receiveMaximum, maximumInflightMessages };
    const session = new ClientSession(version, limits);
    session.listener = this;
    return session;
  }

  connect(): void {
    const { timeline } = this.#world;
    const connection = new ClientConnection(
      this.#session,
      {
        connect: this.#connectPacket(),
        connackTimeoutMs: 10_000,
        topicAliases: this.traits.topicAliases,
        pool: this.#pool,
        observer: () => null,
      },
      {
        accepted: () => this.#accepted(),
        published: () => assert.fail("nothing was published at QoS 0"),
        drained: () => {},
        authenticating: () => false,
        // A program that died is not told.
        ended: (end) => this.#connection === connection && this.#ended(end),
      },
      timeline.nowMs,
    );
    const link = new SimulatedLink(timeline, this.#random, connection, () => this.#flush(connection, link));
    link.attach(this.#world.accept(link));
    this.#connection = connection;
    this.#link = link;
    this.#attempt++;
    connection.opened(timeline.nowMs);
    this.#flush(connection, link);
  }

  #connectPacket(): Connect {
    const { version, clientId, receiveMaximum } = this.traits;
    return {
      type: "CONNECT",
      version,
      bridge: false,
      cleanStart: false,
      keepAliveSeconds: 5,
      clientId,
      will: null,
      username: null,
      password: null,
      properties:
        version === 5 ? { sessionExpirySeconds: 100_000, receiveMaximum, topicAliasMaximum: 3 } : NO_PROPERTIES,
    };
  }

  #flush(connection: ClientConnection, link: SimulatedLink): void {
    const taken = connection.takeOutput();
    if (taken !== null) {
      link.writeFromClient(taken);
      connection.written(0, this.#world.timeline.nowMs);
    }
    if (connection.isEnded) link.closeFromClient();
  }

  #flushNow(): void {
    if (this.#connection !== null) this.#flush(this.#connection, this.#link!);
  }

  tick(nowMs: number): void {
    const connection = this.#connection!;
    const link = this.#link!;
    connection.tick(nowMs);
    this.#flush(connection, link);
  }

  publish(topicName: string, qos: Qos, text: string): void {
    const mid = this.#session.publish({
      topicName,
      payload: bytesOf(text),
      qos,
      retain: false,
      properties: NO_PROPERTIES,
    });
    assert.ok(typeof mid === "number", `${text} was refused: ${mid}`);
    assert.ok(!this.#mids.has(mid), `mid ${mid} was given to two messages at once`);
    this.#mids.set(mid, text);
    this.done.set(text, 0);
    this.#flushNow();
  }

  /** Its network has a bad time. */
  suffer(): void {
    if (this.#random.chance(0.3)) this.#link?.stall(this.#random.below(15_000));
    else this.#link?.cut();
  }

  /** The program dies and is started again, with the Session that it had saved. */
  restart(): void {
    const saved = structuredClone(this.#session.save());
    this.#session.listener = null;
    this.#link?.cut();
    this.#connection = this.#link = null;
    this.#session = this.#newSession();
    this.#session.restore(saved);
    this.#connectLater();
  }

  #connectLater(): void {
    const attempt = ++this.#attempt;
    this.#world.timeline.after(this.#random.below(LONGEST_RETRY_MS), () => {
      if (this.#attempt === attempt) this.connect();
    });
  }

  #accepted(): void {
    const { topicFilter } = this.traits;
    if (this.isSubscribed) return;
    const request = { topicFilter, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    assert.equal(typeof this.#session.subscribe([request]), "number");
  }

  #ended(end: ConnectionEnd): void {
    assert.equal(end.fault, null, `${this.traits.clientId}: ${end.fault?.message}`);
    assert.equal(end.connack, null, `${this.traits.clientId} was refused: ${end.connack?.reasonCode}`);
    if (end.disconnect !== null)
      assert.ok([0x8d, 0x8e].includes(end.disconnect.reasonCode), JSON.stringify(end.disconnect));
    this.#connection = this.#link = null;
    this.#connectLater();
  }

  message({ payload }: IncomingMessage): void {
    this.received.push(textOf(payload));
  }

  published(mid: number, { reasonCode, refusal }: Outcome): void {
    const text = this.#mids.get(mid);
    assert.ok(text !== undefined, `mid ${mid} was done twice, or never published`);
    assert.ok(reasonCode < 0x80 || reasonCode === 0x92, `${text} failed: ${refusal ?? reasonCode}`);
    this.#mids.delete(mid);
    this.done.set(text, this.done.get(text)! + 1);
    // Applications go on from here: in the middle of what the Session is doing.
    if (this.#random.chance(0.1)) this.#world.publish(this);
  }

  subscribed(_mid: number, reasonCodes: readonly number[]): void {
    assert.deepEqual(reasonCodes, [2]);
    this.isSubscribed = true;
  }

  unsubscribed(): void {}

  requestLost(): void {}
}
