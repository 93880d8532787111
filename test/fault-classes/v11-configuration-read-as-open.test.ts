// V11: files of users, rules and settings that are empty, blank, cut short, in another form or not to be read: at the start and at a
// reload. Nobody is ever let in or allowed anything by one: the broker does not start, or it denies; one that runs keeps what it had.
import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatPasswordHash, hashPassword } from "../../src/security/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured } from "./configured-broker.ts";

const ANN = { username: "ann", password: "s3cret" };
const hash = formatPasswordHash(await hashPassword("s3cret", "sha512-pbkdf2", 1));
const GOOD: Readonly<Record<string, string>> = {
  users: `ann:${hash}\n`,
  rules: "user ann\ntopic readwrite #\n",
  dynsec: "",
};

/** Files that say nothing: nobody may do anything by them. */
const NOTHING: Readonly<Record<string, string>> = {
  empty: "",
  "one end of line": "\n",
  blank: "  \n\t\n   ",
  "comments only": "# nothing\n#user ann\n#topic readwrite #\n",
};

async function canComeIn({ address }: ConfiguredBroker, who: object = ANN): Promise<boolean> {
  return (await WireClient.reasonCode(address, "c", who)) === 0;
}

/** Whether ann, whom the password file knows, may write and read. */
async function mayDoAnything({ address }: ConfiguredBroker): Promise<boolean> {
  const client = await WireClient.connect(address, "c", ANN);
  await client.subscribe("#", { qos: 0 });
  await client.publish("t", "x", { qos: 1 });
  const isWritten = client.lastReasonCode === 0 || client.lastReasonCode === 0x10;
  await client.settled();
  const isRead = client.taken("PUBLISH").length > 0;
  await client.disconnect();
  return isWritten || isRead;
}

for (const [what, text] of Object.entries(NOTHING)) {
  test(`a password file that is ${what} lets nobody in, also with allow_anonymous true not who names a user`, async (context) => {
    for (const allowAnonymous of [false, true]) {
      const lines = ["password_file FOLDER/users", `allow_anonymous ${allowAnonymous}`];
      const broker = await startConfigured(context, lines, { users: text });
      assert.equal(await canComeIn(broker), false);
      assert.equal(await canComeIn(broker, {}), allowAnonymous);
    }
  });

  test(`an ACL file that is ${what} allows nothing`, async (context) => {
    const lines = ["password_file FOLDER/users", "acl_file FOLDER/rules"];
    const broker = await startConfigured(context, lines, { ...GOOD, rules: text });
    assert.equal(await mayDoAnything(broker), false);
  });

  test(`a reload with files that are ${what} takes everything away`, async (context) => {
    const lines = ["password_file FOLDER/users", "acl_file FOLDER/rules"];
    const broker = await startConfigured(context, lines, GOOD);
    assert.equal(await mayDoAnything(broker), true);
    writeFileSync(join(broker.folder, "rules"), text);
    await broker.reload(lines);
    assert.equal(await mayDoAnything(broker), false);
    writeFileSync(join(broker.folder, "users"), text);
    await broker.reload(lines);
    assert.equal(await canComeIn(broker), false);
  });
}

/** Files that are broken, by the option that names them. */
const BROKEN: readonly (readonly [what: string, file: "users" | "rules", text: string])[] = [
  ["a password that is not hashed", "users", "ann:s3cret\n"],
  ["a hash that is cut", "users", `ann:${hash.slice(0, hash.length / 2)}\n`],
  ["a hash of nothing", "users", "ann:$7$\n"],
  ["a hash without rounds", "users", "ann:$7$0$AAAA$AAAA\n"],
  ["not UTF-8", "users", "ann:\xff\xfe"],
  ["a rule that is cut", "rules", "user ann\ntopic readwrite #\nuser"],
  ["an access that is none", "rules", "user ann\ntopic readwrit #\n"],
  ["a keyword that is none", "rules", "usr ann\ntopic readwrite #\n"],
  ["a filter that is none", "rules", "user ann\ntopic readwrite a#\n"],
];

for (const [what, file, text] of BROKEN) {
  test(`${what} in the file of ${file}: no start, and no change of who runs`, async (context) => {
    const lines = ["password_file FOLDER/users", "acl_file FOLDER/rules"];
    const bytes = Buffer.from(text, "latin1");
    const broken = { ...GOOD, [file]: text };
    if (what !== "not UTF-8") await assert.rejects(startConfigured(context, lines, broken));
    const broker = await startConfigured(context, lines, GOOD);
    writeFileSync(join(broker.folder, file), bytes);
    await assert.rejects(broker.reload(lines), new RegExp(`${file}(:\\d+)?: `));
    assert.deepEqual([await canComeIn(broker), await canComeIn(broker, {})], [true, false]);
    assert.equal(await mayDoAnything(broker), true);
  });
}

