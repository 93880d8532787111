// A page in a real Chromium that our own listener serves by HTTPS, and whose client connects to the same port by WSS.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { temporaryFolder } from "../support/folder.ts";
import { findPeer, testWithPeers } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";
import { ListenerRig } from "../transport/listener-rig.ts";

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="page.js"></script>`;

const SCRIPT = `
import { connect } from "./lacewing-client.js";
const client = await connect("wss://" + location.host + "/mqtt", { version: 5, reconnect: false });
const subscription = client.subscribe("t", { qos: 2 });
await subscription.granted;
await client.publish("t", "from the page", { qos: 2 });
for await (const { text } of subscription) {
  document.title = text;
  break;
}
await client.disconnect();
`;

testWithPeers(
  "a page of http_dir talks back by WSS, and one of another origin may not",
  ["chromium"],
  async (context) => {
    const bundle = readFileSync(join(ROOT, "dist/client/lacewing-client.browser.js"), "utf8");
    const files = { "index.html": PAGE, "page.js": SCRIPT, "lacewing-client.js": bundle };
    const httpFolder = temporaryFolder(context, files);
    const fixtures = join(ROOT, "test/fixtures/tls");
    const tls = { certificates: [{ certFile: join(fixtures, "server.pem"), keyFile: join(fixtures, "leaf.key") }] };
    const rig = new ListenerRig(context);
    const open = await rig.listen({ tls, webSocket: { httpFolder } });
    const closed = await rig.listen({ tls, webSocket: { httpFolder, origins: ["https://elsewhere.example"] } });
    const browser = await chromium.launch({
      executablePath: findPeer("chromium")!.command[0]!,
      args: ["--no-sandbox"],
    });
    context.after(() => browser.close());
    // Its CA is known to tests only.
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(`https://localhost:${open.port}/`);
    await page.waitForFunction(`document.title === "from the page"`);
    assert.equal(rig.applicants[0]?.peer.isEncrypted, true);
    await page.goto(`https://localhost:${closed.port}/`);
    await rig.logged(/disconnected: non-matching http origin\./);
    assert.equal(rig.applicants.length, 1);
  },
);
