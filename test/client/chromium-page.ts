// Pages of a real Chromium, from a web server on the loopback that has what a test gives it.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { findPeer } from "../support/peers.ts";

const TYPES: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript", map: "application/json" };

/** One Chromium for a file of tests. */
export class Chromium {
  #browser: Promise<Browser> | null = null;

  /** Opens `path` of a site with `files`, their text by their path. Errors that nobody caught in the page are errors of the test. */
  async open(context: TestContext, files: Readonly<Record<string, string>>, path: string): Promise<Page> {
    const site = await serve(context, files);
    // Without its sandbox, as root may not have one, in a container nobody may, and the pages are ours.
    this.#browser ??= chromium.launch({ executablePath: findPeer("chromium")!.command[0]!, args: ["--no-sandbox"] });
    const page = await (await this.#browser).newPage();
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    context.after(async () => {
      await page.close();
      if (errors[0] !== undefined) throw errors[0];
    });
    await page.goto(`${site}${path}`);
    return page;
  }

  async close(): Promise<void> {
    await (await this.#browser)?.close();
  }
}

async function serve(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer(({ url = "" }, response) => {
    const path = url.replace(/[?].*/, "");
    const text = files[path];
    response.writeHead(text === undefined ? 404 : 200, {
      "content-type": TYPES[path.split(".").at(-1)!] ?? "text/plain",
    });
    response.end(text);
  });
  server.listen(0, "127.0.0.1");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
