// CPU time and memory of a process, from Linux's /proc. Elsewhere, or for process 0, all figures are 0:
// ask `isMeasurable` before one is reported, because 0 would meet every goal.
import { readFileSync } from "node:fs";

/** Of the times in /proc; 100 on every Linux that Node runs on. So CPU figures move in steps of 10 ms. */
const TICKS_PER_SECOND = 100;
const USER_TIME_FIELD = 11; // counted from the field after the name, which may itself hold spaces
const SETTLED_PART = 0.005;
const SETTLED_MS = 2000;

export function isMeasurable(pid: number): boolean {
  return residentKib(pid) > 0;
}

export function cpuSeconds(pid: number): number {
  const text = readProc(pid, "stat");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[USER_TIME_FIELD]) + Number(fields[USER_TIME_FIELD + 1]);
  return Number.isNaN(ticks) ? 0 : ticks / TICKS_PER_SECOND;
}

export function residentKib(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readProc(pid, "status"))?.[1] ?? 0);
}

/** Waits until the memory moved less than 0.5 % for two seconds, at most `limitSeconds`; returns it. */
export async function settledKib(pid: number, limitSeconds: number): Promise<number> {
  const start = performance.now();
  let since = start;
  let reference = residentKib(pid);
  let kib = reference;
  while (performance.now() - start < limitSeconds * 1000 && performance.now() - since < SETTLED_MS) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    kib = residentKib(pid);
    if (Math.abs(kib - reference) <= reference * SETTLED_PART) continue;
    reference = kib;
    since = performance.now();
  }
  return kib;
}

function readProc(pid: number, file: string): string {
  if (pid === 0) return "";
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
