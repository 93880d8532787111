// Dynamic security under mosquitto and under Lacewing: the same file, the same requests, the same answers.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { textOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { type GuardedBroker, type GuardSettings, startGuarded, startGuardedMosquitto } from "./guarded-broker.ts";

const ADMIN = { username: "admin", password: "admin's password" };
const REQUEST = "$CONTROL/dynamic-security/v1";

interface Pair {
  readonly theirs: GuardedBroker & { readonly file: string };
  readonly ours: GuardedBroker & { readonly file: string };
}

/** Both brokers with a file that `mosquitto_ctrl dynsec init` made. */
async function startPair(context: TestContext): Promise<Pair> {
  const folder = temporaryFolder(context);
  const first = join(folder, "first.json");
  const made = await startPeer("mosquitto_ctrl", ["dynsec", "init", first, ADMIN.username, ADMIN.password]).end();
  assert.equal(made.code, 0, made.errors);
  const start = async (name: string, open: (settings: GuardSettings) => Promise<GuardedBroker>) => {
    const file = join(folder, name, "dynamic-security.json");
    mkdirSync(join(folder, name));
    copyFileSync(first, file);
    const broker = await open({ allowAnonymous: true, dynamicSecurityFile: file });
    context.after(() => broker.stop());
    return { ...broker, file };
  };
  const [theirs, ours] = await Promise.all([
    start("theirs", (settings) => startGuardedMosquitto(join(folder, "theirs"), settings)),
    start("ours", startGuarded),
  ]);
  return { theirs, ours };
}

/** What 2.1, and so Lacewing, says in addition to 2.0. */
const NEW_FIELDS: ReadonlySet<string> = new Set(["connections", "allowwildcardsubs", "changeIndex"]);

function withoutNew(text: string): unknown {
  return JSON.parse(text, (key, value) => (NEW_FIELDS.has(key) ? undefined : value));
}

class Administrator {
  readonly #client: WireClient;

  private constructor(client: WireClient) {
    this.#client = client;
  }

  static async connect({ port }: GuardedBroker): Promise<Administrator> {
    const client = await WireClient.connect({ port, host: "127.0.0.1" }, "admin", ADMIN);
    await client.subscribe(`${REQUEST}/response`);
    return new Administrator(client);
  }

