// CPU time and memory of a process and of those that it has started, from Linux's /proc. Elsewhere, or for process 0, all figures are 0:
// ask `isMeasurable` before one is reported, because 0 would meet every goal.
import { readFileSync } from "node:fs";

/** Of the times in /proc; 100 on every Linux that Node runs on. So CPU figures move in steps of 10 ms. */
const TICKS_PER_SECOND = 100;
/** Of the process in user and system mode, and the same of children that have ended; counted from the field after the name. */
const TIME_FIELDS = [11, 12, 13, 14];
const SETTLED_PART = 0.005;
const SETTLED_MS = 2000;

export function isMeasurable(pid: number): boolean {
  return residentKib(pid) > 0;
}

export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const each of familyOf(pid)) {
    // The name may itself hold spaces.
    const text = readProc(each, "stat");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    for (const field of TIME_FIELDS) ticks += Number(fields[field] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

/** A file that several of them have mapped counts for each. */
export function residentKib(pid: number): number {
  let kib = 0;
  for (const each of familyOf(pid)) kib += Number(/^VmRSS:\s*(\d+)/m.exec(readProc(each, "status"))?.[1] ?? 0);
  return kib;
}

/** A process and those that it has started: the work of a broker may be done in several. */
function familyOf(pid: number): number[] {
  const family = [pid];
  for (const each of family)
    family.push(...readProc(each, `task/${each}/children`).split(" ").filter(Boolean).map(Number));
  return family;
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
