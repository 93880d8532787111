/** A broker without sockets, with its flight recorder and the service that answers requests. */
import assert from "node:assert/strict";
import {
  type Answer,
  ControlService,
  REQUEST_TOPIC,
  type RequestName,
  type Requests,
  Taps,
} from "../../src/admin/index.ts";
import { ManualClock, type Observer } from "../../src/core/index.ts";
import { everyOf, FlightRecorder, type RecorderOptions } from "../../src/observe/index.ts";
import { BrokerHarness, type HarnessParts } from "../support/broker-harness.ts";
import { type TestClient, textOf } from "../support/test-client.ts";

/** Wall time at which it begins: 2025-01-01 UTC. */
export const BEGIN_MS = 1_735_689_600_000;

/** A harness and what watches it. */
export class RecordedBroker {
  readonly harness: BrokerHarness;
  readonly recorder: FlightRecorder;
  readonly log: string[] = [];
  #admin: TestClient | null = null;

  constructor(parts: Omit<HarnessParts, "observer" | "clock"> = {}, options?: RecorderOptions) {
    const clock = new ManualClock(BEGIN_MS);
    this.recorder = new FlightRecorder(clock, options);
    const taps = new Taps(clock);
    const observer: Observer = everyOf(this.recorder, taps);
    this.harness = new BrokerHarness({ ...parts, clock, observer });
    new ControlService(this.harness.broker, this.recorder, taps, (type, line) => this.log.push(`${type}: ${line}`));
  }

  /** The client that asks. */
  get admin(): TestClient {
    this.#admin ??= this.harness.connect("admin");
    return this.#admin;
  }

  /** Sends any payload as a request and returns the answer. */
  send(payload: string): Answer {
    this.admin.publish(REQUEST_TOPIC, payload);
    const answers = this.admin.publishes().filter(({ topicName }) => topicName === `${REQUEST_TOPIC}/response`);
    assert.equal(answers.length, 1);
    return JSON.parse(textOf(answers[0]!.payload)) as Answer;
  }

  ask<Name extends RequestName>(command: Name, ask: Requests[Name]["ask"]): Requests[Name]["answer"] {
    const answer = this.send(JSON.stringify({ command, ...ask }));
    if (!("data" in answer)) throw new Error(answer.error);
    return answer.data as Requests[Name]["answer"];
  }
}
