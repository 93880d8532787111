// What outlives the process, and where it is.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Check, OptionRun } from "../option-run.ts";

/** What is acknowledged is there after a kill, with no other save than that. */
function keeps(topicName: string): Check {
  return async (broker) => {
    const publisher = await broker.stage.connect(`publisher of ${topicName}`);
    await publisher.publish(topicName, "kept", { qos: 1, retain: true });
    await publisher.lines(2);
    assert.equal(publisher.transcript[1], "PUBACK m1");
    await broker.restart();
    const reader = await broker.stage.connect(`reader of ${topicName}`);
    await reader.subscribe(topicName, { qos: 0 });
    await reader.lines(3);
    assert.equal(reader.transcript[2], `PUBLISH ${topicName}=kept q0 retain`);
  };
}

export const KEEPING: OptionRun = {
  title: "what is kept",
  lines: [
    "listener @main 127.0.0.1",
    "allow_anonymous true",
    "persistence true",
    "persistence_location FOLDER/kept",
    "persistence_file other.db",
    "autosave_interval 1000",
    "autosave_on_changes false",
    "lacewing_durability none",
    "pid_file FOLDER/pid",
  ],
  checks: {
    persistence: keeps("persistence"),
    autosave_interval: keeps("autosave/interval"),
    autosave_on_changes: keeps("autosave/changes"),
    lacewing_durability: async (broker) => {
      assert.match(broker.program().errors, /perhaps not a power cut/);
      await keeps("durability")(broker);
    },
    persistence_location: async ({ folder }) => assert.ok(existsSync(join(folder, "kept"))),
    persistence_file: async (broker) => {
      const file = join(broker.folder, "kept/other.db");
      assert.ok(existsSync(`${file}.lacewing`));
      await keeps("file")(broker);
      rmSync(file);
      await broker.restart();
      assert.match(broker.program().errors, /other\.db was removed, so the broker begins anew\./);
      const reader = await broker.stage.connect("reader of nothing");
      await reader.subscribe("#", { qos: 0 });
      await reader.lines(2);
      await reader.publish("asked", "answer", { qos: 0 });
      await reader.lines(3);
      assert.match(reader.transcript[2]!, /^PUBLISH asked=answer/);
    },
    pid_file: async ({ folder, program }) =>
      assert.equal(Number(readFileSync(join(folder, "pid"), "utf8")), program().pid),
  },
};

/** Who retained a message outlives the process with it, and which listener's rules hold for it. */
export const KEEPING_SOURCES: OptionRun = {
  title: "who is asked about what is kept",
  lines: [
    "per_listener_settings true",
    "persistence true",
    "persistence_location FOLDER/kept",
    "check_retain_source true",
    "listener @main 127.0.0.1",
    "allow_anonymous true",
    "acl_file FOLDER/rules",
    "listener @free 127.0.0.1",
    "allow_anonymous true",
  ],
  files: { rules: "topic readwrite #\n" },
  checks: {
    check_retain_source: async (broker) => {
      const { stage } = broker;
      const will = { topicName: "kept/will", payload: "x", retain: true } as const;
      const ruled = await stage.connect("ruled", { will });
      await ruled.publish("kept/ruled", "x", { qos: 1, retain: true });
      const free = await stage.connect("free", { at: "free" });
      await free.publish("kept/free", "x", { qos: 1, retain: true });
      await ruled.drop();
      const heir = await stage.connect("heir");
      await heir.subscribe("kept/will", { qos: 0 });
      await heir.lines(3);
      // What was published before this one is on disk when it is acknowledged; the broker is killed.
      await heir.publish("not/kept", "x", { qos: 1, retain: true });
      await heir.lines(4);
      broker.write("rules", "topic read #\n");
      await broker.restart();
      const reader = await stage.connect("reader");
      await reader.subscribe("kept/#", { qos: 0 });
      await reader.lines(3);
      assert.deepEqual(reader.transcript.slice(2), ["PUBLISH kept/free=x q0 retain"]);
      broker.write("rules", "topic readwrite #\n");
      await broker.restart();
      const later = await stage.connect("later");
      await later.subscribe("kept/#", { qos: 0 });
      await later.lines(5);
      assert.deepEqual([...later.transcript.slice(2)].sort(), [
        "PUBLISH kept/free=x q0 retain",
        "PUBLISH kept/ruled=x q0 retain",
        "PUBLISH kept/will=x q0 retain",
      ]);
    },
  },
};
