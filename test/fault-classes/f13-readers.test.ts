// F13: everything that reads text or bytes of others, given what is nearly right. The mutator is our own and keeps what led to an outcome
// that it had not seen, to change it further; the seeds are the cases that other brokers fell over. Each run ends in a value or in the
// error that the reader promises. LACEWING_FUZZ_RUNS is how many for each reader; LACEWING_SEED repeats a run.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ConfigError, readConfig } from "../../src/config/index.ts";
import { topicFilterFault, topicMatches, topicNameFault } from "../../src/protocol/index.ts";
import { parseAclFile } from "../../src/security/acl-file.ts";
import { parseSecurityData } from "../../src/security/dynamic-security/data-file.ts";
import { formatPasswordHash, hashPassword, SecurityError } from "../../src/security/index.ts";
import { parsePasswordFile } from "../../src/security/password-file.ts";
import { formatScramVerifier, parseScramVerifier, scramVerifier } from "../../src/security/scram.ts";
import { parseProxyHeader } from "../../src/transport/proxy-header.ts";
import { temporaryFolder } from "../support/folder.ts";
import { mutated } from "../support/mutated.ts";
import { Random } from "../support/random.ts";

const RUNS = Number(process.env.LACEWING_FUZZ_RUNS ?? 2000);
/** Inputs kept for each reader, and the longest of them. */
const MOST_KEPT = 500;
const MOST_BYTES = 4000;

/** Text as it is, for a reader of text. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

interface Reader {
  readonly name: string;
  readonly seeds: readonly (string | Uint8Array)[];
  /** The errors that it may end in. */
  readonly promises: readonly (new (
    ...args: never[]
  ) => Error)[];
  read(bytes: Uint8Array): unknown;
}

/** What an outcome is like, whatever names and numbers are in it. */
function shapeOf(outcome: unknown): string {
  if (outcome instanceof Error) return outcome.message.replace(/"[^"]*"|'[^']*'|\d+|\/\S+/g, "?").slice(0, 200);
  return (
    JSON.stringify(outcome, (_, value: unknown) => (typeof value === "object" ? value : typeof value))?.slice(0, 60) ??
    "nothing"
  );
}

/** @returns how many kinds of outcomes there were */
function fuzz({ name, seeds, promises, read }: Reader, runs: number, seed: number): number {
  const random = new Random(seed);
  const kept = seeds.map((each) => (typeof each === "string" ? Buffer.from(each) : each));
  const shapes = new Set<string>();
  for (let run = 0; run < runs; run++) {
    const bytes = run < seeds.length ? kept[run]! : mutated(random.pick(kept), random.pick(kept), random);
    let outcome: unknown;
    try {
      outcome = read(bytes);
    } catch (error) {
      const isPromised = promises.some((type) => error instanceof type);
      if (!isPromised)
        throw new Error(`LACEWING_SEED=${seed}: ${name} of ${Buffer.from(bytes).toString("hex")}`, { cause: error });
      outcome = error;
    }
    const shape = shapeOf(outcome);
    if (shapes.has(shape) || bytes.length > MOST_BYTES) continue;
    shapes.add(shape);
    if (kept.length < MOST_KEPT) kept.push(bytes);
  }
  return shapes.size;
}

const verifier = formatScramVerifier(await scramVerifier("s3cret"));
const hash = formatPasswordHash(await hashPassword("s3cret", "sha512-pbkdf2", 1));

