/** This machine, for an examination: its clock, its newest files, the time servers that it is configured with. */
import { readFile, stat } from "node:fs/promises";
import type { Surroundings } from "./target.ts";

/** Files that a running system writes again and again, and what systemd keeps for a clock without a battery. */
const FILES = [
  "/var/lib/systemd/timesync/clock",
  "/var/lib/systemd/random-seed",
  "/var/log/wtmp",
  "/var/log",
  "/etc",
  "/etc/resolv.conf",
  "/etc/machine-id",
  "/var/lib/dpkg/status",
];

/** Where time servers are configured, with what a line of them looks like. */
const TIME_CONFIGURATIONS: readonly (readonly [file: string, line: RegExp])[] = [
  ["/etc/systemd/timesyncd.conf", /^(?:Fallback)?NTP=(.+)$/gm],
  ["/etc/chrony/chrony.conf", /^(?:server|pool) +(\S+)/gm],
  ["/etc/chrony.conf", /^(?:server|pool) +(\S+)/gm],
  ["/etc/ntp.conf", /^(?:server|pool) +(\S+)/gm],
  ["/etc/ntpsec/ntp.conf", /^(?:server|pool) +(\S+)/gm],
];

/**
 * The machine that this runs on.
 * @param timeServers to ask instead of the configured ones, as HOST or HOST:PORT
 */
export function systemSurroundings(timeServers: readonly string[]): Surroundings {
  return {
    wallClockMs: () => Date.now(),
    newestFileMs,
    timeServers: async () => (timeServers.length > 0 ? timeServers : configuredServers()),
  };
}

async function newestFileMs(): Promise<number | null> {
  const files = [...FILES, new URL(import.meta.url)];
  const times = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => null,
      ),
    ),
  );
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}

async function configuredServers(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [file, line] of TIME_CONFIGURATIONS) {
    const text = await readFile(file, "utf8").catch(() => "");
    for (const [, servers = ""] of text.matchAll(line)) found.push(...servers.trim().split(/\s+/));
  }
  return found;
}
