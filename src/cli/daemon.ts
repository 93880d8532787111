/** `-d`: the broker goes on in the background, once it listens. */
import { spawn } from "node:child_process";

/**
 * Starts the same command in the background and returns the exit code: 0 when it runs. What keeps it from running is said here; from
 * then on it has nothing of this terminal, so that whoever waits for our output to end does not wait for the broker.
 */
export function goOnInBackground(args: readonly string[]): Promise<number> {
  const rest = args.filter((arg) => arg !== "-d" && arg !== "--daemon");
  const child = spawn(process.execPath, [process.argv[1] ?? "", ...rest], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.stderr!.pipe(process.stderr);
  return new Promise((resolve) => {
    child.once("close", (code) => resolve(code ?? 1));
    child.once("message", () => {
      child.stderr!.destroy();
      child.disconnect();
      child.unref();
      resolve(0);
    });
  });
}

/** Tells whoever started us in the background that we run. */
export function tellThatWeRun(): void {
  process.send?.("running");
  if (process.connected) process.disconnect();
}
