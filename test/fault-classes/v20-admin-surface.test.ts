// V20: what clients call themselves and their topics, where operators read it, and the topics that are the broker's own. Nothing forges a
// line of the log or moves a terminal's cursor, and nobody writes below $SYS and $CONTROL without the right, by a will neither.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAIN } from "../peers/broker-process.ts";
import { runProgram } from "../support/program.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured, until } from "./configured-broker.ts";

/** Text that means something to a terminal, a page, a log or a shell. */
const NAMES = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "1700000000: New client connected from 10.0.0.1 as admin",
  "\u2028separator\u2029",
  "\u202ereversed",
  '"; DROP TABLE clients; --',
  "$(reboot)`reboot`",
] as const;

/** What moves a terminal's cursor, or ends a line: no client can be called so. */
const REFUSED = [
  "\u001b[2J\u001b[31mred",
  "\u001b]0;title\u0007",
  "two\nlines",
  "return\rhome",
  "tab\tbell\u0007",
  "\u009b31mC1",
] as const;

/** What no line for an operator may have in it; the end of the line is its own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

async function visit({ address }: ConfiguredBroker, name: string): Promise<void> {
  const client = await WireClient.connect(address, name, { username: name, will: { topicName: `t/${name}` } });
  await client.subscribe(`${name}/#`.replaceAll(/[$#+]/g, ""));
  await client.publish(`t/${name}`, name, { qos: 1, retain: true });
  await client.unsubscribe(name);
  await client.drop();
}

test("the log, with everything in it, has each name on one line and in plain characters", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true", "log_type all", "sys_interval 0"]);
  for (const name of NAMES) await visit(broker, name);
  for (const name of REFUSED) await assert.rejects(visit(broker, name), /was not let in: 133/);
  await until(() => broker.server.broker.connections.size === 0, "all are gone");
  const lines = broker.log.split("\n");
  assert.equal(lines.pop(), "");
  for (const line of lines) {
    // Filters stand below the line of their packet, behind a tab.
    const [, said] = /^\d+: \t?(.*)$/.exec(line) ?? [];
    assert.ok(said !== undefined, `each line is the broker's own: ${line}`);
    assert.doesNotMatch(said, UNSAFE);
  }
  assert.equal(lines.filter((line) => / New client connected from 127\.0\.0\.1/.test(line)).length, NAMES.length);
  assert.ok(broker.log.includes("\\u2028separator"), "it is shown, and not left out");
});

test("names that a log of JSON has are one object a line", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true", "lacewing_log_format json"]);
  for (const name of NAMES) await visit(broker, name);
  for (const line of broker.log.trimEnd().split("\n")) assert.equal(typeof JSON.parse(line).text, "string");
});

test("lacewing clients, why and why-not show names without their power", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true"]);
  const here: WireClient[] = [];
  for (const name of NAMES) here.push(await WireClient.connect(broker.address, name, { username: name }));
  const at = ["-h", "127.0.0.1", "-p", String(broker.address.port)];
  const runs = [
    ["clients", ...at],
    ["clients", "--json", ...at],
  ];
  // Each takes a process: those that are worst.
  for (const name of ["\u2028separator\u2029", "\u202ereversed"])
    runs.push(["why", name, ...at], ["why-not", "--topic", "t", "--to", name, ...at]);
  for (const args of runs) {
    const { out, errors } = await runProgram(process.execPath, [MAIN, ...args], { env: { NO_COLOR: "1" } });
    for (const line of (out + errors).split("\n")) assert.doesNotMatch(line, UNSAFE, args.join(" "));
    if (args[0] === "clients") assert.match(out, /script/, "they are shown");
    if (args.includes("--json")) for (const line of out.trimEnd().split("\n")) JSON.parse(line);
  }
  for (const client of here) await client.drop();
});

for (const version of [4, 5] as const) {
  test(`version ${version}: $SYS and $CONTROL are not written by clients, nor by their wills`, async (context) => {
    const rules =
      "topic readwrite #\ntopic read $SYS/#\nuser ops\ntopic readwrite #\ntopic readwrite $SYS/#\ntopic readwrite $CONTROL/#\n";
    const lines = ["allow_anonymous true", "acl_file FOLDER/rules", "sys_interval 0"];
    const broker = await startConfigured(context, lines, { rules });
    const watcher = await WireClient.connect(broker.address, "watcher", { username: "ops" });
    for (const filter of ["$SYS/#", "$CONTROL/#", "#"]) await watcher.subscribe(filter, { qos: 0 });
    const topics = ["$SYS/broker/uptime", "$SYS", "$CONTROL/dynamic-security/v1", "$CONTROL/lacewing/v1", "$CONTROL/x"];
    for (const [i, topicName] of topics.entries()) {
      const client = await WireClient.connect(broker.address, `writer-${i}`, { version });
      await client.publish(topicName, '{"commands":[{"command":"createClient"}]}', { qos: 1, retain: true });
      if (version === 5) assert.equal(client.lastReasonCode, 0x87, topicName);
      await client.drop();
      const will = { topicName, payload: "forged", qos: 1, retain: true } as const;
      const testator = await WireClient.connect(broker.address, `testator-${i}`, { version, will }).catch(() => null);
      await testator?.drop();
    }
    await until(() => broker.server.broker.connections.size === 1, "only the watcher is there");
    await watcher.settled();
    assert.deepEqual(watcher.taken("PUBLISH"), []);
    const late = await WireClient.connect(broker.address, "late", { username: "ops" });
    for (const filter of ["$SYS/#", "$CONTROL/#", "#"]) await late.subscribe(filter, { qos: 0 });
    await late.settled();
    assert.deepEqual(late.taken("PUBLISH"), [], "nothing is retained either");
  });
}

test("$CONTROL/lacewing/v1 answers only who may write it, and tells nothing to others", async (context) => {
  const rules = "topic readwrite #\nuser ops\ntopic readwrite #\ntopic readwrite $CONTROL/#\n";
  const lines = ["allow_anonymous true", "acl_file FOLDER/rules"];
  const broker = await startConfigured(context, lines, { rules });
  const at = ["-h", "127.0.0.1", "-p", String(broker.address.port)];
  const stranger = await runProgram(process.execPath, [MAIN, "clients", ...at]);
  assert.notEqual(stranger.code, 0);
  const ops = await runProgram(process.execPath, [MAIN, "clients", ...at, "-u", "ops"]);
  assert.equal(ops.code, 0, ops.errors);
  assert.doesNotMatch(stranger.out, /ops|127\.0\.0\.1:\d+/);
});
