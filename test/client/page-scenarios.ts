// Runs in a page: the scenarios of scenario-suite.ts, some at a time.
import type { Ending } from "../support/ending.ts";
import { declareScenarios } from "./scenario-suite.ts";

const scenarios = new Map<string, (context: Ending) => Promise<void>>();
let url = "";

declareScenarios(
  async () => url,
  (name, run) => scenarios.set(name, run),
);

/** mosquitto looks at a WebSocket ten times a second, which is mostly waiting; and Chromium delays those that open many at once. */
const AT_A_TIME = 6;

/** Plays one; undefined when it went well, otherwise what went wrong. */
async function play(run: (context: Ending) => Promise<void>): Promise<string | undefined> {
  const atEnd: (() => unknown)[] = [];
  const context = { after: (end: () => unknown) => void atEnd.push(end) } as Ending;
  try {
    await run(context);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
  } finally {
    for (const end of atEnd) await end();
  }
}

/** Plays all; what went wrong, by name. */
async function playAll(brokerUrl: string): Promise<{ readonly played: number; readonly failures: string[] }> {
  url = brokerUrl;
  const left = [...scenarios];
  const failures: string[] = [];
  const playNext = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const failure = await play(next[1]);
      if (failure !== undefined) failures.push(`${next[0]}: ${failure}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, playNext));
  return { played: scenarios.size, failures };
}

Object.assign(globalThis, { playAll });
