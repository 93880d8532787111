// The link of a bridge: what it says of itself, what waits while it is down, when it comes back, and what a reload does to it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { runTool } from "../cli/tool-run.ts";
import { testWithPeers } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { type BridgedBroker, isUp, Listening, listenAt, startMosquitto, startOwn, until } from "./brokers.ts";

const STATE = "$SYS/broker/connection/bridge/state";

/** The lines of a bridge to those ports. */
function bridge(ports: readonly number[], ...lines: readonly string[]): readonly string[] {
  const address = `address ${ports.map((port) => `127.0.0.1:${port}`).join(" ")}`;
  return ["connection test", address, "remote_clientid bridge", "restart_timeout 1", ...lines];
}

/** Messages of `t` by their numbers. */
function numbers(listening: Listening): readonly number[] {
  return listening.messages.map((message) => Number(message.split(" ")[1]));
}

test("its state is told at both ends and in the log, retained, and becomes 0 when it ends", async (context) => {
  const remote = await startOwn(context, []);
  const here = await startOwn(context, bridge([remote.port], "topic # out 0"));
  await isUp(context, here, "bridge");
  const there = await listenAt(context, remote, STATE);
  await there.got(`${STATE} 1 q1 r`);
  await here.stop();
  await there.got(`${STATE} 0 q1`);
  assert.match(here.log, /New connection from bridge test\.$/m);
});

test("notification_topic and notifications_local_only choose where its state is told; notifications false nowhere", async (context) => {
  const remote = await startOwn(context, []);
  const local = bridge([remote.port], "topic t out 0", "notifications_local_only true", "notification_topic at/home");
  const here = await startOwn(context, local);
  await (await listenAt(context, here, "at/home")).got("at/home 1 q1 r");
  const there = await listenAt(context, remote, "#");
  await here.reload(bridge([remote.port], "topic t out 0", "notifications false", "bridge_reload_type immediate"));
  await there.client.publish("mark", "x");
  await there.got("mark x q0");
  assert.deepEqual(there.messages, ["mark x q0"]);
});

test("lacewing why of its local end says that the link to the other broker was lost, and why", async (context) => {
  const remote = await startOwn(context, []);
  const here = await startOwn(context, bridge([remote.port], "topic # out 1", "local_clientid crossing"));
  await isUp(context, here, "bridge");
  await remote.stop();
  await until(
    () => /Client crossing .*disconnected/.test(here.log),
    () => here.log,
  );
  assert.match(
    await whyOf(here, "en"),
    /the client said goodbye \(DISCONNECT\): the bridge lost its link to the other broker: .{10}/,
  );
  assert.match(await whyOf(here, "zh"), /客户端主动断开（DISCONNECT）：桥接与另一台服务器的连接断开了：/);
});

async function whyOf({ port }: BridgedBroker, language: string): Promise<string> {
  const args = ["crossing", "-h", "127.0.0.1", "-p", String(port), "--lang", language];
  return (await runTool("why", args)).out;
}

for (const kind of ["ours", "mosquitto"] as const) {
  const declare =
    kind === "ours"
      ? test
      : (name: string, body: Parameters<typeof testWithPeers>[2]) => testWithPeers(name, ["mosquitto"], body);
  declare(
    `while the other broker (${kind}) is away messages wait, and then come in order and once`,
    async (context) => {
      const start = kind === "ours" ? startOwn : startMosquitto;
      const lines = ["persistence true", "persistence_location FOLDER/"];
      const remote: BridgedBroker = await start(context, lines);
      const here = await startOwn(context, bridge([remote.port], "topic # out 2"));
      await isUp(context, remote, "bridge");
      const durable = { clientId: "reader", cleanStart: false } as const;
      const reader = await new Listening(context, remote.port, durable).subscribe("t");
      await reader.client.disconnect();
      await remote.stop();
      const near = new Listening(context, here.port);
      for (let i = 0; i < 200; i++) await near.client.publish("t", String(i), { qos: 2 });
      await near.client.publish("t", "lost", { qos: 0 });
      await remote.start();
      await near.client.publish("t", "200", { qos: 2 });
      const again = await new Listening(context, remote.port, durable).subscribe("t");
      await again.got("t 200 q2");
      assert.deepEqual(
        numbers(again),
        Array.from({ length: 201 }, (_, i) => i),
      );
    },
  );
}

