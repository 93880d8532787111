// The examples, run as a reader would run them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect, type ReceivedMessage } from "../../src/client/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { startBroker } from "./test-broker.ts";

function run(context: TestContext, name: string, ...args: string[]): Program {
  const program = new Program(process.execPath, [join(ROOT, "examples", name), ...args], { cwd: ROOT });
  context.after(() => program.signal("SIGKILL"));
  return program;
}

test("sensor.mjs measures, keeps what it has in a file, and says goodbye", async (context) => {
  const broker = await startBroker(context);
  await using peer = await connect<string>(broker.url, { version: 5 });
  const sensor = run(context, "sensor.mjs", broker.url, "s", join(temporaryFolder(context), "sensor.store"));
  const got: ReceivedMessage[] = [];
  const messages = peer.subscribe("sensor/s/+", { qos: 1 });
  for await (const message of messages) {
    if (got.push(message) === 3) break;
  }
  const measured = got.filter(({ topicName }) => topicName.endsWith("/temperature"));
  assert.ok(measured.length >= 2);
  assert.equal(measured[0]!.properties.contentType, "application/json");
  assert.equal(typeof (measured[0]!.json() as { celsius: unknown }).celsius, "number");
  await sensor.printed(/measurement 1 arrived/);
  assert.match((await sensor.stop("SIGINT")).out, /goodbye\n$/);
});

test("command-device.mjs answers command-sender.mjs, and requests of 5.0 by their own topic", async (context) => {
  const { url } = await startBroker(context);
  const device = run(context, "command-device.mjs", url, "d");
  await device.printed(/waiting for commands at QoS 1/);
  assert.equal(
    (await run(context, "command-sender.mjs", url, "d", '{"run":1}').end()).out,
    '{"ok":true,"done":{"run":1}}\n',
  );
  await using client = await connect<string>(url, { version: 5 });
  assert.deepEqual((await client.request("command/d/req/8", "nonsense", { qos: 1 })).json(), {
    ok: false,
    why: "a command is JSON",
  });
  const { out, code } = await device.stop("SIGINT");
  assert.equal(code, 0);
  assert.match(out, /command\/d\/req\/reqid-7: \{"run":1\}/);
});

test("libmosquitto-port.mjs hears everything in libmosquitto's way", async (context) => {
  const { url } = await startBroker(context);
  const { out, code, errors } = await run(context, "libmosquitto-port.mjs", url).end();
  assert.equal(errors, "");
  assert.equal(code, 0);
  const lines = out.trim().split("\n");
  assert.deepEqual(lines.slice(0, 6), [
    "on_connect rc = 0",
    "subscribe mid = 1",
    "on_subscribe mid = 1, qos_count = 1, granted_qos = 1",
    "publish mid = 2, qos = 0",
    "publish mid = 3, qos = 1",
    "publish mid = 4, qos = 2",
  ]);
  assert.deepEqual(lines.slice(6, -1).sort(), [
    "on_message port/hello: hello 0",
    "on_message port/hello: hello 1",
    "on_message port/hello: hello 2",
    "on_publish mid = 2",
    "on_publish mid = 3",
    "on_publish mid = 4",
    "on_unsubscribe mid = 5",
  ]);
  assert.deepEqual(lines.slice(-1), ["on_disconnect rc = 0 (no error)"]);
});
