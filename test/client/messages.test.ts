// The client library at our own broker: messages there and back, in each QoS, version and way to take them.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { type TestContext, test } from "node:test";
import { ArgumentError, connect, MqttClient, type MqttClientOptions, RequestError } from "../../src/client/index.ts";
import { startBroker } from "./test-broker.ts";

async function connected(context: TestContext, url: string, options: MqttClientOptions = {}): Promise<MqttClient> {
  const client = await connect<string>(url, options);
  context.after(() => client.disconnect({ drainMs: 0 }));
  return client;
}

for (const version of [3, 4, 5] as const) {
  test(`version ${version}: publish in each QoS, take by an iterator, say goodbye`, async (context) => {
    const { url } = await startBroker(context);
    await using client = await connect<string>(url, { version, clientId: "c" });
    const subscription = client.subscribe("a/#", { qos: 2 });
    assert.equal(subscription.mid, 1);
    assert.deepEqual((await subscription.granted).reasonCodes, [2]);
    const publications = ([0, 1, 2] as const).map((qos) => client.publish("a/b", `at ${qos}`, { qos }));
    assert.deepEqual(
      publications.map(({ mid }) => mid),
      [2, 3, 4],
    );
    const outcomes = await Promise.all(publications);
    assert.deepEqual(
      outcomes.map(({ mid, reasonCode }) => [mid, reasonCode]),
      [
        [2, 0],
        [3, 0],
        [4, 0],
      ],
    );
    const texts: string[] = [];
    for await (const message of subscription) {
      texts.push(`${message.topicName} ${message.text} ${message.qos}`);
      if (texts.length === 3) break;
    }
    assert.deepEqual(texts.sort(), ["a/b at 0 0", "a/b at 1 1", "a/b at 2 2"]);
  });
}

test("nobody has subscribed: the reason code says so, and it is no error", async (context) => {
  const { url } = await startBroker(context);
  const client = await connected(context, url, { version: 5 });
  assert.equal((await client.publish("nobody", "x", { qos: 1 })).reasonCode, 0x10);
  assert.equal((await client.publish("nobody", "x", { qos: 2 })).reasonCode, 0);
});

