// V19: bridges that form rings. With 5.0 each broker sees each message once, and what goes round unseen is cut and counted.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { isUp, type Listening, listenAt, type OwnBroker, startMosquitto, startOwn, until } from "../bridge/brokers.ts";
import { testWithPeers } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";

/** Each broker bridges to the next one, "#" both ways. */
async function startRing(context: TestContext, size: number): Promise<readonly OwnBroker[]> {
  const ports = await freePorts(size);
  const brokers = await Promise.all(
    ports.map((port, at) => startOwn(context, bridge(`b${at}`, ports[(at + 1) % size] ?? 0), { port })),
  );
  await Promise.all(brokers.map((_, at) => isUp(context, brokers[(at + 1) % size] as OwnBroker, `b${at}`)));
  return brokers;
}

function bridge(name: string, port: number): readonly string[] {
  const address = `address 127.0.0.1:${port}`;
  const rest = ["bridge_protocol_version mqttv50", "restart_timeout 1", "topic # both 1"];
  return [`connection ${name}`, address, `remote_clientid ${name}`, ...rest];
}

function loopsOf(brokers: readonly OwnBroker[]): number {
  return brokers.reduce((sum, { server }) => sum + server.broker.counters.dropped["bridge-loop"], 0);
}

/** Waits until nothing crosses any more. */
async function quiet(brokers: readonly OwnBroker[]): Promise<void> {
  const total = (): number => brokers.reduce((sum, { server }) => sum + server.broker.counters.publishReceived, 0);
  let [last, same] = [-1, 0];
  await until(
    () => {
      same = total() === last ? same + 1 : 0;
      last = total();
      return same >= 50;
    },
    () => "nothing crosses any more",
  );
}

function publishing(listenings: readonly Listening[]): Promise<unknown> {
  return Promise.all(
    listenings.flatMap(({ client }, at) =>
      Array.from({ length: 10 }, (_, i) => client.publish(`t/${at}`, String(i), { qos: 1 })),
    ),
  );
}

for (const size of [2, 3]) {
  test(`in a ring of ${size} each broker sees each message once`, async (context) => {
    const brokers = await startRing(context, size);
    const listenings = await Promise.all(brokers.map((broker) => listenAt(context, broker, "t/+")));
    await publishing(listenings);
    const all = brokers.flatMap((_, at) => Array.from({ length: 10 }, (_, i) => `t/${at} ${i} q1`));
    for (const listening of listenings) await listening.got(...all);
    await quiet(brokers);
    for (const { messages } of listenings) assert.deepEqual([...messages].sort(), [...all].sort());
    assert.ok(loopsOf(brokers) > 0);
  });
}

testWithPeers("a ring that goes through mosquitto comes to an end", ["mosquitto"], async (context) => {
  const [first = 0, second = 0, third = 0] = await freePorts(3);
  const middle = await startMosquitto(context, [], { port: second });
  const a = await startOwn(context, bridge("a", second), { port: first });
  const b = await startOwn(context, [...bridge("b", first), ...bridge("c", second)], { port: third });
  await isUp(context, middle, "a");
  await isUp(context, middle, "c");
  await isUp(context, a, "b");
  const listenings = await Promise.all([a, b, middle].map((broker) => listenAt(context, broker, "t/+")));
  await publishing(listenings);
  for (const listening of listenings) await listening.got("t/0 9 q1", "t/1 9 q1", "t/2 9 q1");
  await quiet([a, b]);
  assert.ok(loopsOf([a, b]) > 0);
  for (const { messages } of listenings) assert.ok(messages.length <= 16 * 30, `${messages.length} messages`);
});
