// Every command that an explanation gives can be run: our own by their tables of options, those of others by a list made from
// their manual pages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../src/cli/command-line.ts";
import { commandNamed } from "../../src/cli/commands.ts";
import { MEANINGS, type Meaning, type MeaningKey } from "../../src/explain/index.ts";

/** Options of other programs that explanations use. */
const OTHER_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  cat: [],
  curl: ["-v", "-u", "-x", "--socks5-hostname"],
  date: ["-u"],
  df: ["-h", "-i"],
  dig: ["+short"],
  docker: ["inspect"],
  findmnt: [],
  free: ["-m"],
  getent: ["ahosts", "hosts"],
  grep: ["-n", "-E", "-v"],
  head: ["-c"],
  ip: ["address", "route", "neigh", "get", "show", "-brief"],
  journalctl: ["-u", "-n", "-k"],
  ldd: [],
  locale: ["charmap"],
  ls: ["-l", "-ld"],
  mosquitto: ["-c", "-v", "-h"],
  mosquitto_ctrl: ["dynsec", "getClient", "listClients"],
  nc: ["-vz", "-w"],
  nft: ["list", "ruleset"],
  ping: ["-c"],
  prlimit: ["--nofile", "--pid"],
  ps: ["-o", "-C"],
  ss: ["-ltn", "-ltnp", "-tn", "-tnp", "-tnoi", "-s"],
  systemctl: ["status"],
  tcpdump: ["-ni", "-X", "-A"],
  top: ["-b", "-n"],
};

const OPENSSL: Readonly<Record<string, readonly string[]>> = {
  ciphers: ["-v"],
  crl: ["-in", "-noout", "-text", "-issuer", "-nextupdate"],
  pkey: ["-in", "-noout", "-out", "-pubout"],
  s_client: ["-connect", "-servername", "-showcerts", "-CAfile", "-tls1_2", "-alpn", "-status"],
  verify: ["-CAfile"],
  x509: ["-in", "-noout", "-dates", "-subject", "-issuer", "-ext", "-purpose", "-text", "-pubkey", "-inform", "-out"],
};

/** Words as a shell reads them: quotes join, nothing else is special. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
}

const COMMANDS = (Object.entries(MEANINGS) as [MeaningKey, Meaning][]).flatMap(([key, { causes }]) =>
  causes.flatMap(({ run }) => (run === undefined ? [] : [{ key, run }])),
);

test("there are commands", () => assert.ok(COMMANDS.length > 150));

for (const command of new Set(COMMANDS.map(({ run }) => run)))
  test(`a shell runs: ${command}`, async () => {
    assert.ok(!/[;&|<>`$](?!SYS)|\\/.test(command.replaceAll(/'[^']*'/g, "")), "nothing that a shell reads otherwise");
    const [program = "", ...args] = wordsOf(command);
    if (program === "lacewing") return checkOurs(args);
    if (program === "openssl") return checkOptions(args.slice(1), OPENSSL[args[0] ?? ""], `openssl ${args[0]}`);
    checkOptions(args, OTHER_PROGRAMS[program], program);
  });

function checkOptions(args: readonly string[], known: readonly string[] | undefined, program: string): void {
  assert.ok(known !== undefined, `${program} is not in the list`);
  for (const arg of args) if (/^[-+]/.test(arg)) assert.ok(known.includes(arg), `${program} ${arg} is not in the list`);
}

async function checkOurs([name = "", ...args]: readonly string[]): Promise<void> {
  const entry = commandNamed(name);
  assert.ok(entry !== undefined, `lacewing ${name}`);
  const parts = await entry.parts?.();
  const command = parts === undefined ? await entry.describe() : parts[args[0] ?? ""];
  assert.ok(command !== undefined, `lacewing ${name} ${args[0]}`);
  // A placeholder stands for a number, too.
  const filled = args.slice(parts === undefined ? 0 : 1).map((arg) => (arg === "PORT" ? "1883" : arg));
  parseCommandLine(command, filled);
}

test("texts name only commands of ours that there are", async () => {
  for (const text of Object.values(MEANINGS).flatMap((meaning: Meaning) => [
    ...JSON.stringify(meaning).matchAll(/lacewing ([a-z-]+)/g),
  ])) {
    const [, name = ""] = text;
    assert.ok(commandNamed(name) !== undefined, `lacewing ${name}`);
  }
});
