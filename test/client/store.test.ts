// The durable store under a client: nothing leaves that promises more than is kept, and what is kept is there after a restart.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  ArgumentError,
  type ClientStore,
  MqttClient,
  type MqttClientOptions,
  openFileStore,
  type SavedSession,
  type SessionChange,
} from "../../src/client/index.ts";
import { NO_PROPERTIES, publishOf } from "../../src/protocol/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type ScriptedPeer, type ScriptedServer, startScripted } from "./scripted-server.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A store that keeps each batch when it is told to. */
class HeldStore implements ClientStore {
  readonly saved: SavedSession = { outgoing: [], received: [], lastSequence: 0 };
  readonly kinds: string[] = [];
  readonly #held: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  isClosed = false;

  append(changes: readonly SessionChange[]): Promise<void> {
    this.kinds.push(...changes.map(({ kind }) => kind));
    return new Promise((resolve, reject) => {
      this.#held.push({ resolve, reject });
    });
  }

  async keep(): Promise<void> {
    await turn();
    for (const { resolve } of this.#held.splice(0)) resolve();
    await turn();
  }

  fail(): void {
    for (const { reject } of this.#held.splice(0)) reject(new Error("the disk is full"));
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

async function start(
  context: TestContext,
  store: ClientStore,
  server: ScriptedServer,
  sessionPresent: boolean = false,
) {
  const options: MqttClientOptions = { clientId: "c", cleanStart: false, store };
  const client = new MqttClient(server.url, { ...options, reconnect: { minimumDelayMs: 0, maximumDelayMs: 0 } });
  context.after(() => client.disconnect({ drainMs: 0 }));
  const peer = await server.next();
  await peer.accept({ sessionPresent });
  await client.connected;
  return { client, peer };
}

function publishIn(peer: ScriptedPeer, packetId: number, text: string): void {
  const fields = { topicName: "in", retain: false, dup: false, properties: NO_PROPERTIES };
  peer.send(publishOf({ ...fields, qos: 2, packetId, payload: Buffer.from(text) }));
}

test("a PUBLISH leaves when it is kept, its PUBREL when its PUBREC is", async (context) => {
  const store = new HeldStore();
  const { client, peer } = await start(context, store, await startScripted(context));
  const publication = client.publish("t", "x", { qos: 2 });
  let isStored = false;
  void publication.stored.then(() => {
    isStored = true;
  });
  await turn();
  assert.deepEqual([peer.waiting, isStored], [[], false]);
  await store.keep();
  await peer.expect("PUBLISH");
  assert.equal(isStored, true);
  peer.acknowledge("PUBREC", 1);
  while (!store.kinds.includes("outgoing-released")) await turn();
  assert.deepEqual(peer.waiting, []);
  await store.keep();
  await peer.expect("PUBREL");
  peer.acknowledge("PUBCOMP", 1);
  assert.equal((await publication).reasonCode, 0);
  await turn();
  assert.deepEqual(store.kinds, ["outgoing-added", "outgoing-released", "outgoing-done"]);
  await store.keep();
});

test("a PUBREC leaves when its message is kept, a PUBCOMP when the consumer is done and that is kept", async (context) => {
  const store = new HeldStore();
  const { client, peer } = await start(context, store, await startScripted(context), true);
  const subscription = client.subscribe("in", { qos: 2 });
  await peer.expect("SUBSCRIBE");
  publishIn(peer, 7, "x");
  while (store.kinds.length === 0) await turn();
  assert.deepEqual(peer.waiting, []);
  await store.keep();
  await peer.expect("PUBREC");
  peer.acknowledge("PUBREL", 7);
  const messages = subscription[Symbol.asyncIterator]();
  const { value } = await messages.next();
  assert.deepEqual([value?.text, value?.sequence], ["x", 1]);
  await store.keep();
  assert.deepEqual(peer.waiting, []);
  void messages.next();
  await turn();
  assert.deepEqual([store.kinds, peer.waiting], [["incoming-added", "incoming-done"], []]);
  await store.keep();
  await peer.expect("PUBCOMP");
});

test("a store that fails ends the client, which then promises nothing", async (context) => {
  const store = new HeldStore();
  const { client } = await start(context, store, await startScripted(context));
  const publication = client.publish("t", "x", { qos: 1 });
  await turn();
  store.fail();
  const error = await client.closed;
  assert.deepEqual([error?.code, error?.rc], ["store-failed", 14]);
  await assert.rejects(publication, { code: "closed" });
  assert.equal(store.isClosed, true);
});

test("a store needs an identifier and a Session that the server keeps", () => {
  const store = new HeldStore();
  for (const options of [{ clientId: "c" }, { cleanStart: false }]) {
    assert.throws(() => new MqttClient("mqtt://127.0.0.1:1", { ...options, store }), ArgumentError);
  }
});

test("after a restart: what was under way goes on where it stood, in order", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const server = await startScripted(context);
  const first = await start(context, await openFileStore(path), server);
  for (const [i, qos] of [2, 1, 2, 1].entries()) first.client.publish<string>(`t${i}`, "x", { qos: qos as 1 | 2 });
  await first.client.publish("t4", "x", { qos: 1 }).stored;
  const subscription = first.client.subscribe("in", { qos: 2 });
  for (let i = 0; i < 5; i++) await first.peer.expect("PUBLISH");
  await first.peer.expect("SUBSCRIBE");
  first.peer.acknowledge("PUBREC", 1);
  await first.peer.expect("PUBREL");
  first.peer.acknowledge("PUBACK", 2);
  publishIn(first.peer, 1, "taken");
  publishIn(first.peer, 2, "not taken");
  await first.peer.expect("PUBREC");
  await first.peer.expect("PUBREC");
  first.peer.acknowledge("PUBREL", 1);
  const messages = subscription[Symbol.asyncIterator]();
  assert.equal((await messages.next()).value?.text, "taken");
  void messages.next();
  await first.peer.expect("PUBCOMP");
  await first.client.disconnect({ drainMs: 0 });

  const second = await start(context, await openFileStore(path), server, true);
  const got: string[] = [];
  second.client.onMessage = ({ text, sequence }) => got.push(`${sequence} ${text}`);
  assert.equal((await second.peer.expect("PUBREL")).packetId, 1);
  const again = [
    await second.peer.expect("PUBLISH"),
    await second.peer.expect("PUBLISH"),
    await second.peer.expect("PUBLISH"),
  ];
  assert.deepEqual(
    again.map(({ packetId, topicName, dup, qos }) => [packetId, topicName, dup, qos]),
    [
      [3, "t2", true, 2],
      [4, "t3", true, 1],
      [5, "t4", true, 1],
    ],
  );
  // Taken before: acknowledged and not brought again.
  publishIn(second.peer, 2, "not taken");
  await second.peer.expect("PUBREC");
  second.peer.acknowledge("PUBREL", 2);
  await second.peer.expect("PUBCOMP");
  assert.deepEqual(got, ["2 not taken"]);
});

test("a server that has forgotten the Session: what it had given is brought, what it owes is asked again", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const server = await startScripted(context, 5);
  const store = await openFileStore(path);
  await store.append([
    { kind: "incoming-added", sequence: 1, message: publishOf({ ...IN, packetId: 5, payload: Buffer.from("given") }) },
    { kind: "outgoing-added", mid: 3, message: { ...IN, topicName: "out", payload: Buffer.from("x") } },
  ]);
  await store.close();
  const client = new MqttClient(server.url, {
    version: 5,
    clientId: "c",
    cleanStart: false,
    store: await openFileStore(path),
  });
  context.after(() => client.disconnect({ drainMs: 0 }));
  const got: string[] = [];
  client.onMessage = ({ text, sequence }) => got.push(`${sequence} ${text}`);
  const peer = await server.next();
  const { properties } = await peer.accept();
  assert.equal(properties.sessionExpirySeconds, 4_294_967_295);
  assert.equal((await peer.expect("PUBLISH")).topicName, "out");
  assert.deepEqual(got, ["1 given"]);
});

const IN = { topicName: "in", qos: 2, retain: false, dup: false, properties: NO_PROPERTIES } as const;
