// What the client library does at a broker, whoever's it is: the same scenarios at our own and at others.
import assert from "node:assert/strict";
import {
  connect,
  type MqttClient,
  type MqttClientOptions,
  MqttClient as NewClient,
  type ReceivedMessage,
} from "../../src/client/index.ts";
import type { Qos, Version } from "../../src/protocol/index.ts";
import type { Ending } from "../support/ending.ts";

/** A broker that any client may use, and that gives QoS 2, retained messages and wills. */
export interface ScenarioBroker {
  readonly url: string;
  /** A name that nobody else uses there. */
  readonly name: Naming;
}

export type Naming = (prefix: string) => string;
export type Scenario = (broker: ScenarioBroker, context: Ending, version: Version) => Promise<void>;

/** How a scenario is declared as a test. */
export type Declare = (name: string, run: (context: Ending) => Promise<void>) => void;

/** Names of this process or page, as several may use a broker, and all scenarios share it. */
export function uniqueNames(): Naming {
  const run = Math.floor(Math.random() * 1e9).toString(36);
  let names = 0;
  return (prefix) => `${prefix}${run}x${++names}`;
}

async function connected(
  { url, name }: ScenarioBroker,
  context: Ending,
  version: Version,
  options: Omit<MqttClientOptions, "version"> = {},
): Promise<MqttClient> {
  const all = { clientId: name("c"), ...options, version } as MqttClientOptions;
  const client = await connect<string>(url, all);
  context.after(() => client.disconnect({ drainMs: 0 }));
  return client;
}

/** The next `count` messages that match. */
async function take(
  client: MqttClient,
  filter: string,
  count: number,
  act: () => unknown,
  qos: Qos = 2,
): Promise<ReceivedMessage[]> {
  const subscription = client.subscribe<string>(filter, { qos });
  await subscription.granted;
  await act();
  const got: ReceivedMessage[] = [];
  for await (const message of subscription) if (got.push(message) === count) break;
  return got;
}

function roundTrip(published: Qos, subscribed: Qos): Scenario {
  return async (broker, context, version) => {
    const client = await connected(broker, context, version);
    const topic = broker.name("t/");
    const send = (): Promise<unknown> =>
      Promise.all(["1", "2", "3"].map((text) => client.publish<string>(topic, text, { qos: published })));
    const got = await take(client, topic, 3, send, subscribed);
    assert.deepEqual(
      got.map(({ text, qos }) => [text, qos]),
      ["1", "2", "3"].map((text) => [text, Math.min(published, subscribed)]),
    );
  };
}

/** Every pair of QoS, by what its scenario is called. */
export function forEachQos<T>(make: (published: Qos, subscribed: Qos) => T): Record<RoundTripName, T> {
  const all = ([0, 1, 2] as const).flatMap((from) => ([0, 1, 2] as const).map((to) => [from, to] as const));
  return Object.fromEntries(
    all.map(([from, to]) => [`published at QoS ${from}, subscribed at QoS ${to}`, make(from, to)]),
  ) as Record<RoundTripName, T>;
}

type RoundTripName = `published at QoS ${Qos}, subscribed at QoS ${Qos}`;

