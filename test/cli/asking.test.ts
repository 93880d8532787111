// The commands that ask a running broker, at ours and at one that does not know them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { MqttClient } from "../../src/client/index.ts";
import { type Config, DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { type CommandName, runTool, ToolRun } from "./tool-run.ts";

let broker: Server;
let to: readonly string[];

before(async () => {
  const listeners: Config["listeners"] = [listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous: true })];
  broker = await startServer({ ...DEFAULT_CONFIG, listeners }, () => {});
  to = ["-h", "127.0.0.1", "-p", String(broker.listeners[0]!.port)];
});
after(() => broker.close());

async function clientOf(clientId: string): Promise<MqttClient> {
  const client = new MqttClient(`mqtt://127.0.0.1:${broker.listeners[0]!.port}`, { clientId, reconnect: false });
  await client.connected;
  return client;
}

test("why: who took a client identifier from whom, what passed, and what that shows", async () => {
  for (let i = 0; i < 3; i++) await clientOf("twice");
  const last = await clientOf("twice");
  await last.publish("t", "x", { qos: 1 });
  const { code, out } = await runTool("why", ["twice", ...to]);
  assert.equal(code, 0);
  assert.equal(out.match(/the same client identifier connected again from 127\.0\.0\.1:\d+/g)?.length, 3);
  assert.match(out, /is connected now/);
  assert.match(out, /<- PUBLISH q1 m1 \(/);
  assert.match(out, /3 takeovers: more than one client uses this client identifier/);
  const chinese = await runTool("why", ["twice", ...to, "--lang", "zh"]);
  assert.match(chinese.out, /同一个客户端标识符再次连接/);
  const json = await runTool("why", ["twice", ...to, "--json"]);
  assert.equal((JSON.parse(json.out) as { connections: unknown[] }).connections.length, 4);
  await last.disconnect();
});

test("why: how large the packet was that was too large, and what the catalogue says of it", async () => {
  const client = await clientOf("large");
  client.publish("t", new Uint8Array(2_100_000)).then(undefined, () => {});
  await client.closed;
  const { out } = await runTool("why", ["large", ...to]);
  assert.match(out, /a packet of 2100008 bytes is larger than 2000000 bytes/);
  assert.match(out, /<- PUBLISH q0 \(2100008 bytes\)/);
  assert.match(out, /What that means: [\s\S]*Likeliest: [\s\S]*Fix: .*max_packet_size/);
  const chinese = await runTool("why", ["large", ...to, "--lang", "zh"]);
  assert.match(chinese.out, /这意味着：[\s\S]*最可能：[\s\S]*处理：/);
});

test("why: a process that was stopped broke its keep-alive", async (context) => {
  const watcher = await clientOf("watcher");
  const wills = watcher.subscribe("gone");
  await wills.granted;
  const will = ["--will-topic", "gone", "--will-payload", "x"];
  const stopped = new Program(process.execPath, [
    MAIN,
    "sub",
    "-i",
    "stopped",
    "-k",
    "5",
    "-t",
    "t",
    "-d",
    ...will,
    ...to,
  ]);
  context.after(() => {
    stopped.signal("SIGCONT");
    return stopped.stop();
  });
  await stopped.printed(/received SUBACK/);
  stopped.signal("SIGSTOP");
  for await (const _ of wills) break;
  const { out } = await runTool("why", ["stopped", ...to]);
  assert.match(out, /no packet for [\d.]+ s; keep-alive 5 s allows 7\.5 s/);
  assert.match(out, /What that means: [\s\S]*Likeliest: /);
  await watcher.disconnect();
});

test("why: nothing is known, but of names like it", async () => {
  const client = await clientOf("greenhouse-1");
  const { code, errors } = await runTool("why", ["Greenhouse", ...to]);
  assert.equal(code, 1);
  assert.match(errors, /Nothing is known of a client 'Greenhouse'[\s\S]*Known are: greenhouse-1\./);
  await client.disconnect();
});

test("why-not: the nearest filter, and what would happen", async () => {
  const client = await clientOf("display");
  await client.subscribe("sensors/Temp", { qos: 1 }).granted;
  const miss = await runTool("why-not", ["-t", "sensors/temp", "--to", "display", ...to]);
  assert.equal(miss.code, 2);
  assert.match(miss.out, /sensors\/Temp: upper and lower case differ/);
  const hit = await runTool("why-not", ["-t", "sensors/Temp", "--to", "display", "-q", "2", ...to]);
  assert.equal(hit.code, 0);
  assert.match(hit.out, /sent to the client at once[\s\S]*come with QoS 1/);
  await client.disconnect();
});

test("clients and top: who is there", async () => {
  const client = await clientOf("here");
  const list = await runTool("clients", [...to]);
  assert.match(list.out, /^here +127\.0\.0\.1:\d+ +3\.1\.1 /m);
  const json = await runTool("clients", [...to, "--json"]);
  assert.ok(json.out.split("\n").some((line) => line.includes('"clientId":"here"')));
  const top = await runTool("top", [...to, "--every", "1", "--times", "1"]);
  assert.match(top.out, /clients, [\d.]+ packets\/s in[\s\S]*^here /m);
  await client.disconnect();
});

test("record and replay: a whole connection, which only its owner can read and without its password", async (context) => {
  const file = join(temporaryFolder(context), "recorded.pcapng");
  const recording = new ToolRun("record", ["recorded", "--pcap", file, "--for", "1s", ...to]);
  await recording.complained(/waiting for it/);
  const url = `mqtt://ann:geheim@127.0.0.1:${broker.listeners[0]!.port}`;
  const client = new MqttClient(url, { clientId: "recorded" });
  await client.publish("t", "payload", { qos: 2 });
  await client.disconnect();
  const { code, errors } = await recording.ended;
  assert.equal(code, 0, errors);
  assert.match(errors, /7 packets in .*: the time is over\./);
  assert.ok(!readFileSync(file, "latin1").includes("geheim"));
  const judged = await runTool("replay", [file, "-v"]);
  assert.equal(judged.code, 0);
  assert.match(judged.out, /-> PUBLISH q2 m1 't' \(7 bytes\)[\s\S]*<- PUBCOMP m1[\s\S]*every packet was as it must be/);
  const again = await runTool("record", ["recorded", "--pcap", file, ...to]);
  assert.match(again.errors, /there is a file already/);
});

test("record of a client that is connected already says that replay needs the beginning, and replay judges nothing", async (context) => {
  const file = join(temporaryFolder(context), "middle.pcapng");
  const client = new MqttClient(`mqtt://127.0.0.1:${broker.listeners[0]!.port}`, { clientId: "middle" });
  await client.connected;
  const recording = new ToolRun("record", ["middle", "--pcap", file, "--for", "1s", ...to]);
  await recording.complained(/is connected already: .* from its next connection on/);
  await client.publish("t", "payload", { qos: 1 });
  assert.match((await recording.ended).errors, /2 packets in /);
  await client.disconnect();
  const { code, out, errors } = await runTool("replay", [file]);
  assert.deepEqual([code, out], [1, ""]);
  assert.match(errors, /Nothing can be judged: .* Record first/);
});

test("a file that is no capture, and one that is not there", async (context) => {
  const folder = temporaryFolder(context);
  const missing = await runTool("replay", [join(folder, "none")]);
  assert.equal(missing.code, 1);
  assert.match(missing.errors, /cannot be read: ENOENT/);
  const wrong = await runTool("replay", [join(ROOT, "package.json")]);
  assert.match(wrong.errors, /this is no capture; a file of Wireshark/);
});

for (const [command, args, complaint] of [
  ["why-not", ["--to", "x"], /Both --topic and --to/],
  ["why-not", ["-t", "a/+", "--to", "x"], /Nothing can be published to 'a\/\+'/],
  ["why", [], /client/],
  ["why", ["x", "-V", "311"], /need MQTT 5/],
  ["record", ["x"], /--pcap FILE/],
  ["record", ["x", "--pcap", "f", "--for", "10y"], /allowed is 1s to 24h/],
] as const satisfies readonly (readonly [CommandName, readonly string[], RegExp])[]) {
  test(`wrong: ${args.join(" ")}`, async () => {
    const { code, errors } = await runTool(command, args);
    assert.equal(code, 1);
    assert.match(errors, complaint);
  });
}

test("a broker that does not know the requests", async (context) => {
  const { port } = await ScriptedServer.start(context, { CONNECT: "2003000000", PUBLISH: "4003000110" });
  const { code, errors } = await runTool("why", ["x", "-h", "127.0.0.1", "-p", String(port)]);
  assert.equal(code, 1);
  assert.match(errors, /Nobody at 127\.0\.0\.1:\d+ takes these requests\.\nOnly a Lacewing broker does/);
});