test("a byte order mark and CRLF are no mistake, and open nothing", async (context) => {
  const lines = ["password_file FOLDER/users", "acl_file FOLDER/rules"];
  const windows = (text: string): string => `\ufeff${text.replaceAll("\n", "\r\n")}`;
  const broker = await startConfigured(context, lines, {
    users: windows(GOOD.users ?? ""),
    rules: windows("user ann\ntopic readwrite a/#\ntopic deny a/b\n"),
  });
  const client = await WireClient.connect(broker.address, "c", ANN);
  for (const [topicName, code] of [
    ["a/x", 0x10],
    ["a/b", 0x87],
    ["b", 0x87],
  ] as const) {
    await client.publish(topicName, "x", { qos: 1 });
    assert.equal(client.lastReasonCode, code, topicName);
  }
  assert.equal(await canComeIn(broker, { username: "ann", password: "s3cret\r" }), false);
});

test("files that are gone, are folders or may not be read: no start, and no change of who runs", async (context) => {
  const lines = ["password_file FOLDER/users", "acl_file FOLDER/rules"];
  for (const file of ["users", "rules"]) {
    const without = Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== file));
    await assert.rejects(startConfigured(context, lines, without), new RegExp(file));
    await assert.rejects(startConfigured(context, lines, { ...without, [`${file}/x`]: "" }), new RegExp(file));
    const broker = await startConfigured(context, lines, GOOD);
    const path = join(broker.folder, file);
    const isRoot = process.geteuid?.() === 0;
    chmodSync(path, 0);
    // Root may read everything, so it becomes somebody else for a while.
    chmodSync(broker.folder, 0o777);
    chmodSync(join(broker.folder, "mosquitto.conf"), 0o666);
    if (isRoot) process.seteuid?.(65_534);
    try {
      await assert.rejects(broker.reload(lines), /may not read it/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    rmSync(path);
    await assert.rejects(broker.reload(lines), new RegExp(file));
    assert.deepEqual([await canComeIn(broker), await canComeIn(broker, {})], [true, false]);
    assert.equal(await mayDoAnything(broker), true);
  }
});

test("dynamic security: a file that is cut or something else lets no broker start, and one that says nothing lets nobody in", async (context) => {
  const lines = ["plugin mosquitto_dynamic_security.so", "plugin_opt_config_file FOLDER/dynsec.json"];
  for (const text of [" \n", "{", '{"clients":', "null", "[]", '{"clients":{}}'])
    await assert.rejects(startConfigured(context, lines, { "dynsec.json": text }), Error, JSON.stringify(text));
  for (const text of ["", "{}"]) {
    const broker = await startConfigured(context, lines, { "dynsec.json": text });
    assert.deepEqual([await canComeIn(broker), await canComeIn(broker, {})], [false, false], JSON.stringify(text));
  }
});

test("settings that are cut or mistyped keep what runs as it is", async (context) => {
  const lines = ["password_file FOLDER/users", "acl_file FOLDER/rules"];
  const broker = await startConfigured(context, lines, GOOD);
  for (const wrong of [
    ["allow_anonymous"],
    ["allow_anonymous tru"],
    ["allow_anonymus true"],
    ["password_file"],
    ["acl_file FOLDER/none"],
  ])
    await assert.rejects(broker.reload([...lines, ...wrong]), Error, wrong.join());
  assert.deepEqual([await canComeIn(broker), await canComeIn(broker, {})], [true, false]);
});

test("a reload without a free file descriptor changes nothing", {
  skip: process.platform === "win32",
}, async (context) => {
  const folder = temporaryFolder(context, GOOD);
  const file = join(folder, "mosquitto.conf");
  const [port = 0] = await freePorts(1);
  const lines = [`listener ${port} 127.0.0.1`, `password_file ${folder}/users`, `acl_file ${folder}/rules`];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const command = `ulimit -n 150; exec "$@"`;
  const broker = new Program("/bin/sh", ["-c", command, "sh", process.execPath, MAIN, "-c", file]);
  context.after(() => broker.stop());
  await broker.printed(/running: /);
  const address = { host: "127.0.0.1", port };
  const ann = await WireClient.connect(address, "ann", ANN);
  const idle: WireClient[] = [];
  for (;;) {
    const client = await WireClient.connect(address, `idle-${idle.length}`, ANN).catch(() => null);
    if (client === null) break;
    idle.push(client);
  }
  assert.ok(idle.length > 5, `${idle.length}`);
  await broker.printed(/system socket count has been exceeded/);
  broker.signal("SIGHUP");
  await broker.printed(/Nothing has been reloaded/);
  await ann.publish("t", "x", { qos: 1 });
  assert.equal(ann.lastReasonCode, 0x10);
  for (const client of idle) await client.drop();
  await broker.printed(/There are file descriptors again/);
  assert.equal(await WireClient.reasonCode(address, "stranger", {}), 0x87);
  assert.equal(await WireClient.reasonCode(address, "again", ANN), 0);
});
