// Sends messages through the broker, within a window and perhaps at a rate, and counts what comes back, until every
// message is delivered (and acknowledged at QoS 1 and 2) or the time is up. Must not know how connections were made.
import type { Listener, LoadConnection } from "./connection.ts";
import { Latencies } from "./latencies.ts";
import { type DeliveryLatencies, Tally } from "./tally.ts";
import type { PublishTemplate } from "./wire.ts";

export interface FlowPlan {
  readonly publishers: readonly LoadConnection[];
  readonly subscribers: readonly LoadConnection[];
  readonly qos: number;
  /** Messages to send; Infinity with durationSeconds. */
  readonly messages: number;
  /** Sends for so long instead, when above 0. */
  readonly durationSeconds: number;
  /** How many subscribers get each message. With 0 only acknowledgements bound the messages under way. */
  readonly deliveriesPerMessage: number;
  readonly window: number;
  /** Messages a second of all publishers together; 0 is as fast as it goes. */
  readonly rate: number;
  readonly limitSeconds: number;
  /** The packet to send as message number `k` of the run, from 0. */
  readonly template: (k: number, publisher: LoadConnection) => PublishTemplate;
  /** False when the numbers of a publisher may come in another order, as from several topics. */
  readonly checksOrder: boolean;
}

export interface FlowCounts extends DeliveryLatencies {
  readonly sent: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly expected: number;
  readonly disordered: number;
  readonly seconds: number;
  readonly timeout: boolean;
  /** From the moment when a message was due until it was acknowledged. */
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
}

/** Messages of one publisher joined before the next has its turn. */
const MAX_BURST = 64;

export class Flow implements Listener {
  readonly #plan: FlowPlan;
  readonly #tally: Tally;
  readonly #ackLatencies: Latencies;
  #total: number;
  #sent = 0;
  #acknowledged = 0;
  #turn = 0;
  #startMs = 0;
  #isScheduled = false;
  #isTicking = false;
  #isOver = false;
  #finish: (timeout: boolean) => void = () => {};

  constructor(plan: FlowPlan) {
    this.#plan = plan;
    this.#total = plan.durationSeconds > 0 ? Number.POSITIVE_INFINITY : plan.messages;
    this.#ackLatencies = new Latencies(this.#total);
    const checked = plan.checksOrder ? plan.subscribers.length : 0;
    this.#tally = new Tally(this.#total * plan.deliveriesPerMessage, checked, plan.publishers.length);
  }

  /** Runs to the end. A broken connection is not seen here: race this with the fault of the run. */
  async run(): Promise<FlowCounts> {
    for (const connection of [...this.#plan.publishers, ...this.#plan.subscribers]) connection.listener = this;
    const over = new Promise<boolean>((resolve) => {
      this.#finish = resolve;
    });
    this.#startMs = performance.now();
    const { durationSeconds, limitSeconds } = this.#plan;
    const limit = setTimeout(() => this.#end(true), limitSeconds * 1000);
    const stop = durationSeconds > 0 ? setTimeout(() => this.#stopSending(), durationSeconds * 1000) : undefined;
    this.#send();
    const timeout = await over;
    clearTimeout(limit);
    clearTimeout(stop);
    return this.#counts((performance.now() - this.#startMs) / 1000, timeout);
  }

  #counts(seconds: number, timeout: boolean): FlowCounts {
    const wanted = Number.isFinite(this.#total) ? this.#total : this.#sent;
    const [ackP50Ms = 0, ackP99Ms = 0] = this.#ackLatencies.percentiles(0.5, 0.99);
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      delivered: this.#tally.delivered,
      expected: wanted * this.#plan.deliveriesPerMessage,
      disordered: this.#tally.disordered,
      seconds,
      timeout,
      ackP50Ms,
      ackP99Ms,
      ...this.#tally.latencies(),
    };
  }

  onMessage(connection: LoadConnection, bytes: Buffer, payloadAt: number, end: number): void {
    this.#tally.count(connection.index, bytes, payloadAt, end);
  }

  onAcknowledged(_connection: LoadConnection, sentAtMs: number): void {
    this.#acknowledged++;
    this.#ackLatencies.add(sentAtMs);
  }

  onTurn(): void {
    // All connections read in this turn of the event loop first; then the window is refilled once.
    if (this.#isScheduled || this.#isOver) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #stopSending(): void {
    this.#total = this.#sent;
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    const { deliveriesPerMessage, qos } = this.#plan;
    if (this.#sent < this.#total || this.#tally.delivered < this.#total * deliveriesPerMessage) return;
    if (qos > 0 && this.#acknowledged < this.#total) return;
    this.#end(false);
  }

  #end(timeout: boolean): void {
    this.#isOver = true;
    this.#finish(timeout);
  }

  #send(): void {
    if (this.#isOver) return;
    if (this.#plan.rate > 0) this.#sendByRate();
    else this.#sendFreely();
    this.#endWhenDone();
  }

  #maySend(publisher: LoadConnection): boolean {
    const { deliveriesPerMessage, qos, window, publishers } = this.#plan;
    let underWay = 0;
    if (deliveriesPerMessage > 0) underWay = this.#sent - Math.floor(this.#tally.delivered / deliveriesPerMessage);
    else if (qos > 0) underWay = this.#sent - this.#acknowledged;
    if (underWay >= window) return false;
    if (qos === 0) return true;
    const share = Math.max(1, Math.floor(window / publishers.length));
    return publisher.sent - publisher.acknowledged < Math.min(share, publisher.receiveMaximum);
  }

  #sendFreely(): void {
    const { publishers, template } = this.#plan;
    let sentNow = 0;
    for (let k = 0; k < publishers.length && this.#sent < this.#total; k++) {
      const publisher = publishers[(this.#turn + k) % publishers.length] as LoadConnection;
      if (publisher.isCongested) continue;
      for (let burst = 0; burst < MAX_BURST && this.#sent < this.#total && this.#maySend(publisher); burst++) {
        publisher.publish(template(this.#sent++, publisher), performance.now());
        sentNow++;
      }
      publisher.flush();
    }
    this.#turn = (this.#turn + 1) % publishers.length;
    // Nobody answers a QoS 0 message without a subscriber, so nothing would wake us again.
    if (sentNow > 0 || this.#plan.deliveriesPerMessage === 0) this.onTurn();
  }

  /** Message k is due at start + k / rate and carries that time: a stall counts against all messages that it delays. */
  #sendByRate(): void {
    const { publishers, template, rate } = this.#plan;
    const nowMs = performance.now();
    while (this.#sent < this.#total) {
      const dueMs = this.#startMs + (this.#sent / rate) * 1000;
      const publisher = publishers[this.#sent % publishers.length] as LoadConnection;
      if (dueMs > nowMs || !this.#maySend(publisher)) break;
      publisher.publish(template(this.#sent++, publisher), dueMs);
    }
    for (const publisher of publishers) publisher.flush();
    if (this.#sent < this.#total && !this.#isTicking) this.#tick();
  }

  /** The finest timer of Node is a millisecond: at high rates messages leave in small groups. */
  #tick(): void {
    this.#isTicking = true;
    setTimeout(() => {
      this.#isTicking = false;
      this.#send();
    }, 1);
  }
}
