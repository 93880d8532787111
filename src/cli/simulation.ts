/** Devices of `lacewing simulate` at work: who connects, what each publishes and when. */
import { type Client, ClientError, type ClientListener, type Outcome } from "../client/index.ts";
import { encodeUtf8, MqttError, NO_PROPERTIES, type Will } from "../protocol/index.ts";
import type { Fleet } from "./fleet.ts";
import type { SimulateArguments } from "./options/simulate-options.ts";
import { Schedule } from "./schedule.ts";
import type { SimulatedDevice, SimulatedMessage, SimulatedNote } from "./simulation-file.ts";
import type { TemplateValues } from "./template.ts";

/** Shortest time between two looks at what is due, in milliseconds. */
const PACE_MS = 5;

/** Most messages that are published before others of this process have their turn. */
const MOST_IN_A_TURN = 5000;

/** One device. */
export class Device {
  readonly kind: SimulatedDevice;
  readonly n: number;
  readonly clientId: string;
  readonly #walks: Map<object, number> = new Map();
  readonly #counters: Map<SimulatedNote, number> = new Map();
  client: Client | null = null;
  hasBegun = false;

  constructor(kind: SimulatedDevice, n: number) {
    this.kind = kind;
    this.n = n;
    this.clientId = kind.clientId.fill({ n, counter: 0, clientId: "", nowMs: Date.now(), walks: this.#walks });
  }

  /** What holes are filled from now; `message` is published with it. */
  values(message: SimulatedNote | null = null): TemplateValues {
    const { n, clientId } = this;
    const counter = message === null ? 0 : (this.#counters.get(message) ?? 0) + 1;
    if (message !== null) this.#counters.set(message, counter);
    return { n, clientId, counter, nowMs: Date.now(), walks: this.#walks };
  }
}

/** All devices of a file. */
export function devicesOf(kinds: readonly SimulatedDevice[]): readonly Device[] {
  return kinds.flatMap((kind) => Array.from({ length: kind.count }, (_, index) => new Device(kind, index + 1)));
}

/** The devices at one broker. */
export class Simulation {
  published = 0;
  acknowledged = 0;
  refused = 0;
  received = 0;
  /** Messages that were due while their device had no connection. */
  missed = 0;
  readonly #args: SimulateArguments;
  readonly #schedule: Schedule<readonly [Device, SimulatedMessage]> = new Schedule();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(args: SimulateArguments, fleet: Fleet, devices: readonly Device[]) {
    this.#args = args;
    for (const device of devices) device.client = fleet.add(this.#argumentsOf(device), this.#listenerOf(device));
  }

  #argumentsOf(device: Device): SimulateArguments {
    const { kind, clientId } = device;
    const username = kind.username?.fill(device.values()) ?? this.#args.username;
    const password = kind.password?.fill(device.values());
    return {
      ...this.#args,
      ...{ clientId, username, password: password === undefined ? this.#args.password : encodeUtf8(password) },
      will: kind.will === null ? null : willOf(kind.will, device),
    };
  }

  #listenerOf(device: Device): ClientListener {
    return {
      connected: () => this.#connected(device),
      published: (_mid, outcome) => this.#settled(outcome),
      subscribed: (_mid, reasonCodes) => {
        for (const reasonCode of reasonCodes) if (reasonCode >= 0x80) this.refused++;
      },
      message: () => void this.received++,
    };
  }

  #connected(device: Device): void {
    const { kind, client } = device;
    if (kind.subscriptions.length > 0) {
      const values = device.values();
      const options = {
        qos: kind.subscriptionQos,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      } as const;
      client?.subscribe(kind.subscriptions.map((filter) => ({ topicFilter: filter.fill(values), ...options })));
    }
    if (kind.birth !== null) this.#publish(device, kind.birth);
    if (device.hasBegun) return;
    device.hasBegun = true;
    // Anywhere in its first interval: devices are not switched on at the same moment.
    const nowMs = performance.now();
    for (const message of kind.messages)
      this.#schedule.add(nowMs + Math.random() * message.intervalMs, [device, message]);
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#timer !== undefined || this.#isOver || this.#schedule.size === 0) return;
    const waitMs = Math.min(2 ** 31 - 1, Math.max(PACE_MS, this.#schedule.nextMs - performance.now()));
    this.#timer = setTimeout(() => this.#publishDue(), waitMs);
  }

  #publishDue(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const nowMs = performance.now();
    for (let count = 0; count < MOST_IN_A_TURN; count++) {
      const dueMs = this.#schedule.nextMs;
      const due = this.#schedule.take(nowMs);
      if (due === undefined) break;
      const [device, message] = due;
      const { intervalMs, jitterMs } = message;
      this.#publish(device, message);
      const nextMs = dueMs + intervalMs + (Math.random() * 2 - 1) * jitterMs;
      // A process that was stopped does not make up for all that it has missed.
      this.#schedule.add(Math.max(nextMs, nowMs - intervalMs), due);
    }
    this.#setTimer();
  }

  #publish(device: Device, message: SimulatedNote): void {
    const { topic, payload, qos, retain } = message;
    const { client } = device;
    if (client === null || !client.isConnected) {
      this.missed++;
      return;
    }
    const values = device.values(message);
    const properties = this.#args.version === 5 ? this.#args.given.PUBLISH : NO_PROPERTIES;
    try {
      client.publish(topic.fill(values), payload.fill(values), { qos, retain, properties });
      this.published++;
    } catch (error) {
      // A topic of a hole may be none, and a broker may not take what was asked for.
      if (!(error instanceof ClientError || error instanceof MqttError)) throw error;
      this.refused++;
    }
  }

  #settled({ reasonCode, refusal }: Outcome): void {
    if (refusal !== null || reasonCode >= 0x80) this.refused++;
    else this.acknowledged++;
  }

  /** Publishes nothing more. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}

function willOf({ topic, payload, qos, retain }: SimulatedNote, device: Device): Will {
  const values = device.values();
  const topicName = topic.fill(values);
  return { topicName, payload: encodeUtf8(payload.fill(values)), qos, retain, properties: NO_PROPERTIES };
}
