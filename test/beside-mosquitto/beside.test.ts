// The same configuration file and the same script under mosquitto and under Lacewing: the same outcome, or a difference that
// docs/mosquitto-compatibility.md explains.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findPeer, testWithPeers } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";
import { startPair } from "./broker-pair.ts";
import { type Difference, edited } from "./difference.ts";
import { SETTINGS } from "./settings.ts";
import { type Outcome, type PlayedBroker, type Situation, Stage } from "./situation.ts";

const LEAST_SITUATIONS = 80;

/** Whether the mosquitto that is installed is of the release that Lacewing follows. */
const isLaterMosquitto = !/^(1|2\.0)\./.test(findPeer("mosquitto")?.version ?? "2.0.");

async function perform({ play }: Situation, broker: PlayedBroker): Promise<Outcome> {
  const stage = new Stage(broker);
  await play(stage);
  return stage.end();
}

/** What we are to do: as mosquitto, but for what is meant to differ from the release that is here. */
function expectedOf(theirs: Outcome, ours: Outcome, differs: Difference | undefined): Outcome {
  if (differs === undefined || (differs.isAsLater && isLaterMosquitto)) return theirs;
  // How a later release differs from us is not known here.
  return isLaterMosquitto ? ours : edited(theirs, differs.edits);
}

for (const setting of SETTINGS) {
  testWithPeers(`beside mosquitto: ${setting.title}`, ["mosquitto"], async (context) => {
    const { mosquitto, lacewing } = await startPair(context, setting);
    for (const situation of setting.situations) {
      await context.test(situation.name, async () => {
        const [theirs, ours] = await Promise.all([perform(situation, mosquitto), perform(situation, lacewing)]);
        assert.deepEqual(ours, expectedOf(theirs, ours, situation.differs));
        assert.ok(
          Object.values(ours).some((lines) => lines.length > 0),
          "something happened",
        );
      });
    }
  });
}

const situations = SETTINGS.flatMap((setting) => setting.situations);

test(`there are at least ${LEAST_SITUATIONS} situations, each with a name of its own`, () => {
  assert.ok(situations.length >= LEAST_SITUATIONS, `${situations.length}`);
  const names = SETTINGS.flatMap(({ title, situations: played }) => played.map(({ name }) => `${title}: ${name}`));
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
});

test("each difference is explained in docs/mosquitto-compatibility.md, and is one", () => {
  const page = readFileSync(join(ROOT, "docs/mosquitto-compatibility.md"), "utf8");
  const rows = new Set(page.split("\n").map((line) => /^\| (.*?) +\|/.exec(line)?.[1]?.trim()));
  for (const { name, differs } of situations) {
    if (differs === undefined) continue;
    assert.ok(rows.has(differs.row), `${name}: no row "${differs.row}"`);
    for (const { mosquitto, lacewing } of differs.edits) assert.notDeepEqual(lacewing, mosquitto, name);
  }
});
