// The broker's place as one word, in all its forms, and what other options change of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../command-line.ts";
import { connectionOf } from "./connection-options.ts";
import { DOCTOR_COMMAND, idleMsOf, withPlace } from "./doctor-options.ts";

for (const [args, host, port, rest] of [
  [["broker"], "broker", 1883, {}],
  [["broker:1884"], "broker", 1884, {}],
  [["[::1]:1884"], "::1", 1884, {}],
  [["::1"], "::1", 1883, {}],
  [["mqtt://broker"], "broker", 1883, {}],
  [["mqtts://broker"], "broker", 8883, {}],
  [["mqtts://user:secret@broker:8884"], "broker", 8884, { username: "user" }],
  [["ws://broker:9001/mqtt"], "broker", 9001, { webSocketPath: "/mqtt" }],
  [["ws://broker:9001"], "broker", 9001, { webSocketPath: "/mqtt" }],
  [["ws://broker:9001/"], "broker", 9001, { webSocketPath: "/mqtt" }],
  [["wss://me@broker/a?b"], "broker", 443, { webSocketPath: "/a?b", username: "me" }],
  [["ws://broker"], "broker", 80, {}],
  [["-p", "9", "mqtt://broker"], "broker", 9, {}],
  [["mqtt://broker", "-u", "me"], "broker", 1883, { username: "me" }],
  [["-u", "broker", "broker"], "broker", 1883, { username: "broker" }],
  [["broker", "-u", "broker"], "broker", 1883, { username: "broker" }],
  [["-h", "other"], "other", 1883, {}],
  [[], "localhost", 1883, {}],
] as const)
  test(`lacewing doctor ${args.join(" ")}`, () => {
    const connection = connectionOf(parseCommandLine(DOCTOR_COMMAND, withPlace(args)));
    assert.deepEqual([connection.host, connection.port], [host, port]);
    for (const [name, value] of Object.entries(rest)) assert.equal(connection[name as keyof typeof connection], value);
  });

test("--idle takes seconds, minutes and hours", () => {
  assert.deepEqual([undefined, "90", "90s", "5m", "1h"].map(idleMsOf), [0, 90_000, 90_000, 300_000, 3_600_000]);
  for (const text of ["", "s", "1d", "-1", "1.5s"]) assert.throws(() => idleMsOf(text), /Invalid idle time given/);
});
