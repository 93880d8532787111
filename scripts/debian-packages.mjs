// Installs Debian packages for tests, without starting the services that they bring.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Failure, say } from "./project.mjs";

/** Debian asks this program before it starts a service; 101 means no. */
const POLICY = "/usr/sbin/policy-rc.d";
/** How long another installation may keep us waiting. */
const LOCK_LIMIT_SECONDS = 120;
const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * @param {readonly string[]} packages
 * @throws {Failure} with the command to type when this process may not install, or when installing fails
 */
export function installDebianPackages(packages) {
  const byHand = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (!existsSync("/usr/bin/apt-get")) throw new Failure(`There is no apt-get here. Install: ${packages.join(", ")}.`);
  if (process.getuid?.() !== 0) throw new Failure(`Only root may install packages. As root run:\n  ${byHand}`);
  say(`Installing ${packages.join(", ")} ...`);
  const restorePolicy = forbidServices();
  // apt-get hears the terminal's signals too and ends; we go on to put the policy back.
  const ignore = () => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    aptGet("update");
    aptGet("install", "-y", "--no-install-recommends", ...packages);
  } finally {
    restorePolicy();
    for (const signal of SIGNALS) process.off(signal, ignore);
  }
}

/** @param {readonly string[]} args */
function aptGet(...args) {
  const options = ["-qq", "-o", "Dpkg::Use-Pty=0", "-o", `DPkg::Lock::Timeout=${LOCK_LIMIT_SECONDS}`];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, error, stdout, stderr } = spawnSync("apt-get", [...options, ...args], {
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return;
  throw new Failure(`apt-get ${args[0]} failed: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`);
}

/** Returns what puts the earlier state back. */
function forbidServices() {
  const before = existsSync(POLICY) ? { text: readFileSync(POLICY), mode: statSync(POLICY).mode } : undefined;
  writePolicy("#!/bin/sh\nexit 101\n", 0o755);
  return () => (before === undefined ? rmSync(POLICY) : writePolicy(before.text, before.mode));
}

/**
 * @param {string | Buffer} text
 * @param {number} mode
 */
function writePolicy(text, mode) {
  writeFileSync(POLICY, text);
  chmodSync(POLICY, mode);
}
