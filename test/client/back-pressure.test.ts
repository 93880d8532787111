// A consumer that is slower than the server: what waits is bounded, reading stops and goes on, and nobody waits for himself.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect, MqttClient, type MqttClientOptions, type ReceivedMessage } from "../../src/client/index.ts";
import { NO_PROPERTIES, publishOf, type Qos } from "../../src/protocol/index.ts";
import { type ScriptedPeer, startScripted } from "./scripted-server.ts";
import { startBroker } from "./test-broker.ts";

function message(topicName: string, qos: Qos, packetId: number, text: string = "x") {
  const fields = { topicName, qos, packetId, retain: false, dup: false, properties: NO_PROPERTIES };
  return publishOf({ ...fields, payload: Buffer.from(text) });
}

async function start(context: TestContext, options: MqttClientOptions = {}) {
  const server = await startScripted(context, options.version ?? 4);
  const client = new MqttClient(server.url, {
    clientId: "c",
    reconnect: { minimumDelayMs: 0, maximumDelayMs: 0 },
    ...options,
  });
  context.after(() => client.disconnect({ drainMs: 0 }));
  const peer = await server.next();
  await peer.accept();
  await client.connected;
  return { server, client, peer };
}

async function grant(peer: ScriptedPeer): Promise<void> {
  const { packetId } = await peer.expect("SUBSCRIBE");
  peer.send({ type: "SUBACK", packetId, reasonCodes: [2], properties: NO_PROPERTIES });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a flood at QoS 0 to a slow consumer: all of it arrives, and little of it waits", async (context) => {
  const { url } = await startBroker(context);
  const publisher = await connect<string>(url);
  const subscriber = await connect<string>(url);
  context.after(() => Promise.all([publisher.disconnect(), subscriber.disconnect()]));
  const subscription = subscriber.subscribe("t", { maximumMessages: 10 });
  await subscription.granted;
  const total = 20_000;
  const payload = Buffer.alloc(500);
  for (let i = 0; i < total; i++) {
    const publication = publisher.publish("t", payload);
    if (i % 500 === 0) await publication;
  }
  let count = 0;
  let most = 0;
  for await (const _ of subscription) {
    most = Math.max(most, subscription.waitingMessages);
    if (count % 100 === 0) await turn();
    if (++count === total) break;
  }
  assert.equal(subscriber.droppedMessages, 0);
  // One chunk of the network holds some 130 messages of 500 bytes.
  assert.ok(most < 300, `${most} messages waited`);
});

test("a consumer that awaits its own publish at QoS 1 is not stuck, whatever waits for it", async (context) => {
  const { url } = await startBroker(context);
  const client = await connect<string>(url, { version: 5 });
  context.after(() => client.disconnect());
  const subscription = client.subscribe("in", { qos: 1, maximumMessages: 2 });
  const echo = client.subscribe("out", { maximumMessages: 2 });
  await Promise.all([subscription.granted, echo.granted]);
  for (let i = 0; i < 100; i++) client.publish<string>("in", String(i), { qos: i % 2 === 0 ? 1 : 0 });
  const got: string[] = [];
  for await (const { text } of subscription) {
    got.push(text);
    await client.publish("other", text, { qos: 1 });
    if (got.length + client.droppedMessages === 100) break;
  }
  // QoS 1 is all there, in order; QoS 0 may be dropped for one who is that slow, and is counted then.
  assert.deepEqual(
    got.filter((text) => Number(text) % 2 === 0),
    Array.from({ length: 50 }, (_, i) => String(2 * i)),
  );
});

test("a message at QoS 1 is acknowledged when the consumer is done with it, in the order of coming", async (context) => {
  const { client, peer } = await start(context);
  const slow = client.subscribe("slow", { qos: 1 });
  const quick = client.subscribe("quick", { qos: 1, onMessage: () => {} });
  await grant(peer);
  await grant(peer);
  await Promise.all([slow.granted, quick.granted]);
  peer.send(message("slow", 1, 1), message("quick", 1, 2), message("slow", 1, 3));
  const messages = slow[Symbol.asyncIterator]();
  await messages.next();
  await turn();
  assert.deepEqual(peer.waiting, []);
  await messages.next();
  assert.equal(await peer.hex(), "40020001");
  assert.equal(await peer.hex(), "40020002");
  assert.deepEqual(peer.waiting, []);
  void messages.next();
  assert.equal(await peer.hex(), "40020003");
});

