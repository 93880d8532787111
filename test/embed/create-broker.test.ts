// createBroker: what is an option of mosquitto.conf is one here, what is not allowed is said, users and rules hold, and nothing is left.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect, type MqttClient, type MqttClientOptions } from "../../src/client/index.ts";
import { findOption } from "../../src/config/index.ts";
import { BRIDGE_OPTIONS, BRIDGE_TLS_OPTIONS } from "../../src/embed/bridge-lines.ts";
import { type CreateBrokerOptions, createBroker, type EmbeddedBroker } from "../../src/embed/index.ts";
import { LIMIT_OPTIONS, LISTENER_OPTIONS, TLS_OPTIONS } from "../../src/embed/option-lines.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

async function start(context: TestContext, options: CreateBrokerOptions = {}): Promise<EmbeddedBroker> {
  const broker = await createBroker(options);
  context.after(() => broker.close());
  return broker;
}

async function client(context: TestContext, url: string, options: MqttClientOptions = {}): Promise<MqttClient> {
  const made = await connect(url, options);
  context.after(() => made.disconnect());
  return made;
}

function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "let in",
    (error: Error) => `${error.name}: ${error.message}`,
  );
}

test("each typed option stands for one of mosquitto.conf", () => {
  for (const table of [LIMIT_OPTIONS, LISTENER_OPTIONS, TLS_OPTIONS, BRIDGE_OPTIONS, BRIDGE_TLS_OPTIONS])
    for (const [name, option] of Object.entries(table)) assert.notEqual(findOption(option), null, `${name}: ${option}`);
});

test("brokers side by side on free ports know nothing of each other", async (context) => {
  const [one, two] = [await start(context), await start(context)];
  assert.notEqual(one.port, two.port);
  assert.equal(one.url, `mqtt://127.0.0.1:${one.port}`);
  const [ann, bob] = [
    await client(context, one.url, { clientId: "ann" }),
    await client(context, two.url, { clientId: "bob" }),
  ];
  const heard: string[] = [];
  await bob.subscribe("#", { onMessage: ({ text }) => void heard.push(text) }).granted;
  await ann.publish("t", "for one", { qos: 1 });
  await bob.publish("t", "for two", { qos: 1 });
  assert.deepEqual([one.clients, two.clients, heard], [["ann"], ["bob"], ["for two"]]);
});

test("`await using` frees the port", async () => {
  let port = 0;
  {
    await using broker = await createBroker();
    port = broker.port;
    await broker.connect();
  }
  const socket = connectSocket(port, "127.0.0.1");
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
});

test("a client in the process talks to those of the network, and goes with the broker", async (context) => {
  const broker = await createBroker({ users: { ann: "secret" } });
  const inside = await broker.connect({ clientId: "inside", version: 5 });
  const outside = await client(context, broker.url, { username: "ann", password: "secret", clientId: "outside" });
  const messages = outside.subscribe("t", { qos: 2 });
  await messages.granted;
  const big = new Uint8Array(300_000).fill(7);
  await inside.publish("t", big, { qos: 2 });
  for await (const { payload } of messages) {
    assert.equal(Buffer.compare(payload, big), 0);
    break;
  }
  await outside.disconnect();
  await Promise.all([broker.close(), broker.close()]);
  await inside.closed;
  await assert.rejects(broker.connect(), /The broker is closed/);
});

test("users, rules by name and by pattern, and who is not known", async (context) => {
  const broker = await start(context, {
    users: { ann: "secret" },
    acl: {
      anonymous: { read: ["public"] },
      users: { ann: { read: ["a/#"], deny: ["a/b"] } },
      everybody: { write: ["%u/#"] },
    },
  });
  const denied: string[] = [];
  broker.on("denied", (clientId, topicName) => denied.push(`${clientId} ${topicName}`));
  assert.match(await refusal(connect(broker.url)), /ConnectionError/);
  assert.match(await refusal(connect(broker.url, { username: "ann", password: "wrong" })), /ConnectionError/);
  assert.match(await refusal(connect(broker.url, { username: "bob", password: "secret" })), /ConnectionError/);
  const inside = await broker.connect();
  const ann = await client(context, broker.url, { clientId: "c", username: "ann", password: "secret" });
  const heard: string[] = [];
  await ann.subscribe("#", { qos: 1, onMessage: ({ topicName }) => void heard.push(topicName) }).granted;
  for (const topic of ["a/a", "a/b", "c", "a/c"]) await inside.publish(topic, "", { qos: 1 });
  await ann.publish("ann/x", "", { qos: 1 });
  await ann.publish("bob/x", "", { qos: 1 });
  await inside.publish("a/d", "", { qos: 1 });
  await ann.unsubscribe("#");
  assert.deepEqual([heard, denied], [["a/a", "a/c", "a/d"], ["c bob/x"]]);
});