test("what the first client of a new broker publishes waits already", async (context) => {
  const remote = await startOwn(context, []);
  const there = await listenAt(context, remote, "t");
  const here = await startOwn(context, bridge([remote.port], "topic t out 1"), { isLater: true });
  const { client } = new Listening(context, here.port, { reconnect: { minimumDelayMs: 1, maximumDelayMs: 1 } });
  const published = client.publish("t", "first", { qos: 1 });
  await here.start();
  await published;
  await there.got("t first q1");
  // Not by the client's luck: nobody could come in before.
  assert.ok(here.log.indexOf("doing local SUBSCRIBE") < here.log.indexOf("Opening ipv4 listen socket"), here.log);
});

test("with local_cleansession true nothing waits", async (context) => {
  const [port = 0] = await freePorts(1);
  const remote = await startOwn(context, [], { port, isLater: true });
  const here = await startOwn(context, bridge([port], "topic t out 1", "cleansession true"));
  const near = new Listening(context, here.port);
  await near.client.publish("t", "early", { qos: 1 });
  await remote.start();
  await isUp(context, remote, "bridge");
  const there = await listenAt(context, remote, "t");
  await near.client.publish("t", "late", { qos: 1 });
  await there.got("t late q1");
  assert.deepEqual(there.messages, ["t late q1"]);
});

test("with cleansession false the other broker keeps what is for us", async (context) => {
  const remote = await startOwn(context, []);
  const here = await startOwn(context, bridge([remote.port], "topic t in 1"));
  await isUp(context, remote, "bridge");
  await here.stop();
  await new Listening(context, remote.port).client.publish("t", "x", { qos: 1 });
  await here.start();
  const near = await listenAt(context, here, "t");
  await new Listening(context, remote.port).client.publish("t", "y", { qos: 1 });
  await near.got("t y q1");
  const session = remote.server.broker.sessions.get("bridge");
  assert.equal(session?.queuedMessages, 0);
});

test("of several addresses the next is taken when one does not answer, and the main one when it is back", async (context) => {
  const [main = 0] = await freePorts(1);
  const second = await startOwn(context, []);
  const here = await startOwn(context, bridge([main, second.port], "topic # out 1"));
  await isUp(context, second, "bridge");
  const first = await startOwn(context, [], { port: main });
  await isUp(context, first, "bridge");
  const there = await listenAt(context, first, "t");
  await new Listening(context, here.port).client.publish("t", "x", { qos: 1 });
  await there.got("t x q1");
});

test("with round_robin true it stays where it is, and goes on when that one ends", async (context) => {
  const [first, second] = [await startOwn(context, []), await startOwn(context, [])];
  const here = await startOwn(context, bridge([first.port, second.port], "round_robin true", "topic # out 1"));
  await isUp(context, first, "bridge");
  await first.stop();
  await isUp(context, second, "bridge");
  assert.match(here.log, /Bridge test is not connected: .*; the next attempt is in 1\.0 s/);
});

test("a lazy bridge connects when enough waits, and goes when nothing crosses it", async (context) => {
  const remote = await startOwn(context, []);
  const lazy = ["start_type lazy", "threshold 3", "idle_timeout 1"];
  const here = await startOwn(context, bridge([remote.port], ...lazy, "topic t out 1"));
  const there = await listenAt(context, remote, "t");
  const near = new Listening(context, here.port);
  await until(
    () => here.server.broker.sessions.get("local.bridge")?.connection === null,
    () => "its local end has subscribed",
  );
  for (const text of ["a", "b"]) await near.client.publish("t", text, { qos: 1 });
  assert.equal(remote.server.broker.sessions.get("bridge"), undefined);
  await near.client.publish("t", "c", { qos: 1 });
  await there.got("t c q1");
  assert.deepEqual(there.messages, ["t a q1", "t b q1", "t c q1"]);
  await until(
    () => remote.server.broker.sessions.get("bridge")?.connection === null,
    () => "it has gone",
  );
});

