// The client library at a server that is no broker: in every scenario each byte that a client sends is the one that was written down from
// the specification, and what it gets was written by hand. So neither our encoder nor our broker judges our client.
import { type TestContext, test } from "node:test";
import type { Version } from "../../src/protocol/index.ts";
import { SCRIPTS_IN_EACH_VERSION, SCRIPTS_ONLY_5 } from "./scenario-scripts.ts";
import { IN_EACH_VERSION, ONLY_5, type Scenario } from "./scenario-suite.ts";
import { type Script, scriptedDoors } from "./script.ts";

/** Plays a scenario and its script, to the last byte. */
async function play(context: TestContext, scenario: Scenario, script: Script, version: Version): Promise<void> {
  const doors = await scriptedDoors(context, version);
  // Our names of requests and clients are random; here they are not.
  context.mock.method(Math, "random", () => 0.5);
  let names = 0;
  const name = (prefix: string): string => `${prefix}${++names}`;
  const ends: (() => unknown)[] = [];
  const endAll = async (): Promise<void> => {
    for (const end of ends.splice(0)) await end();
  };
  const after = (end: unknown): void => void ends.push(end as () => unknown);
  const clients = scenario({ url: `mqtt://127.0.0.1:${doors.port()}`, name }, { after }, version).then(endAll);
  try {
    // Whichever goes wrong first says why.
    await Promise.all([clients, doors.play(script)]);
    await doors.end();
  } finally {
    await endAll();
  }
}

for (const [what, scenario] of Object.entries<Scenario>(IN_EACH_VERSION)) {
  for (const version of [3, 4, 5] as const) {
    const script = SCRIPTS_IN_EACH_VERSION[what as keyof typeof IN_EACH_VERSION];
    test(`version ${version}: ${what}`, { timeout: 30_000 }, (context) => play(context, scenario, script, version));
  }
}
for (const [what, scenario] of Object.entries<Scenario>(ONLY_5)) {
  const script = SCRIPTS_ONLY_5[what as keyof typeof ONLY_5];
  test(`version 5: ${what}`, { timeout: 30_000 }, (context) => play(context, scenario, script, 5));
}
