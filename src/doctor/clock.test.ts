// What is concluded of a clock from what else is known.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeClock, type TimeFacts } from "./clock.ts";

const at = (text: string): number => Date.parse(`${text}T00:00:00Z`);

const NOTHING: TimeFacts = {
  nowMs: at("2026-01-01"),
  certificate: null,
  newestFileMs: null,
  timeServer: null,
  httpDateMs: null,
};

test("the story of 2019: every number is said", () => {
  const finding = judgeClock(
    {
      ...NOTHING,
      nowMs: Date.parse("2019-12-06T00:59:02Z"),
      certificate: { fromMs: at("2021-03-01"), toMs: at("2022-03-01") },
      timeServer: { name: "time.apple.com", timeMs: Date.parse("2021-07-29T04:02:53Z") },
    },
    true,
  );
  assert.deepEqual([finding.state, finding.meaning], ["failed", "certificate-not-yet-valid"]);
  assert.equal(
    finding.summary.en,
    "the clock says 2019-12-06 00:59:02 UTC, the certificate is valid from 2021-03-01 to 2022-03-01, " +
      "the time server time.apple.com says 2021-07-29 04:02:53 UTC: the clock is 601 days behind",
  );
  assert.match(finding.summary.zh, /本机时钟慢了 601 天$/);
});

for (const [what, facts, isFatal, state, pattern] of [
  ["a file of the future", { newestFileMs: at("2026-02-01") }, true, "failed", /31 days behind$/],
  [
    "a file of this morning",
    { newestFileMs: at("2026-01-01") + 3_600_000 },
    true,
    "passed",
    /nothing speaks against it/,
  ],
  ["an HTTP date", { httpDateMs: at("2025-12-31") }, true, "failed", /24 hours ahead$/],
  [
    "a time server that agrees",
    { timeServer: { name: "t", timeMs: at("2026-01-01") + 2000 } },
    true,
    "passed",
    /off by 2\.0 s/,
  ],
  [
    "a time server a bit off",
    { timeServer: { name: "t", timeMs: at("2026-01-01") + 90_000 } },
    true,
    "warning",
    /off by 90\.0 s/,
  ],
  [
    "a clock that harms nobody",
    { timeServer: { name: "t", timeMs: at("2027-01-01") } },
    false,
    "warning",
    /365 days behind/,
  ],
  [
    "a certificate of tomorrow and a newer file",
    { certificate: { fromMs: at("2026-01-02"), toMs: at("2027-01-01") }, newestFileMs: at("2026-01-01") + 1 },
    true,
    "failed",
    /24 hours behind/,
  ],
  [
    "a certificate of tomorrow and nothing else",
    { certificate: { fromMs: at("2026-01-02"), toMs: at("2027-01-01") } },
    true,
    "passed",
    /nothing speaks against it/,
  ],
] as const)
  test(`the clock and ${what}`, () => {
    const finding = judgeClock({ ...NOTHING, ...facts }, isFatal);
    assert.equal(finding.state, state);
    assert.match(finding.summary.en, pattern);
  });