test("start_type once does not connect again", async (context) => {
  const remote = await startOwn(context, []);
  const here = await startOwn(context, bridge([remote.port], "start_type once", "topic t out 1"));
  await isUp(context, remote, "bridge");
  await remote.stop();
  await here.logged(/start_type once does not connect again/);
});

test("a broker that does not know the bit of bridges gets an ordinary client, at once", async (context) => {
  const remote = await startOwn(context, []);
  const seen: boolean[] = [];
  const { broker } = remote.server;
  const { accept } = broker;
  // As an older broker, which takes the level of the protocol as a whole.
  broker.accept = (link, authenticator, ...rest) => {
    const judging = {
      authenticate: (applicant: Parameters<typeof authenticator.authenticate>[0]) => {
        if (applicant.clientId === "bridge") seen.push(applicant.connect.bridge);
        return applicant.connect.bridge
          ? ({ kind: "refused", reason: "unsupported-protocol-version" } as const)
          : authenticator.authenticate(applicant);
      },
    };
    return accept.call(broker, link, judging, ...rest);
  };
  await startOwn(context, bridge([remote.port], "topic # out 1"));
  await isUp(context, remote, "bridge");
  assert.deepEqual(seen, [true, false]);
});

test("a reload adds, changes and removes bridges, and leaves the others alone", async (context) => {
  const [first, second] = [await startOwn(context, []), await startOwn(context, [])];
  const steady = bridge([first.port], "topic a out 1");
  const here = await startOwn(context, steady);
  await isUp(context, first, "bridge");
  const since = first.server.broker.sessions.get("bridge")?.connection;
  const other = (topic: string): readonly string[] => [
    "connection other",
    `address 127.0.0.1:${second.port}`,
    "remote_clientid other",
    "bridge_reload_type immediate",
    `topic ${topic} out 1`,
  ];
  await here.reload([...steady, ...other("b")]);
  await isUp(context, second, "other");
  const there = await listenAt(context, second, "+");
  const near = new Listening(context, here.port);
  await near.client.publish("b", "x", { qos: 1 });
  await there.got("b x q1");
  await here.reload([...steady, ...other("c")]);
  await until(
    () => here.server.broker.sessions.get("local.other")?.subscriptions.has("c") ?? false,
    () => "the other topic is subscribed to",
  );
  await near.client.publish("b", "y", { qos: 1 });
  await near.client.publish("c", "y", { qos: 1 });
  await there.got("c y q1");
  assert.deepEqual(there.messages, ["b x q1", "c y q1"]);
  assert.equal(first.server.broker.sessions.get("bridge")?.connection, since);
  await here.reload(steady);
  await (await listenAt(context, second, "$SYS/broker/connection/other/state")).got(
    "$SYS/broker/connection/other/state 0 q1 r",
  );
});

test("rules hold for a bridge with local_username, in both directions", async (context) => {
  const remote = await startOwn(context, []);
  const lines = ["acl_file FOLDER/acl"];
  const [port = 0] = await freePorts(1);
  const here = await startOwn(context, [...lines, ...bridge([remote.port], "local_username site", "topic # both 1")], {
    port,
    isLater: true,
  });
  writeFileSync(`${here.folder}/acl`, "topic readwrite #\n\nuser site\ntopic read out/#\ntopic write in/#\n");
  await here.start();
  await isUp(context, remote, "bridge");
  const [near, there] = [await listenAt(context, here), await listenAt(context, remote)];
  for (const topic of ["secret", "out/a"]) await near.client.publish(topic, "x", { qos: 1 });
  for (const topic of ["forbidden", "in/a"]) await there.client.publish(topic, "y", { qos: 1 });
  await there.got("out/a x q1");
  await near.got("in/a y q1");
  assert.deepEqual(there.messages.sort(), ["forbidden y q1", "in/a y q1", "out/a x q1"]);
  assert.deepEqual(near.messages.sort(), ["in/a y q1", "out/a x q1", "secret x q1"]);
});
