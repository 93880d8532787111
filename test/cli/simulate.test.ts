// `lacewing simulate`: devices do what their file says, and a file that is wrong is told line by line.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect, type ReceivedMessage } from "../../src/client/index.ts";
import { startBroker } from "../client/test-broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { ToolRun } from "./tool-run.ts";

const HOUSE = `
# Two kinds.
[device thermometer]
count = 3
client-id = therm-\${n 2}
subscribe = command/\${n}/# all
subscribe-qos = 1
will-topic = status/\${n}
will-payload = gone
will-retain = true
birth-topic = status/\${n}
birth-payload = here

[message]
topic = room/\${n}/temperature
interval = 20ms
jitter = 50%
qos = 1
payload = {"celsius": \${random 18 26 1}, "seq": \${counter},
  "id": "\${client-id}"}

[device bell]
[message]
topic = bell
interval = 30ms
payload = \${pick short long} $$5
`;

function fileOf(context: TestContext, text: string): string {
  return join(temporaryFolder(context, { "house.sim": text }), "house.sim");
}

test("devices connect, are born, publish at their interval, subscribe, and leave a will", async (context) => {
  const broker = await startBroker(context);
  await using client = await connect<string>(broker.url);
  const got: ReceivedMessage[] = [];
  const enough = new Promise<void>((resolve) => {
    client.onMessage = (message) => {
      got.push(message);
      const counts = ["room/1/", "room/2/", "room/3/", "bell"].map(
        (start) => got.filter(({ topicName }) => topicName.startsWith(start)).length,
      );
      if (counts.every((count) => count >= 3)) resolve();
    };
  });
  await client.subscribe("#", { qos: 1 }).granted;
  const main = join(ROOT, "dist/cli/main.js");
  const args = ["simulate", "-h", "127.0.0.1", "-p", `${broker.port}`, "--json", fileOf(context, HOUSE)];
  const program = new Program(process.execPath, [main, ...args]);
  context.after(() => program.signal("SIGKILL"));
  await enough;
  await client.publish("command/2/now", "x", { qos: 1 });
  await client.publish("all", "x", { qos: 1 });
  const { code, out, errors } = await program.stop("SIGINT");
  assert.deepEqual([code, errors], [0, ""]);
  const summary = JSON.parse(out) as Record<string, number>;
  assert.deepEqual([summary.devices, summary.missed, summary.refused], [4, 0, 0]);
  assert.equal(summary.acknowledged, summary.published);
  assert.equal(summary.received, 4);

  const of = (start: string): readonly ReceivedMessage[] => got.filter(({ topicName }) => topicName.startsWith(start));
  assert.deepEqual(
    of("status/")
      .map(({ topicName, text }) => `${topicName} ${text}`)
      .sort(),
    ["status/1 here", "status/2 here", "status/3 here"],
  );
  for (const n of [1, 2, 3]) {
    const measured = of(`room/${n}/temperature`);
    assert.ok(measured.every(({ qos }) => qos === 1));
    const values = measured.map((message) => message.json() as { celsius: number; seq: number; id: string });
    assert.deepEqual(
      values.map(({ seq, id }) => [seq, id]),
      values.map((_, i) => [i + 1, `therm-0${n}`]),
    );
    assert.ok(values.every(({ celsius }) => celsius >= 18 && celsius <= 26));
  }
  assert.ok(of("bell").every(({ text }) => text === "short $5" || text === "long $5"));
});

