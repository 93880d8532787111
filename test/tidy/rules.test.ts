// The rules on examples that break them, so that they can fail, and on the repository.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependencies, type Manifest, RULES } from "./rules.ts";
import { importsOf, type TextFile, textFiles, withoutComments } from "./tree.ts";

const FILES = textFiles();

/** Joined here, so that the rule does not find it in this file. */
const join = (...parts: string[]) => parts.join("");

function file(path: string, text: string): TextFile {
  return { path, text };
}

test("the rules see the repository", () => {
  const paths = FILES.map(({ path }) => path);
  for (const path of ["package.json", ".ci/run", "src/core/broker.ts", "test/tidy/rules.ts", "docs/adr/README.md"])
    assert.ok(paths.includes(path), path);
  assert.ok(!paths.some((path) => /^(\.git|node_modules|dist|build)\//.test(path)));
});

test("imports are found in every form, and not in comments", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type {\n  B,\n} from "../b/index.ts";',
    'import "node:fs";',
    'export * from "./c.ts";',
    'await import("./d.ts");',
    '// import { e } from "./e.ts";',
    'const text = "// not a comment"; /* from "./f.ts" */',
  ].join("\n");
  const found = importsOf(file("src/core/x.ts", text)).map(({ path, specifier }) => path ?? specifier);
  assert.deepEqual(found, ["src/core/a.ts", "src/b/index.ts", "node:fs", "src/core/c.ts", "src/core/d.ts"]);
  assert.equal(withoutComments("a /* b\nc */ d // e\nf"), "a     \n     d     \nf");
});

const index = file("src/core/index.ts", "");
const BAD: readonly (readonly [keyof typeof RULES, readonly TextFile[], RegExp])[] = [
  ["importDirection", [file("src/core/a.ts", 'import "../server/index.ts";')], /server\/ is not above core\/; take/],
  ["importDirection", [file("src/server/a.ts", 'import "../core/broker.ts";')], /import from src\/core\/index.ts/],
  ["importDirection", [file("src/core/a.ts", 'import "../../test/a.ts";')], /not published/],
  ["importDirection", [file("src/misc/a.ts", 'import "../core/index.ts";')], /src\/misc has no place/],
  ["importDirection", [file("src/core/a.test.ts", 'import "../server/index.ts";')], /not above/],
  ["purity", [file("src/protocol/a.ts", 'import "node:net";')], /imports node:net; what does I\/O/],
  ["purity", [file("src/explain/a.ts", 'import "lodash";')], /imports lodash/],
  ["purity", [file("src/core/a.ts", "x;\nsetTimeout(f, 1);")], /core\/a.ts:2 uses setTimeout/],
  ["purity", [file("src/core/a.ts", "const now = Date.now();")], /uses Date.now/],
  ["typesAreChecked", [file("src/core/a.ts", "let a: any;")], /a.ts:1 uses any/],
  ["typesAreChecked", [file("test/a.ts", "f(a as any);")], /uses any/],
  ["typesAreChecked", [file("test/a.ts", "const a: Map<string, any> = b;")], /uses any/],
  ["typesAreChecked", [file("src/core/a.ts", join("// @ts-", "ignore"))], /mend the type/],
  ["typesAreChecked", [file("src/core/a.ts", join("// @ts-", "expect-error"))], /mend the type/],
  [
    "browserFaces",
    [file("src/core/a.ts", 'import "ws";'), file("src/core/browser.ts", 'import "./a.ts";')],
    /ws and is/,
  ],
  ["versionedTags", [file("src/core/a.ts", join("// [MQTT", "-3.1.2-24]"))], /of which version/],
  ["versionedTags", [file("src/core/a.ts", join("// [5.0 MQTT-3.1.2-22, MQTT", "-3.1.2-23]"))], /-23 of which/],
  ["versionedTags", [file("src/core/a.ts", join("// [5 MQTT", "-3.1.2-22]"))], /of which version/],
  ["noOrphans", [index, file("src/core/a.ts", ""), file("src/core/a.test.ts", 'import "./a.ts";')], /not reachable/],
  ["noOrphans", [file("test/support/a.ts", "")], /test\/support\/a.ts is used by nothing/],
  ["noOrphans", [file("scripts/a.mjs", "")], /used by nothing/],
  ["fileSize", [file("src/core/a.ts", "x;\n".repeat(501))], /501 lines: which two things/],
  ["noMachinePlaces", [file("docs/a.md", join("see /wo", "rk/main"))], /names/],
  ["noMachinePlaces", [file("a.json", join("https://registry.np", "mjs.org/a"))], /names/],
  ["names", [file("src/core/string-utils.ts", "")], /after what it exports/],
  ["names", [file("src/core/BadName.ts", "")], /kebab-case/],
  ["noLeftovers", [file("src/core/a.ts", join("// TO", "DO: more"))], /do it or file/],
  ["noLeftovers", [file("src/core/a.test.ts", join("test.on", "ly('a');"))], /hides the other tests/],
];

for (const [name, files, complaint] of BAD)
  test(`${name} finds: ${files.at(-1)?.path} ${files.at(-1)?.text.slice(0, 60)}`, () => {
    const complaints = RULES[name](files);
    assert.equal(complaints.length, 1, complaints.join("\n"));
    assert.match(complaints[0] as string, complaint);
  });

test("what is allowed is not complained about", () => {
  const good = [
    index,
    file("src/core/a.test.ts", 'import "node:test";\nimport "../../test/support/b.ts";'),
    file("src/cli/main.ts", 'import "../server/index.ts";\nimport "./part.ts";'),
    file("src/cli/part.ts", '// at any time; a process [5.0 MQTT-3.1.2-22] [3.1.1 MQTT-3.1.2-24]\nconst s = "as any";'),
    file("src/server/index.ts", 'import "../core/index.ts";\nimport "node:net";\nsetTimeout(f, 1);'),
    file("test/support/b.ts", 'new Program("./program-c.js");'),
    file("test/support/program-c.ts", ""),
    file("test/types.test.ts", join("// @ts-", "expect-error: must not compile")),
    file("src/core/browser.ts", 'import "./index.ts";'),
    file("docs/a.md", "run src/work/ and a/tmp/b"),
  ];
  for (const rule of Object.values(RULES)) assert.deepEqual(rule(good), [], rule.name);
});

test("dependencies finds what nobody argued for and what is not declared", () => {
  const source = file("src/server/a.ts", 'import "@scope/b/c";\nimport "node:net";\nimport "d";');
  const adr = file("docs/adr/0009-d.md", "`d` is worth it");
  const complaints = dependencies([source, adr], { dependencies: { d: "1", e: "1" } });
  assert.equal(complaints.length, 2);
  assert.match(complaints[0] ?? "", /e has no page in docs\/adr/);
  assert.match(complaints[1] ?? "", /imports @scope\/b, which is not a dependency/);
});

for (const [name, rule] of Object.entries(RULES))
  test(`the repository keeps ${name}`, () => assert.deepEqual(rule(FILES), []));

test("the repository keeps dependencies", () => {
  const manifest = FILES.find(({ path }) => path === "package.json")?.text ?? "";
  assert.deepEqual(dependencies(FILES, JSON.parse(manifest) as Manifest), []);
});
