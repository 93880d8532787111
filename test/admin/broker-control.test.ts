// $CONTROL/broker/v1 of mosquitto 2.1, by a configuration file and a real connection: the answers of mosquitto's own tests 17-control-*.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerControl, type OpenListener } from "../../src/admin/index.ts";
import { listenerOf } from "../../src/config/index.ts";
import { type ConfiguredBroker, startConfigured } from "../fault-classes/configured-broker.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { type TestClient, textOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";

interface AskedInMemory {
  readonly harness: BrokerHarness;
  readonly control: BrokerControl;
  readonly lines: readonly string[];
  readonly admin: TestClient;
}

const TOPIC = "$CONTROL/broker/v1";
const OPEN = ["allow_anonymous true", "enable_control_api true", "log_type all"];

/** Asks, and returns the answer. */
async function ask(client: WireClient, payload: unknown, topicName: string = TOPIC): Promise<unknown> {
  await client.publish(topicName, typeof payload === "string" ? payload : JSON.stringify(payload));
  const answer = await client.expect("PUBLISH");
  assert.deepEqual([answer.topicName, answer.qos, answer.retain], [`${topicName}/response`, 0, false]);
  return JSON.parse(textOf(answer.payload));
}

async function asker(broker: ConfiguredBroker, username?: string): Promise<WireClient> {
  return WireClient.connect(broker.address, "asker", { version: 4, ...(username !== undefined && { username }) });
}

test("listListeners: what was configured, in order, in mosquitto's words", async (context) => {
  const lines = [
    ...OPEN,
    "listener 2 127.0.0.1",
    "protocol websockets",
    "listener 3 127.0.0.1",
    "psk_hint here",
    "use_identity_as_username true",
    "psk_file FOLDER/keys",
    "listener 4 127.0.0.1",
    "protocol http_api",
  ];
  const broker = await startConfigured(context, lines, { keys: "sensor:0123456789abcdef\n" });
  const client = await asker(broker);
  const [mqtt, web, psk, http] = broker.server.listeners.map(({ port }) => port);
  const at = { "bind-address": "127.0.0.1" };
  const command = { command: "listListeners", correlationData: "m3CtYVnySLCO" };
  assert.deepEqual(await ask(client, { commands: [command] }), {
    responses: [
      {
        ...command,
        data: {
          listeners: [
            { port: mqtt, protocol: "mqtt", ...at, tls: false },
            { port: web, protocol: "mqtt+websockets", ...at, tls: false },
            { port: psk, protocol: "mqtt", ...at, tls: true },
            { port: http, protocol: "httpapi", ...at, tls: false },
          ],
        },
      },
    ],
  });
  await broker.logged(/Broker: asker\/\(null\) \| listListeners/);
});

test("listListeners: a unix socket by its path", async () => {
  const config = listenerOf({ unixPath: "/run/mqtt.sock", port: 0 });
  const { harness, control, admin } = askedInMemory([{ config, current: config, port: 0 }]);
  control.enable(true);
  admin.publish(TOPIC, '{"commands": [{"command": "listListeners"}]}');
  await harness.rest();
  assert.match(
    admin.payloads()[0] ?? "",
    /\[\{"port":0,"protocol":"mqtt","socket-path":"\/run\/mqtt\.sock","tls":false\}\]/,
  );
});

test("listPlugins: by mosquitto's names, with what they answer to; one of a single listener says which", async (context) => {
  const files = { users: "", rules: "topic readwrite #\ntopic readwrite $CONTROL/#\n" };
  const lines = [
    "enable_control_api true",
    "plugin_load security /usr/lib/mosquitto_dynamic_security.so",
    "plugin_opt_config_file FOLDER/dynsec.json",
    "listener_allow_anonymous true",
    "plugin /usr/lib/mosquitto_acl_file.so",
    "plugin_opt_acl_file FOLDER/rules",
    "listener 2 127.0.0.1",
    "plugin_use security",
  ];
  const broker = await startConfigured(context, lines, files);
  const client = await asker(broker);
  const [, second] = broker.server.listeners.map(({ port }) => port);
  assert.deepEqual(await ask(client, { commands: [{ command: "listplugins" }] }), {
    responses: [
      {
        command: "listplugins",
        data: {
          plugins: [
            { name: "acl-file", "control-endpoints": [] },
            { name: "dynamic-security", port: second, "control-endpoints": ["$CONTROL/dynamic-security/v1"] },
          ],
        },
      },
    ],
  });
});

for (const [payload, command, error] of [
  ["not valid json", "Unknown command", "Payload not valid JSON"],
  ["{}", "Unknown command", "Invalid/missing commands"],
  ['{"commands": {}}', "Unknown command", "Invalid/missing commands"],
  ['{"commands": ["command"]}', "Unknown command", "Command not an object"],
  ['{"commands": [{}]}', "Unknown command", "Missing command"],
  ['{"commands": [{"command": "unknown command"}]}', "unknown command", "Unknown command"],
  ['{"commands": [{"command": "constructor"}]}', "constructor", "Unknown command"],
  [
    '{"commands": [{"command": "listListeners", "correlationData": true}]}',
    "listListeners",
    "Invalid correlationData data type.",
  ],
] as const) {
  test(`${payload} is answered with: ${error}`, async () => {
    const { harness, admin, control } = askedInMemory();
    control.enable(true);
    admin.publish(TOPIC, payload);
    await harness.rest();
    assert.deepEqual(admin.payloads(), [JSON.stringify({ responses: [{ command, error }] })]);
  });
}