  async ask(payload: string): Promise<string> {
    await this.#client.publish(REQUEST, payload, { qos: 1 });
    return textOf((await this.#client.expect("PUBLISH")).payload);
  }
}

type Command = Readonly<Record<string, unknown>>;

const ACL = { acltype: "publishClientSend", topic: "a/#", priority: 3, allow: true };

/** Each is a request, or a command of one. */
const SCRIPT: readonly (Command | string | readonly Command[])[] = [
  "no JSON",
  "[]",
  "{}",
  '{"commands":{}}',
  '{"commands":[1]}',
  '{"commands":[{}]}',
  '{"commands":[{"command":"listRoles","correlationData":1}]}',
  { command: "noSuchCommand", correlationData: "x" },
  { command: "getDefaultACLAccess" },
  { command: "setDefaultACLAccess" },
  {
    command: "setDefaultACLAccess",
    acls: [
      { acltype: "subscribe", allow: true },
      { acltype: "other", allow: true },
    ],
  },
  { command: "getDefaultACLAccess", correlationData: "after" },
  { command: "createRole" },
  { command: "createRole", rolename: "reader", textname: "R", textdescription: "reads" },
  { command: "createRole", rolename: "reader" },
  { command: "createRole", rolename: "writer", acls: [ACL, { ...ACL, topic: "b", priority: 9 }, { acltype: "x" }] },
  { command: "createRole", rolename: "bad", textname: 1 },
  { command: "getRole", rolename: "writer" },
  { command: "getRole", rolename: "nobody" },
  { command: "getRole" },
  { command: "addRoleACL", rolename: "reader", acltype: "subscribePattern", topic: "a/+", priority: 1, allow: true },
  { command: "addRoleACL", rolename: "reader", acltype: "subscribePattern", topic: "a/+", allow: false },
  { command: "addRoleACL", rolename: "reader", acltype: "subscribeLiteral", topic: "#", priority: -5, allow: false },
  { command: "addRoleACL", rolename: "reader", acltype: "nothing", topic: "#" },
  { command: "addRoleACL", rolename: "reader", acltype: "subscribeLiteral", topic: "a#" },
  { command: "addRoleACL", rolename: "reader", acltype: "subscribeLiteral" },
  { command: "addRoleACL", rolename: "reader" },
  { command: "addRoleACL", rolename: "nobody", acltype: "subscribeLiteral", topic: "a" },
  { command: "removeRoleACL", rolename: "reader", acltype: "subscribeLiteral", topic: "#" },
  { command: "removeRoleACL", rolename: "reader", acltype: "subscribeLiteral", topic: "#" },
  { command: "modifyRole", rolename: "reader", textname: "Reader", acls: [ACL] },
  { command: "modifyRole", rolename: "nobody" },
  { command: "listRoles" },
  { command: "listRoles", verbose: true },
  { command: "listRoles", count: 1, offset: 1 },
  { command: "listRoles", count: 0 },
  { command: "createGroup" },
  { command: "createGroup", groupname: "workers", textname: "W", roles: [{ rolename: "reader", priority: 4 }] },
  { command: "createGroup", groupname: "workers" },
  { command: "createGroup", groupname: "others", roles: [{ rolename: "nobody" }] },
  { command: "createGroup", groupname: "guests" },
  { command: "getGroup", groupname: "workers" },
  { command: "getGroup", groupname: "nobody" },
  { command: "createClient" },
  { command: "createClient", username: "alice", password: "a", clientid: "only", roles: [{ rolename: "writer" }] },
  { command: "createClient", username: "alice" },
  { command: "createClient", username: "bob", password: "b", groups: [{ groupname: "workers", priority: 7 }] },
  { command: "createClient", username: "carol", groups: [{ groupname: "nobody" }] },
  { command: "createClient", username: "carol", roles: [{ rolename: "nobody" }] },
  { command: "createClient", username: "carol", roles: "reader" },
  { command: "createClient", username: "carol", textname: "C", textdescription: "no password" },
  { command: "getClient", username: "alice" },
  { command: "getClient", username: "bob" },
  { command: "getClient", username: "nobody" },
  { command: "getClient" },
  { command: "addClientRole", username: "bob", rolename: "reader", priority: 2 },
  { command: "addClientRole", username: "bob", rolename: "nobody" },
  { command: "addClientRole", username: "nobody", rolename: "reader" },
  { command: "addClientRole", username: "bob" },
  { command: "removeClientRole", username: "bob", rolename: "reader" },
  { command: "removeClientRole", username: "bob", rolename: "reader" },
  { command: "addGroupClient", groupname: "guests", username: "alice", priority: 1 },
  { command: "addGroupClient", groupname: "guests", username: "alice" },
  { command: "addGroupClient", groupname: "nobody", username: "alice" },
  { command: "addGroupClient", groupname: "guests", username: "nobody" },
  { command: "removeGroupClient", groupname: "guests", username: "alice" },
  { command: "removeGroupClient", groupname: "nobody", username: "alice" },
  { command: "addGroupRole", groupname: "guests", rolename: "writer", priority: 5 },
  { command: "addGroupRole", groupname: "guests", rolename: "nobody" },
  { command: "removeGroupRole", groupname: "guests", rolename: "writer" },
  { command: "removeGroupRole", groupname: "nobody", rolename: "writer" },
  { command: "modifyGroup", groupname: "guests", textname: "G", clients: [{ username: "carol" }, { username: "bob" }] },
  { command: "modifyGroup", groupname: "nobody" },
  { command: "listGroups", verbose: true },
  { command: "modifyClient", username: "carol", password: "c", textname: "Carol", clientid: "c1" },
  { command: "modifyClient", username: "carol", clientid: "", groups: [{ groupname: "guests", priority: 3 }] },
  { command: "modifyClient", username: "carol", roles: [{ rolename: "nobody" }] },
  { command: "modifyClient", username: "nobody" },
  { command: "setClientPassword", username: "carol", password: "d" },
  { command: "setClientPassword", username: "carol" },
  { command: "setClientPassword", username: "nobody", password: "d" },
  { command: "setClientId", username: "carol", clientid: "c2" },
  { command: "setClientId", username: "nobody", clientid: "c2" },
  { command: "disableClient", username: "carol" },
  { command: "disableClient", username: "nobody" },
  { command: "getClient", username: "carol" },
  { command: "enableClient", username: "carol" },
  { command: "listClients" },
  { command: "listClients", verbose: true, count: 2, offset: 1 },
  { command: "getAnonymousGroup" },
  { command: "setAnonymousGroup", groupname: "guests" },
  { command: "setAnonymousGroup", groupname: "nobody" },
  { command: "getAnonymousGroup" },
  { command: "deleteGroup", groupname: "workers" },
  { command: "deleteGroup", groupname: "workers" },
  [
    { command: "deleteRole", rolename: "reader" },
    { command: "deleteRole", rolename: "reader" },
    { command: "listRoles" },
  ],
  { command: "deleteClient", username: "alice" },
  { command: "deleteClient", username: "alice" },
  { command: "createGroup", groupname: "last" },
];

/** 2.0 forgets to look here, or dies of it; what 2.1 answers. */
const ANSWERS_OF_2_1: readonly (readonly [command: Command, error: string])[] = [
  [{ command: "deleteGroup", groupname: "guests" }, "Deleting the anonymous group is forbidden"],
  [
    { command: "modifyGroup", groupname: "last", clients: [{ username: "nobody" }] },
    "'clients' contains an object with a 'username' that does not exist",
  ],
  [
    { command: "modifyGroup", groupname: "last", clients: [{}] },
    "'clients' contains an object with an invalid 'username'",
  ],
  [
    { command: "modifyClient", username: "carol", groups: [{ groupname: "nobody" }] },
    "'groups' contains an object with a 'groupname' that does not exist",
  ],
];

testWithPeers("requests get mosquitto's answers", ["mosquitto", "mosquitto_ctrl"], async (context) => {
  const pair = await startPair(context);
  const [theirs, ours] = await Promise.all([Administrator.connect(pair.theirs), Administrator.connect(pair.ours)]);
  for (const step of SCRIPT) {
    const payload = typeof step === "string" ? step : JSON.stringify({ commands: [step].flat() });
    const expected = await theirs.ask(payload).catch((error: Error) => assert.fail(`${payload}: ${error.message}`));
    const found = await ours.ask(payload);
    assert.deepEqual(withoutNew(found), withoutNew(expected), payload);
  }
  assert.deepEqual(fileOf(pair.ours.file), fileOf(pair.theirs.file));
  for (const [command, error] of ANSWERS_OF_2_1) {
    const answer = JSON.parse(await ours.ask(JSON.stringify({ commands: [command] })));
    assert.deepEqual(answer, { responses: [{ command: command.command, error }] });
  }
});

/** A file without what chance decides. */
function fileOf(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"), (key, value) => {
    if (NEW_FIELDS.has(key)) return undefined;
    return key === "salt" || key === "password" || key === "iterations" ? typeof value : value;
  });
}

