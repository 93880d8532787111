// F6 and F7, short: bad networks, connections cut at each byte, peers that vanish.
import { lacewing } from "./broker-process.ts";
import { cutAtEachByte } from "./byte-cuts.ts";
import { farBrokers } from "./far-brokers.ts";
import { noFarNetworks } from "./far-network.ts";
import { halfOpen } from "./half-open.ts";
import { badNetworks } from "./network.ts";
import { shortTest } from "./short.ts";

const OURS = lacewing("max_inflight_messages=0");
/** Of the bytes after which a connection can be cut; the seed says at which the count begins. */
const EVERY = 3;

for (const qos of [1, 2] as const) {
  for (const direction of ["up", "down"] as const) {
    shortTest(`F6: cut within each packet of an exchange at QoS ${qos}, ${direction}`, {}, async ({ folder, seed }) => [
      await cutAtEachByte({ name: "f6b", kind: OURS, folder, qos, direction, every: EVERY, first: seed % EVERY }),
    ]);
  }
}

shortTest("F6: slow, narrow, crumbling and breaking networks lose nothing", {}, (context) =>
  badNetworks({ ...context, name: "f6", kind: OURS, rounds: 5, workMs: 800 }),
);

shortTest(
  "F6: a network that is cut for 1 and 5 s, loses 5 and 20 %, is narrow and late loses no message, and clients come back",
  { peers: ["ip", "python3"], missing: noFarNetworks },
  (context) => farBrokers({ ...context, name: "f6c", kind: OURS, rounds: 1, cutsSeconds: [1, 5], workMs: 2500 }),
);

shortTest("F7: each will of those who vanish comes once, also when the broker is killed", {}, (context) =>
  halfOpen({ ...context, name: "f7", kind: OURS, rounds: 2, clients: 100 }),
);