test("a callback for each filter gets its messages, in order, one at a time", async (context) => {
  const { url } = await startBroker(context);
  const client = await connected(context, url, { version: 5 });
  const got: string[] = [];
  let running = 0;
  let done: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const slow = client.subscribe("slow/+", {
    qos: 1,
    onMessage: async ({ text }) => {
      assert.equal(++running, 1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      got.push(text);
      if (text === "4") done();
    },
  });
  const quick = client.subscribe("quick", { onMessage: ({ text }) => got.push(`quick ${text}`) });
  await Promise.all([slow.granted, quick.granted]);
  for (const text of ["1", "2", "3"]) client.publish("slow/x", text, { qos: 1 });
  await client.publish("quick", "q", { qos: 1 });
  client.publish("slow/x", "4", { qos: 1 });
  await all;
  assert.deepEqual(
    got.filter((text) => !text.startsWith("quick")),
    ["1", "2", "3", "4"],
  );
  assert.ok(got.includes("quick q"));
});

test("overlapping subscriptions: each that matches gets the message, with identifiers those that the server names", async (context) => {
  const { url } = await startBroker(context);
  const client = await connected(context, url, { version: 5 });
  const got: string[] = [];
  const take = (name: string) => (): void => {
    got.push(name);
  };
  const options = [
    ["a/#", { onMessage: take("all") }],
    ["a/b", { onMessage: take("one"), identifier: 1 }],
    ["a/+", { onMessage: take("plus"), identifier: 2 }],
  ] as const;
  await Promise.all(options.map(([filter, of]) => client.subscribe<string>(filter, of).granted));
  await client.publish("a/b", "x", { qos: 1 });
  const last = client.subscribe("end");
  await last.granted;
  client.publish("end", "x");
  for await (const _ of last) break;
  assert.deepEqual([...got].sort(), ["all", "one", "plus"]);
});

test("unsubscribing ends the iterator, and breaking off unsubscribes", async (context) => {
  const { url, server } = await startBroker(context);
  const client = await connected(context, url, { version: 5, clientId: "c" });
  const first = client.subscribe("a");
  const second = client.subscribe(["b", "c"]);
  await Promise.all([first.granted, second.granted]);
  const over = (async () => {
    for await (const _ of second) assert.fail("nothing was published");
  })();
  const { reasonCodes } = await client.unsubscribe(["b", "c", "d"]);
  assert.deepEqual(reasonCodes, [0, 0, 0x11]);
  await over;
  client.publish("a", "x");
  for await (const _ of first) break;
  const unsubscribed = client.unsubscribe("a");
  assert.deepEqual((await unsubscribed).reasonCodes, [0x11]);
  assert.equal(server.broker.sessions.count, 1);
});

test("a signal that outlives subscriptions keeps nothing of them", async (context) => {
  const { url } = await startBroker(context);
  const client = await connected(context, url);
  const { signal } = new AbortController();
  const kept = (): number => getEventListeners(signal, "abort").length;
  await client.subscribe("a", { signal }).unsubscribe();
  client.subscribe("b", { signal });
  await client.unsubscribe("b");
  client.subscribe("c", { signal });
  assert.equal(kept(), 1);
  await client.disconnect();
  assert.equal(kept(), 0);
});

test("a refused subscription rejects, ends its iterator with the error, and leaves the others alone", async (context) => {
  const { url } = await startBroker(context, {}, { maximumQos: 1 });
  const client = await connected(context, url, { version: 5 });
  const subscription = client.subscribe("$share/g/a", { noLocal: false });
  await subscription.granted;
  await assert.rejects(client.publish("a", "x", { qos: 2 }), { code: "qos-not-supported", rc: 24 });
  assert.throws(() => client.subscribe("$share/g/a", { noLocal: true }), ArgumentError);
});

test("wrong arguments are errors with a code at the call, as compiling cannot find all", async (context) => {
  const { url } = await startBroker(context);
  const client = await connected(context, url);
  for (const run of [
    () => client.publish<string>("a/+", "x"),
    () => client.publish("a", "x", { properties: { contentType: "text" } }),
    () => client.subscribe<string>("a/#/b"),
    () => client.subscribe("a", { noLocal: true }),
    () => client.unsubscribe<string>(""),
    () => new MqttClient("http://example.org"),
    () => new MqttClient(url, { keepAliveSeconds: 70_000 }),
    () => client.publish("a\tb", "x"),
    () => client.subscribe("a\u0085/#"),
    () => new MqttClient(url, { clientId: "a\u0007" }),
    () => new MqttClient(url, { username: "two\nlines" }),
    () => new MqttClient(url, { will: { topicName: "a\u007f", payload: "x" } }),
  ]) {
    assert.throws(
      run,
      (error) => error instanceof ArgumentError && error.code === "invalid-argument" && error.rc === 3,
    );
  }
  await client.disconnect();
  await assert.rejects(client.publish("a", "x"), { code: "closed", rc: 4 });
  assert.throws(() => client.subscribe("a"), RequestError);
});

test("a request gets its response, others theirs, and nobody answers in time", async (context) => {
  const { url } = await startBroker(context);
  const client = await connected(context, url, { version: 5 });
  const device = await connected(context, url, { version: 5 });
  const served = device.subscribe("command/+", {
    onMessage: (request) => {
      if (request.text !== "silence") device.respond(request, `${request.topicName}: ${request.text}`);
    },
  });
  await served.granted;
  const [a, b] = await Promise.all([client.request("command/a", "1"), client.request("command/b", "2")]);
  assert.deepEqual([a.text, b.text], ["command/a: 1", "command/b: 2"]);
  await assert.rejects(client.request("command/a", "silence", { timeoutMs: 1 }), { code: "timed-out", rc: 27 });
  const controller = new AbortController();
  const aborted = client.request("command/a", "silence", { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(aborted, { code: "aborted" });
});

test("before 5.0 a request waits at a topic that both sides know", async (context) => {
  const { url } = await startBroker(context);
  const client = await connected(context, url);
  const device = await connected(context, url);
  const served = device.subscribe("command/7/req/+", {
    onMessage: ({ topicName, text }) => device.publish<string>(topicName.replace("/req/", "/res/"), `done ${text}`),
  });
  await served.granted;
  const options = { responseTopic: "command/7/res/reqid-7" };
  assert.equal((await client.request("command/7/req/reqid-7", "x", options)).text, "done x");
  await assert.rejects(client.request("command/7/req/reqid-7", "x"), ArgumentError);
});
