// The programs of others that tests talk to: which are here, how to run them, and how a test says that it needs one.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { Program, type ProgramOptions } from "./program.ts";

export type PeerName =
  | "systemd-notify"
  | "mosquitto"
  | "mosquitto_pub"
  | "mosquitto_sub"
  | "mosquitto_rr"
  | "mosquitto_passwd"
  | "mosquitto_ctrl"
  | "paho"
  | "mqtt"
  | "aedes"
  | "chromium"
  | "libfaketime"
  | "mkfs.ext4"
  | "bash"
  | "fish"
  | "ip"
  | "openssl"
  | "python3"
  | "tshark"
  | "zsh";

interface PeerKind {
  /** Debian's package that has it; null when `npm ci` brings it. */
  readonly debianPackage: string | null;
  /** Candidates: the words of a command, which come before its arguments. Empty for a library. */
  readonly commands: readonly (readonly string[])[];
  /** Its version when it can be had by `command`. */
  version(command: readonly string[]): string | undefined;
}

/** A peer that is here. */
export interface Peer {
  readonly version: string;
  readonly command: readonly string[];
}

/** What a test with other programs may take. */
const TEST_LIMIT_MS = 60_000;
/** stdbuf has a line come out when it is printed, and not when the program's buffer is full. */
const BY_LINES = ["stdbuf", "-oL"];

const PEERS: Readonly<Record<PeerName, PeerKind>> = {
  // A plain user's PATH often lacks sbin.
  mosquitto: mosquittoProgram("mosquitto", "mosquitto", [["/usr/sbin/mosquitto"], ["mosquitto"]]),
  mosquitto_pub: mosquittoProgram("mosquitto_pub", "mosquitto-clients", [[...BY_LINES, "mosquitto_pub"]]),
  mosquitto_sub: mosquittoProgram("mosquitto_sub", "mosquitto-clients", [[...BY_LINES, "mosquitto_sub"]]),
  mosquitto_rr: mosquittoProgram("mosquitto_rr", "mosquitto-clients", [[...BY_LINES, "mosquitto_rr"]]),
  mosquitto_passwd: {
    debianPackage: "mosquitto",
    commands: [["mosquitto_passwd"]],
    // It does not say.
    version: (command) => answer([...command, "--help"], /(mosquitto_passwd)/),
  },
  mosquitto_ctrl: {
    debianPackage: "mosquitto",
    commands: [["mosquitto_ctrl"]],
    version: (command) => answer([...command, "--help"], /(?:mosquitto_ctrl|version) (\S+)/),
  },
  paho: {
    debianPackage: "python3-paho-mqtt",
    // Debian's package belongs to Debian's Python, which is not always the first in PATH. -u: by lines.
    commands: [
      ["/usr/bin/python3", "-u"],
      ["python3", "-u"],
    ],
    version: (command) => answer([...command, "-c", "import paho.mqtt; print(paho.mqtt.__version__)"], /^(1\.6\S*)/),
  },
  mqtt: npmPackage("mqtt"),
  aedes: npmPackage("aedes"),
  chromium: {
    debianPackage: "chromium",
    // The path, as Playwright looks nothing up.
    commands: [["/usr/bin/chromium"], ["/usr/bin/chromium-browser"], ["/usr/bin/google-chrome"]],
    version: (command) => answer([...command, "--version"], /^(?:Chromium|Google Chrome) (\S+)/),
  },
  // A library that is loaded before a program.
  libfaketime: {
    debianPackage: "libfaketime",
    commands: [[]],
    version: () => (libfaketimePath() === undefined ? undefined : "present"),
  },
  openssl: {
    debianPackage: "openssl",
    commands: [["openssl"]],
    version: (command) => answer([...command, "version"], /OpenSSL (\S+)/),
  },
  "mkfs.ext4": {
    debianPackage: "e2fsprogs",
    commands: [["mkfs.ext4"], ["/usr/sbin/mkfs.ext4"]],
    version: (command) => answer([...command, "-V"], /mke2fs (\S+)/),
  },
  ip: {
    debianPackage: "iproute2",
    commands: [["ip"], ["/usr/sbin/ip"]],
    version: (command) => answer([...command, "-V"], /iproute2[-\w]*(\d+\.\d\S*?)[,\s]/),
  },
  python3: {
    debianPackage: "python3",
    commands: [
      ["/usr/bin/python3", "-u"],
      ["python3", "-u"],
    ],
    version: (command) => answer([...command, "--version"], /Python (\S+)/),
  },
  tshark: {
    debianPackage: "tshark",
    commands: [["tshark"]],
    version: (command) => answer([...command, "--version"], /TShark[^\d]*(\d\S*)/),
  },
  "systemd-notify": {
    debianPackage: "systemd",
    commands: [["systemd-notify"]],
    version: (command) => answer([...command, "--version"], /systemd (\d+)/),
  },
  bash: shell("bash"),
  fish: shell("fish"),
  zsh: shell("zsh"),
};

