// The broker that has the bridge is killed again and again while messages cross it: none is lost, and at QoS 2 none comes twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isUp, Listening, startOwn, startOwnProcess, until } from "./brokers.ts";

const MESSAGES = 200;
const KILLS = 2;

for (const version of ["mqttv311", "mqttv50"]) {
  test(`${version}: killed with messages on their way, each crosses once at QoS 2`, {
    timeout: 90_000,
  }, async (context) => {
    const kept = ["persistence true", "persistence_location FOLDER/"];
    const remote = await startOwn(context, kept);
    const here = await startOwnProcess(context, [
      ...kept,
      ...["connection test", `address 127.0.0.1:${remote.port}`, "remote_clientid bridge", "restart_timeout 1"],
      ...[`bridge_protocol_version ${version}`, "bridge_session_expiry_interval 4294967295"],
      ...["topic out out 2", "topic in in 2"],
    ]);
    await isUp(context, remote, "bridge");
    // Whoever remembers what is under way is not the one that is killed.
    const durable = (clientId: string) => ({
      clientId,
      cleanStart: false,
      reconnect: { minimumDelayMs: 50, maximumDelayMs: 200 },
    });
    const near = await new Listening(context, here.port, durable("near")).subscribe("in");
    const there = await new Listening(context, remote.port, durable("there")).subscribe("out");
    const publishing = Promise.all(
      Array.from({ length: MESSAGES }, (_, i) => [
        near.client.publish("out", String(i), { qos: 2 }),
        there.client.publish("in", String(i), { qos: 2 }),
      ]).flat(),
    );
    for (let kill = 1; kill <= KILLS; kill++) {
      // Not by time, which passes differently on each machine: when some more have come.
      const some = Math.floor((kill * MESSAGES) / (KILLS + 2));
      await until(
        () => there.messages.length >= some || near.messages.length >= some,
        () => `${some} messages have come (${there.messages.length}, ${near.messages.length})`,
      );
      await here.kill();
      await here.start();
    }
    await publishing;
    const all = (name: string): readonly string[] => Array.from({ length: MESSAGES }, (_, i) => `${name} ${i} q2`);
    await there.got(...all("out"));
    await near.got(...all("in"));
    assert.deepEqual(there.messages, all("out"));
    assert.deepEqual(near.messages, all("in"));
  });
}