export const IN_EACH_VERSION = {
  ...forEachQos(roundTrip),

  "payloads of 0 bytes and of 100,000": async (broker, context, version) => {
    const client = await connected(broker, context, version);
    const topic = broker.name("t/");
    const large = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    const send = async (): Promise<void> => {
      await client.publish<string>(topic, "", { qos: 1 });
      await client.publish<string>(topic, large, { qos: 1 });
    };
    const [empty, full] = await take(client, topic, 2, send);
    assert.equal(empty!.payload.length, 0);
    assert.equal(full!.payload.length, large.length);
    assert.ok(full!.payload.every((byte, i) => byte === large[i]));
  },

  "a retained message comes with the subscription, and an empty one removes it": async (broker, context, version) => {
    const client = await connected(broker, context, version);
    const topic = broker.name("t/");
    await client.publish<string>(topic, "kept", { qos: 1, retain: true });
    const [message] = await take(client, topic, 1, () => {});
    assert.deepEqual([message!.text, message!.retain], ["kept", true]);
    await client.publish<string>(topic, "", { qos: 1, retain: true });
    const [next] = await take(client, topic, 1, () => client.publish<string>(topic, "new", { qos: 1 }));
    assert.deepEqual([next!.text, next!.retain], ["new", false]);
  },

  "wildcards, several filters at once, and unsubscribing from one": async (broker, context, version) => {
    const client = await connected(broker, context, version);
    const root = broker.name("t");
    const got: string[] = [];
    const options = { qos: 1, onMessage: ({ text }: ReceivedMessage) => got.push(text) } as const;
    const subscription = client.subscribe([`${root}/+/x`, `${root}/deep/#`], options);
    assert.deepEqual((await subscription.granted).reasonCodes, [1, 1]);
    await client.publish<string>(`${root}/a/x`, "plus", { qos: 1 });
    await client.publish<string>(`${root}/deep/b/c`, "hash", { qos: 1 });
    await client.publish<string>(`${root}/a/y`, "nobody", { qos: 1 });
    await client.unsubscribe(`${root}/+/x`);
    await client.publish<string>(`${root}/a/x`, "too late", { qos: 1 });
    await take(client, `${root}/end`, 1, () => client.publish<string>(`${root}/end`, "", { qos: 1 }));
    assert.deepEqual(got, ["plus", "hash"]);
  },

  "a Session that is kept brings what came meanwhile, in order": async (broker, context, version) => {
    const publisher = await connected(broker, context, version);
    const topic = broker.name("t/");
    const options = {
      clientId: broker.name("kept"),
      cleanStart: false,
      ...(version === 5 && { properties: { sessionExpirySeconds: 100 } }),
    } as Omit<MqttClientOptions, "version">;
    const first = await connected(broker, context, version, options);
    await first.subscribe<string>(topic, { qos: 2 }).granted;
    await first.disconnect();
    for (const [i, qos] of ([1, 2, 1] as const).entries()) await publisher.publish<string>(topic, String(i), { qos });
    const second = new NewClient(broker.url, { ...options, version } as MqttClientOptions);
    context.after(() => second.disconnect({ drainMs: 0 }));
    const got: string[] = [];
    const all = new Promise<void>((resolve) => {
      second.onMessage = ({ text }) => {
        if (got.push(text) === 3) resolve();
      };
    });
    assert.equal((await second.connected).sessionPresent, version !== 3);
    await all;
    assert.deepEqual(got.sort(), ["0", "1", "2"]);
    await second.disconnect();
    // Leaves nothing behind.
    await (await connected(broker, context, version, { clientId: options.clientId! })).disconnect();
  },

  "a will comes when a client goes without a goodbye, and not after one": async (broker, context, version) => {
    const watcher = await connected(broker, context, version);
    const topic = broker.name("will/");
    const polite = await connected(broker, context, version, { will: { topicName: topic, payload: "polite" } });
    const clientId = broker.name("rude");
    await connected(broker, context, version, {
      clientId,
      will: { topicName: topic, payload: "rude", qos: 1 },
      reconnect: false,
    });
    const [message] = await take(watcher, topic, 1, async () => {
      await polite.disconnect();
      // Whoever takes the identifier over ends the other's connection without its goodbye.
      await connected(broker, context, version, { clientId });
    });
    assert.equal(message!.text, "rude");
  },

  "a client that is taken over is told, and in 5.0 why": async (broker, context, version) => {
    const clientId = broker.name("taken");
    const first = await connected(broker, context, version, { clientId, reconnect: false });
    await connected(broker, context, version, { clientId });
    const error = await first.closed;
    // mosquitto 2.0 closes without a word.
    assert.ok(error?.rc === 7 || (version === 5 && error?.rc === 0x8e), `rc ${error?.rc}`);
    const { wasAccepted, endedBy, trail } = first.lastEnding!;
    assert.deepEqual([wasAccepted, endedBy], [true, "server"]);
    const packets = trail.map(({ direction, packet }) => `${direction} ${packet}`);
    assert.deepEqual(packets.slice(0, 2), ["sent CONNECT", "received CONNACK"]);
  },

  "a thousand messages at QoS 1 both ways at once": async (broker, context, version) => {
    const [a, b] = [await connected(broker, context, version), await connected(broker, context, version)];
    const topic = broker.name("t/");
    const flow = async (from: MqttClient, to: MqttClient, name: string): Promise<void> => {
      const send = (): void => {
        for (let i = 0; i < 1000; i++) from.publish<string>(`${topic}/${name}`, String(i), { qos: 1 });
      };
      const got = await take(to, `${topic}/${name}`, 1000, send, 1);
      assert.deepEqual(
        got.map(({ text }) => Number(text)),
        Array.from({ length: 1000 }, (_, i) => i),
      );
    };
    await Promise.all([flow(a, b, "there"), flow(b, a, "back")]);
  },
} satisfies Readonly<Record<string, Scenario>>;