/** Where Debian puts libfaketime, which changes the clock of a program that is started with it; undefined when it is not here. */
export function libfaketimePath(): string | undefined {
  const libraries = "/usr/lib";
  if (!existsSync(libraries)) return undefined;
  return readdirSync(libraries)
    .map((folder) => `${libraries}/${folder}/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path));
}

function shell(name: string): PeerKind {
  return {
    debianPackage: name,
    commands: [[name]],
    version: (command) => answer([...command, "--version"], /(\d+\.\d\S*)/),
  };
}

function mosquittoProgram(name: string, debianPackage: string, commands: PeerKind["commands"]): PeerKind {
  const version = (command: readonly string[]) => answer([...command, "--help"], new RegExp(`${name} version (\\S+)`));
  return { debianPackage, commands, version };
}

function npmPackage(name: string): PeerKind {
  const version = () => {
    try {
      // By the path: a package need not export its package.json.
      const [folder] = import.meta.resolve(name).split(`/${name}/`);
      const manifest = readFileSync(new URL(`${folder}/${name}/package.json`), "utf8");
      return (JSON.parse(manifest) as { version: string }).version;
    } catch {
      return undefined;
    }
  };
  return { debianPackage: null, commands: [[]], version };
}

/** What the first group of `pattern` finds in the output of a command, whatever its exit code. */
function answer([program = "", ...args]: readonly string[], pattern: RegExp): string | undefined {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 10_000 });
  return error === undefined ? pattern.exec(stdout + stderr)?.[1] : undefined;
}

const found = new Map<PeerName, Peer | undefined>();

/** The peer, or undefined when it is not here. */
export function findPeer(name: PeerName): Peer | undefined {
  if (!found.has(name)) found.set(name, lookFor(PEERS[name]));
  return found.get(name);
}

function lookFor(kind: PeerKind): Peer | undefined {
  for (const command of kind.commands) {
    const version = kind.version(command);
    if (version !== undefined) return { version, command };
  }
  return undefined;
}

/** The peers that are not here now, with Debian's package for each. */
export function missingPeers(): { readonly name: PeerName; readonly debianPackage: string | null }[] {
  const names = Object.keys(PEERS) as PeerName[];
  return names
    .filter((name) => lookFor(PEERS[name]) === undefined)
    .map((name) => ({ name, debianPackage: PEERS[name].debianPackage }));
}

/**
 * Starts a peer that is a program, or paho's Python.
 * @throws {Error} when it is not here: declare the test with `testWithPeers`
 */
export function startPeer(name: PeerName, args: readonly string[], options?: ProgramOptions): Program {
  const peer = findPeer(name);
  const [program, ...first] = peer?.command ?? [];
  if (program === undefined) throw new Error(`${name} is not here or is a library.`);
  return new Program(program, [...first, ...args], options);
}

/**
 * Declares a test that needs `peers`. It is skipped, with the reason, when one of them is not here; where CI=true it
 * fails instead, because there nothing may go untested.
 */
export function testWithPeers(
  name: string,
  peers: readonly PeerName[],
  body: (context: TestContext) => void | Promise<void>,
  limitMs: number = TEST_LIMIT_MS,
): void {
  const missing = peers.filter((peer) => findPeer(peer) === undefined);
  const reason = `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`;
  if (missing.length === 0) void test(name, { timeout: limitMs }, body);
  else if (process.env.CI === "true") void test(name, () => Promise.reject(new Error(`${reason}, and CI is true.`)));
  else void test(name, { skip: reason }, () => {});
}