test("anonymous clients come in where nobody knows users, by loopback, or where it is said", async (context) => {
  const listeners = [{}, { host: null }, { host: null, allowAnonymous: true }];
  const open = await start(context, { listeners });
  const came = (url: string): Promise<string> =>
    refusal(connect(url).then((made) => made.disconnect())).then((text) => text.replace(/:.*/s, ""));
  assert.deepEqual(await Promise.all(open.urls.map(came)), ["let in", "ConnectionError", "let in"]);
  const guarded = await start(context, { authenticate: () => null });
  assert.equal(await came(guarded.url), "ConnectionError");
  const both = await start(context, { authenticate: () => null, allowAnonymous: true });
  assert.equal(await came(both.url), "let in");
});

test("authenticate may rename, restrict and refuse, and lets nobody in when it throws; plugins come after it", async (context) => {
  const lines: string[] = [];
  const broker = await start(context, {
    authenticate({ username }) {
      if (username === "broken") throw new Error("no database");
      if (username === "renamed") return { allow: true, username: "new", acl: { write: ["only"] } };
      return username === "refused" ? { allow: false, why: "it is Monday" } : null;
    },
    plugins: [
      ({ log }) => {
        log("notice", "plugin made");
        return { authenticate: ({ username }) => username === "late" };
      },
    ],
    log: ({ text }) => lines.push(text),
  });
  const came = (username: string): Promise<string> =>
    refusal(connect(broker.url, { username, password: "x" }).then((made) => made.disconnect()));
  assert.equal(await came("late"), "let in");
  assert.match(await came("nobody"), /ConnectionError/);
  assert.match(await came("refused"), /ConnectionError/);
  assert.match(await came("broken"), /ConnectionError/);
  const renamed = await client(context, broker.url, { username: "renamed", password: "x", version: 5 });
  await renamed.publish("only", "", { qos: 1 });
  await assert.rejects(renamed.publish("other", "", { qos: 1 }), /135|0x87|[Nn]ot authorized/);
  await broker.close();
  assert.ok(lines.includes("plugin made"));
  assert.match(lines.join("\n"), /plugin authenticate says: it is Monday/);
});

test("bridges carry messages both ways, with prefixes, and wait for the other broker", async (context) => {
  const central = await start(context, {
    users: { site7: "secret" },
    acl: { users: { site7: { read: ["#"], write: ["#"] } } },
  });
  const edge = await start(context, {
    bridges: [
      {
        name: "central",
        addresses: [`127.0.0.1:${central.port}`],
        protocolVersion: "mqttv50",
        remoteUsername: "site7",
        remotePassword: "secret",
        restartTimeout: [1, 2],
        sessionExpiryInterval: 60,
        topics: [
          { pattern: "measured here/#", qos: 1, remotePrefix: "sites/7/" },
          { pattern: "commands/#", direction: "in", qos: 1, remotePrefix: "sites/7/" },
        ],
      },
    ],
  });
  const there = await central.connect({ clientId: "there" });
  const here = await edge.connect({ clientId: "here" });
  const arrived = there.subscribe("sites/#", { qos: 1 });
  const commands = here.subscribe("commands/#", { qos: 1 });
  await Promise.all([arrived.granted, commands.granted]);
  await here.publish("measured here/boiler", "80", { qos: 1 });
  for await (const { topicName, text } of arrived) {
    assert.deepEqual([topicName, text], ["sites/7/measured here/boiler", "80"]);
    break;
  }
  await there.publish("sites/7/commands/valve", "open", { qos: 1 });
  for await (const { topicName, text } of commands) {
    assert.deepEqual([topicName, text], ["commands/valve", "open"]);
    break;
  }
});

