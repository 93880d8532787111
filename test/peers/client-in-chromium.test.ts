// The client library as pages have it, in a real Chromium: the one module that is published, the scenarios that Node plays too, and
// what is different in a browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { connect } from "../../src/client/index.ts";
import { Chromium } from "../client/chromium-page.ts";
import { startBroker, TestBroker } from "../client/test-broker.ts";
import { testWithPeers } from "../support/peers.ts";
import { closedPort } from "../support/ports.ts";
import { ROOT } from "../support/repository.ts";
import { startMosquitto } from "./mosquitto-process.ts";

const FILE = join(ROOT, "dist/client/lacewing-client.browser.js");
const BUNDLE = readFileSync(FILE, "utf8");
const CLIENT = "/lacewing-client.js";
/** Beside the module, under the name that it asks for. */
const EXPLANATIONS = {
  "/lacewing-explanations.browser.js": readFileSync(join(ROOT, "dist/client/lacewing-explanations.browser.js"), "utf8"),
};
const WEB_SOCKET = { protocol: "websockets" } as const;
const BLANK = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`;

const chromium = new Chromium();
after(() => chromium.close());

/** A page in which `script` has run. */
async function pageWith(context: TestContext, script: string): Promise<Page> {
  const page = await chromium.open(
    context,
    { "/index.html": BLANK, "/page.js": script, [CLIENT]: BUNDLE, ...EXPLANATIONS },
    "/index.html",
  );
  return page;
}

/** A page where `client` is what the module gives. */
function pageWithClient(context: TestContext): Promise<Page> {
  return pageWith(context, `import * as client from "${CLIENT}"; globalThis.client = client;`);
}

/** Runs the body of an asynchronous function in the page. */
function run(page: Page, body: string): Promise<unknown> {
  return page.evaluate(`(async () => { ${body} })()`);
}

/** What a page has no files for. */
const NEEDS_FILES: ReadonlySet<string> = new Set(["openFileStore", "openPairStore"]);

test("the module has nothing of Node, and gives what Node's gives", async () => {
  assert.doesNotMatch(BUNDLE, /["']node:|\brequire\(|\bprocess\.|\bBuffer\b/);
  const inNode = Object.keys(await import("../../src/client/index.ts"));
  const inBrowser = Object.keys((await import(pathToFileURL(FILE).href)) as object);
  assert.deepEqual(inBrowser.sort(), inNode.filter((name) => !NEEDS_FILES.has(name)).sort());
});

// ---- the scenarios ----

/** The scenarios as a module for the page, on the module that is published. */
async function scenariosModule(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "build/test/client/page-scenarios.js")],
    ...{ bundle: true, format: "esm", platform: "browser", write: false },
    alias: { "node:assert/strict": join(ROOT, "build/test/client/page-assert.js") },
    plugins: [
      {
        name: "as published",
        setup: ({ onResolve }) =>
          onResolve({ filter: /src\/client\/index\.js$/ }, () => ({ path: CLIENT, external: true })),
      },
    ],
  });
  return outputFiles[0]!.text;
}

const module = scenariosModule();
const mosquitto = startMosquitto({ webSocket: ["protocol websockets", "allow_anonymous true"] });
const ours = new TestBroker({}, {}, WEB_SOCKET);
after(async () => {
  await (await mosquitto).stop();
  await ours.stop();
});

async function play(context: TestContext, url: string): Promise<void> {
  const page = await pageWith(context, await module);
  const { played, failures } = (await run(page, `return playAll(${JSON.stringify(url)});`)) as {
    readonly played: number;
    readonly failures: readonly string[];
  };
  assert.deepEqual(failures, []);
  assert.ok(played >= 55);
}

testWithPeers("the scenarios in Chromium, at mosquitto's WebSocket", ["chromium", "mosquitto"], async (context) => {
  await play(context, `ws://127.0.0.1:${(await mosquitto).ports.webSocket}/mqtt`);
});

testWithPeers("the scenarios in Chromium, at our broker", ["chromium"], async (context) => {
  await ours.start();
  await play(context, `ws://127.0.0.1:${ours.port}/mqtt`);
});