test("at QoS 2 the PUBCOMP waits for the consumer, and a repeated PUBREL does not bring the message again", async (context) => {
  const { server, client, peer } = await start(context, { cleanStart: false });
  const subscription = client.subscribe("t", { qos: 2 });
  await grant(peer);
  await subscription.granted;
  peer.send(message("t", 2, 7, "only once"));
  await peer.expect("PUBREC");
  peer.acknowledge("PUBREL", 7);
  const messages = subscription[Symbol.asyncIterator]();
  assert.equal((await messages.next()).value?.text, "only once");
  peer.drop();
  const again = await server.next();
  await again.accept({ sessionPresent: true });
  again.acknowledge("PUBREL", 7);
  await turn();
  assert.deepEqual(again.waiting, []);
  const next = messages.next();
  assert.equal((await again.expect("PUBCOMP")).reasonCode, 0);
  again.send(message("t", 2, 8, "another"));
  await again.expect("PUBREC");
  again.acknowledge("PUBREL", 8);
  assert.equal((await next).value?.text, "another");
});

test("while reading has stopped the keep-alive goes on, and a PINGRESP that is not read is not missed", async (context) => {
  const { client, peer } = await start(context, { keepAliveSeconds: 1 });
  const subscription = client.subscribe("t", { maximumMessages: 1 });
  await grant(peer);
  await subscription.granted;
  peer.send(message("t", 0, 0), message("t", 0, 0));
  for (let pings = 0; pings < 3; pings++) {
    await peer.expect("PINGREQ");
    peer.send({ type: "PINGRESP" });
  }
  assert.equal(client.isConnected, true);
  const messages = subscription[Symbol.asyncIterator]();
  await messages.next();
  await messages.next();
  await peer.expect("PINGREQ");
  assert.equal(client.isConnected, true);
});

test("messages of a kept Session that come before the program has subscribed wait for it", async (context) => {
  const server = await startScripted(context);
  const connecting = connect<string>(server.url, { clientId: "c", cleanStart: false });
  const peer = await server.next();
  await peer.accept({ sessionPresent: true });
  peer.send(message("a", 1, 1, "early"), message("b", 0, 0, "too"), message("c", 1, 2, "nobody"));
  const client = await connecting;
  context.after(() => client.disconnect({ drainMs: 0 }));
  await turn();
  const got: string[] = [];
  client.subscribe("a", { onMessage: ({ text }) => got.push(text) });
  await peer.expect("SUBSCRIBE");
  assert.deepEqual(got, ["early"]);
  assert.equal(await peer.hex(), "40020001");
  client.onMessage = ({ text }) => got.push(text);
  assert.equal(await peer.hex(), "40020002");
  assert.deepEqual(got, ["early", "too", "nobody"]);
});

test("a program that only listens to onMessage is not stopped by streams that nobody reads", async (context) => {
  const { client, peer } = await start(context);
  const got: ReceivedMessage[] = [];
  client.onMessage = (one) => got.push(one);
  client.subscribe("t", { qos: 1, maximumMessages: 3 });
  await grant(peer);
  const all = Array.from({ length: 10 }, (_, i) => message("t", 1, i + 1));
  peer.send(...all);
  for (let i = 1; i <= 10; i++) assert.equal((await peer.expect("PUBACK")).packetId, i);
  assert.equal(got.length, 10);
});

test("a callback that throws breaks nothing", async (context) => {
  const { client, peer } = await start(context);
  const thrown = new Promise<unknown>((resolve) => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => {
      for (const listener of listeners) process.on("uncaughtException", listener);
      resolve(error);
    });
  });
  client.subscribe("t", {
    qos: 1,
    onMessage: () => {
      throw new Error("a fault of the application");
    },
  });
  await grant(peer);
  peer.send(message("t", 1, 1));
  await peer.expect("PUBACK");
  assert.match(String(await thrown), /a fault of the application/);
  assert.equal(client.isConnected, true);
});
