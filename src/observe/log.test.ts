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