/** Each command of mosquitto_ctrl. */
const CTRL: readonly (readonly string[])[] = [
  ["createRole", "r"],
  ["addRoleACL", "r", "publishClientSend", "t/%u", "allow", "3"],
  ["addRoleACL", "r", "subscribeLiteral", "t/x", "allow"],
  ["removeRoleACL", "r", "subscribeLiteral", "t/x"],
  ["getRole", "r"],
  ["listRoles"],
  ["createGroup", "g"],
  ["addGroupRole", "g", "r", "2"],
  ["createClient", "c", "-p", "secret", "-c", "only"],
  ["createClient", "d", "-p", "secret"],
  ["setClientPassword", "c", "other"],
  ["setClientId", "c", "c7"],
  ["addClientRole", "c", "r", "9"],
  ["getClient", "c"],
  ["addGroupClient", "g", "c", "4"],
  ["getGroup", "g"],
  ["listGroups"],
  ["listClients", "2", "1"],
  ["disableClient", "c"],
  ["getClient", "c"],
  ["enableClient", "c"],
  ["removeClientRole", "c", "r"],
  ["removeGroupClient", "g", "c"],
  ["removeGroupRole", "g", "r"],
  ["setAnonymousGroup", "g"],
  ["getAnonymousGroup"],
  ["setDefaultACLAccess", "publishClientSend", "allow"],
  ["getDefaultACLAccess"],
  ["deleteClient", "c"],
  ["deleteClient", "c"],
  ["deleteRole", "r"],
  ["getRole", "r"],
];

testWithPeers(
  "mosquitto_ctrl works against Lacewing as against mosquitto",
  ["mosquitto", "mosquitto_ctrl"],
  async (context) => {
    const pair = await startPair(context);
    const run = async ({ port }: GuardedBroker): Promise<string[]> => {
      const to = ["-h", "127.0.0.1", "-p", `${port}`, "-u", ADMIN.username, "-P", ADMIN.password];
      const found: string[] = [];
      for (const command of CTRL) {
        const { code, out, errors } = await startPeer("mosquitto_ctrl", [...to, "dynsec", ...command]).end();
        found.push(`${command.join(" ")}: ${code}\n${out}${errors.replaceAll(/^Warning: .*\n/gm, "")}`);
      }
      return found;
    };
    const [expected, found] = await Promise.all([run(pair.theirs), run(pair.ours)]);
    // What mosquitto_ctrl 2.0 sends mosquitto answers with success, and it changes nothing there.
    const asked = CTRL.findIndex(([command]) => command === "getDefaultACLAccess");
    const [before, after] = ["publishClientSend    : deny", "publishClientSend    : allow"] as const;
    assert.ok(expected[asked]?.includes(before), expected[asked]);
    assert.deepEqual(
      found,
      expected.map((line, at) => (at === asked ? line.replace(before, after) : line)),
    );
  },
);

