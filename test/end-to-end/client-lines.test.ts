// What mosquitto_pub prints when it fails at mosquitto and at our broker: it finds its meaning.
import assert from "node:assert/strict";
import { after, before, type TestContext } from "node:test";
import { explain, type MeaningKey } from "../../src/explain/index.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { BROKER_PEERS, type FailingBroker, place, startFailingBroker } from "./failing-brokers.ts";

type Row = readonly [what: string, args: (broker: FailingBroker) => readonly string[], meaning: MeaningKey];

const trusting = (broker: FailingBroker, name: string): string[] => ["--cafile", broker.certificates.path(name)];

const ROWS: readonly Row[] = [
  ["a port that nothing listens on", (broker) => place(broker, "unused"), "nothing-listens"],
  ["a name that there is not", () => ["-h", "no-such-host.invalid"], "name-unknown"],
  [
    "a wrong password by 3.1.1",
    (broker) => [...place(broker, "users"), "-u", "somebody", "-P", "wrong"],
    "not-authorised",
  ],
  [
    "a wrong password by 5.0",
    (broker) => [...place(broker, "users"), "-V", "5", "-u", "somebody", "-P", "wrong"],
    "not-authorised",
  ],
  ["rules that deny a message by 5.0", (broker) => [...place(broker, "reading"), "-V", "5", "-q", "1"], "acl-denied"],
  [
    "a certificate for another name",
    (broker) => [...place(broker, "elsewhere"), ...trusting(broker, "cas.pem")],
    "certificate-name",
  ],
  [
    "an unknown CA",
    (broker) => [...place(broker, "good"), ...trusting(broker, "stranger.pem")],
    "certificate-verify-failed",
  ],
  ["TLS to the plain port", (broker) => [...place(broker, "plain"), ...trusting(broker, "cas.pem")], "tls-closed"],
];

for (const name of ["mosquitto", "lacewing"] as const) {
  let broker: FailingBroker | null = null;
  before(async (context) => {
    broker = await startFailingBroker(name, context as TestContext);
  });
  after(() => broker?.stop());
  for (const [what, args, meaning] of ROWS)
    testWithPeers(`mosquitto_pub at ${name}: ${what}`, [...BROKER_PEERS[name], "mosquitto_pub"], async () => {
      assert.ok(broker !== null);
      const { out, errors } = await startPeer("mosquitto_pub", [...args(broker), "-t", "t", "-m", "x", "-d"]).end();
      const [first] = explain(out + errors).explanations;
      assert.equal(first?.key, meaning, out + errors);
      assert.ok(first.causes.length > 0 && first.causes[0]!.fix.length > 0);
    });
}
