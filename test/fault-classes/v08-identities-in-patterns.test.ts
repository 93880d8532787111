// V8: client identifiers and user names made of what means something elsewhere, put into the patterns of an ACL file. They stand for
// themselves alone; the rules are compared with a small matcher that was written apart from them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAclFile } from "../../src/security/acl-file.ts";
import { AclRules } from "../../src/security/acl-rules.ts";
import { Random } from "../support/random.ts";
import { WireClient } from "../support/wire-client.ts";
import { startConfigured } from "./configured-broker.ts";

const WORLDS = 1000;
const CASES_EACH = 100;

interface Line {
  readonly section: "anonymous" | "ann" | "pattern";
  readonly access: "read" | "write" | "readwrite" | "deny";
  readonly filter: string;
}

interface Who {
  readonly clientId: string;
  readonly username: string | null;
}

/** The matcher that is compared with: all ways to match are tried, level by level, and nothing is remembered. */
function matches(filter: readonly string[], topic: readonly string[], who: Who, isPattern: boolean): boolean {
  const [level, ...filterRest] = filter;
  const [actual, ...topicRest] = topic;
  if (level === "#") return true;
  if (level === undefined || actual === undefined) return level === actual;
  const name = level === "%c" ? who.clientId : level === "%u" ? who.username : undefined;
  const isName = isPattern && name !== undefined && actual !== "" && name === actual;
  const isText = level === actual && !(isPattern && name !== undefined);
  return (level === "+" || isName || isText) && matches(filterRest, topicRest, who, isPattern);
}

function matchesTopic({ filter, section }: Line, topicName: string, who: Who): boolean {
  const [first = "", ...rest] = filter.split("/");
  const [actual = "", ...topicRest] = topicName.split("/");
  // What begins with "$" is nobody's but who writes it out.
  if (actual.startsWith("$")) return first === actual && matches(rest, topicRest, who, section === "pattern");
  return matches([first, ...rest], [actual, ...topicRest], who, section === "pattern");
}

function expected(lines: readonly Line[], who: Who, topicName: string, access: "read" | "write"): boolean {
  const isDangerous = /[+#]/.test(who.clientId) || /[+#]/.test(who.username ?? "");
  const own = who.username === null ? "anonymous" : who.username;
  for (const section of [own, "pattern"]) {
    if (section === "pattern" && isDangerous) continue;
    const hits = lines.filter((line) => line.section === section && matchesTopic(line, topicName, who));
    if (hits.some((line) => line.access === "deny")) return false;
    if (hits.some((line) => line.access === access || line.access === "readwrite")) return true;
  }
  return false;
}

const NAME_PARTS = [
  "+",
  "#",
  "/",
  "%",
  "%c",
  "%u",
  ".",
  "*",
  ".*",
  "^",
  "$",
  "${",
  "\\",
  "a",
  "b",
  "ann",
  " ",
  "?",
  "|",
  "(",
  "[",
];
const LEVELS = ["+", "%c", "%u", "a", "b", "", "%", "%cx", "$SYS", "ann", ".*"];

function nameOf(random: Random): string {
  return Array.from({ length: 1 + random.below(3) }, () => random.pick(NAME_PARTS)).join("");
}

function lineOf(random: Random): Line {
  const levels = Array.from({ length: 1 + random.below(4) }, () => random.pick(LEVELS));
  if (random.chance(0.3)) levels.push("#");
  const section = random.pick(["anonymous", "ann", "pattern", "pattern"] as const);
  return { section, access: random.pick(["read", "write", "readwrite", "deny"]), filter: levels.join("/") || "a" };
}

function textOf(lines: readonly Line[]): string {
  const of = (section: Line["section"], word: string): string =>
    lines
      .filter((line) => line.section === section)
      .map(({ access, filter }) => `${word} ${access} ${filter}\n`)
      .join("");
  return `${of("anonymous", "topic")}user ann\n${of("ann", "topic")}${of("pattern", "pattern")}`;
}

test(`${WORLDS * CASES_EACH} random rules, names and topics: no difference from the matcher that was written apart`, () => {
  const seed = Number(process.env.LACEWING_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const random = new Random(seed);
  const answers = { granted: 0, denied: 0 };
  for (let world = 0; world < WORLDS; world++) {
    const lines = Array.from({ length: 1 + random.below(6) }, () => lineOf(random));
    const file = parseAclFile("rules", textOf(lines));
    for (let each = 0; each < CASES_EACH; each++) {
      const who: Who = { clientId: nameOf(random), username: random.pick([null, "ann", nameOf(random)]) };
      const topicName = Array.from({ length: 1 + random.below(4) }, () =>
        random.pick(["a", "b", "", "%c", "%u", "$SYS", ".*", who.clientId, who.username ?? "x", nameOf(random)]),
      ).join("/");
      // What a client may send at all.
      if (topicName === "" || /[+#]/.test(topicName)) continue;
      const rules = new AclRules(file, who, { areRefused: true, found: () => {} });
      for (const access of ["read", "write"] as const) {
        const actual = access === "read" ? rules.receive(topicName) : rules.publish(topicName);
        const wanted = expected(lines, who, topicName, access);
        if ((actual ?? false) !== wanted) {
          const where = JSON.stringify({ who, topicName, access, wanted });
          assert.fail(`LACEWING_SEED=${seed}: ${where}\n${textOf(lines)}`);
        }
        answers[wanted ? "granted" : "denied"]++;
      }
    }
  }
  assert.ok(answers.granted > 1500 && answers.denied > 10_000, JSON.stringify(answers));
});

test("clients that call themselves wildcards, expressions or paths reach nobody else's topics", async (context) => {
  const rules = "pattern readwrite own/%c/#\npattern readwrite user/%u/#\nuser spy\ntopic write #\n";
  const broker = await startConfigured(context, ["allow_anonymous true", "acl_file FOLDER/rules"], { rules });
  const spy = await WireClient.connect(broker.address, "spy", { username: "spy" });
  for (const name of ["+", "#", "a/#", "+/+", ".*", "^", "$", "{a}", "%c", "%u", "..", "[^x]", "a|victim", "victim/"]) {
    for (const options of [
      { clientId: name, username: "nobody" },
      { clientId: "nobody", username: name },
    ]) {
      const client = await WireClient.connect(broker.address, options.clientId, { username: options.username });
      await client.subscribe("#", { qos: 0 });
      for (const topicName of ["own/victim/x", "user/victim/x", "own/victim", "user/a/x"]) {
        await spy.publish(topicName, "secret", { qos: 1 });
        await client.publish(topicName, "forged", { qos: 1 });
        assert.equal(client.lastReasonCode, 0x87, `${JSON.stringify(options)} writes ${topicName}`);
      }
      await client.settled();
      assert.deepEqual(client.taken("PUBLISH"), [], JSON.stringify(options));
      // Its own, where its name can be a level.
      if (!/[+#/]/.test(name)) {
        const own = options.clientId === name ? `own/${name}/x` : `user/${name}/x`;
        await client.publish(own, "mine", { qos: 1 });
        assert.equal(client.lastReasonCode, 0, own);
        assert.equal((await client.expect("PUBLISH")).topicName, own);
      }
      await client.disconnect();
    }
  }
});
