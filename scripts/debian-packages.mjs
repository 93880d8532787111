// Installs Debian packages for tests, without starting the services that they bring.
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Failure, run, say } from "./project.mjs";

/** Debian asks this program before it starts a service; 101 means no. */
const POLICY = "/usr/sbin/policy-rc.d";
const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * @param {readonly string[]} packages
 * @throws {Failure} with the command to type when this process may not install, or when installing fails
 */
export async function installDebianPackages(packages) {
  const byHand = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (!existsSync("/usr/bin/apt-get")) throw new Failure(`There is no apt-get here. Install: ${packages.join(", ")}.`);
  if (process.getuid?.() !== 0) throw new Failure(`Only root may install packages. As root run:\n  ${byHand}`);
  say(`Installing ${packages.join(", ")} ...`);
  const restorePolicy = forbidServices();
  // apt-get hears the terminal's signals too and ends; we go on to put the policy back.
  const ignore = () => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    await aptGet("update");
    await aptGet("install", "-y", "--no-install-recommends", ...packages);
  } finally {
    restorePolicy();
    for (const signal of SIGNALS) process.off(signal, ignore);
  }
}

/** @param {readonly string[]} args */
async function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const code = await run("apt-get", ["-qq", "-o", "Dpkg::Use-Pty=0", ...args], env);
  if (code !== 0) throw new Failure(`apt-get ${args[0]} failed with exit code ${code}; its reason is above.`);
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
