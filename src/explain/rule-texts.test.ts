// What is said of broken rules has its Chinese: every sentence in the sources that names a place of the specification, and the others that
// end a connection.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../test/support/repository.ts";
import { ruleText } from "./rule-texts.ts";

const SOURCES = join(ROOT, "src");

function filesBelow(folder: string): string[] {
  return readdirSync(join(SOURCES, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes(".test."))
    .map((name) => join(SOURCES, folder, name));
}

/** Texts with a place of the specification at their end, with a number in each of their places. */
function sentencesIn(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const literals = text.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g);
  return (
    [...literals]
      .map(([, plain, template]) =>
        (plain ?? template ?? "")
          .replace(/^\$\{[^}]*\}: /, "PUBLISH: ")
          .replaceAll(/\$\{[^}]*\}/g, "7")
          .replaceAll('\\"', '"'),
      )
      // A part of a sentence has nothing before it.
      .filter((sentence) => !sentence.startsWith("does not belong"))
      .filter((sentence) => /[a-z]{2} .*\[(?:5\.0|3\.1\.1) [^\]]+\]$/.test(sentence))
  );
}

const TAGGED = [...filesBelow("protocol"), ...filesBelow("core")].flatMap(sentencesIn);

/** Two words of English beside each other that are no name. */
const ENGLISH = /\b(?:the|is|are|not|allowed|has|have|that|only|which|must|with a|than)\b/;

test("there are sentences", () => assert.ok(TAGGED.length > 60, String(TAGGED.length)));

for (const sentence of new Set(TAGGED))
  test(`in Chinese: ${sentence}`, () => {
    const zh = ruleText(sentence, "zh");
    assert.match(zh, /\p{Script=Han}/u);
    assert.doesNotMatch(zh.replaceAll(/\[[^\]]*\]|“[^”]*”/g, ""), ENGLISH);
    assert.equal(ruleText(sentence, "en"), sentence);
  });

test("values and places stay", () => {
  for (const [en, zh] of [
    [
      'PUBLISH: topic name contains "#" at 3; wildcards belong in topic filters [5.0 MQTT-3.3.2-2]',
      "PUBLISH: 主题名含有 “#”（第 3 个字符）；通配符只能用在主题过滤器中 [5.0 MQTT-3.3.2-2]",
    ],
    [
      "a packet of 2113004 bytes is larger than 2000000 bytes, the most allowed [5.0 §3.1.2.11.4]",
      "报文有 2113004 字节，超过允许的最大值 2000000 字节 [5.0 §3.1.2.11.4]",
    ],
    ["CONNECT: will topic name is empty [5.0 MQTT-4.7.3-1]", "CONNECT: 遗嘱：主题名为空 [5.0 MQTT-4.7.3-1]"],
    ["the password of user a b is wrong", "用户 a b 的密码错误"],
    ["something that a plugin says", "something that a plugin says"],
  ] as const)
    assert.equal(ruleText(en, "zh"), zh);
});
