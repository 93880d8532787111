/** `-d`: the broker goes on in the background, once it listens; and whoever waits for that is told, systemd included. */
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

/**
 * Tells systemd, where it has started us with `Type=notify`. Node has no datagrams to unix sockets, so systemd's own tool says it; the
 * unit needs `NotifyAccess=all` for that. A tool that is missing, or fails, leaves systemd waiting and us running.
 */
export function tellSystemd(state: "READY=1" | "STOPPING=1"): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  const told = spawn("systemd-notify", [state], { stdio: "ignore" });
  told.on("error", ({ message }) => {
    process.stderr.write(`Error: systemd is not told ${state}: systemd-notify cannot be started (${message}).\n`);
  });
  told.unref();
}
