// Bounds of all clients, of queues and of memory.
import assert from "node:assert/strict";
import type { OptionRun } from "../option-run.ts";

export const CROWD: OptionRun = {
  title: "how many may come",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true", "global_max_clients 3", "global_max_connections 5"],
  checks: {
    global_max_clients: async ({ stage }) => {
      const players = [];
      for (const name of ["one", "two", "three", "four"])
        players.push(await stage.connect(name, { version: 5, clientId: name }));
      assert.match(players[2]?.transcript[0] ?? "", /^CONNACK 0x00/);
      assert.deepEqual(players[3]?.transcript[0], "CONNACK 0x89");
      for (const player of players.slice(0, 3)) await player.disconnect();
    },
    global_max_connections: async ({ stage }) => {
      const players = [];
      for (let n = 0; n < 6; n++) players.push(await stage.open(`connection ${n}`));
      await players[5]?.closed();
      assert.deepEqual(
        players.map(({ isClosed }) => isClosed),
        [false, false, false, false, false, true],
      );
      for (const player of players.slice(0, 5)) await player.drop();
    },
  },
};

export const QUEUES: OptionRun = {
  title: "what may wait",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true", "max_inflight_bytes 10", "max_queued_bytes 20"],
  checks: {
    max_inflight_bytes: async ({ stage }) => {
      const subscriber = await stage.connect("slow", { answers: false });
      await subscriber.subscribe("slow", { qos: 1 });
      const publisher = await stage.connect("fast");
      for (const payload of ["123456", "7890ab"]) await publisher.publish("slow", payload, { qos: 1 });
      await stage.settle();
      assert.deepEqual(subscriber.transcript.slice(2), ["PUBLISH slow=123456 q1 m1"]);
      subscriber.acknowledge("PUBACK", 1);
      await stage.settle();
      assert.deepEqual(subscriber.transcript.slice(3), ["PUBLISH slow=7890ab q1 m2"]);
    },
    max_queued_bytes: async ({ stage }) => {
      const options = { clientId: "away", cleanStart: false };
      const first = await stage.connect("away at first", options);
      await first.subscribe("away", { qos: 1 });
      await first.disconnect();
      const publisher = await stage.connect("publisher");
      for (let n = 1; n <= 5; n++) await publisher.publish("away", `bytes ${n}`, { qos: 1 });
      const second = await stage.connect("back", options);
      await stage.settle();
      assert.equal(second.transcript.filter((line) => line.startsWith("PUBLISH")).length, 2);
    },
  },
};

export const MEMORY: OptionRun = {
  title: "how much is held for clients",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true", "memory_limit 6000"],
  checks: {
    memory_limit: async ({ stage }) => {
      const subscriber = await stage.connect("subscriber", { clientId: "away", cleanStart: false });
      await subscriber.subscribe("away", { qos: 1 });
      await subscriber.disconnect();
      const publisher = await stage.connect("publisher", { version: 5 });
      for (let n = 0; n < 4; n++) await publisher.publish("away", "x".repeat(3000), { qos: 1 });
      const codes = publisher.transcript.slice(1);
      assert.equal(codes[0], "PUBACK m1");
      assert.equal(codes[3], "PUBACK m4 0x97");
    },
  },
};
