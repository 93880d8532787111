// `lacewing store` as its user sees it: what it prints, where, and its exit codes.
import assert from "node:assert/strict";
import {
  chownSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { IMPORT_COMMAND, STATS_COMMAND } from "../../src/cli/options/store-options.ts";
import { runStore } from "../../src/cli/store.ts";
import { DEFAULT_STORE_FOLDER } from "../../src/config/index.ts";
import type { Change } from "../../src/core/index.ts";
import { leaveToFolderOwner, openLmdbStore } from "../../src/store/index.ts";
import { deliverySet, messageAdded, sessionSet, subscriptionSet } from "../contracts/facts.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

const MOSQUITTO_DB = join(ROOT, "test/fixtures/mosquitto-db/2.0.11-no-user.db");

interface Result {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

async function store(...args: readonly string[]): Promise<Result> {
  const io = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const [out, errors] = [io.stdout, io.stderr].map((stream) => stream.setEncoding("utf8").toArray());
  const code = await runStore(args, io);
  io.stdout.end();
  io.stderr.end();
  return { code, out: (await out!).join(""), errors: (await errors!).join("") };
}

/** Runs a command that must succeed without a complaint, and returns what it printed. */
async function done(...args: readonly string[]): Promise<string> {
  const { code, out, errors } = await store(...args);
  assert.deepEqual([code, errors], [0, ""], args.join(" "));
  return out;
}

/** Runs a command that must not succeed, and returns why. */
async function refused(...args: readonly string[]): Promise<string> {
  const { code, out, errors } = await store(...args);
  assert.deepEqual([code, out], [1, ""], args.join(" "));
  assert.match(errors, /^Error: .*[.?"]\n/);
  return errors;
}

/** A new store with `facts` in it. */
async function made(context: TestContext, facts: readonly Change[]): Promise<string> {
  const folder = join(temporaryFolder(context), "store");
  const made = await openLmdbStore({ folder, durability: "none", report: () => {} });
  await made.append(facts);
  await made.close();
  return folder;
}

const FACTS: readonly Change[] = [
  sessionSet("small"),
  sessionSet("larger \u001b[31m"),
  subscriptionSet("small", "a"),
  subscriptionSet("small", "b"),
  messageAdded(1, "x".repeat(2000)),
  deliverySet("larger \u001b[31m", 1, 1, { payloadBytes: 2000 }),
  deliverySet("larger \u001b[31m", 2, 1, { payloadBytes: 2000, packetId: 4 }),
  deliverySet("small", 1, 1, { payloadBytes: 2000 }),
  { kind: "received-set", clientId: "small", packetId: 9 },
  { kind: "retained-set", topicName: "t", message: 1 },
];

test("without a command, and with --help, it says which there are and what each takes", async () => {
  assert.equal(await done(), await done("--help"));
  for (const command of ["check", "stats", "export", "import", "repair", "compact", "backup"])
    assert.match(await done(), new RegExp(`^(Usage: lacewing store|      ) .*\\b${command} `, "m"));
  for (const command of ["check", "stats", "export", "import", "repair", "compact", "backup"])
    assert.match(await done(command, "--help"), new RegExp(`^Usage: lacewing store ${command} `, "m"));
  assert.equal(STATS_COMMAND.options.folder.default, DEFAULT_STORE_FOLDER);
  assert.equal(IMPORT_COMMAND.options.to.default, DEFAULT_STORE_FOLDER);
});

test("a command that is mistyped, and wrong arguments", async () => {
  assert.match(await refused("exprot"), /Unknown command 'exprot'\. Did you mean 'export'\?/);
  assert.match(await refused("import"), /No file given\./);
  assert.match(await refused("stats", "--tpo", "1"), /Did you mean '--top'\?/);
  assert.match(await refused("stats", "a", "b"), /Unknown option 'b'/);
});

test("mosquitto's database into a store, that into lines, these into a store, and the same again", async (context) => {
  const folder = temporaryFolder(context);
  const [first, second, file] = ["first", "second", "export.jsonl"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const imported = await done("import", MOSQUITTO_DB, "--to", first);
  assert.match(imported, /\(mosquitto's database, format 6\) into .*: 3 sessions, 3 subscriptions, 0 queued messages/);
  assert.match(imported, /^Sessions whose user names in the file were not taken over: 2\.$/m);
  const exported = await store("export", first, "-o", file);
  assert.deepEqual([exported.code, exported.out], [0, ""]);
  assert.match(exported.errors, /: 8 lines\.\n$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(await done("import", file, "--to", second), /\(an export of Lacewing\) into .*: 3 sessions/);
  const again = await store("export", second);
  assert.deepEqual([again.code, again.out], [0, readFileSync(file, "utf8")]);
});

test("--users keeps the user names of a mosquitto.db", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  await done("import", MOSQUITTO_DB, "--to", folder, "--users");
  const { out } = await store("export", folder);
  assert.match(out, /"clientId":"first","principal":"joe"/);
  assert.match(out, /"clientId":"second","principal":null/);
});

test("statistics: totals, and the clients with the most", async (context) => {
  const folder = await made(context, FACTS);
  const text = await done("stats", folder, "--top", "1");
  assert.match(text, /^ {2}Sessions +2$/m);
  assert.match(text, /^ {2}Queued messages +2 +4\.0 KB$/m);
  assert.match(text, /^ {2}Retained messages +1 +2\.0 KB$/m);
  assert.match(text, /^The 1 of 2 clients with the most:$/m);
  assert.match(text, /^ +1 +4\.0 KB +1 +0 +0 {2}larger \\u001b\[31m$/m);
  const [totals, ...clients] = (await done("stats", folder, "--json"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(totals!.sessions, 2);
  assert.equal(totals!.retainedBytes, 2000);
  assert.deepEqual(clients[1], {
    clientId: "small",
    subscriptions: 2,
    queuedMessages: 1,
    queuedBytes: 2000,
    inflightMessages: 0,
    inflightBytes: 0,
    received: 1,
  });
});

test("an empty store", async (context) => {
  const folder = await made(context, []);
  assert.doesNotMatch(await done("stats", folder), /clients with the most/);
  assert.equal(
    (await store("export", folder)).out,
    '{"kind":"lacewing-store","version":1}\n{"kind":"end","lines":2}\n',
  );
});

test("no store, no file, or not the right one", async (context) => {
  const folder = temporaryFolder(context, { "mosquitto.conf": "listener 1883\n", "broken.jsonl": "" });
  writeFileSync(join(folder, "broken.jsonl"), '{"kind":"lacewing-store","version":1}\n{"kind":"session"}\n');
  assert.match(await refused("stats", join(folder, "nowhere")), /nowhere: there is no such folder\. Give the folder/);
  assert.match(await refused("export", folder), /there is no store in that folder/);
  const to = join(folder, "store");
  assert.match(await refused("import", join(folder, "nothing"), "--to", to), /ENOENT: no such file.*nothing/);
  assert.match(await refused("import", folder, "--to", to), /is not a file/);
  assert.match(
    await refused("import", join(folder, "mosquitto.conf"), "--to", to),
    /neither a mosquitto\.db nor an export.*Nothing was imported\./,
  );
  assert.match(
    await refused("import", join(folder, "broken.jsonl"), "--to", to),
    /broken\.jsonl cannot be imported: line 2: a session needs "clientId"\. Nothing was imported\./,
  );
  assert.match(await refused("stats", to), /there is no such folder/);
});

test("a store that is not empty is not filled, and no file is written over", async (context) => {
  const folder = await made(context, FACTS);
  assert.match(await refused("import", MOSQUITTO_DB, "--to", folder), /is not empty\. .* Nothing was imported\./);
  assert.match(await done("stats", folder), /Sessions +2$/m);
  assert.match(await refused("export", folder, "-o", MOSQUITTO_DB), /is there already/);
  assert.match(await refused("export", folder, "-o", join(folder, "no", "file")), /ENOENT/);
});

test("--force moves what was there to a folder of its own, where it can still be used", async (context) => {
  const folder = await made(context, FACTS);
  writeFileSync(join(folder, "mosquitto.db"), readFileSync(MOSQUITTO_DB));
  const out = await done("import", join(folder, "mosquitto.db"), "--to", folder, "--force");
  const aside = /^What the store held before is in (.*)\.$/m.exec(out)?.[1];
  assert.match(await done("stats", folder), /Sessions +3$/m);
  assert.match(await done("stats", aside!), /Sessions +2$/m);
  assert.equal(existsSync(join(folder, "mosquitto.db")), true, "what is not the store's stays");
});

test("--force replaces a file that is no store, and says nothing of an empty one", async (context) => {
  const folder = temporaryFolder(context, { "data.mdb": "x".repeat(200_000) });
  assert.match(await refused("import", MOSQUITTO_DB, "--to", folder), /is not a store of Lacewing/);
  assert.match(await done("import", MOSQUITTO_DB, "--to", folder, "--force"), /held before is in/);
  const empty = await made(context, []);
  assert.doesNotMatch(await done("import", MOSQUITTO_DB, "--to", empty, "--force"), /held before/);
});

const NOT_ROOT = process.geteuid?.() === 0 ? false : "only root can give files away";

test("what root makes belongs to the folder's owner, as the broker's user", { skip: NOT_ROOT }, async (context) => {
  const folder = temporaryFolder(context);
  chownSync(folder, 4321, 0);
  const owners = (): number[] => readdirSync(folder).map((name) => statSync(join(folder, name)).uid);
  await done("import", MOSQUITTO_DB, "--to", folder);
  assert.deepEqual(owners(), [4321, 4321, 4321], "import");
  for (const command of ["stats", "check", "compact"]) {
    await done(command, folder);
    assert.deepEqual(new Set(owners()), new Set([4321]), command);
  }
  // A file elsewhere is not given away by a name that its owner has put there.
  const elsewhere = join(temporaryFolder(context), "secret");
  writeFileSync(elsewhere, "");
  for (const link of [linkSync, symlinkSync]) {
    rmSync(join(folder, "clean.json"));
    link(elsewhere, join(folder, "clean.json"));
    leaveToFolderOwner(folder);
    assert.equal(statSync(elsewhere).uid, 0, link.name);
  }
});

test("check: a sound store", async (context) => {
  const folder = await made(context, FACTS);
  assert.match(await done("check", folder), /is sound: \d+ records\.\n$/);
});

test("check: records that were altered, and the store is left as it is", async (context) => {
  const folder = await made(context, FACTS);
  const path = join(folder, "data.mdb");
  const bytes = readFileSync(path);
  const at = bytes.indexOf("x".repeat(100));
  bytes[at + 50]! ^= 1;
  writeFileSync(path, bytes);
  const { code, out, errors } = await store("check", folder);
  assert.deepEqual([code, errors], [1, ""]);
  assert.match(
    out,
    /is damaged:\n {2}1 damaged in messages\nRestore a backup .* the broker sets damaged records aside/,
  );
  assert.deepEqual(readFileSync(path), bytes);
});

test("check: a file that was cut off", async (context) => {
  const folder = await made(context, FACTS);
  truncateSync(join(folder, "data.mdb"), 20_000);
  const { code, out, errors } = await store("check", folder);
  assert.deepEqual([code, errors], [1, ""]);
  assert.match(out, /is damaged:\n {2}The store .* is cut short/);
});

/** Many sessions with a queue each, so that the file has branches. */
function manyFacts(): Change[] {
  const facts: Change[] = [];
  for (let i = 1; i <= 200; i++) {
    const clientId = `client ${i}`;
    facts.push(sessionSet(clientId), subscriptionSet(clientId, `t/${i}`), messageAdded(i, `payload ${i} `.repeat(60)));
    facts.push(deliverySet(clientId, 1, i), { kind: "retained-set", topicName: "t", message: i });
  }
  return facts;
}

test("repair: what can be read of a file with a broken page, and nothing else than was there", async (context) => {
  const folder = await made(context, manyFacts());
  const before = new Set((await store("export", folder)).out.split("\n"));
  assert.match(await done("repair", folder), /is sound and stays as it is/);
  const path = join(folder, "data.mdb");
  const bytes = readFileSync(path);
  // The head of the page that has a payload, so that the tree cannot be walked as a whole.
  const page = Math.floor(bytes.indexOf("payload 77 ") / 4096);
  bytes.fill(0xff, page * 4096, page * 4096 + 64);
  writeFileSync(path, bytes);
  assert.match(await refused("stats", folder), /is damaged .*lacewing store repair/);
  const { code, out } = await store("repair", folder);
  assert.equal(code, 0);
  assert.match(out, /: \d{3,} records kept, \d+ faults?\. What was there before is in .*replaced-/);
  assert.match(await done("check", folder), /is sound/);
  const kept = (await store("export", folder)).out.trimEnd().split("\n").slice(1, -1);
  assert.ok(kept.length > 500, `${kept.length} of ${before.size}`);
  for (const line of kept) assert.ok(before.has(line), line);
});

test("repair: a file of which nothing can be read stays as it is", async (context) => {
  const folder = await made(context, manyFacts());
  const path = join(folder, "data.mdb");
  // What is written last is at the end, and all the rest hangs from it.
  truncateSync(path, Math.floor(statSync(path).size * 0.6));
  assert.match(await refused("repair", folder), /Nothing can be read of the store .* Restore a backup/);
  assert.match(await refused("stats", folder), /is cut short/);
  writeFileSync(path, "x".repeat(200_000));
  assert.match(await refused("repair", folder), /is not a store of Lacewing/);
});

test("compact: less space, the same contents, and it can be written to again", async (context) => {
  const folder = await made(context, FACTS);
  const opened = await openLmdbStore({ folder, durability: "always", report: () => {} });
  for (let i = 10; i < 60; i++) await opened.append([messageAdded(i, "y".repeat(9000)), deliverySet("small", i, i)]);
  for (let i = 10; i < 60; i++)
    await opened.append([{ kind: "delivery-deleted", clientId: "small", order: i, message: null }]);
  await opened.close();
  const before = await store("export", folder);
  assert.ok(statSync(join(folder, "data.mdb")).size > 300_000);
  assert.match(await done("compact", folder), /: [\d.]+ KB before, [\d.]+ KB now\.\n$/);
  assert.ok(statSync(join(folder, "data.mdb")).size < 100_000);
  assert.deepEqual(await store("export", folder), before);
  assert.match(await done("check", folder), /is sound/);
  for (let times = 0; times < 3; times++) {
    const again = await openLmdbStore({ folder, durability: "always", report: () => {} });
    await again.append([sessionSet(`new ${times}`)]);
    await again.close();
  }
  assert.match(await done("check", folder), /is sound/);
});

test("backup: a copy, only into a new or empty folder", async (context) => {
  const folder = await made(context, FACTS);
  const copy = join(temporaryFolder(context), "a", "copy");
  assert.match(await done("backup", folder, copy), /^Copied .*store to .*copy: .* KB, checked and on the disk\.\n$/);
  assert.equal((await store("export", copy)).out, (await store("export", folder)).out);
  assert.match(await refused("backup", folder, copy), /is not empty/);
  assert.match(await refused("backup", folder, join(folder, ".")), /is the store itself/);
  assert.match(await refused("backup", join(folder, "no"), copy), /no such folder/);
});

test("while another has the store: a backup can be taken, and the rest says so", async (context) => {
  const folder = await made(context, FACTS);
  const broker = new Program(process.execPath, [
    MAIN,
    "-p",
    "0",
    "--host",
    "127.0.0.1",
    "--set",
    `persistence_location=${folder}`,
  ]);
  await broker.printed(/running: /);
  for (const args of [
    ["stats", folder],
    ["export", folder],
    ["check", folder],
    ["compact", folder],
    ["import", MOSQUITTO_DB, "--to", folder],
    ["import", MOSQUITTO_DB, "--to", folder, "--force"],
  ])
    assert.match(await refused(...args), /in use by process \d+/);
  const copy = join(temporaryFolder(context), "copy");
  assert.match(await done("backup", folder, copy), /^Copied .* while it was in use to /);
  await broker.stop();
  assert.match(await done("check", copy), /is sound/);
  assert.equal((await store("export", copy)).out, (await store("export", folder)).out);
});
