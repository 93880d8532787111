// Every kind of client to every kind of client through our broker: each version to each version, at each QoS.
import assert from "node:assert/strict";
import { after } from "node:test";
import { findPeer, testWithPeers } from "../support/peers.ts";
import { startBrokerProcess } from "./broker-process.ts";
import type { ClientKind, Qos, Subscriber, VersionName } from "./client-kind.ts";
import { lacewingClients, mosquittoClients } from "./command-line-clients.ts";
import { mqttJs } from "./mqtt-js.ts";
import { paho } from "./paho.ts";
import type { BrokerProcess } from "./tools-suite.ts";

const KINDS: readonly ClientKind[] = [lacewingClients, mosquittoClients, paho, mqttJs];
const PAYLOADS = ["first", "second: ü € 😀", "x".repeat(3000)];
const QOS: readonly Qos[] = [0, 1, 2];

/** A broker with one subscriber of each kind and version that stays, and publishers that came once. */
class Company {
  readonly broker: BrokerProcess;
  readonly #subscribers: ReadonlyMap<string, Subscriber>;
  readonly #published = new Map<string, Promise<void>>();

  constructor(broker: BrokerProcess, subscribers: ReadonlyMap<string, Subscriber>) {
    this.broker = broker;
    this.#subscribers = subscribers;
  }

  static async gather(): Promise<Company> {
    const broker = await startBrokerProcess();
    const subscribers = new Map<string, Subscriber>();
    for (const kind of KINDS) {
      if (kind.needs.some((peer) => findPeer(peer) === undefined)) continue;
      for (const version of kind.versions) {
        const subscriber = await kind.subscribe({ port: broker.port, version, topicFilter: "pairs/#" });
        subscribers.set(`${kind.name} ${version}`, subscriber);
      }
    }
    return new Company(broker, subscribers);
  }

  /** Has `kind` publish, unless it has done so already. */
  published(kind: ClientKind, version: VersionName, qos: Qos): Promise<void> {
    const topicName = topicOf(kind, version, qos);
    const options = { port: this.broker.port, version, topicName, payloads: PAYLOADS, qos };
    const publishing = this.#published.get(topicName) ?? kind.publish(options);
    this.#published.set(topicName, publishing);
    return publishing;
  }

  subscriber(kind: ClientKind, version: VersionName): Subscriber {
    const subscriber = this.#subscribers.get(`${kind.name} ${version}`);
    assert.ok(subscriber);
    return subscriber;
  }

  async disband(): Promise<void> {
    const ended = await Promise.allSettled([...this.#subscribers.values()].map((subscriber) => subscriber.end()));
    await this.broker.stop();
    for (const outcome of ended) if (outcome.status === "rejected") throw outcome.reason;
  }
}

function topicOf(kind: ClientKind, version: VersionName, qos: Qos): string {
  return `pairs/${kind.name.replaceAll(" ", "-")}/${version}/${qos}`;
}

let gathering: Promise<Company> | undefined;
function company(): Promise<Company> {
  gathering ??= Company.gather();
  return gathering;
}
after(async () => (await gathering)?.disband());

for (const from of KINDS)
  for (const to of KINDS)
    testWithPeers(`${from.name} to ${to.name}`, [...new Set([...from.needs, ...to.needs])], async () => {
      const present = await company();
      for (const version of from.versions)
        for (const qos of QOS) {
          await present.published(from, version, qos);
          const topicName = topicOf(from, version, qos);
          const expected = PAYLOADS.map((payload) => ({ topicName, payload, qos }));
          for (const receiving of to.versions) {
            const heard = await present.subscriber(to, receiving).heard(PAYLOADS.length, topicName);
            assert.deepEqual(heard, expected, `${from.name} ${version} to ${to.name} ${receiving} at QoS ${qos}`);
          }
        }
    });
