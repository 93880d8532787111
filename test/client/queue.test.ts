// What is published while there is no connection, or faster than the server takes: bounds, policies, and what is told of each loss.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type ClientError, MqttClient, type MqttClientOptions, type QueueOptions } from "../../src/client/index.ts";
import { type ScriptedServer, startScripted } from "./scripted-server.ts";

const AT_ONCE = { minimumDelayMs: 0, maximumDelayMs: 0 };

async function start(context: TestContext, queue: QueueOptions, options: MqttClientOptions = {}) {
  const server = await startScripted(context);
  const client = new MqttClient(server.url, { clientId: "c", reconnect: AT_ONCE, queue, ...options });
  context.after(() => client.disconnect({ drainMs: 0 }));
  const undelivered: string[] = [];
  client.on("undelivered", ({ topicName }, { code }) => undelivered.push(`${topicName} ${code}`));
  return { server, client, undelivered };
}

/** The topics of the messages that the server gets first. */
async function topics(server: ScriptedServer, count: number): Promise<string[]> {
  const peer = await server.next();
  await peer.accept();
  const names: string[] = [];
  while (names.length < count) {
    const { topicName, qos, packetId } = await peer.expect("PUBLISH");
    names.push(topicName);
    if (qos === 1) peer.acknowledge("PUBACK", packetId);
  }
  return names;
}

test("refuse: what finds no room is told at once, and the rest goes out", async (context) => {
  const { server, client, undelivered } = await start(context, { maximumMessages: 2 });
  const [a, b, c] = [
    client.publish("a", "x"),
    client.publish("b", "x", { qos: 1 }),
    client.publish("c", "x", { qos: 1 }),
  ];
  assert.deepEqual([a.mid, b.mid, c.mid], [1, 2, 0]);
  assert.equal((c.error as ClientError).rc, 1);
  await assert.rejects(c, { code: "queue-full" });
  assert.deepEqual(undelivered, ["c queue-full"]);
  assert.deepEqual(await topics(server, 2), ["a", "b"]);
  assert.equal((await b).reasonCode, 0);
});

test("the bound in bytes counts payloads", async (context) => {
  const { client } = await start(context, { maximumBytes: 10 });
  client.publish("a", "123456789", { qos: 1 });
  assert.equal(client.publish("b", "12", { qos: 1 }).mid, 0);
  assert.equal(client.publish("c", "1", { qos: 1 }).mid, 3);
});

test("drop-oldest-qos-0: the oldest gives way, never a message at QoS 1", async (context) => {
  const { server, client, undelivered } = await start(context, { maximumMessages: 3, policy: "drop-oldest-qos-0" });
  client.publish("one", "x", { qos: 1 });
  for (const topic of ["a", "b", "c"]) client.publish<string>(topic, "x");
  client.publish("two", "x", { qos: 1 });
  client.publish("three", "x", { qos: 1 });
  assert.equal(client.publish("four", "x", { qos: 1 }).mid, 0);
  assert.deepEqual(undelivered, ["a dropped", "b dropped", "c dropped", "four queue-full"]);
  assert.deepEqual(await topics(server, 3), ["one", "two", "three"]);
});

test("wait: whoever awaits `accepted` goes on when there is room, and the order is kept", async (context) => {
  const { server, client } = await start(context, { maximumMessages: 2, policy: "wait" });
  const all = Array.from({ length: 6 }, (_, i) => client.publish<string>(`t${i}`, "x", { qos: 1 }));
  assert.deepEqual(
    all.map(({ mid }) => mid),
    [1, 2, 3, 4, 5, 6],
  );
  let isAccepted = false;
  const accepted = all[5]!.accepted.then(() => {
    isAccepted = true;
  });
  await all[1]!.accepted;
  assert.equal(isAccepted, false);
  assert.deepEqual(await topics(server, 6), ["t0", "t1", "t2", "t3", "t4", "t5"]);
  await accepted;
  await Promise.all(all);
});

test("qos0: false refuses QoS 0 without a connection, as libmosquitto does", async (context) => {
  const { client } = await start(context, { qos0: false });
  await assert.rejects(client.publish("a", "x"), { code: "not-connected", rc: 4 });
  assert.equal(client.publish("a", "x", { qos: 1 }).mid, 2);
});

test("a signal takes a message back that has not been sent, and gives up one that has", async (context) => {
  const { server, client } = await start(context, { maximumMessages: 2, policy: "wait" });
  const controller = new AbortController();
  const { signal } = controller;
  const queued = client.publish("queued", "x", { qos: 1, signal });
  client.publish("kept", "x", { qos: 1 });
  const waiting = client.publish("waiting", "x", { qos: 1, signal });
  controller.abort(new Error("enough"));
  await assert.rejects(queued, { code: "aborted" });
  await assert.rejects(waiting, { code: "aborted" });
  await assert.rejects(client.publish("late", "x", { signal }), { code: "aborted" });
  const peer = await server.next();
  await peer.accept();
  assert.equal((await peer.expect("PUBLISH")).topicName, "kept");
  const second = new AbortController();
  const sent = client.publish("sent", "x", { qos: 1, signal: second.signal });
  await peer.expect("PUBLISH");
  second.abort();
  await assert.rejects(sent, { code: "aborted" });
  peer.acknowledge("PUBACK", sent.mid);
  assert.deepEqual(peer.waiting, []);
});

test("the server's window bounds what is under way", async (context) => {
  const { server, client } = await start(context, {}, { version: 5 });
  for (let i = 0; i < 5; i++) client.publish<string>(`t${i}`, "x", { qos: 1 });
  const peer = await server.next().then((old) => old);
  await peer.hex();
  // The scripted server speaks 3.1.1; this is a CONNACK of 5.0 with Receive Maximum 2.
  peer.sendHex("2006 0000 03 210002");
  const first = [await peer.hex(), await peer.hex()];
  assert.deepEqual(first, ["320800027430000100" + "78", "320800027431000200" + "78"]);
  peer.sendHex("40020001");
  assert.equal(await peer.hex(), "320800027432000300" + "78");
  assert.deepEqual(peer.waiting, []);
});

test("a client that ends tells what was lost", async (context) => {
  const { client, undelivered } = await start(context, {});
  const lost = [client.publish("a", "x"), client.publish("b", "x", { qos: 2 })];
  await client.disconnect();
  for (const publication of lost) await assert.rejects(publication, { code: "closed" });
  assert.deepEqual(undelivered, ["a closed", "b closed"]);
});
