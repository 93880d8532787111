/** A client with a will that it makes anew with each connection, and what must and must not become of each. */
import assert from "node:assert/strict";
import type { Packet } from "../../src/protocol/index.ts";
import type { ConnectOptions } from "../support/test-client.ts";
import type { Received, SentMessage } from "./message-ledger.ts";
import { WorldClient } from "./world-client.ts";

/** From the end of a connection to the publishing of its will, in seconds. */
const DELAY_SECONDS = 5;

/** One will. Moments are wall time in milliseconds, Infinity: not yet. */
interface Testament {
  readonly message: SentMessage;
  /** Whether the CONNACK came, so that the broker must know the will. */
  isKnown: boolean;
  endedMs: number;
  wasGoodbye: boolean;
  /** Deaths of the broker until the connection ended, and until the next one was asked for. */
  crashesAtEnd: number;
  crashesAtReturn: number;
  /** When the next connection was asked for, and when its CONNACK came. */
  askedAgainMs: number;
  returnedMs: number;
}

/** Makes wills. */
export class Testator extends WorldClient {
  readonly #testaments: Testament[] = [];

  get #now(): number {
    return this.world.harness.clock.wallMs();
  }

  protected override connectOptions(): ConnectOptions {
    const last = this.#testaments.at(-1);
    if (last?.askedAgainMs === Number.POSITIVE_INFINITY) {
      last.askedAgainMs = this.#now;
      last.crashesAtReturn = this.world.crashes;
    }
    const message = this.world.ledger.send(this.clientId, "will/0", 2, false, this.world.step);
    this.#testaments.push({
      message,
      isKnown: false,
      endedMs: Number.POSITIVE_INFINITY,
      wasGoodbye: false,
      crashesAtEnd: 0,
      crashesAtReturn: Number.POSITIVE_INFINITY,
      askedAgainMs: Number.POSITIVE_INFINITY,
      returnedMs: Number.POSITIVE_INFINITY,
    });
    const { topicName, payload, qos } = message;
    return { will: { topicName, payload, qos, properties: { willDelaySeconds: DELAY_SECONDS } } };
  }

  override lost(): void {
    const last = this.#testaments.at(-1);
    if (last?.endedMs === Number.POSITIVE_INFINITY) {
      last.endedMs = this.#now;
      last.crashesAtEnd = this.world.crashes;
    }
    super.lost();
  }

  override disconnect(): boolean {
    const last = this.#testaments.at(-1)!;
    const { isConnected } = this;
    const isSaid = super.disconnect() && isConnected;
    last.wasGoodbye = isSaid;
    return isSaid;
  }

  protected override connected(): void {
    for (const earlier of this.#testaments.slice(0, -1)) earlier.returnedMs = Math.min(earlier.returnedMs, this.#now);
    this.#testaments.at(-1)!.isKnown = true;
  }

  protected override take(packet: Packet): void {
    assert.fail(`${this.clientId} got ${packet.type}`);
  }

  /** Fails unless `received` has the wills that it must have and none that it must not. */
  judge(received: Received): void {
    for (const testament of this.#testaments) {
      const count = received.count(testament.message.payload);
      const fate = this.#fateOf(testament);
      if (fate === "must") assert.equal(count, 1, `${testament.message.payload} is a will that must be published`);
      else if (fate === "must not") assert.equal(count, 0, `${testament.message.payload} is a will nobody may see`);
      else assert.ok(count <= 1, `${testament.message.payload} came ${count} times`);
    }
  }

  #fateOf(testament: Testament): "must" | "must not" | "may" {
    const { isKnown, endedMs, wasGoodbye, crashesAtEnd, crashesAtReturn, askedAgainMs, returnedMs } = testament;
    if (endedMs === Number.POSITIVE_INFINITY) return "must not";
    // A goodbye that the store had not heard of when the broker died was never said.
    if (wasGoodbye) return this.world.crashes === crashesAtEnd ? "must not" : "may";
    const dueMs = endedMs + DELAY_SECONDS * 1000;
    if (returnedMs < dueMs) return "must not";
    if (!isKnown) return "may";
    // With another death in between, the delay may count from there.
    const wasAwayLongEnough = askedAgainMs >= dueMs && crashesAtReturn === crashesAtEnd;
    return askedAgainMs === Number.POSITIVE_INFINITY || wasAwayLongEnough ? "must" : "may";
  }
}
