/** What signals ask of a running broker: mosquitto's, by the same names. */
import { ConfigError, type ReadConfig } from "../config/index.ts";
import { version } from "../config/version.ts";
import { type Server, subscriptionTree } from "../server/index.ts";
import { configErrorText } from "./broker-options.ts";
import { tellSystemd } from "./daemon.ts";

/** The store has not taken everything, or could not be closed. */
const STORE_FAILED = 74;
/** After the end, whatever does not let go is waited for no longer, in milliseconds. */
const LINGER_MS = 1000;

/** Listens for signals. SIGINT and SIGTERM end the broker, SIGHUP reloads, SIGUSR1 saves, SIGUSR2 prints subscriptions. */
export class BrokerSignals {
  readonly #server: Server;
  readonly #read: () => ReadConfig;
  #reloading: Promise<void> = Promise.resolve();
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;

  /** @param read reads the configuration anew */
  constructor(server: Server, read: () => ReadConfig) {
    this.#server = server;
    this.#read = read;
    process.on("SIGHUP", () => this.#reload());
    process.on("SIGUSR1", () => void this.#save());
    process.on("SIGUSR2", () => process.stdout.write(subscriptionTree(server.broker)));
    this.ended = new Promise((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => this.#end(signal, resolve));
    });
  }

  #end(signal: NodeJS.Signals, resolve: (exitCode: number) => void): void {
    // A second one ends the process at once.
    process.once(signal, () => process.exit(1));
    const { log } = this.#server;
    tellSystemd("STOPPING=1");
    log.write("information", `${signal}: lacewing version ${version()} terminating.`);
    void this.#server.close().then((isKept) => {
      const exitCode = isKept ? 0 : STORE_FAILED;
      setTimeout(() => process.exit(exitCode), LINGER_MS).unref();
      resolve(exitCode);
    });
  }

  #reload(): void {
    this.#reloading = this.#reloading.then(() => this.#reloadNow());
  }

  async #reloadNow(): Promise<void> {
    const { log } = this.#server;
    log.write("information", "Reloading config.");
    try {
      await this.#server.reload(this.#read().config);
    } catch (error) {
      const text = error instanceof ConfigError ? configErrorText(error).trim() : `Error: ${(error as Error).message}`;
      for (const line of text.split("\n")) log.write("error", line);
      log.write("error", "Nothing has been reloaded; everything goes on as it was.");
    }
    log.flush();
  }

  async #save(): Promise<void> {
    await this.#server.save();
    this.#server.log.write("information", "The store has everything that has happened until now.");
    this.#server.log.flush();
  }
}
