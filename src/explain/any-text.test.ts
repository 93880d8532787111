// Whatever is asked: an answer, no exception, and no pattern that takes for ever.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LINE_PATTERNS } from "./catalogue/log-lines.ts";
import { displayWidth, wrapped } from "./display-width.ts";
import { explain } from "./explain.ts";
import { oneLine } from "./explanation.ts";
import { LogReader } from "./log-reader.ts";
import { SOURCE_NAMES } from "./spaces.ts";
import { answerText, logText } from "./text.ts";

const PIECES = [
  "Client ",
  "1627552973: ",
  "2021-07-29T12:02:53 ",
  "error:0A000086:SSL routines::",
  "disconnected: ",
  "[10.0.0.1:1]",
  "rc = ",
  "-0x2700",
  "ECONNREFUSED ",
  "PUBLISH (d0, q2, r0, m1, '",
  "CONNACK (0, ",
  "证书",
  "\u001b[2J",
  "<unknown>",
  "9",
  "\n",
];

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc
    .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 12 })), { maxLength: 20 })
    .map((all) => all.join("")),
);
const source = fc.constantFrom(undefined, ...SOURCE_NAMES);
const language = fc.constantFrom("en" as const, "zh" as const);

test("any question has an answer that can be shown", () => {
  fc.assert(
    fc.property(text, source, language, fc.integer({ min: 1, max: 200 }), (query, from, language, width) => {
      const answer = explain(query, { language, ...(from !== undefined && { from }) });
      for (const explanation of answer.explanations) assert.ok(oneLine(explanation).length > 0);
      const shown = answerText(answer, query, language, { width, all: true });
      assert.ok(!/\p{Cc}/u.test(shown.replaceAll("\n", "")), "nothing that steers a terminal");
      JSON.stringify(answer);
    }),
    { numRuns: 400 },
  );
});

test("any log can be read and its summary shown", () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 10 }), language, (lines, language) => {
      const reader = new LogReader({ language });
      for (const line of lines) reader.add(line);
      const summary = reader.summary();
      assert.ok(summary.problems.every(({ count }) => count >= 1));
      assert.ok(logText(summary, language, { width: 80 }).endsWith("\n"));
    }),
    { numRuns: 200 },
  );
});

test("a million characters that almost fit every pattern are answered", () => {
  const long = 1_000_000;
  for (const piece of [
    "Client a",
    "a ",
    ": ",
    "error:",
    "E",
    "ERR_",
    "0, ",
    "'",
    "9",
    "Error: The ",
    "证",
    " \t",
    "-",
    "x: y",
  ]) {
    explain(piece.repeat(long / piece.length));
    const reader = new LogReader();
    reader.add(piece.repeat(long / piece.length));
    reader.add(`1627552973: Client ${piece.repeat(long / piece.length)} disconnected`);
  }
});

test("no pattern repeats what repeats, and each repetition is bounded", () => {
  for (const { pattern } of LINE_PATTERNS) {
    const repeated = pattern.source.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]/g, "x");
    assert.ok(!/[*+}]\)[*+{]/.test(repeated.replaceAll(/\{0,20\}/g, "")), `${pattern} repeats what repeats`);
    assert.ok(!/[*+](?!\+)/.test(repeated), `${pattern} repeats without a bound`);
  }
});

test("lines are broken by what they take on the terminal", () => {
  assert.equal(displayWidth("证书 a"), 6);
  assert.deepEqual(wrapped("one two three", 8), ["one two", "three"]);
  assert.deepEqual(wrapped("证书已过期，请续签", 8), ["证书已过", "期，请续", "签"]);
  fc.assert(
    fc.property(fc.array(fc.constantFrom("证", "书", "，", "ab", " ", "word"), { maxLength: 60 }), (words) => {
      const whole = words.join("");
      const lines = wrapped(whole, 20);
      assert.equal(lines.join("").replaceAll(" ", ""), whole.replaceAll(" ", ""));
    }),
  );
});
