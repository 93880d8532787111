/** Enhanced authentication [5.0 §4.12]: the AUTH exchange before the CONNACK, and re-authentication after it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALLOW_ALL, type Authenticator, NO_STORE, type Store, type Verdict } from "../../src/core/index.ts";
import { NO_PROPERTIES, type Properties, publishOf } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { bytesOf, connectOf, type TestClient, textOf } from "../support/test-client.ts";

const METHOD = "riddle";

/** Asks one riddle, lets in who solves it, and asks again when the client wishes. */
const RIDDLE: Authenticator = {
  authenticate: ({ connect }) =>
    connect.properties.authenticationMethod === METHOD
      ? riddle("1+1?", "2")
      : { kind: "refused", reason: "bad-authentication-method" },
};

function riddle(question: string, solution: string): Verdict {
  return {
    kind: "challenge",
    data: bytesOf(question),
    next: ({ properties }) =>
      textOf(properties.authenticationData ?? bytesOf("")) === solution
        ? {
            kind: "accepted",
            policy: ALLOW_ALL,
            principal: null,
            data: bytesOf("well done"),
            reauthenticate: () => riddle("2+2?", "4"),
          }
        : { kind: "refused", reason: "not-authorized" },
  };
}

function sendAuth(client: TestClient, reasonCode: number, data: string, method: string = METHOD): void {
  const properties: Properties = { authenticationMethod: method, authenticationData: bytesOf(data) };
  client.send({ type: "AUTH", reasonCode, properties });
}

function challenged(harness: BrokerHarness): TestClient {
  const client = harness.open(5);
  client.connect("c", { properties: { authenticationMethod: METHOD } });
  return client;
}

/** A client that has solved the first riddle. */
function letIn(harness: BrokerHarness): TestClient {
  const client = challenged(harness);
  sendAuth(client, 0x18, "2");
  assert.equal(client.connack?.reasonCode, 0);
  client.trace();
  return client;
}

test("[5.0 MQTT-4.12.0-2] [5.0 MQTT-4.12.0-5] a challenge is AUTH 0x18 with the method of CONNECT, its answer leads to the CONNACK", () => {
  const client = challenged(new BrokerHarness({ authenticator: RIDDLE }));
  const { reasonCode, properties } = client.expect("AUTH");
  assert.deepEqual(
    [reasonCode, properties],
    [0x18, { authenticationMethod: METHOD, authenticationData: bytesOf("1+1?") }],
  );
  sendAuth(client, 0x18, "2");
  const connack = client.expect("CONNACK");
  assert.equal(connack.properties.authenticationMethod, METHOD);
  assert.equal(textOf(connack.properties.authenticationData!), "well done");
});

test("[5.0 MQTT-4.12.0-4] a wrong answer is refused in the CONNACK, and closes", () => {
  const client = challenged(new BrokerHarness({ authenticator: RIDDLE }));
  sendAuth(client, 0x18, "3");
  assert.deepEqual([client.trace(), client.isClosed], [["AUTH 0x18", "CONNACK 0x87"], true]);
});

test("[5.0 MQTT-4.12.0-1] a method that the broker does not know is refused with 0x8C", () => {
  for (const authenticator of [RIDDLE, undefined]) {
    const harness = new BrokerHarness(authenticator === undefined ? {} : { authenticator });
    const client = harness.open(5);
    client.connect("c", { properties: { authenticationMethod: "unknown" } });
    assert.deepEqual([client.trace(), client.connack?.reasonCode, client.isClosed], [[], 0x8c, true]);
  }
});

test("[5.0 MQTT-3.1.2-30] nothing but AUTH and DISCONNECT may come before the CONNACK", () => {
  const harness = new BrokerHarness({ authenticator: RIDDLE });
  const client = challenged(harness);
  client.send({ type: "PINGREQ" });
  assert.deepEqual([client.trace(), client.isClosed], [["AUTH 0x18", "CONNACK 0x82"], true]);
  const other = challenged(harness);
  sendAuth(other, 0x18, "2", "another");
  assert.deepEqual([other.trace(), other.isClosed], [["AUTH 0x18", "CONNACK 0x82"], true]);
  const again = challenged(harness);
  sendAuth(again, 0x19, "2");
  assert.deepEqual([again.trace(), again.isClosed], [["AUTH 0x18", "CONNACK 0x82"], true]);
});

test("[5.0 MQTT-3.1.2-30] a client that gives up in the middle says DISCONNECT, and leaves nothing", () => {
  const harness = new BrokerHarness({ authenticator: RIDDLE });
  const client = challenged(harness);
  client.disconnect(0, { sessionExpirySeconds: 100 });
  assert.deepEqual([client.trace(), client.isClosed], [["AUTH 0x18"], true]);
  assert.deepEqual([harness.broker.sessions.count, harness.broker.connections.size], [0, 0]);
});

