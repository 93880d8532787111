// Dynamic security at a running broker: who is sent away when, what is kept, and what begins it all.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DEFAULT_CONFIG } from "../../src/config/index.ts";
import { NO_SECURITY, SecurityError } from "../../src/security/index.ts";
import { startServer } from "../../src/server/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { textOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { startGuarded } from "./guarded-broker.ts";

const REQUEST = "$CONTROL/dynamic-security/v1";

interface World {
  readonly file: string;
  connect(clientId: string, username?: string, password?: string): Promise<WireClient>;
  code(clientId: string, username: string, password: string): Promise<number>;
  /** Asks as the administrator and returns the responses. */
  ask(...commands: readonly object[]): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** The password that was made up for a client of the first file. */
function madePassword(file: string, username: string): string {
  const line = readFileSync(`${file}.pw`, "utf8")
    .split("\n")
    .find((each) => each.startsWith(`${username} `));
  return line!.slice(username.length + 1);
}

async function worldOf(context: TestContext, file: string): Promise<World> {
  const broker = await startGuarded({ allowAnonymous: true, dynamicSecurityFile: file });
  context.after(() => broker.stop());
  const to = { port: broker.port, host: "127.0.0.1" };
  const connect = (clientId: string, username?: string, password: string = ""): Promise<WireClient> =>
    WireClient.connect(to, clientId, username === undefined ? {} : { username, password });
  const ask = async (...commands: readonly object[]) => {
    const admin = await connect("admin", "admin", madePassword(file, "admin"));
    await admin.subscribe(`${REQUEST}/response`);
    await admin.publish(REQUEST, JSON.stringify({ commands }), { qos: 1 });
    const answer = textOf((await admin.expect("PUBLISH")).payload);
    await admin.drop();
    return (JSON.parse(answer) as { responses: Record<string, unknown>[] }).responses;
  };
  const code = (clientId: string, username: string, password: string): Promise<number> =>
    WireClient.reasonCode(to, clientId, { username, password });
  return { file, connect, code, ask, stop: () => broker.stop() };
}

test("without a file a first one is made, with passwords that only its owner reads", async (context) => {
  const file = join(temporaryFolder(context), "dynamic.json");
  const world = await worldOf(context, file);
  for (const path of [file, `${file}.pw`]) assert.equal(statSync(path).mode & 0o777, 0o600);
  const demo = await world.connect("d", "democlient", madePassword(file, "democlient"));
  assert.equal(await demo.trySubscribe("#"), 2);
  assert.equal(await demo.trySubscribe("$CONTROL/dynamic-security/v1/response"), 0x87);
  await demo.disconnect();
  assert.equal(await world.code("d", "democlient", "wrong"), 0x87);
  const [details, anonymous] = await world.ask({ command: "getDetails" }, { command: "getAnonymousGroup" });
  assert.deepEqual(details!.data, { clientCount: 2, groupCount: 1, roleCount: 7, changeIndex: 0 });
  assert.deepEqual(anonymous!.data, { group: { groupname: "unauthenticated" } });
});

test("who is disabled, changed or deleted is sent away at once, without will; others stay", async (context) => {
  const world = await worldOf(context, join(temporaryFolder(context), "dynamic.json"));
  const roles = [{ rolename: "client" }];
  await world.ask(...["a", "b", "c"].map((username) => ({ command: "createClient", username, password: "p", roles })), {
    command: "createRole",
    rolename: "other",
  });
  const watcher = await world.connect("w", "c", "p");
  await watcher.subscribe("will/#");
  for (const command of [
    { command: "disableClient" },
    { command: "enableClient" },
    { command: "setClientPassword", password: "p" },
    { command: "addClientRole", rolename: "other" },
    { command: "modifyClient", textname: "A" },
    { command: "deleteClient" },
  ]) {
    const [stays, goes] = [await world.connect("s", "b", "p"), await world.connect("g", "a", "p").catch(() => null)];
    const [response] = await world.ask({ ...command, username: "a" });
    assert.equal(response!.error, undefined);
    if (goes !== null) assert.equal((await goes.expect("DISCONNECT")).reasonCode, 0x98, command.command);
    await stays.settled();
    await stays.disconnect();
    const isIn = !["disableClient", "deleteClient"].includes(command.command);
    assert.equal(await world.code("g", "a", "p"), isIn ? 0 : 0x87, command.command);
  }
  await watcher.settled();
  assert.deepEqual(watcher.taken("PUBLISH"), []);
});

test("changes are in the file when they are answered, and hold in the next broker", async (context) => {
  const file = join(temporaryFolder(context), "dynamic.json");
  const world = await worldOf(context, file);
  await world.ask(
    { command: "createClient", username: "a", password: "p", clientid: "only" },
    { command: "createRole", rolename: "narrow", allowwildcardsubs: false, acls: [] },
    { command: "addRoleACL", rolename: "narrow", acltype: "subscribePattern", topic: "own/%u/%c/#", allow: true },
    { command: "addClientRole", username: "a", rolename: "narrow" },
  );
  await world.stop();
  const next = await worldOf(context, file);
  assert.equal(await next.code("other", "a", "p"), 0x87);
  const client = await next.connect("only", "a", "p");
  assert.equal(await client.trySubscribe("own/a/only/x"), 2);
  assert.equal(await client.trySubscribe("own/a/only/#"), 0x87); // its role allows no wildcards
  assert.equal(await client.trySubscribe("own/b/only/x"), 0x87);
  const [shown, all] = await next.ask(
    { command: "getClient", username: "a" },
    { command: "listClients", verbose: true, count: 1 },
  );
  assert.deepEqual((shown!.data as { client: { connections: unknown } }).client.connections, [
    { address: "127.0.0.1" },
  ]);
  assert.equal((all!.data as { totalCount: number }).totalCount, 3);
});

test("changes are counted across the end of a broker", async (context) => {
  const file = join(temporaryFolder(context), "dynamic.json");
  const world = await worldOf(context, file);
  await world.ask({ command: "createRole", rolename: "a" }, { command: "createRole", rolename: "a" });
  await world.stop();
  const next = await worldOf(context, file);
  const [, details] = await next.ask({ command: "createRole", rolename: "b" }, { command: "getDetails" });
  assert.equal((details!.data as { changeIndex: number }).changeIndex, 2);
});

test("names that no client could send are refused, and a client that has one already can be deleted", async (context) => {
  const file = join(temporaryFolder(context), "dynamic.json");
  await (await worldOf(context, file)).stop();
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"clients": [', '"clients": [{"username":"old\uffff"},'));
  const world = await worldOf(context, file);
  const acl = { rolename: "client", acltype: "subscribePattern", allow: true };
  for (const [command, error] of [
    [{ command: "createClient", username: "a\uffff" }, "Username not valid UTF-8"],
    [{ command: "createClient", username: "a", clientid: "\u0001" }, "Client ID not valid UTF-8"],
    [{ command: "modifyClient", username: "democlient", clientid: "\u0001" }, "Client ID not valid UTF-8"],
    [{ command: "setClientId", username: "nobody", clientid: "\ud800" }, "Client ID not valid UTF-8"],
    [{ command: "createGroup", groupname: "\ufdd0" }, "Group name not valid UTF-8"],
    [{ command: "addGroupRole", groupname: "a", rolename: "\u0080" }, "Role name not valid UTF-8"],
    [{ command: "addRoleACL", ...acl, topic: "a/\uffff" }, "Topic not valid UTF-8"],
    [{ command: "removeRoleACL", ...acl, topic: "a/\uffff" }, "Topic not valid UTF-8"],
    [{ command: "deleteClient", username: "old\uffff" }, undefined],
    [{ command: "createClient", username: "ä\u{1f600}", clientid: "é" }, undefined],
  ] as const) {
    const [response] = await world.ask(command);
    assert.equal(response!.error, error, JSON.stringify(command));
  }
});

for (const [text, said] of [
  ["{", /is not valid JSON/],
  ["[]", /is not a JSON object/],
  ['{"clients":{}}', /has "clients" that is not a list/],
] as const) {
  test(`a broken file lets no broker start: ${text}`, async (context) => {
    const file = join(temporaryFolder(context), "dynamic.json");
    writeFileSync(file, text);
    await assert.rejects(
      startGuarded({ allowAnonymous: true, dynamicSecurityFile: file }),
      (error) => error instanceof SecurityError && said.test(error.message),
    );
  });
}

test("an empty file lets nobody with a name in", async (context) => {
  const file = join(temporaryFolder(context), "dynamic.json");
  writeFileSync(file, "");
  const broker = await startGuarded({ allowAnonymous: false, dynamicSecurityFile: file });
  context.after(() => broker.stop());
  for (const options of [{}, { username: "admin", password: "" }, { username: "admin", password: "x" }]) {
    assert.equal(await WireClient.reasonCode({ port: broker.port, host: "127.0.0.1" }, "c", options), 0x87);
  }
});

test("who comes in by a listener with other security changes nothing", async (context) => {
  const configFile = join(temporaryFolder(context), "dynamic.json");
  const plugins = [{ kind: "dynamic-security", configFile, passwordInitFile: null }] as const;
  const guarded = { ...DEFAULT_CONFIG.listeners[0]!, port: 0, security: { ...NO_SECURITY, plugins } };
  const open = { ...DEFAULT_CONFIG.listeners[0]!, port: 0, host: "127.0.0.2" };
  const server = await startServer({ ...DEFAULT_CONFIG, listeners: [guarded, open] }, () => {});
  context.after(() => server.close());
  const client = await WireClient.connect({ port: server.listeners[1]!.port, host: "127.0.0.2" }, "c");
  await client.subscribe(`${REQUEST}/response`);
  const commands = [{ command: "createClient", username: "eve", password: "e" }];
  await client.publish(REQUEST, JSON.stringify({ commands }), { qos: 1 });
  await client.settled();
  assert.deepEqual(client.taken("PUBLISH"), []);
  assert.doesNotMatch(readFileSync(configFile, "utf8"), /eve/);
});
