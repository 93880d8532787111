// As an operator moves: mosquitto is stopped, its database imported, our broker started, and its clients go on.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MAIN, startBrokerProcess } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { PersistentMosquitto } from "../support/mosquitto-files.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

/** Lets mosquitto save two sessions with what they are owed, and retained messages; returns the file. */
async function mosquittoFile(folder: string): Promise<string> {
  const mosquitto = await PersistentMosquitto.start(folder, ["max_queued_messages 0"]);
  for (const [clientId, version, qos] of [
    ["house", 4, 2],
    ["garden", 5, 1],
  ] as const) {
    const sub = await mosquitto.connect(clientId, {
      version,
      cleanStart: false,
      properties: version === 5 ? { sessionExpirySeconds: 3600 } : {},
    });
    await sub.subscribe("home/#", { qos });
    await sub.disconnect();
  }
  const pub = await mosquitto.connect("pub");
  for (let i = 1; i <= 300; i++) {
    const id = await pub.publish(`home/${i % 3}`, `message ${i}`, { qos: i % 2 === 0 ? 1 : 2 });
    if (i % 2 === 1) await pub.release(id);
  }
  await pub.publish("home/lamp", "on", { qos: 1, retain: true });
  await pub.disconnect();
  await mosquitto.stop();
  return join(folder, "mosquitto.db");
}

testWithPeers(
  "what mosquitto owed and retained is had from our broker",
  ["mosquitto", "mosquitto_sub"],
  async (context) => {
    // In the configuration file of mosquitto a path cannot have spaces.
    const old = mkdtempSync(join(tmpdir(), "lacewing-"));
    context.after(() => rmSync(old, { recursive: true }));
    const file = await mosquittoFile(old);
    const store = join(temporaryFolder(context), "store");
    const { code, out, errors } = await runProgram(process.execPath, [MAIN, "store", "import", file, "--to", store]);
    assert.deepEqual([code, errors], [0, ""]);
    assert.match(out, /: 2 sessions, 2 subscriptions, 602 queued messages, 0 in flight, .* 1 retained message\./);

    const broker = await startBrokerProcess("--set", `persistence_location=${store}`);
    for (const [clientId, version] of [
      ["house", "311"],
      ["garden", "5"],
    ] as const) {
      const args = ["-p", String(broker.port), "-V", version, "-i", clientId, "-c", "-q", "2", "-t", "home/#"];
      // With the queue's last message, and the retained one that its subscribing again brings, in any order.
      const { out: heard } = await startPeer("mosquitto_sub", [...args, "-C", "302"]).end();
      const numbers = heard.split("\n").flatMap((line) => (line.startsWith("message ") ? [Number(line.slice(8))] : []));
      // mosquitto_sub shows a message of QoS 2 when its PUBREL comes, so only messages of one QoS are in order.
      for (const odd of [0, 1]) {
        const expected = Array.from({ length: 150 }, (_, i) => 2 * i + 2 - odd);
        assert.deepEqual(
          numbers.filter((number) => number % 2 === odd),
          expected,
          clientId,
        );
      }
    }
    const lamp = await startPeer("mosquitto_sub", [
      "-p",
      String(broker.port),
      "-t",
      "home/lamp",
      "-C",
      "1",
      "-v",
    ]).end();
    assert.equal(lamp.out, "home/lamp on\n");
    await broker.stop();
  },
);

test("who has not imported mosquitto's database is told how, until it is done", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "mosquitto.db");
  copyFileSync(join(ROOT, "test/fixtures/mosquitto-db/2.0.11-no-user.db"), file);
  const settings = ["--set", `persistence_location=${folder}`, "--set", "log_dest=stderr"];
  const before = await startBrokerProcess(...settings);
  await before.stop();
  const said = /mosquitto are in (.*)\. To take them over, stop this broker and: lacewing (store import .*)\n/;
  const [, named, command = ""] = said.exec(before.program.errors) ?? [];
  assert.equal(named, file);
  const { code, errors } = await runProgram(process.execPath, [MAIN, ...command.split(" ")]);
  assert.deepEqual([code, errors], [0, ""]);
  const after = await startBrokerProcess(...settings);
  await after.stop();
  assert.doesNotMatch(after.program.errors, /To take them over/);
});