test("--duration ends it; --dry-run shows what would be, without a broker", async (context) => {
  const { port } = await startBroker(context);
  const file = fileOf(context, HOUSE);
  const timed = await new ToolRun("simulate", ["-h", "127.0.0.1", "-p", `${port}`, "--duration", "0.3", file]).ended;
  assert.equal(timed.code, 0);
  assert.match(timed.out, /^4 devices, 0\.\d s\n\nConnected {5}4 in /);
  const dry = await new ToolRun("simulate", ["--dry-run", file]).ended;
  assert.equal(dry.code, 0);
  assert.match(dry.out, /^\[device thermometer\] 3: therm-01 \.\.\. therm-03; 150 messages a second\n/);
  assert.match(dry.out, /\n {2}subscribes to command\/1\/#\n/);
  assert.match(dry.out, /\n {2}room\/1\/temperature \(QoS 1\): \{"celsius": [\d.]+, "seq": 1,\n"id": "therm-01"\}\n/);
  assert.match(dry.out, /\[device bell\] 1: bell-1; 33\.333 messages a second\n/);
});

test("examples/house.sim is understood", async () => {
  const { code, errors } = await new ToolRun("simulate", ["--dry-run", join(ROOT, "examples/house.sim")]).ended;
  assert.deepEqual([code, errors], [0, ""]);
});

test("every mistake of a file is told, with its line and what was probably meant", async (context) => {
  const file = fileOf(
    context,
    [
      "count = 1",
      "[device a]",
      "count = 70000",
      "clint-id = x",
      "[mesage]",
      "topic = a/+",
      "interval = 5",
      "jitter = 200%",
      `payload = \${randon 1 2}`,
      "qos = 3",
      "foo",
      "qos = 1",
      "[message]",
      "  x",
      `payload = \${random 3} \${n`,
      "[device a]",
      "count = 2",
      "client-id = same",
      "will-qos = 1",
      "subscribe = a#b",
      "[device]",
    ].join("\n"),
  );
  const { code, errors } = await new ToolRun("simulate", ["--dry-run", file]).ended;
  assert.equal(code, 1);
  const told = errors.split("\n").map((line) => line.replace(`Error: ${file}:`, ""));
  assert.deepEqual(told, [
    "1: a setting needs a section above it, as [device thermometer].",
    "3: count is '70000'; allowed are 1 to 65535.",
    "4: a device has no setting 'clint-id': did you mean 'client-id'?",
    "5: [mesage] is not known: did you mean [message]?",
    "6: topic 'a/+' is not allowed: topic name contains \"+\" at 3; wildcards belong in topic filters [5.0 MQTT-3.3.2-2].",
    "7: interval is '5'; write a time from 1ms to 24d, as 250ms, 5s, 1.5m or 2h.",
    "8: jitter is '200%', more than the interval.",
    `9: payload is not understood: '\${randon 1 2}' is not known: did you mean 'random'?`,
    "10: qos is '3'; allowed are 0 to 2.",
    "11: 'foo' is no setting: write name = value.",
    "12: 'qos' is in line 10 already.",
    "13: topic is missing: where is it published?",
    "14: a line that begins with a space goes on with a value, and there is none.",
    `15: payload is not understood: '\${random 3}' is not of the form \${random FROM TO [DIGITS]}.`,
    "16: the device a is in line 2 already.",
    `18: client-id is the same for each device, and they would throw each other out: put \${n} into it.`,
    "19: will-qos needs will-topic.",
    told.find((line) => line.startsWith("20: subscribe 'a#b' is not allowed: "))!,
    "21: a device needs a name: [device thermometer].",
    "'lacewing simulate --help' shows what a file may have in it.",
    "",
  ]);
});

test("two kinds with one identifier, a file that is not there, nothing in it, options that the file has", async (context) => {
  const twins = fileOf(context, "[device a]\nclient-id = x\n[device b]\nclient-id = x\n");
  const { port } = await startBroker(context);
  for (const [args, why] of [
    [[twins], /client identifier 'x' is that of several devices/],
    [["no-such-file"], /no-such-file cannot be read: ENOENT/],
    [[fileOf(context, "# nothing\n")], /:1: there is no \[device NAME\]/],
    [["-i", "me", twins], /leave out -i and -I/],
    [[], /No file given/],
  ] as const) {
    const { code, errors } = await new ToolRun("simulate", ["-p", `${port}`, ...args]).ended;
    assert.equal(code, 1);
    assert.match(errors, why);
  }
});

test("a thousand devices in one process", async (context) => {
  const { port } = await startBroker(context);
  const file = fileOf(context, `[device d]\ncount = 1000\n[message]\ntopic = s/\${n}\ninterval = 500ms\nqos = 1\n`);
  const args = ["-h", "127.0.0.1", "-p", `${port}`, "--duration", "1.5", "--json", file];
  const { code, out, errors } = await new ToolRun("simulate", args).ended;
  assert.deepEqual([code, errors], [0, ""]);
  const { devices, published, acknowledged } = JSON.parse(out) as Record<string, number>;
  assert.equal(devices, 1000);
  assert.ok(published! >= 1000, `${published}`);
  assert.equal(acknowledged, published);
});