test("what comes before a mistake is done, and what comes after it is not", async () => {
  const { harness, admin, control } = askedInMemory();
  control.enable(true);
  const commands = [{ command: "listPlugins" }, { command: "other" }, 1, { command: "listPlugins" }];
  admin.publish(TOPIC, JSON.stringify({ commands }));
  await harness.rest();
  const { responses } = JSON.parse(admin.payloads()[0] ?? "{}") as { responses: readonly unknown[] };
  assert.deepEqual(responses, [
    { command: "listPlugins", data: { plugins: [] } },
    { command: "other", error: "Unknown command" },
    { command: "Unknown command", error: "Command not an object" },
  ]);
});

test("a request of more than 64 KiB is not read", async () => {
  const { harness, admin, control } = askedInMemory();
  control.enable(true);
  admin.publish(TOPIC, " ".repeat(65_537));
  await harness.rest();
  assert.match(admin.payloads()[0] ?? "", /65537 bytes; at most 65536/);
});

test("whoever asked and has gone gets no answer, nor does who has taken its Session over", async () => {
  const { harness, control } = askedInMemory();
  control.enable(true);
  const client = harness.connect("asker", { properties: { sessionExpirySeconds: 60 } });
  client.publish(TOPIC, '{"commands": [{"command": "listPlugins"}]}');
  client.drop();
  const next = harness.connect("asker", { cleanStart: false, properties: { sessionExpirySeconds: 60 } });
  await harness.rest();
  assert.deepEqual([client.payloads(), next.payloads()], [[], []]);
});

test("without rules only clients on this machine may ask, and whoever else did is in the log", async () => {
  const { harness, control, lines } = askedInMemory();
  control.enable(true);
  const client = harness.connect("stranger");
  Object.assign(client.link, { remoteAddress: "192.0.2.7:4000" });
  client.publish(TOPIC, '{"commands": [{"command": "listPlugins"}]}');
  await harness.rest();
  assert.match(client.payloads()[0] ?? "", /"Unknown command","error":"no rule says who may ask.*\$CONTROL\/broker\/#/);
  assert.deepEqual(lines, [
    "notice: Client stranger [192.0.2.7:4000] may not ask $CONTROL/broker/v1: no rule says who may, and it is not on this machine.",
  ]);
});

test("a client at a unix socket is on this machine", async () => {
  const { harness, control } = askedInMemory();
  control.enable(true);
  const client = harness.connect("near");
  Object.assign(client.link, { remoteAddress: "/run/mqtt.sock", localPort: 0 });
  client.publish(TOPIC, '{"commands": [{"command": "listPlugins"}]}');
  await harness.rest();
  assert.match(client.payloads()[0] ?? "", /"plugins":\[\]/);
});

test("rules say who may ask: others hear nothing, and nobody is told by a will", async (context) => {
  const files = { rules: "topic readwrite #\nuser ops\ntopic readwrite $CONTROL/broker/#\n" };
  const broker = await startConfigured(context, [...OPEN, "acl_file FOLDER/rules"], files);
  const stranger = await WireClient.connect(broker.address, "stranger", { version: 5 });
  await stranger.publish(TOPIC, '{"commands": [{"command": "listPlugins"}]}', { qos: 1 });
  assert.equal(stranger.lastReasonCode, 0x87);
  await stranger.settled();
  assert.deepEqual(stranger.taken("PUBLISH"), []);
  assert.deepEqual(await ask(await asker(broker, "ops"), { commands: [{ command: "listPlugins" }] }), {
    responses: [{ command: "listPlugins", data: { plugins: [] } }],
  });
});

test("dynamic security says by its roles who may ask", async (context) => {
  const lines = [
    "enable_control_api true",
    "plugin mosquitto_dynamic_security.so",
    "plugin_opt_config_file FOLDER/dynsec.json",
    "plugin_opt_password_init_file FOLDER/password",
  ];
  const broker = await startConfigured(context, lines, { password: "first-password" });
  const admin = await WireClient.connect(broker.address, "admin", { username: "admin", password: "first-password" });
  const request = { commands: [{ command: "listPlugins" }] };
  const plugin = { name: "dynamic-security", "control-endpoints": ["$CONTROL/dynamic-security/v1"] };
  assert.deepEqual(await ask(admin, request), {
    responses: [{ command: "listPlugins", data: { plugins: [plugin] } }],
  });
  const made = { command: "createClient", username: "ann", password: "secret" };
  await ask(admin, { commands: [made] }, "$CONTROL/dynamic-security/v1");
  const ann = await WireClient.connect(broker.address, "ann", { username: "ann", password: "secret" });
  await ann.publish(TOPIC, JSON.stringify(request), { qos: 1 });
  assert.equal(ann.lastReasonCode, 0x87);
  await ann.settled();
  assert.deepEqual(ann.taken("PUBLISH"), []);
});

test("without enable_control_api nobody answers; a reload switches it on, and off again", async (context) => {
  const off = ["allow_anonymous true"];
  const broker = await startConfigured(context, off);
  const client = await asker(broker);
  const request = { commands: [{ command: "listPlugins" }] };
  const nobody = { error: "endpoint not available" };
  assert.deepEqual(await ask(client, request), nobody);
  await broker.reload(OPEN);
  assert.deepEqual(await ask(client, request), { responses: [{ command: "listPlugins", data: { plugins: [] } }] });
  assert.deepEqual(await ask(client, request, "$CONTROL/missing-endpoint/v1"), nobody);
  await broker.reload(off);
  assert.deepEqual(await ask(client, request), nobody);
});

function askedInMemory(listeners: readonly OpenListener[] = []): AskedInMemory {
  const harness = new BrokerHarness();
  const lines: string[] = [];
  const control = new BrokerControl(
    harness.broker,
    () => listeners,
    (type, line) => lines.push(`${type}: ${line}`),
  );
  return { harness, control, lines, admin: harness.connect("admin") };
}
