// The catalogue as a whole: nothing of the tables is missing, nothing is empty, no meaning is left unused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DROP_REASONS, END_REASONS, REASON_CODES } from "../../protocol/index.ts";
import type { Space } from "../code.ts";
import { LANGUAGES, type Text } from "../entry.ts";
import { explanationOf } from "../explain.ts";
import { placesOf, SOURCE_NAMES, SPACES } from "../spaces.ts";
import { LINE_PATTERNS } from "./log-lines.ts";
import { MEANINGS, type MeaningKey } from "./meanings.ts";
import { SYMPTOMS } from "./symptoms.ts";

/** Ranges of numbers of which each must be there. */
const WHOLE_RANGES: readonly (readonly [Space, number, number])[] = [
  ["mosquitto", -6, 33],
  ["connack", 0, 5],
  ["x509", 0, 34],
  ["pubsubclient", -4, 5],
  ["paho-python", -1, 16],
  ["paho-c", -17, 0],
  ["paho-js", 0, 18],
];

for (const [space, from, to] of WHOLE_RANGES)
  test(`${space} has every number from ${from} to ${to}`, () => {
    for (let code = from; code <= to; code++) assert.notEqual(explanationOf({ space, code }), null, `${space} ${code}`);
  });

test("every reason code is there for every packet that may carry it", () => {
  for (const { code, name, on } of REASON_CODES)
    for (const packet of on) assert.equal(explanationOf({ space: "reason", code, packet })?.name, name);
});

test("every reason of our broker is there", () => {
  for (const name of Object.keys(END_REASONS)) assert.equal(explanationOf({ space: "end", code: name })?.name, name);
  for (const name of Object.keys(DROP_REASONS)) assert.equal(explanationOf({ space: "drop", code: name })?.name, name);
});

test("28, 29 and 30 of mosquitto 2.0 are 154, 148 and 152 in 2.1", () => {
  for (const [old, now] of [
    [28, 154],
    [29, 148],
    [30, 152],
  ] as const) {
    const [before, after] = [old, now].map((code) => explanationOf({ space: "mosquitto", code }));
    assert.equal(before?.name, after?.name);
    assert.deepEqual([before?.only, after?.only], ["2.0", "2.1"]);
  }
});

function* textsOf(key: MeaningKey): Generator<readonly [string, Text]> {
  const { title, means, causes, afterwards } = MEANINGS[key];
  yield [`${key}.title`, title];
  yield [`${key}.means`, means];
  if (afterwards !== undefined) yield [`${key}.afterwards`, afterwards];
  for (const [index, { why, see, fix }] of causes.entries()) {
    yield [`${key}.causes[${index}].why`, why];
    yield [`${key}.causes[${index}].fix`, fix];
    if (see !== undefined) yield [`${key}.causes[${index}].see`, see];
  }
}

const KEYS = Object.keys(MEANINGS) as MeaningKey[];

test("every text is there in every language, and the Chinese one is Chinese", () => {
  for (const key of KEYS)
    for (const [place, text] of textsOf(key)) {
      for (const language of LANGUAGES) assert.ok(text[language].trim().length > 1, `${place}.${language}`);
      const isCommand = text.zh === text.en;
      assert.ok(isCommand || /[\u4e00-\u9fff]/.test(text.zh), `${place}.zh: ${text.zh}`);
      assert.ok(!/[\u4e00-\u9fff]/.test(text.en), `${place}.en: ${text.en}`);
    }
});

test("every cause can be checked, and titles are short", () => {
  for (const key of KEYS) {
    const { title, causes, read } = MEANINGS[key];
    for (const [index, cause] of causes.entries())
      assert.ok(cause.run !== undefined || cause.see !== undefined, `${key}.causes[${index}] says no way to check it`);
    assert.ok(title.en.length <= 90, `${key}.title.en is long: ${title.en}`);
    assert.ok(!/[.。]$/.test(title.en + title.zh), `${key}.title ends with a full stop`);
    assert.ok((read ?? []).length > 0, `${key} names nothing to read`);
  }
});

test("every meaning is reached from a number, a line or a symptom", () => {
  const reached = new Set<MeaningKey>();
  for (const { codes } of Object.values(SPACES)) for (const { meaning } of codes) reached.add(meaning);
  for (const { meaning } of LINE_PATTERNS) if (meaning !== null) reached.add(meaning);
  for (const { meaning } of SYMPTOMS) reached.add(meaning);
  assert.deepEqual(
    KEYS.filter((key) => !reached.has(key)),
    [],
  );
});

test("a space has each name once, and every space can be asked for by a source", () => {
  for (const [space, { codes }] of Object.entries(SPACES)) {
    const rows = codes.map(({ code, name, on }) => `${code} ${name} ${on?.join() ?? ""}`);
    assert.equal(new Set(rows).size, rows.length, space);
  }
  const spaces = new Set(SOURCE_NAMES.flatMap((source) => placesOf(source).map(({ space }) => space)));
  for (const space of Object.keys(SPACES) as Space[]) assert.ok(spaces.has(space), `no --from has ${space}`);
});
