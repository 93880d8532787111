import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { cpuSeconds, residentKib } from "./process-figures.ts";

const skip = process.platform === "linux" ? false : "needs /proc";
const SPENT_SECONDS = 0.1;

test("what children of a process hold and spend is counted with it, also what one spent that has ended", {
  skip,
}, async () => {
  const [kibBefore, cpuBefore] = [residentKib(process.pid), cpuSeconds(process.pid)];
  const work = `while (process.cpuUsage().user < ${SPENT_SECONDS * 1e6});`;
  const child = spawn(process.execPath, ["-e", `${work} console.log(); process.stdin.resume();`]);
  await once(child.stdout, "data");
  const kibOfChild = residentKib(child.pid ?? 0);
  assert.ok(kibOfChild > 0);
  assert.ok(residentKib(process.pid) >= kibBefore + kibOfChild / 2);
  assert.ok(cpuSeconds(process.pid) >= cpuBefore + SPENT_SECONDS);
  child.stdin.end();
  await once(child, "exit");
  assert.equal(residentKib(child.pid ?? 0), 0);
  assert.ok(cpuSeconds(process.pid) >= cpuBefore + SPENT_SECONDS);
});
