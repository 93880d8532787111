// What is ours alone, and what the broker says of itself.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OptionRun } from "../option-run.ts";

export const OWN: OptionRun = {
  title: "options of ours",
  lines: [
    "listener @main 127.0.0.1",
    "allow_anonymous true",
    "sys_interval 1",
    "lacewing_connect_timeout 1",
    "lacewing_max_connect_size 200",
    "lacewing_max_topic_levels 3",
    "lacewing_reason_strings true",
    "lacewing_response_information answers/",
    "lacewing_max_subscriptions 2",
    "enable_control_api true",
  ],
  checks: {
    sys_interval: async ({ stage }) => {
      const client = await stage.connect("watcher");
      await client.subscribe("$SYS/broker/uptime", { qos: 0 });
      await client.packets(1);
      assert.match(client.transcript.at(-1) ?? "", /^PUBLISH \$SYS\/broker\/uptime=\d+ seconds/);
    },
    lacewing_connect_timeout: async ({ stage }) => {
      const client = await stage.open("silent");
      await client.closed();
    },
    lacewing_max_connect_size: async ({ stage }) => {
      const client = await stage.connect("large", { version: 5, clientId: "x".repeat(250) });
      await client.closed();
      assert.doesNotMatch(client.transcript[0] ?? "", /CONNACK 0x00/);
    },
    lacewing_max_topic_levels: async ({ stage }) => {
      const client = await stage.connect("deep", { version: 5 });
      await client.publish("a/b/c", "x", { qos: 1 });
      await client.publish("a/b/c/d", "x", { qos: 1 });
      assert.match(client.transcript[1] ?? "", /^PUBACK/);
      assert.match(client.transcript[2] ?? "", /^DISCONNECT 0x81/);
    },
    lacewing_reason_strings: async ({ stage }) => {
      const client = await stage.connect("explained", { version: 5 });
      client.bytes("36 04 0001 61 00");
      await client.closed();
      assert.match(client.transcript[1] ?? "", /^DISCONNECT 0x81 reasonString=.*QoS 3/);
    },
    lacewing_response_information: async ({ stage }) => {
      const client = await stage.connect("asking", { version: 5, properties: { requestResponseInformation: true } });
      assert.match(client.transcript[0] ?? "", /responseInformation=answers\/asking/);
    },
    enable_control_api: async ({ stage }) => {
      const client = await stage.connect("operator");
      await client.publish("$CONTROL/broker/v1", '{"commands":[{"command":"listListeners"}]}', { qos: 0 });
      await client.lines(2);
      assert.match(client.transcript.at(-1) ?? "", /^PUBLISH \$CONTROL\/broker\/v1\/response=.*"protocol":"mqtt"/);
    },
    lacewing_max_subscriptions: async ({ stage }) => {
      const client = await stage.connect("many", { version: 5 });
      await client.subscribe(["a", "b", "c"], { qos: 0 });
      assert.match(client.transcript[1] ?? "", /^SUBACK m1 0x00 0x00 0x97/);
    },
  },
};

export const LOG: OptionRun = {
  title: "the log",
  lines: [
    "listener @main 127.0.0.1",
    "allow_anonymous true",
    "connection_messages false",
    "log_dest file FOLDER/log",
    "log_dest topic",
    "log_dest stderr",
    "log_type subscribe",
    "log_type information",
    "log_timestamp true",
    "log_timestamp_format %Y!",
    "log_facility 3",
    "websockets_log_level 0",
  ],
  checks: {
    connection_messages: async ({ stage, folder }) => {
      const client = await stage.connect("unseen");
      await client.subscribe("seen", { qos: 0 });
      const log = readFileSync(join(folder, "log"), "utf8");
      assert.doesNotMatch(log, /New client connected/);
    },
    log_dest: async ({ stage, folder, program }) => {
      const watcher = await stage.connect("watcher");
      await watcher.subscribe("$SYS/broker/log/#", { qos: 0 });
      const client = await stage.connect("subscriber");
      await client.subscribe("to/topic", { qos: 0 });
      // Lines of some milliseconds leave together.
      await program().printed(/to\/topic/);
      await stage.settle();
      assert.ok(watcher.transcript.some((line) => /\$SYS\/broker\/log\/M\/subscribe=.*to\/topic/.test(line)));
      assert.match(readFileSync(join(folder, "log"), "utf8"), /to\/topic/);
    },
    log_type: async ({ stage, program }) => {
      const client = await stage.connect("typed");
      await client.subscribe("of/type", { qos: 0 });
      await program().printed(/of\/type/);
      assert.doesNotMatch(program().errors, /PINGREQ|New client/);
    },
    log_timestamp: async ({ program }) => assert.match(program().errors, /^20\d\d!: /m),
    log_timestamp_format: async ({ program }) => assert.match(program().errors, /^20\d\d!: .*running/m),
    log_facility: async ({ program }) => assert.doesNotMatch(program().errors, /log_facility/),
    websockets_log_level: async ({ program }) => assert.doesNotMatch(program().errors, /Error/),
  },
};

export const JSON_LOG: OptionRun = {
  title: "the log as JSON",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true", "log_dest stdout", "lacewing_log_format json"],
  checks: {
    lacewing_log_format: async ({ stage, program }) => {
      await stage.connect("logged");
      await program().printed(/New client connected/);
      const line = program()
        .out.split("\n")
        .find((text) => text.includes("New client connected"));
      const { type, text } = JSON.parse(line ?? "{}") as { type?: string; text?: string };
      assert.deepEqual([type, text?.startsWith("New client connected from 127.0.0.1:")], ["notice", true]);
    },
  },
};