// ---- what is different in a browser ----

testWithPeers("what is not there, and what a page cannot reach", ["chromium"], async (context) => {
  const page = await pageWithClient(context);
  const codes = await run(
    page,
    `const error = await new client.MqttClient("ws://127.0.0.1:${await closedPort()}", { reconnect: false }).closed;
     let thrown = null;
     try { new client.MqttClient("mqtt://127.0.0.1"); } catch (error) { thrown = error; }
     const { key, text } = await error.explain();
     return [error.code, error.rc, error instanceof client.ConnectionError, thrown.code, thrown.message, key, text.length > 200];`,
  );
  const why = "mqtt://127.0.0.1:1883: in a browser there is only ws:// and wss://";
  assert.deepEqual(codes, ["network-error", 14, true, "invalid-argument", why, "system-call-failed", true]);
});

testWithPeers("a page comes again when its broker has gone, and loses nothing", ["chromium"], async (context) => {
  const broker = await startBroker(context, {}, {}, WEB_SOCKET);
  const page = await pageWithClient(context);
  await run(
    page,
    `globalThis.mqtt = await client.connect("ws://127.0.0.1:${broker.port}/mqtt", {
       version: 5, clientId: "page", reconnect: { minimumDelayMs: 10, maximumDelayMs: 100 },
     });
     globalThis.got = [];
     await mqtt.subscribe("t", { qos: 1, onMessage: ({ text }) => got.push(text) }).granted;
     await mqtt.publish("t", "before", { qos: 1 });
     globalThis.lost = new Promise((resolve) => mqtt.on("disconnect", ({ error }) => resolve(error.code), { once: true }));`,
  );
  await broker.stop();
  assert.ok(["disconnected-by-server", "connection-lost"].includes((await run(page, "return lost;")) as string));
  await run(page, `globalThis.late = mqtt.publish("t", "meanwhile", { qos: 1 });`);
  await broker.start();
  await page.waitForFunction("got.length === 2");
  assert.deepEqual(await run(page, "await late; await mqtt.disconnect(); return got;"), ["before", "meanwhile"]);
});

testWithPeers("a consumer that is slow gets everything, in order", ["chromium"], async (context) => {
  const { port } = await startBroker(context, {}, {}, WEB_SOCKET);
  const page = await pageWithClient(context);
  const got = await run(
    page,
    `const mqtt = await client.connect("ws://127.0.0.1:${port}/mqtt", { version: 5 });
     const subscription = mqtt.subscribe("t", { qos: 1, maximumMessages: 5 });
     await subscription.granted;
     for (let i = 0; i < 2000; i++) mqtt.publish("t", String(i), { qos: 1 });
     const got = [];
     for await (const { text } of subscription) {
       if (got.push(Number(text)) % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
       if (got.length === 2000) break;
     }
     await mqtt.disconnect();
     return got;`,
  );
  assert.deepEqual(
    got,
    Array.from({ length: 2000 }, (_, i) => i),
  );
});

testWithPeers(
  "examples/page.html shows what its broker says, and publishes what is typed",
  ["chromium"],
  async (context) => {
    const broker = await startBroker(context, {}, {}, WEB_SOCKET);
    const files = {
      "/examples/page.html": readFileSync(join(ROOT, "examples/page.html"), "utf8"),
      "/dist/client/lacewing-client.browser.js": BUNDLE,
    };
    const page = await chromium.open(context, files, `/examples/page.html?url=ws://127.0.0.1:${broker.port}/mqtt`);
    await page.getByText(`connected to ws://127.0.0.1:${broker.port}/mqtt`).waitFor();
    await page.getByRole("button").click();
    await page.getByText("page/hello: Hello").waitFor();
    await page.getByLabel("Topic").fill("page/+");
    await page.getByRole("button").click();
    await page.getByText(/wildcards/).waitFor();
    await using peer = await connect<string>(`ws://127.0.0.1:${broker.port}/mqtt`);
    await peer.publish("page/from/outside", "Hi", { qos: 1 });
    await page.getByText("page/from/outside: Hi").waitFor();
    await broker.stop();
    await page.getByText(/trying again/).waitFor();
  },
);
