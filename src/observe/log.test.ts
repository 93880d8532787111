import assert from "node:assert/strict";
import { test } from "node:test";
import { Log, printable } from "./log.ts";

test("lines of a turn leave in one write, those not wanted never", async () => {
  const written: string[] = [];
  const log = new Log<"notice" | "debug">({ types: ["notice"], timestamp: false }, (text) => written.push(text));
  log.write("notice", "one");
  log.write("debug", "not this");
  log.write("notice", "two");
  assert.deepEqual(written, []);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(written, ["one\ntwo\n"]);
});

test("lines soon after a write wait and leave together, but an error takes them along at the end of its turn", async (context) => {
  let atMs = 1000;
  context.mock.method(performance, "now", () => atMs);
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const written: string[] = [];
  const log = new Log<"notice" | "error">({ types: ["notice", "error"], timestamp: false }, (text) =>
    written.push(text),
  );
  log.write("notice", "first");
  await turn();
  atMs += 4;
  for (const text of ["a", "b"]) {
    log.write("notice", text);
    await turn();
  }
  assert.deepEqual(written, ["first\n"]);
  context.mock.timers.tick(1);
  assert.deepEqual(written.splice(0), ["first\n", "a\nb\n"]);
  log.write("notice", "c");
  log.write("error", "d");
  await turn();
  assert.deepEqual(written.splice(0), ["c\nd\n"]);
  context.mock.timers.tick(10);
  atMs += 10;
  log.write("notice", "alone again");
  await turn();
  assert.deepEqual(written, ["alone again\n"]);
});

test("a line begins with the seconds since 1970 when asked", () => {
  const written: string[] = [];
  const log = new Log<"notice">({ types: ["notice"], timestamp: true }, (text) => written.push(text));
  log.write("notice", "now");
  log.flush();
  const [, seconds] = /^(\d+): now\n$/.exec(written.join(""))!;
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 60);
});

test("text of clients cannot forge a line or move the cursor", () => {
  assert.equal(printable("a\nb\u001b[2Jc\u009b\u2028 ä温"), "a\\u000ab\\u001b[2Jc\\u009b\\u2028 ä温");
});
