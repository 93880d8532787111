// lacewing explain as a user runs it: questions, locales, logs on standard input, exit codes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runTool } from "./tool-run.ts";

test("a number is explained, with its other meanings and how to choose", async () => {
  const { code, out, errors } = await runTool("explain", ["19"]);
  assert.equal(code, 0);
  assert.match(out, /^19 MOSQ_ERR_KEEPALIVE, /);
  assert.match(out, / {5}check {2}ping -c 20 BROKER\n/);
  assert.match(out, /It can also be:\n {2}19 SELF_SIGNED_CERT_IN_CHAIN/);
  assert.equal(errors, "");
});

test("--from chooses the meaning", async () => {
  for (const [from, name] of [
    ["on_disconnect", "MOSQ_ERR_CONN_REFUSED"],
    ["connack", "not authorised"],
    ["pubsubclient", "MQTT_CONNECT_UNAUTHORIZED"],
    ["exit", "refused by CONNACK 5"],
    ["paho-java", "REASON_CODE_NOT_AUTHORIZED"],
  ] as const) {
    const { out } = await runTool("explain", ["5", "--from", from]);
    assert.ok(out.startsWith(`5 ${name}, `), `${from}: ${out.slice(0, 80)}`);
  }
});

test("a negative number and what comes after -- are no options", async () => {
  assert.match((await runTool("explain", ["-2"])).out, /MQTT_CONNECT_FAILED/);
  assert.match((await runTool("explain", ["--", "-4", ""])).out, /MQTT_CONNECTION_TIMEOUT/);
  const { code, errors } = await runTool("explain", ["--form", "x", "5"]);
  assert.equal(code, 1);
  assert.match(errors, /^Error: Unknown option '--form'\. Did you mean '--from'\?/);
});

for (const [env, pattern] of [
  [{ LANG: "zh_CN.UTF-8" }, /心跳超时/],
  [{ LC_ALL: "zh_CN.UTF-8", LANG: "en_US.UTF-8" }, /心跳超时/],
  [{ LC_ALL: "C", LANG: "zh_CN.UTF-8" }, /did not answer PINGREQ/],
  [{ LC_MESSAGES: "zh_TW", LANG: "C" }, /心跳超时/],
  [{}, /did not answer PINGREQ/],
] as const)
  test(`the locale chooses the language: ${JSON.stringify(env)}`, async () => {
    assert.match((await runTool("explain", ["19"], "", env)).out, pattern);
    assert.match((await runTool("explain", ["19", "--lang", "en"], "", env)).out, /did not answer PINGREQ/);
  });

test("several words are one question", async () => {
  const { code, out } = await runTool("explain", ["subscribed", "but", "nothing", "arrives"]);
  assert.equal(code, 0);
  assert.match(out, /^nothing-arrives\n/);
});

test("what is not known is said, with what comes near, and ends with 1", async () => {
  const { code, out } = await runTool("explain", ["gateway flickers purple certificate"]);
  assert.equal(code, 1);
  assert.match(out, /^Nothing is known of “gateway flickers purple certificate”\.\nNearest:\n/);
  assert.match(out, /\n {2}lacewing explain certificate-/);
});

test("what comes near nothing is said, with how to ask", async () => {
  const { code, out } = await runTool("explain", ["qwertyuiop"]);
  assert.equal(code, 1);
  assert.match(out, /^Nothing is known of “qwertyuiop”\.\nAsk with a number/);
});

test("--json is one object", async () => {
  const { out } = await runTool("explain", ["0x87", "--from", "puback", "--json"]);
  const answer = JSON.parse(out) as { query: string; explanations: { key: string; code: number; causes: unknown[] }[] };
  assert.equal(answer.query, "0x87");
  assert.deepEqual([answer.explanations[0]?.key, answer.explanations[0]?.code], ["acl-denied", 135]);
  assert.ok((answer.explanations[0]?.causes.length ?? 0) > 1);
});

const LOG = [
  "1627552973: mosquitto version 2.0.11 starting",
  "1627552990: Client abc already connected, closing old connection.",
  "1627553000: Client abc already connected, closing old connection.",
  "1627553003: Client def has exceeded timeout, disconnecting.",
  "",
].join("\r\n");

test("a log on standard input: each problem once, with count, first and last time", async () => {
  const { code, out } = await runTool("explain", [], LOG);
  assert.equal(code, 0);
  assert.match(out, /^== 2 times, first 2021-07-29T10:03:10Z, last 2021-07-29T10:03:20Z\nsession-taken-over\n/);
  assert.match(out, /== once, 2021-07-29T10:03:23Z\nclient-silent\n/);
  assert.match(out, /session-taken-over × 2, client-silent × 1; lines read: 4\.\n$/);
});

test("a log with --json: one object for each problem, then the rest", async () => {
  const lines = (await runTool("explain", ["--json"], LOG)).out.trim().split("\n");
  const [first, , last] = lines.map((line) => JSON.parse(line) as { count?: number; explanation?: { key: string } });
  assert.deepEqual([first?.count, first?.explanation?.key], [2, "session-taken-over"]);
  assert.deepEqual(last, { lines: 4, unexplained: [] });
});

test("a log without problems", async () => {
  const { code, out } = await runTool("explain", [], "1627552973: mosquitto version 2.0.11 starting\n");
  assert.deepEqual([code, out], [0, "Lines read: 1. No problem found.\n"]);
});