const BRIDGE = { name: "b", addresses: ["127.0.0.1:1"], topics: [{ pattern: "a" }] };

/** Options that are not allowed, and what is said of them. */
const REFUSED: readonly (readonly [options: object, words: RegExp])[] = [
  [
    { maxQueedMessages: 1 },
    /ConfigError: Unknown option 'maxQueedMessages'\. Did you mean 'maxQueuedMessages'\? \(createBroker\)/,
  ],
  [{ maxKeepalive: 70_000 }, /ConfigError: .*'max_keepalive'.*0 to 65535\. \(maxKeepalive\)/],
  [{ maxPacketSize: "large" }, /ConfigError: .*'max_packet_size' value not a number.*\(maxPacketSize\)/],
  [{ listeners: [{}, { maxQos: 3 }] }, /ConfigError: .*'max_qos'.*\(listeners\[1\]\.maxQos\)/],
  [{ listeners: [{ tls: { certFile: "a" } }] }, /ConfigError: .*Both certfile and keyfile.*\(listeners\[0\]\)/],
  [
    { listeners: [{ tls: { certfile: "a" } }] },
    /Unknown option 'certfile'\. Did you mean 'certFile'\? \(listeners\[0\]\.tls\)/,
  ],
  [{ listeners: [{ mountPoint: "a\nallow_anonymous true" }] }, /line break.*\(listeners\[0\]\.mountPoint\)/],
  [{ persistence: { location: "x", durability: "never" } }, /lacewing_durability.*\(persistence\.durability\)/],
  [
    { bridges: [{ name: "b", adresses: [] }] },
    /Unknown option 'adresses'\. Did you mean 'addresses'\? \(bridges\[0\]\)/,
  ],
  [{ bridges: [{ name: "b", addresses: ["a b"] }] }, /'a b' is no address.*\(bridges\[0\]\.addresses\[0\]\)/],
  [{ bridges: [{ name: "b", addresses: ["a"], topics: [] }] }, /no topics defined.*\(bridges\[0\]\)/],
  [{ bridges: [{ ...BRIDGE, startType: "soon" }] }, /start_type.*\(bridges\[0\]\.startType\)/],
  [{ bridges: [{ ...BRIDGE, remotePassword: " x" }] }, /blank.*\(bridges\[0\]\.remotePassword\)/],
  [
    { bridges: [{ ...BRIDGE, topics: [{ pattern: "a", localPrefix: "#" }] }] },
    /has a wildcard.*\(bridges\[0\]\.topics\[0\]\.localPrefix\)/,
  ],
  [{ bridges: [{ ...BRIDGE, topics: [{ pattern: "a/#/b" }] }] }, /\(bridges\[0\]\.topics\[0\]\)/],
  [
    { bridges: [{ ...BRIDGE, tls: { insecure: true, caFile: "x", key: 1 } }] },
    /Unknown option 'key'.*\(bridges\[0\]\.tls\)/,
  ],
  [{ bridges: [{ ...BRIDGE, psk: { identity: "i", key: "no" } }] }, /\(bridges\[0\]\.psk\.key\)/],
  [{ passwordFile: "/nowhere/users" }, /SecurityError: .*\/nowhere\/users: cannot be read/],
  [{ acl: { users: { ann: { read: ["a/#/b"] } } } }, /SecurityError: acl\.users\.ann: is not lists of topic filters/],
  [{ plugins: [() => null] }, /SecurityError: plugins\[0\]: cannot be used as a plugin: it is no object/],
  [{ configFile: "/nowhere/mosquitto.conf" }, /ConfigError: .*Unable to open config file/],
];

for (const [options, words] of REFUSED) {
  test(`refused: ${JSON.stringify(options)}`, async () => {
    assert.match(await refusal(createBroker(options as CreateBrokerOptions)), words);
  });
}

test("options are in force: of the broker and of one listener", async (context) => {
  const broker = await start(context, { maxPacketSize: 1000, listeners: [{ maxQos: 1 }, {}] });
  const [one, two] = await Promise.all(broker.urls.map((url) => client(context, url, { version: 5 })));
  const infos = await Promise.all([one!.connected, two!.connected]);
  assert.deepEqual(
    infos.map(({ properties: { maximumQos, maximumPacketSize } }) => [maximumQos, maximumPacketSize]),
    [
      [1, 1000],
      [undefined, 1000],
    ],
  );
});

