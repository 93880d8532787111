// Machines without a network, as namespaces of Linux: no interface, and one whose neighbours do not answer.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

const UNSHARE = ["unshare", "--net", "--map-root-user"];
const CAN = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), "ip", "link"], { timeout: 10_000 }).status === 0;
const skip = CAN ? false : "not allowed here: network namespaces";

interface Verdict {
  readonly layer: string;
  readonly explanation: { readonly key: string };
}

async function verdictIn(setUp: string, args: string): Promise<readonly [number | null, string, string]> {
  const main = join(ROOT, "dist/cli/main.js");
  const script = `${setUp} exec "$0" "$1" doctor ${args} --json --timeout 2 --lang en`;
  const { code, out, errors } = await runProgram(UNSHARE[0]!, [
    ...UNSHARE.slice(1),
    "sh",
    "-c",
    script,
    process.execPath,
    main,
  ]);
  assert.equal(errors, "");
  const { verdict } = JSON.parse(out) as { verdict: Verdict };
  return [code, verdict.layer, verdict.explanation.key];
}

test("no interface at all: the rc = 14 of mosquitto_connect", { skip, timeout: 60_000 }, async () => {
  assert.deepEqual(await verdictIn("", "mqtt://192.0.2.1"), [11, "route", "no-network"]);
});

test("a name, and no network to look it up", { skip, timeout: 60_000 }, async () => {
  const [code, layer, key] = await verdictIn("", "broker.example.com");
  assert.deepEqual([code, layer], [10, "name"]);
  assert.ok(key === "no-network" || key === "name-unknown", key);
});

const DUMMY = "ip link add d0 type dummy && ip addr add 192.0.2.1/24 dev d0 && ip link set d0 up &&";

test("packets go out and nothing comes back", { skip: skip || dummySkip(), timeout: 60_000 }, async () => {
  const [code, layer, key] = await verdictIn(DUMMY, "mqtt://192.0.2.9");
  assert.deepEqual([code, layer], [12, "port"]);
  assert.ok(key === "no-answer" || key === "host-unreachable", key);
});

function dummySkip(): string | false {
  const { status } = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), "sh", "-c", `${DUMMY} true`], { timeout: 10_000 });
  return status === 0 ? false : "not allowed here: dummy interfaces";
}