export const ONLY_5 = {
  "properties arrive as they were": async (broker, context, version) => {
    const client = await connected(broker, context, version);
    const topic = broker.name("t/");
    const properties = {
      payloadFormatIndicator: 1,
      contentType: "text/plain",
      responseTopic: "answer/here",
      correlationData: new Uint8Array([1, 2, 3]),
      userProperties: [
        ["a", "1"],
        ["a", "2"],
      ],
    } as const;
    const [message] = await take(client, topic, 1, () => client.publish<string>(topic, "x", { qos: 1, properties }));
    const { correlationData, ...rest } = message!.properties;
    const { correlationData: sent, ...others } = properties;
    assert.deepEqual(rest, others);
    assert.deepEqual([...correlationData!], [...sent]);
  },

  "the server chooses an identifier and says which": async (broker, context, version) => {
    const client = await connected(broker, context, version, { clientId: "" });
    assert.notEqual(client.clientId, "");
    assert.equal(client.connection!.clientId, client.clientId);
  },

  "topic aliases, more topics than the server allows": async ({ url, name }, context) => {
    const client = await connect<string>(url, { version: 5, clientId: name("alias"), topicAliases: 100 });
    context.after(() => client.disconnect({ drainMs: 0 }));
    const root = name("t");
    const expected = Array.from({ length: 3 }, () => Array.from({ length: 30 }, (_, i) => `${root}/${i}`)).flat();
    const got = await take(client, `${root}/+`, expected.length, () => {
      for (const topic of expected) client.publish<string>(topic, "x", { qos: 1 });
    });
    assert.deepEqual(
      got.map(({ topicName }) => topicName),
      expected,
    );
  },

  "no local, retain as published, and identifiers": async (broker, context, version) => {
    const client = await connected(broker, context, version);
    const other = await connected(broker, context, version);
    const topic = broker.name("t/");
    const got: string[] = [];
    const subscription = client.subscribe<string>(topic, {
      ...{ qos: 1, noLocal: true, retainAsPublished: true, identifier: 77 },
      onMessage: ({ text, retain, properties }) => got.push(`${text} ${retain} ${properties.subscriptionIdentifiers}`),
    });
    await subscription.granted;
    await client.publish<string>(topic, "mine", { qos: 1 });
    await other.publish<string>(topic, "theirs", { qos: 1, retain: true });
    await take(client, `${topic}/end`, 1, () => client.publish<string>(`${topic}/end`, "", { qos: 1 }));
    assert.deepEqual(got, ["theirs true 77"]);
    await other.publish<string>(topic, "", { qos: 1, retain: true });
  },

  "a shared subscription: each message to one of its members": async (broker, context, version) => {
    const [a, b, publisher] = [
      await connected(broker, context, version),
      await connected(broker, context, version),
      await connected(broker, context, version),
    ];
    const topic = broker.name("t/");
    const got: string[] = [];
    let done: () => void = () => {};
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const onMessage = ({ text }: ReceivedMessage): void => {
      if (got.push(text) === 20) done();
    };
    const shared = [a, b].map((client) => client.subscribe<string>(`$share/group/${topic}`, { qos: 1, onMessage }));
    await Promise.all(shared.map(({ granted }) => granted));
    for (let i = 0; i < 20; i++) publisher.publish<string>(topic, String(i), { qos: 1 });
    await all;
    assert.equal(new Set(got).size, 20);
  },

  "request and response": async (broker, context, version) => {
    const [client, device] = [await connected(broker, context, version), await connected(broker, context, version)];
    const topic = broker.name("command/");
    const onMessage = (request: ReceivedMessage): unknown => device.respond(request, `did ${request.text}`);
    await device.subscribe<string>(topic, { qos: 1, onMessage }).granted;
    const all = await Promise.all(["a", "b", "c"].map((text) => client.request<string>(topic, text, { qos: 1 })));
    assert.deepEqual(
      all.map(({ text }) => text),
      ["did a", "did b", "did c"],
    );
  },

  "nobody has subscribed": async (broker, context, version) => {
    const client = await connected(broker, context, version);
    const { reasonCode } = await client.publish<string>(broker.name("nobody/"), "x", { qos: 1 });
    assert.equal(reasonCode, 0x10);
  },
} satisfies Readonly<Record<string, Scenario>>;

/** Declares every scenario in each version that it is for, at a broker with this URL. */
export function declareScenarios(url: () => Promise<string>, declare: Declare): void {
  const name = uniqueNames();
  const all = Object.entries<Scenario>(IN_EACH_VERSION).map(([what, scenario]) => [what, scenario, [3, 4, 5]] as const);
  const only5 = Object.entries<Scenario>(ONLY_5).map(([what, scenario]) => [what, scenario, [5]] as const);
  for (const [what, scenario, versions] of [...all, ...only5]) {
    for (const version of versions as readonly Version[]) {
      declare(`version ${version}: ${what}`, async (context) => scenario({ url: await url(), name }, context, version));
    }
  }
}