test("a challenge that is not answered in time ends the connection", () => {
  const harness = new BrokerHarness({ authenticator: RIDDLE });
  const client = challenged(harness);
  harness.advance(14_000);
  assert.equal(client.isClosed, false);
  harness.advance(2000);
  assert.equal(client.isClosed, true);
});

test("[5.0 §4.12.1] re-authentication goes on while messages flow, and ends with AUTH 0x00", () => {
  const client = letIn(new BrokerHarness({ authenticator: RIDDLE }));
  sendAuth(client, 0x19, "");
  client.publish("t", "x", { qos: 1 });
  sendAuth(client, 0x18, "4");
  assert.deepEqual(client.trace(), ["AUTH 0x18", "PUBACK m1 0x10", "AUTH 0x00"]);
  sendAuth(client, 0x19, "");
  sendAuth(client, 0x18, "4");
  assert.deepEqual(client.trace(), ["AUTH 0x18", "AUTH 0x00"]);
});

test("[5.0 MQTT-4.12.1-2] a re-authentication that fails ends the connection with DISCONNECT", () => {
  const client = letIn(new BrokerHarness({ authenticator: RIDDLE }));
  sendAuth(client, 0x19, "");
  sendAuth(client, 0x18, "5");
  assert.deepEqual([client.trace(), client.isClosed], [["AUTH 0x18", "DISCONNECT 0x87"], true]);
});

test("[5.0 MQTT-4.12.0-7] AUTH that nobody asked for is a protocol error", () => {
  const plain = new BrokerHarness().connect("c");
  sendAuth(plain, 0x19, "");
  assert.deepEqual([plain.trace(), plain.isClosed], [["DISCONNECT 0x82"], true]);
  const harness = new BrokerHarness({ authenticator: RIDDLE });
  for (const [code, method] of [
    [0x18, METHOD],
    [0x19, "another"],
  ] as const) {
    const client = letIn(harness);
    sendAuth(client, code, "", method);
    assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x82"], true]);
  }
});

test("re-authentication that the authenticator does not offer is a protocol error", () => {
  const authenticator: Authenticator = {
    authenticate: () => ({ kind: "accepted", policy: ALLOW_ALL, principal: null }),
  };
  const client = new BrokerHarness({ authenticator }).connect("c", { properties: { authenticationMethod: METHOD } });
  sendAuth(client, 0x19, "");
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x82"], true]);
});

test("an authenticator that thinks holds back what follows, during the exchange too", async () => {
  const thinking: Authenticator = {
    authenticate: async () => ({
      kind: "challenge",
      next: async () => ({ kind: "accepted", policy: ALLOW_ALL, principal: null }),
    }),
  };
  const harness = new BrokerHarness({ authenticator: thinking });
  const client = harness.open(5);
  client.send(connectOf(5, "c", { properties: { authenticationMethod: METHOD } }));
  await harness.rest();
  assert.deepEqual(client.trace(), ["AUTH 0x18"]);
  client.send({ type: "AUTH", reasonCode: 0x18, properties: { authenticationMethod: METHOD } }, { type: "PINGREQ" });
  assert.deepEqual(client.trace(), []);
  await harness.rest();
  assert.deepEqual(client.trace(), ["CONNACK 0x00", "PINGRESP"]);
});

test("a re-authentication under way does not keep a connection from being read again once the store is done", async () => {
  const store: Store = { ...NO_STORE, survives: "process" };
  const harness = new BrokerHarness({ authenticator: RIDDLE, store, options: { receiveMaximum: 2 } });
  const client = letIn(harness);
  sendAuth(client, 0x19, "");
  const fields = { payload: bytesOf("x"), qos: 1, retain: true, dup: false, properties: NO_PROPERTIES } as const;
  client.send(...[1, 2, 3].map((packetId) => publishOf({ ...fields, topicName: "t", packetId })));
  assert.deepEqual([client.trace(), client.isPaused], [["AUTH 0x18"], true]);
  await harness.rest(10);
  await harness.rest(10);
  assert.deepEqual([client.trace().length, client.isPaused], [3, false]);
  sendAuth(client, 0x18, "4");
  assert.deepEqual(client.trace(), ["AUTH 0x00"]);
});

test("an Authenticator that never answers lets nobody in, and its late answer changes nothing", async () => {
  let answer: (verdict: Verdict) => void = () => {};
  const authenticator: Authenticator = {
    authenticate: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  };
  const harness = new BrokerHarness({ authenticator });
  const client = harness.open(5);
  client.connect("c");
  harness.advance(29_999);
  assert.equal(client.connack?.reasonCode, undefined);
  harness.advance(1);
  assert.equal(client.connack?.reasonCode, 0x88);
  assert.equal(client.isClosed, true);
  answer({ kind: "accepted", policy: ALLOW_ALL, principal: null });
  await Promise.resolve();
  harness.advance(1000);
  assert.equal(harness.broker.sessions.count, 0);
});