const allow = (acltype: string, topic: string, priority: number = 0): Command => ({
  acltype,
  topic,
  priority,
  allow: true,
});
const deny = (acltype: string, topic: string, priority: number = 0): Command => ({
  acltype,
  topic,
  priority,
  allow: false,
});

/** Roles with priorities both ways, by client and by group; who wins is the question. */
const RULES: readonly Command[] = [
  {
    command: "createRole",
    rolename: "low",
    acls: [
      allow("publishClientSend", "p/#"),
      deny("publishClientSend", "p/closed", 5),
      allow("publishClientSend", "p/closed/inner", 9),
      allow("publishClientReceive", "#"),
      allow("subscribePattern", "s/#"),
      deny("subscribePattern", "s/+/closed", 2),
      allow("subscribeLiteral", "#"),
      deny("subscribeLiteral", "s/literal"),
      allow("subscribeLiteral", "x/+"),
      deny("unsubscribePattern", "s/a/#"),
    ],
  },
  {
    command: "createRole",
    rolename: "high",
    acls: [deny("publishClientSend", "p/high"), allow("subscribePattern", "t/+")],
  },
  {
    command: "createRole",
    rolename: "ofgroup",
    acls: [allow("publishClientSend", "p/high"), allow("publishClientSend", "g/#"), deny("publishClientSend", "p/x")],
  },
  {
    command: "createRole",
    rolename: "guest",
    acls: [allow("publishClientSend", "guest"), allow("subscribeLiteral", "guest")],
  },
  { command: "createGroup", groupname: "g", roles: [{ rolename: "ofgroup", priority: 50 }] },
  { command: "createGroup", groupname: "guests", roles: [{ rolename: "guest" }] },
  { command: "setAnonymousGroup", groupname: "guests" },
  {
    command: "createClient",
    username: "u",
    password: "u",
    roles: [
      { rolename: "low", priority: 1 },
      { rolename: "high", priority: 2 },
    ],
    groups: [{ groupname: "g" }],
  },
  { command: "createClient", username: "poor", password: "p" },
];

const TOPICS = [
  "p",
  "p/x",
  "p/closed",
  "p/closed/inner",
  "p/high",
  "g/y",
  "other",
  "guest",
  "$CONTROL/dynamic-security/v1",
];
const FILTERS = [
  "#",
  "+",
  "s",
  "s/#",
  "s/+",
  "s/a",
  "s/a/closed",
  "s/+/closed",
  "s/literal",
  "x/+",
  "x/y",
  "t/+",
  "t/a",
  "t/#",
  "guest",
];

async function rights(broker: GuardedBroker, username: string | null): Promise<string[]> {
  const to = { port: broker.port, host: "127.0.0.1" };
  const options = username === null ? {} : { username, password: username.slice(0, 1) };
  const client = await WireClient.connect(to, `client ${username}`, options);
  const found: string[] = [];
  for (const topicName of TOPICS) {
    await client.publish(topicName, "x", { qos: 1 });
    found.push(`publish ${topicName}: ${client.lastReasonCode === 0x87 ? "denied" : "taken"}`);
  }
  for (const filter of FILTERS) {
    found.push(`subscribe ${filter}: ${await client.trySubscribe(filter)}`);
    found.push(`unsubscribe ${filter}: ${await client.unsubscribe(filter)}`);
  }
  await client.disconnect();
  return found;
}

testWithPeers("roles give the rights that they give in mosquitto", ["mosquitto", "mosquitto_ctrl"], async (context) => {
  const { theirs, ours } = await startPair(context);
  const play = async (broker: GuardedBroker): Promise<string[][]> => {
    const admin = await Administrator.connect(broker);
    const answer = await admin.ask(JSON.stringify({ commands: RULES }));
    assert.doesNotMatch(answer, /error/);
    const found: string[][] = [];
    for (const username of ["u", "poor", null]) found.push(await rights(broker, username));
    // Everything that is not said is allowed now, but for $CONTROL.
    const acls = ["publishClientSend", "subscribe"].map((acltype) => ({ acltype, allow: true }));
    await admin.ask(JSON.stringify({ commands: [{ command: "setDefaultACLAccess", acls }] }));
    for (const username of ["u", "poor", null]) found.push(await rights(broker, username));
    return found;
  };
  const [expected, found] = await Promise.all([play(theirs), play(ours)]);
  assert.deepEqual(found, expected);
});
