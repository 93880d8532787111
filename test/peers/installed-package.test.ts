// The package as its users get it: packed, installed in a project of its own, and used from there. Its dependencies come from npm's
// cache or from the registry; where there is neither, that is a skip.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startBroker } from "../client/test-broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Ended, Program, runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

const LIMIT_MS = 120_000;
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

const FILES = {
  "package.json": '{ "name": "users-project", "private": true, "version": "1.0.0" }',
  "esm.mjs": `
    import { connect } from "lacewing/client";
    const client = await connect(process.argv[2], { version: 5 });
    const messages = client.subscribe("t", { qos: 1 });
    await messages.granted;
    client.publish("t", "from ESM", { qos: 1 });
    for await (const { text } of messages) { console.log(text); break; }
    await client.disconnect();`,
  "common.cjs": `
    const { connect, MOSQ_ERR } = require("lacewing/client");
    for (const name of ["protocol", "core", "server"]) require("lacewing/" + name);
    const { createBroker } = require("lacewing");
    connect(process.argv[2]).then(async (client) => {
      await client.publish("t", "x", { qos: 1 });
      await client.disconnect();
      const broker = await createBroker();
      const inside = await broker.connect();
      await inside.publish("t", "x", { qos: 2 });
      await broker.close();
      console.log("from CommonJS", MOSQ_ERR.KEEPALIVE);
    });`,
  "typed.mts": `
    import { connect, type ClientError, type MqttClient, type ReceivedMessage } from "lacewing/client";
    const client: MqttClient = await connect("mqtt://localhost", { version: 5, topicAliases: 3 });
    const { reasonCode }: { readonly reasonCode: number } = await client.publish("a/b", "x", { qos: 1 });
    for await (const message of client.subscribe("a/+")) {
      const same: ReceivedMessage = message;
      console.log(same.text, reasonCode);
    }
    client.on("undelivered", (_, error) => { const same: ClientError = error; void same.rc; });
    // @ts-expect-error a wildcard in a topic name
    client.publish("a/#", "x");
    // @ts-expect-error a property of 5.0 in 3.1.1
    void connect("mqtt://localhost", { version: 4, topicAliases: 3 });`,
  "embedding.mts": `
    import { createBroker, type CreateBrokerOptions, type EmbeddedBroker, type Plugin, type PluginFactory } from "lacewing";
    import type { PluginVerdict } from "lacewing/server";
    const plugin: Plugin = { authenticate: ({ username }): PluginVerdict => username === "ann" };
    const factory: PluginFactory = ({ log }) => (log("notice", "made"), plugin);
    const options: CreateBrokerOptions = { listeners: [{ protocol: "websockets" }], plugins: [plugin, factory], maxKeepalive: 60 };
    await using broker: EmbeddedBroker = await createBroker(options);
    broker.on("connect", ({ clientId }) => { const same: string = clientId; void same; });
    const port: number = broker.port;
    // @ts-expect-error an option that nobody knows
    await createBroker({ maxQueedMessages: port });`,
  "required.cts": `
    import client = require("lacewing/client");
    const mqtt: client.MqttClient = new client.MqttClient("mqtt://localhost");
    void mqtt.disconnect();`,
};

/** Packs what was built and installs it; undefined when its dependencies cannot be had. */
async function install(context: TestContext): Promise<string | undefined> {
  const folder = temporaryFolder(context, FILES);
  // Not in the repository itself: while its tests run nothing there should change.
  const source = join(folder, "source");
  mkdirSync(source);
  for (const name of ["dist", "package.json", "README.md", "CHANGELOG.md", "LICENSE"]) {
    cpSync(join(ROOT, name), join(source, name), { recursive: true });
  }
  await npm(source, "pack", "--pack-destination", folder);
  const file = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  const { code, errors } = await npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", `./${file}`);
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.test(errors)) return undefined;
  assert.equal(code, 0, errors);
  return folder;
}

function npm(cwd: string, ...args: readonly string[]): Promise<Ended> {
  // What `npm test` has set is for this repository.
  const ours = Object.keys(process.env).filter((name) => /^npm_/i.test(name));
  const env = Object.fromEntries(ours.map((name) => [name, undefined]));
  return runProgram("npm", args, { cwd, env, limitMs: LIMIT_MS });
}

async function printed(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, out, errors } = await runProgram(process.execPath, args, { cwd: folder });
  assert.deepEqual([code, errors], [0, ""]);
  return out;
}

async function compiles(folder: string, ...args: readonly string[]): Promise<void> {
  const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022"];
  const { code, out } = await runProgram(process.execPath, [TSC, ...options, ...args], { cwd: folder });
  assert.equal(code, 0, `tsc ${args.join(" ")}\n${out}`);
}

test("packed and installed: ESM, require, types, commands", { timeout: 2 * LIMIT_MS }, async (context) => {
  const folder = await install(context);
  if (folder === undefined) return context.skip("neither npm's cache nor the registry has the dependencies");
  const { url, port } = await startBroker(context);

  await context.test("as ESM", async () => assert.equal(await printed(folder, "esm.mjs", url), "from ESM\n"));
  await context.test("by require", async () =>
    assert.equal(await printed(folder, "common.cjs", url), "from CommonJS 19\n"),
  );

  await context.test("types in Node", async () => {
    // Node's own types, which a project in TypeScript has.
    mkdirSync(join(folder, "node_modules/@types"));
    for (const name of ["@types/node", "undici-types"]) {
      symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
    }
    const node = ["--lib", "es2022", "--types", "node", "--module"];
    await compiles(folder, ...node, "node16", "typed.mts");
    await compiles(folder, ...node, "nodenext", "typed.mts", "required.cts");
    const disposal = ["--lib", "es2022,esnext.disposable"];
    await compiles(folder, ...disposal, "--types", "node", "--module", "nodenext", "embedding.mts");
    await compiles(folder, ...node, "preserve", "--moduleResolution", "bundler", "typed.mts");
  });
  await context.test("types in a page, without those of Node", async () => {
    const bundler = ["--module", "preserve", "--moduleResolution", "bundler", "--customConditions", "browser"];
    await compiles(folder, ...bundler, "--types", "", "--lib", "es2022,dom,dom.asynciterable", "typed.mts");
  });

  await context.test("commands", async () => {
    const bin = join(folder, "node_modules/.bin/lacewing");
    assert.match(await printed(folder, bin, "--version"), /^lacewing version \d/);
    const sub = new Program(process.execPath, [bin, "sub", "-p", `${port}`, "-t", "t", "-C", "1", "-d"]);
    await sub.printed(/received SUBACK/);
    await printed(folder, bin, "pub", "-p", `${port}`, "-t", "t", "-m", "from the command");
    assert.match((await sub.end()).out, /^from the command$/m);
  });

  await context.test("nothing is in it that nobody needs", () => {
    const files = readdirSync(join(folder, "node_modules/lacewing"), { recursive: true }).map(String);
    assert.deepEqual(
      files.filter((name) => /\.test\.|tsbuildinfo|built-from|\.ts$(?<!\.d\.ts)/.test(name)),
      [],
    );
  });
});
