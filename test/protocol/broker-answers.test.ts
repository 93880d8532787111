// What the machines leave to the broker: ends before there is a Session, and mistakes of an authenticator.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALLOW_ALL, type Authenticator, type Verdict } from "../../src/core/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";

const ACCEPTED: Verdict = { kind: "accepted", policy: ALLOW_ALL, principal: null };
/** Asks everybody for more, whether or not they named a method. */
const ASKING: Authenticator = { authenticate: () => ({ kind: "challenge", next: () => ACCEPTED }) };

test("a client that gives up amid its authentication, with a session expiry, is let go", () => {
  const harness = new BrokerHarness({ authenticator: ASKING });
  const client = harness.open(5);
  client.connect("c", { properties: { authenticationMethod: "m" } });
  assert.deepEqual(client.trace(), ["AUTH 0x18"]);
  client.send({ type: "DISCONNECT", reasonCode: 0, properties: { sessionExpirySeconds: 60 } });
  assert.deepEqual([client.trace(), client.isClosed], [[], true]);
});

test("a client that cannot be asked for more is refused and the broker goes on", () => {
  for (const [version, code] of [
    [3, 5],
    [4, 5],
    [5, 0x87],
  ] as const) {
    const client = new BrokerHarness({ authenticator: ASKING }).open(version);
    assert.equal(client.connect("c", { version })?.reasonCode, code);
    assert.equal(client.isClosed, true);
  }
});

for (const authenticator of [{ authenticate: () => ACCEPTED }, { authenticate: () => Promise.resolve(ACCEPTED) }])
  test(`a client whose CONNACK would be too large never counts as connected, ${authenticator.authenticate}`, async () => {
    const harness = new BrokerHarness({ authenticator });
    const client = harness.open(5);
    client.connect("c", { properties: { maximumPacketSize: 8, sessionExpirySeconds: 60 } });
    await harness.rest();
    assert.deepEqual([client.connack, client.isClosed, harness.broker.connectedClients], [null, true, 0]);
    const again = harness.open(5);
    again.connect("c");
    await harness.rest();
    assert.equal(again.connack?.reasonCode, 0, "its identifier is free");
  });

test("UNSUBSCRIBE is answered in every version", () => {
  const harness = new BrokerHarness();
  for (const version of [3, 4, 5] as const) {
    const client = harness.connect(`c${version}`, { version });
    client.subscribe("a");
    assert.deepEqual(client.unsubscribe("a", "b"), version === 5 ? [0, 0x11] : []);
  }
});
