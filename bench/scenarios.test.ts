// The table of scenarios agrees with itself and with the generator's options.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLoadOptions } from "./load/options.ts";
import { SCENARIOS } from "./scenarios.ts";

test("names are unique", () => {
  assert.equal(new Set(SCENARIOS.map((scenario) => scenario.name)).size, SCENARIOS.length);
});

for (const scenario of SCENARIOS.filter(({ way }) => way === undefined))
  test(`${scenario.name}: our own generator understands all its arguments`, () => {
    for (const amount of [scenario.amount, scenario.quick, scenario.warmUp ?? []]) {
      const options = parseLoadOptions([...scenario.args, ...amount]);
      assert.equal(options.version, scenario.version);
    }
    assert.ok(scenario.rows.length > 0);
  });
