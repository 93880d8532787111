// The client library at a server that is no broker: in every scenario each byte that a client sends is the one that was written down from
// the specification, and what it gets was written by hand. So neither our encoder nor our broker judges our client.
import { type TestContext, test } from "node:test";
import type { Version } from "../../src/protocol/index.ts";
import type { Ending } from "../support/ending.ts";
import { certified, portOf, tlsFront, webSocketFront } from "./fronts.ts";
import { NETWORK_SCRIPTS } from "./network-scripts.ts";
import { NETWORK_SCENARIOS, type NetworkPort, type NetworkScenario, PSK } from "./network-suite.ts";
import { SCRIPTS_IN_EACH_VERSION, SCRIPTS_ONLY_5 } from "./scenario-scripts.ts";
import { IN_EACH_VERSION, type Naming, ONLY_5, type Scenario } from "./scenario-suite.ts";
import { type Script, type ScriptedDoors, scriptedDoors } from "./script.ts";

/** Has a scenario played at doors that play its script, to the last byte. */
async function play(
  context: TestContext,
  doors: ScriptedDoors,
  script: Script,
  scenario: (name: Naming, ending: Ending) => Promise<void>,
): Promise<void> {
  // The client's own names, as of its requests, are random; here they are not.
  context.mock.method(Math, "random", () => 0.5);
  let names = 0;
  const ends: (() => unknown)[] = [];
  const endAll = async (): Promise<void> => {
    for (const end of ends.splice(0)) await end();
  };
  const ending = { after: (end: () => unknown) => void ends.push(end) } as Ending;
  const clients = scenario((prefix) => `${prefix}${++names}`, ending).then(endAll);
  try {
    // Whichever goes wrong first says why.
    await Promise.all([clients, doors.play(script)]);
    await doors.end();
  } finally {
    await endAll();
  }
}

function declare<Name extends string>(
  scenarios: Readonly<Record<Name, Scenario>>,
  scripts: Readonly<Record<Name, Script>>,
  version: Version,
): void {
  for (const what of Object.keys(scenarios) as Name[]) {
    test(`version ${version}: ${what}`, { timeout: 30_000 }, async (context) => {
      const doors = await scriptedDoors(context, version);
      const { url } = doors;
      await play(context, doors, scripts[what], (name, ending) => scenarios[what]({ url, name }, ending, version));
    });
  }
}

for (const version of [3, 4, 5] as const) declare(IN_EACH_VERSION, SCRIPTS_IN_EACH_VERSION, version);
declare(ONLY_5, SCRIPTS_ONLY_5, 5);

/** A port before a door. */
type Front = (context: TestContext, port: number) => Promise<number>;

const key = Buffer.from(PSK, "hex");
const byCertificate =
  (name: string, requestCert: boolean = false): Front =>
  async (context, port) =>
    portOf(await tlsFront(context, port, { ...certified(name), requestCert }));

const FRONTS: Readonly<Record<Exclude<NetworkPort, "plain">, Front>> = {
  password: async (_, port) => port,
  tls: byCertificate("server.pem"),
  tlsFuture: byCertificate("future.pem"),
  tlsExpired: byCertificate("expired.pem"),
  tlsMisnamed: byCertificate("misnamed.pem"),
  tlsClient: byCertificate("server.pem", true),
  tlsPsk: async (context, port) => {
    const pskCallback = (_: unknown, identity: string) => (identity === "device" ? key : null);
    return portOf(await tlsFront(context, port, { ciphers: "PSK", pskCallback }));
  },
  webSocket: async (context, port) => (await webSocketFront(context, port)).port,
};
const BEHIND_FRONTS = Object.keys(FRONTS) as (keyof typeof FRONTS)[];

for (const [what, scenario] of Object.entries<NetworkScenario>(NETWORK_SCENARIOS)) {
  test(what, { timeout: 30_000 }, async (context) => {
    // The lines of what speaks an older version have no properties.
    const doors = await scriptedDoors(context, 5, BEHIND_FRONTS);
    const ports = { plain: doors.port() } as Record<NetworkPort, number>;
    for (const door of BEHIND_FRONTS) ports[door] = await FRONTS[door](context, doors.port(door));
    const script = NETWORK_SCRIPTS[what as keyof typeof NETWORK_SCENARIOS];
    await play(context, doors, script, (name, ending) => scenario({ ...ports, name }, ending));
  });
}
