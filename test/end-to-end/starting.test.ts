// Brokers that do not start, mosquitto and ours with one configuration: what they print finds its meaning.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, type TestContext } from "node:test";
import { explain, type MeaningKey } from "../../src/explain/index.ts";
import { testWithPeers } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { BROKER_PEERS, type FailingBroker, startBroker, startFailingBroker } from "./failing-brokers.ts";

interface Row {
  readonly what: string;
  /** @param free a port that nobody has */
  configuration(broker: FailingBroker, free: number): readonly string[];
  readonly meaning: MeaningKey;
}

const ROWS: readonly Row[] = [
  {
    what: "a port that is taken",
    configuration: ({ ports }) => [`listener ${ports.plain} 127.0.0.1`],
    meaning: "address-in-use",
  },
  { what: "an option that there is not", configuration: () => ["allow_anonymus true"], meaning: "configuration-error" },
  {
    what: "a certificate that is not there",
    configuration: ({ certificates }, free) => [
      `listener ${free} 127.0.0.1`,
      "certfile /nowhere.pem",
      `keyfile ${certificates.path("good.key")}`,
    ],
    meaning: "file-missing",
  },
  {
    what: "a key of another certificate",
    configuration: ({ certificates }, free) => [
      `listener ${free} 127.0.0.1`,
      `certfile ${certificates.path("good.pem")}`,
      `keyfile ${certificates.path("elsewhere.key")}`,
    ],
    meaning: "key-mismatch",
  },
  {
    what: "an address of another machine",
    configuration: (_broker, free) => [`listener ${free} 192.0.2.1`],
    meaning: "address-not-available",
  },
];

for (const name of ["mosquitto", "lacewing"] as const) {
  let broker: FailingBroker | null = null;
  before(async (context) => {
    broker = await startFailingBroker(name, context as TestContext);
  });
  after(() => broker?.stop());
  for (const { what, configuration, meaning } of ROWS)
    testWithPeers(`${name} does not start: ${what}`, BROKER_PEERS[name], async () => {
      assert.ok(broker !== null);
      const [free = 0] = await freePorts(1);
      const file = broker.certificates.path(`start-${meaning}.conf`);
      writeFileSync(file, `${["user root", "log_dest stderr", ...configuration(broker, free)].join("\n")}\n`);
      const { code, errors, out } = await startBroker(name, file).end();
      assert.notEqual(code, 0);
      const keys = explain(errors + out).explanations.map(({ key }) => key);
      assert.equal(keys[0], meaning, errors + out);
    });
}
