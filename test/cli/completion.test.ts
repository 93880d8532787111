// The scripts of `lacewing completion` in the shells that they are for, and `lacewing help`.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { type Ended, runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { runTool } from "./tool-run.ts";

async function script(shell: string): Promise<string> {
  const { code, out, errors } = await runTool("completion", [shell]);
  assert.deepEqual([code, errors], [0, ""]);
  return out;
}

/** What a shell offers when the last word is to be completed, in a folder with a file and a folder. */
const OFFERS: readonly (readonly [words: readonly string[], offered: readonly string[], not: readonly string[]])[] = [
  [["lacewing", "p"], ["pub", "passwd"], ["sub"]],
  [["lacewing", "pub", "--ca"], ["--cafile", "--capath"], ["--cert"]],
  [["lacewing", "pub", "--quie"], ["--quiet"], []],
  [
    ["lacewing", "sub", "-q", ""],
    ["0", "1", "2"],
    ["3", "--topic"],
  ],
  [["lacewing", "sub", "-V", "mq"], ["mqttv5", "mqttv311"], ["5"]],
  [["lacewing", "pub", "-f", "lett"], ["letter.txt"], []],
  [["lacewing", "pub", "--capath", ""], ["certificates"], ["letter.txt"]],
  [["lacewing", "store", "ch"], ["check"], ["backup"]],
  [["lacewing", "config", "check", "--str"], ["--strict"], ["--json"]],
  [["lacewing", "completion", ""], ["bash", "zsh", "fish"], []],
  [["lacewing", "help", "wh"], ["why", "why-not"], ["pub"]],
  [["mosquitto_rr", "--lat"], ["--latency"], ["--topic"]],
];

/** Runs `ask` for each of OFFERS. */
async function offers(
  context: TestContext,
  ask: (folder: string, words: readonly string[]) => Promise<Ended>,
): Promise<void> {
  const folder = temporaryFolder(context, { "letter.txt": "", "certificates/ca.crt": "" });
  for (const [words, offered, not] of OFFERS) {
    const { out, errors } = await ask(folder, words);
    const lines = out.split(/\n/).map((line) => line.replace(/[\t/].*| +-- .*/, "").trim());
    for (const word of offered) assert.ok(lines.includes(word), `${words.join(" ")}: ${word} of\n${out}${errors}`);
    for (const word of not) assert.ok(!lines.includes(word), `${words.join(" ")}: not ${word}`);
  }
}

testWithPeers("bash takes the script and completes", ["bash"], async (context) => {
  const text = await script("bash");
  await offers(context, (cwd, words) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _lacewing; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return startPeer("bash", ["--norc", "-uc", `${text}\n${ask}`], { cwd }).end();
  });
});

testWithPeers("fish takes the script and completes", ["fish"], async (context) => {
  const text = await script("fish");
  await offers(context, (cwd, words) => {
    const env = { HOME: cwd, XDG_CONFIG_HOME: cwd, XDG_DATA_HOME: cwd };
    return startPeer("fish", ["--no-config", "-c", `${text}\ncomplete -C '${words.join(" ")}'`], { cwd, env }).end();
  });
});

testWithPeers("zsh takes the script as a function of its completion system", ["zsh"], async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "_lacewing"), await script("zsh"));
  const ask = `fpath=('${folder}' $fpath); autoload -Uz compinit && compinit -D -u; print $_comps[lacewing] $_comps[mosquitto_pub]; autoload +X _lacewing && print loaded`;
  const { code, out, errors } = await startPeer("zsh", ["-f", "-c", ask]).end();
  assert.deepEqual([code, out, errors], [0, "_lacewing _lacewing\nloaded\n", ""]);
});

testWithPeers("zsh completes what is typed", ["zsh"], async (context) => {
  const folder = temporaryFolder(context, { "letter.txt": "" });
  writeFileSync(join(folder, "_lacewing"), await script("zsh"));
  // A shell in a pseudo-terminal of zsh's own, with a key that lists what completion offers.
  const driver = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "cd '${folder}'; PS1=READY; fpath=('${folder}' \\$fpath); autoload -Uz compinit; compinit -D -u; LISTMAX=1000"
    zpty -r shell seen '*READY'
    zpty -w -n shell $'lacewing pub --quie\\t'
    zpty -r shell seen '*--quiet*' && print completed
    zpty -w -n shell $'\\C-ulacewing pub -f lett\\t'
    zpty -r shell seen '*letter.txt*' && print file
    zpty -d shell`;
  const { out, errors } = await startPeer("zsh", ["-f", "-c", driver], { env: { TERM: "dumb" } }).end();
  assert.equal(out, "completed\nfile\n", errors);
});

test("an unknown shell is named with those that there are", async () => {
  const { code, errors } = await runTool("completion", ["bahs"]);
  assert.equal(code, 1);
  assert.match(errors, /^Error: Unknown shell 'bahs'; there are bash, zsh, fish\. Did you mean 'bash'\?\n/);
});

test("help shows all commands, one, and a command of one", async () => {
  const all = await runTool("help", []);
  for (const name of Object.keys(COMMANDS)) assert.match(all.out, new RegExp(`^ {2}lacewing ${name} +[A-Z]`, "m"));
  assert.ok(all.out.split("\n").every((line) => line.length <= 110));
  assert.match((await runTool("help", ["pub"])).out, /^Usage: lacewing pub [\s\S]*^Examples:\n/m);
  assert.match((await runTool("help", ["store", "check"])).out, /^Usage: lacewing store check /m);
  assert.match((await runTool("help", ["broker"])).out, /max_queued_messages/);
  const unknown = await runTool("help", ["store", "chek"]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.errors, /^Error: Unknown command 'chek'; 'store' has .*\. Did you mean 'check'\?\n/);
});

test("every command describes itself by the name that it is typed by", async () => {
  for (const [name, { describe, parts }] of Object.entries(COMMANDS)) {
    assert.equal((await describe()).name, `lacewing ${name}`);
    for (const [part, command] of Object.entries((await parts?.()) ?? {})) {
      assert.equal(command.name, `lacewing ${name} ${part}`);
    }
  }
});

test("the published command: --version, --help, and a word that is no command", async () => {
  const run = (...args: string[]) => runProgram(join(ROOT, "dist/bin/lacewing.js"), args);
  const [version, help, unknown] = await Promise.all([run("--version"), run("--help"), run("pbu")]);
  assert.match(version.out, /^lacewing version \d+\.\d+\.\d+\n$/);
  assert.deepEqual([version.code, help.code, unknown.code], [0, 0, 1]);
  assert.match(help.out, /^Run a broker:\n/m);
  assert.match(
    unknown.errors,
    /^Error: Unknown command 'pbu'; .* Did you mean 'pub'\?\n\nUse 'lacewing --help' to see/,
  );
});
