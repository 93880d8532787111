// The start of log lines, as each program writes it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutStamp } from "./stamps.ts";

const AT = Date.parse("2021-07-29T10:02:53Z");
const MESSAGE = "Client abc has exceeded timeout, disconnecting.";

for (const [what, stamp, timeMs] of [
  ["none", "", null],
  ["mosquitto's epoch", "1627552973: ", AT],
  ["an ISO time", "2021-07-29T10:02:53: ", AT],
  ["an ISO time with a zone", "2021-07-29T18:02:53+0800: ", AT],
  ["an ISO time with a blank", "2021-07-29 10:02:53: ", AT],
  ["an ISO time with a fraction in brackets", "[2021-07-29T10:02:53.123Z] ", AT],
  ["syslog", "Jul 29 12:02:53 gateway mosquitto[812]: ", null],
  ["syslog and epoch", "Jul  9 12:02:53 gateway mosquitto[812]: 1627552973: ", AT],
  ["journald with ISO times", "2021-07-29T18:02:53+0800 gateway mosquitto[812]: ", AT],
  ["journald with ISO times and epoch", "2021-07-29T18:02:53+08:00 gateway mosquitto[812]: 1627552973: ", AT],
  ["docker compose", "mosquitto-1  | 1627552973: ", AT],
  ["docker logs with times", "2021-07-29T10:02:59.123456789Z 1627552973: ", AT],
] as const)
  test(`a stamp: ${what}`, () => {
    const stamped = withoutStamp(stamp + MESSAGE);
    assert.deepEqual([stamped.message, stamped.timeMs], [MESSAGE, timeMs]);
    assert.equal(stamped.stamp === null, stamp === "");
  });
