// Ratios, goals and the table.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome } from "./measure.ts";
import { numberText, reportLines, tableText } from "./report.ts";
import type { Row, Scenario } from "./scenarios.ts";

const RATE: Row = {
  metric: "inPerSecond",
  title: "",
  unit: "msg/s",
  better: "higher",
  goals: [{ kind: "times", broker: "mosquitto", factor: 5 }],
};
const P99: Row = { metric: "p99Ms", title: "p99", unit: "ms", better: "lower", goals: [{ kind: "at most", value: 5 }] };
const SCENARIO: Scenario = {
  name: "pair",
  generator: "mload",
  version: 4,
  args: [],
  amount: [],
  quick: [],
  warmUp: undefined,
  settings: ["fair"],
  rows: [RATE, P99],
};

function outcome(
  broker: string,
  rates: readonly number[],
  p99: readonly number[],
  failures: readonly string[] = [],
): Outcome {
  return { scenario: "pair", broker, settings: "fair", figures: { inPerSecond: rates, p99Ms: p99 }, failures };
}

test("above 1 Lacewing wins, whether more is better or less", () => {
  const lines = reportLines([SCENARIO], [outcome("lacewing", [500, 400, 600], [2]), outcome("mosquitto", [100], [8])]);
  assert.deepEqual(
    lines.map((line) => line.timesBetter.mosquitto),
    [5, 4],
  );
  assert.deepEqual(
    lines.map((line) => line.goals[0]?.isMet),
    [true, true],
  );
});

test("a goal that is missed says so", () => {
  const lines = reportLines([SCENARIO], [outcome("lacewing", [499], [5.1]), outcome("mosquitto", [100], [8])]);
  assert.deepEqual(
    lines.map((line) => line.goals[0]?.isMet),
    [false, false],
  );
});

test("a figure that is to be at least so much is judged", () => {
  const [row] = SCENARIO.rows;
  const scenario = { ...SCENARIO, rows: [{ ...(row as Row), goals: [{ kind: "at least", value: 1000 }] as const }] };
  for (const [rate, isMet] of [
    [1000, true],
    [999, false],
  ] as const) {
    const [line] = reportLines([scenario], [outcome("lacewing", [rate], [1])]);
    assert.deepEqual(line?.goals, [{ text: ">= 1,000 msg/s", isMet }]);
  }
});

test("without the other broker a comparison is open and a plain figure is judged", () => {
  const lines = reportLines([SCENARIO], [outcome("lacewing", [499], [1])]);
  assert.deepEqual(
    lines.map((line) => line.goals[0]?.isMet),
    [undefined, true],
  );
});

test("a run that failed misses the goal, however fast the others were", () => {
  const failed = outcome("lacewing", [9999], [1], ["TIMEOUT: 1 of 2 delivered"]);
  const lines = reportLines([SCENARIO], [failed, outcome("mosquitto", [100], [8])]);
  assert.deepEqual(
    lines.map((line) => line.goals[0]?.isMet),
    [false, false],
  );
});

test("a run that went well without a figure is not one that failed", () => {
  const outcomes = [outcome("lacewing", [1], []), outcome("mosquitto", [], [], ["no connection"])];
  const [rate = "", p99 = ""] = tableText(reportLines([SCENARIO], outcomes), ["lacewing", "mosquitto"])
    .split("\n")
    .slice(2);
  assert.match(rate, /^\| pair +\| msg\/s \| +1\.00 \| +failed \|/);
  assert.match(p99, /^\| pair: p99 +\| ms +\| +- \| +failed \|/);
});

test("the table is Markdown with columns of one width", () => {
  const brokers = ["lacewing", "mosquitto", "aedes"];
  const outcomes = [
    outcome("lacewing", [600_000, 500_000], [2]),
    outcome("mosquitto", [100_000], [8]),
    outcome("aedes", [], [], ["TIMEOUT: 1 of 2 delivered"]),
  ];
  const text = tableText(reportLines([SCENARIO], outcomes), brokers);
  const lines = text.split("\n");
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  assert.match(
    lines[0] ?? "",
    /^\| scenario +\| unit +\| +lacewing \| +mosquitto \| +aedes \| +x mosquitto \| x aedes \|/,
  );
  assert.match(lines[2] ?? "", /550,000 ±9% \| +100,000 \| TIMEOUT \| +5\.50 \| +- \| >= 5x mosquitto +\| yes/);
});

test("a broker that does not speak the version has a dash", () => {
  const text = tableText(reportLines([SCENARIO], [outcome("mosquitto", [1], [1])]), ["mosquitto", "aedes"]);
  assert.match(text.split("\n")[2] ?? "", /\| +1\.00 \| +- \|/);
});

for (const [value, text] of [
  [1_234_567.8, "1,234,568"],
  [99.96, "100"],
  [Math.PI, "3.14"],
  [0.09871, "0.0987"],
  [0, "0.00"],
] as const)
  test(`${value} is printed as ${text}`, () => assert.equal(numberText(value), text));
