/** `lacewing`: runs the broker until a signal ends it. */

import { type Config, isLocal } from "../config/index.ts";
import { ListenError, SecurityError, type Server, StoreError, startServer } from "../server/index.ts";
import { BROKER_COMMAND, configOf } from "./broker-options.ts";
import { CommandLineError, commandLineErrorText, helpText, parseCommandLine } from "./command-line.ts";
import { type Access, nextSteps } from "./next-steps.ts";
import { version } from "./version.ts";

/** The store has not taken everything, or could not be closed. */
const STORE_FAILED = 74;
/** After that, whatever does not let go is waited for no longer, in milliseconds. */
const LINGER_MS = 1000;

/** Runs the broker and returns the exit code once it has ended. */
export async function runBroker(args: readonly string[]): Promise<number> {
  try {
    const parsed = parseCommandLine(BROKER_COMMAND, args);
    if (parsed.help) {
      process.stdout.write(helpText(BROKER_COMMAND));
      return 0;
    }
    if (parsed.version) {
      process.stdout.write(`lacewing version ${version()}\n`);
      return 0;
    }
    return await run(configOf(parsed));
  } catch (error) {
    if (error instanceof CommandLineError)
      process.stderr.write(commandLineErrorText(BROKER_COMMAND, error, "lacewing help broker"));
    else if (error instanceof ListenError || error instanceof StoreError || error instanceof SecurityError)
      process.stderr.write(`Error: ${error.message}\n`);
    else throw error;
    return 1;
  }
}

async function run(config: Config): Promise<number> {
  // Nobody reading the log any more is no reason to end.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  const server = await startServer(config, (text) => process.stderr.write(text));
  const end = ended(server); // before the line that says we run: who reads it may end us at once
  const addresses = server.listeners.map((listener) => listener.address).join(" and ");
  const access = accessTo(config);
  const line = `lacewing version ${version()} running: ${addresses}, open to ${WHO[access]}.`;
  server.log.write("information", line);
  server.log.flush();
  process.stdout.write(nextSteps(server.listeners, access));
  return end;
}

const WHO: Readonly<Record<Access, string>> = {
  local: "clients on this machine",
  everybody: "all clients, without passwords",
  nobody: "nobody",
};

function accessTo({ listeners }: Config): Access {
  if (listeners.some((listener) => listener.allowAnonymous && !isLocal(listener))) return "everybody";
  return listeners.some(({ allowAnonymous }) => allowAnonymous) ? "local" : "nobody";
}

/** Waits for a signal and shuts down. A second signal ends the process at once. */
function ended(server: Server): Promise<number> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      process.once(signal, () => process.exit(1));
      server.log.write("information", `${signal}: lacewing version ${version()} terminating.`);
      void server.close().then((isKept) => {
        const exitCode = isKept ? 0 : STORE_FAILED;
        setTimeout(() => process.exit(exitCode), LINGER_MS).unref();
        resolve(exitCode);
      });
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
}