function readersOf(context: TestContext): readonly Reader[] {
  const file = join(temporaryFolder(context), "mosquitto.conf");
  return [
    {
      name: "the password file",
      seeds: [
        `ann:${hash}\nbob:${hash}\n`,
        "ann",
        "ann:",
        ":",
        "ann:$6$",
        "ann:$7$1$$",
        "ann:$argon2id$v=19$m=1,t=1,p=1$AA$AA",
        "ann:s3cret",
      ],
      promises: [SecurityError],
      read: (bytes) => parsePasswordFile("users", textOf(bytes)),
    },
    {
      name: "the ACL file",
      seeds: [
        "user ann\ntopic readwrite a/#\npattern read %c/%u/+\n",
        "topic deny #",
        "user",
        "topic read $share/g/#",
        "pattern %u",
        "\ufefftopic a",
      ],
      promises: [SecurityError],
      read: (bytes) => parseAclFile("rules", textOf(bytes)),
    },
    {
      name: "the file of dynamic security",
      seeds: [
        '{"defaultACLAccess":{"subscribe":true},"clients":[{"username":"a","roles":[{"rolename":"r","priority":1}]}],"groups":[],"roles":[{"rolename":"r","acls":[{"acltype":"publishClientSend","topic":"a/#","allow":true}]}]}',
        '{"clients":null}',
        "[]",
        '{"__proto__":{"clients":[{}]}}',
        '{"roles":[{"rolename":"r","acls":[{"acltype":"constructor"}]}]}',
      ],
      promises: [SecurityError],
      read: (bytes) => parseSecurityData("dynsec.json", textOf(bytes)),
    },
    {
      name: "mosquitto.conf",
      seeds: [
        "listener 1883 127.0.0.1\nallow_anonymous false\npassword_file users\nmax_inflight_messages 0\n",
        "per_listener_settings true\nlistener 0 /run/x\nprotocol websockets\nwebsockets_origin a\n",
        "connection b\naddress 127.0.0.1:1\ntopic # both 2 a/ b/\nbridge_protocol_version mqttv50\n",
        "plugin lacewing_jwt\nplugin_opt_secret_file x\n",
        "lacewing_durability interval:5\nlacewing_max_message_rate 0\n",
      ],
      promises: [ConfigError],
      read: (bytes) => {
        // What it would include and overwrite is outside of this test.
        writeFileSync(file, textOf(bytes).replaceAll("include_dir", "include-dir"));
        return readConfig({ file }).config;
      },
    },
    {
      name: "a verifier of SCRAM",
      seeds: [verifier, "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$0:$:"],
      promises: [],
      read: (bytes) => parseScramVerifier(textOf(bytes)),
    },
    ...([1, 2] as const).map(
      (version): Reader => ({
        name: `the PROXY header, version ${version}`,
        seeds: [
          "PROXY TCP4 10.0.0.1 10.0.0.2 5 1883\r\n",
          "PROXY UNKNOWN\r\n",
          Buffer.from("0d0a0d0a000d0a515549540a2111000c0a0000010a00000200051883", "hex"),
          Buffer.from(
            "0d0a0d0a000d0a515549540a2111001c0a0000010a000002000507 5b20000d0100000000 21000354 4c53".replaceAll(
              " ",
              "",
            ),
            "hex",
          ),
          Buffer.from("0d0a0d0a000d0a515549540a2000ffff", "hex"),
        ],
        promises: [RangeError],
        read: (bytes) => parseProxyHeader(bytes, version),
      }),
    ),
  ];
}

test(`${RUNS} mutants for each reader`, (context) => {
  const seed = Number(process.env.LACEWING_SEED ?? Math.floor(Math.random() * 2 ** 31));
  for (const reader of readersOf(context)) {
    const kinds = fuzz(reader, reader.name === "mosquitto.conf" ? RUNS / 4 : RUNS, seed);
    context.diagnostic(`${reader.name}: ${kinds} kinds of outcomes`);
    assert.ok(kinds >= 2, `${reader.name} told nothing apart`);
  }
});

/** The rule as the specification says it, with all that costs [5.0 §4.7]. */
function isMatch(filter: readonly string[], name: readonly string[]): boolean {
  const [head, ...rest] = filter;
  const [level, ...levels] = name;
  if (head === "#") return true;
  if (head === undefined || level === undefined) return head === level;
  return (head === "+" || head === level) && isMatch(rest, levels);
}

test(`${RUNS * 10} filters and names: the matcher against one that was written apart`, () => {
  const seed = Number(process.env.LACEWING_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const random = new Random(seed);
  const levels = ["a", "b", "", "+", "#", "$SYS", "a+", "$"];
  const topic = (): string => Array.from({ length: 1 + random.below(5) }, () => random.pick(levels)).join("/");
  let matches = 0;
  for (let run = 0; run < RUNS * 10; run++) {
    const [filter, name] = [topic(), topic()];
    if (topicFilterFault(filter) !== null || topicNameFault(name) !== null) continue;
    const isHidden = name.startsWith("$") && /^[+#]/.test(filter);
    const expected = !isHidden && isMatch(filter.split("/"), name.split("/"));
    assert.equal(topicMatches(filter, name), expected, `LACEWING_SEED=${seed}: ${filter} and ${name}`);
    if (expected) matches++;
  }
  assert.ok(matches > RUNS / 20, `LACEWING_SEED=${seed}: ${matches} matches`);
});
