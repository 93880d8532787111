import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { topicMatches } from "../protocol/index.ts";
import { nearMisses } from "./near-misses.ts";

const ROWS: readonly [topicName: string, topicFilter: string, kind: string | null][] = [
  ["sensors/temp", "sensors/temp", null],
  ["sensors/temp", "sensors/Temp", "letter-case"],
  ["SENSORS/1/temp", "sensors/+/temp", "letter-case"],
  ["/sensors/temp", "sensors/temp", "leading-slash"],
  ["sensors/temp", "/sensors/#", "leading-slash"],
  ["sensors/temp/", "sensors/temp", "trailing-slash"],
  ["sensors/temp", "sensors/temp/", "trailing-slash"],
  ["sensors/temp ", "sensors/temp", "white-space"],
  ["$SYS/broker/uptime", "#", "dollar-topic"],
  ["$SYS/uptime", "+/uptime", "dollar-topic"],
  ["sensors/tmep", "sensors/temp", "spelling"],
  ["sensors/1/temprature", "sensors/+/temperature", "spelling"],
  ["a/1", "a/2", null],
  ["a/sensor1", "a/sensor2", null],
  ["sensors/kitchen/temp", "sensors/+", "name-deeper"],
  ["sensors", "sensors/+", "filter-deeper"],
  ["sensors/kitchen", "$share/g/sensors/Kitchen", "letter-case"],
  ["lights/kitchen", "sensors/#", null],
];

for (const [topicName, topicFilter, kind] of ROWS) {
  test(`${topicName} against ${topicFilter}: ${kind ?? "no near miss"}`, () => {
    const expected = kind === null ? [] : [{ topicFilter, kind }];
    assert.deepEqual(nearMisses(topicName, [topicFilter]), expected);
  });
}

test("the nearest comes first", () => {
  const found = nearMisses("sensors/kitchen/temp", ["sensors/+", "lights/#", "sensors/kitchen/temq", "Sensors/#"]);
  assert.deepEqual(
    found.map(({ kind }) => kind),
    ["letter-case", "spelling", "name-deeper"],
  );
});

test("whatever the filters, none that matches is a near miss", () => {
  const level = fc.constantFrom("a", "A", "b ", "", "+", "$x", "temp");
  const topic = fc.array(level, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(topic, topic, fc.boolean(), (name, filter, isOpen) => {
      const topicName = name.join("/").replaceAll("+", "p");
      const topicFilter = isOpen ? [...filter, "#"].join("/") : filter.join("/");
      if (topicName === "" || topicFilter === "") return;
      if (topicMatches(topicFilter, topicName)) assert.deepEqual(nearMisses(topicName, [topicFilter]), []);
      else nearMisses(topicName, [topicFilter]);
    }),
  );
});