test("a listener of HTTP tells what the broker counts", async (context) => {
  const { urls, port } = await start(context, { listeners: [{}, { protocol: "http_api" }], enableControlApi: true });
  const [mqtt = "", http = ""] = urls;
  const one = await client(context, mqtt);
  await one.publish("$CONTROL/broker/v1", '{"commands": [{"command": "listPlugins"}]}', { qos: 1 });
  const answer = await fetch(new URL("/api/v1/systree", http));
  const told = (await answer.json()) as Record<string, number>;
  assert.deepEqual([new URL(mqtt).port, told["$SYS/broker/clients/connected"]], [String(port), 1]);
});

test("a mosquitto.conf first, then options; its listeners unless there are others", async (context) => {
  // mosquitto.conf has no way to write a blank in the path of a socket.
  const socketFolder = mkdtempSync(join(tmpdir(), "lacewing-test-"));
  context.after(() => rmSync(socketFolder, { recursive: true }));
  const socket = join(socketFolder, "s");
  const folder = temporaryFolder(context, {
    "a.conf": `listener 0 ${socket}\nallow_anonymous true\nmax_packet_size 500\nmax_inflight_messages 7\nlog_dest none\n`,
  });
  const configFile = join(folder, "a.conf");
  const broker = await start(context, { configFile, maxPacketSize: 600 });
  assert.deepEqual(broker.urls, [`unix://${socket}`]);
  const { properties } = await (await client(context, broker.url, { version: 5 })).connected;
  assert.deepEqual([properties.maximumPacketSize, properties.receiveMaximum], [600, 7]);
});

test("events tell of clients by name, and the log of everything", async (context) => {
  const broker = await createBroker();
  const told: unknown[] = [];
  const lines: string[] = [];
  broker.on("connect", ({ clientId, version }) => told.push(["connect", clientId, version]));
  broker.on("disconnect", ({ clientId }, reason) => told.push(["disconnect", clientId, reason]));
  broker.on("subscribe", (...args) => told.push(["subscribe", ...args]));
  broker.on("unsubscribe", (...args) => told.push(["unsubscribe", ...args]));
  broker.on("log", (_type, text) => lines.push(text));
  const ann = await client(context, broker.url, { clientId: "ann", version: 5 });
  await ann.subscribe("a/#", { qos: 1 }).granted;
  await ann.unsubscribe("a/#");
  const left = new Promise((resolve) => broker.on("disconnect", resolve));
  await Promise.all([ann.disconnect(), left]);
  await broker.close();
  assert.deepEqual(told, [
    ["connect", "ann", 5],
    ["subscribe", "ann", "a/#", 1],
    ["unsubscribe", "ann", "a/#"],
    ["disconnect", "ann", "client-disconnected"],
  ]);
  assert.match(lines.join("\n"), /New client connected from 127\.0\.0\.1:\d+ as ann/);
});

test("a client that said goodbye before the broker closes has gone by itself", async () => {
  const reasons: string[] = [];
  for (const listener of [{}, { protocol: "websockets" }] as const) {
    const broker = await createBroker({ listeners: [listener] });
    broker.on("disconnect", (_client, reason) => reasons.push(reason));
    const guest = await connect(broker.url);
    await guest.disconnect();
    await broker.close();
  }
  assert.deepEqual(reasons, ["client-disconnected", "client-disconnected"]);
});

test("a program ends by itself when its broker is closed", async (context) => {
  const program = `
    import { createBroker } from ${JSON.stringify(join(ROOT, "dist/embed/index.js"))};
    const broker = await createBroker({ persistence: { location: ${JSON.stringify(join(temporaryFolder(context), "s"))} } });
    const client = await broker.connect();
    await client.publish("t", "x", { qos: 1, retain: true });
    await broker.close();
    console.log("closed");`;
  const { code, out, errors } = await runProgram(process.execPath, ["--input-type=module", "-e", program]);
  assert.deepEqual([code, out, errors], [0, "closed\n", ""]);
});
