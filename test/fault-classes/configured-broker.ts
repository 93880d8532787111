// A broker in this process that is set by the lines of a mosquitto.conf, on free ports of the loopback interface.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { readConfig } from "../../src/config/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { temporaryFolder } from "../support/folder.ts";

/** How long a line of the log may take to come. */
const LIMIT_MS = 20_000;

/** What a test needs of it. */
export class ConfiguredBroker {
  readonly server: Server;
  /** Where its files are. */
  readonly folder: string;
  readonly #logged: string[];

  constructor(server: Server, folder: string, logged: string[]) {
    this.server = server;
    this.folder = folder;
    this.#logged = logged;
  }

  /** Where clients connect to; the first listener. */
  get address(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.server.listeners[0]?.port ?? 0 };
  }

  get log(): string {
    this.server.log.flush();
    return this.#logged.join("");
  }

  /** Waits until the log has what `pattern` looks for. */
  logged(pattern: RegExp): Promise<void> {
    return until(() => pattern.test(this.log), String(pattern));
  }

  /** Puts other lines in force, as SIGHUP does. */
  async reload(lines: readonly string[]): Promise<void> {
    await this.server.reload(configOf(this.folder, lines));
  }
}

/** Waits until `isSo`, which is looked at again and again. @throws {Error} when it takes too long */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = AbortSignal.timeout(LIMIT_MS);
  while (!isSo()) {
    if (deadline.aborted) throw new Error(`It never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Starts one.
 * @param lines below its only `listener`; FOLDER stands for the folder of `files`
 * @param files their text by their names
 */
export async function startConfigured(
  context: TestContext,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<ConfiguredBroker> {
  const folder = temporaryFolder(context, files);
  const logged: string[] = [];
  const server = await startServer(configOf(folder, lines), (text) => logged.push(text));
  context.after(() => server.close());
  return new ConfiguredBroker(server, folder, logged);
}

function configOf(folder: string, lines: readonly string[]): Parameters<typeof startServer>[0] {
  const file = join(folder, "mosquitto.conf");
  // A file cannot ask for any free port, as 0 stands for a unix socket.
  writeFileSync(file, `${["listener 1 127.0.0.1", ...lines].join("\n").replaceAll("FOLDER", folder)}\n`);
  const { config } = readConfig({ file });
  return { ...config, listeners: config.listeners.map((listener) => ({ ...listener, port: 0 })) };
}
