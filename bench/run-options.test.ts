// The options of `npm run bench`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRunOptions } from "./run-options.ts";

test("without options all brokers, both tables, five runs, stored", () => {
  const options = parseRunOptions([]);
  assert.deepEqual(options.brokers, ["lacewing", "mosquitto", "aedes"]);
  assert.deepEqual(options.settings, ["fair", "defaults", "durable", "synced", "tls", "websocket", "users"]);
  assert.equal(options.runs, 5);
  assert.equal(options.saves, true);
  assert.ok(options.only.test("pair-q0"));
});

test("--quick runs once, without and with a disk, and stores nothing", () => {
  const options = parseRunOptions(["--quick"]);
  assert.deepEqual([options.runs, options.settings, options.saves], [1, ["fair", "synced"], false]);
});

test("each option is heard", () => {
  const options = parseRunOptions([
    "--runs",
    "3",
    "--only",
    "^idle$",
    "--brokers",
    "aedes",
    "--settings",
    "defaults",
    "--no-save",
  ]);
  assert.deepEqual(
    [options.runs, options.brokers, options.settings, options.saves],
    [3, ["aedes"], ["defaults"], false],
  );
  assert.ok(options.only.test("idle") && !options.only.test("pair-q0"));
});

test("what is no broker is measured only when it is named", () => {
  assert.deepEqual(parseRunOptions(["--brokers", "mosquitto,node-tls"]).brokers, ["mosquitto", "node-tls"]);
});

for (const args of [
  ["--runs", "0"],
  ["--runs", "many"],
  ["--brokers", "hivemq"],
  ["--settings", "fast"],
  ["--no-such"],
  ["--only", "("],
])
  test(`${args.join(" ")} is refused`, () => assert.throws(() => parseRunOptions(args)));
