// F16: all clients lose their connections at once and come back at once, each to its own session with what waited in it; also under a
// limit of connections a second, where each that is told 0x9F comes again until it is let in. Times are the benchmark's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Acknowledgement, NO_PROPERTIES, publishOf } from "../../src/protocol/index.ts";
import { bytesOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured, until } from "./configured-broker.ts";

const CLIENTS = 400;
const MOST_A_SECOND = 250;
const RATE_EXCEEDED = 0x9f;
const EVER = { cleanStart: false, properties: { sessionExpirySeconds: 100_000 } } as const;

/** Connects until it is let in. @param isPresent whether its session must be there */
async function connected(
  broker: ConfiguredBroker,
  i: number,
  refusals: { count: number },
  isPresent: boolean,
): Promise<WireClient> {
  for (;;) {
    const client = await WireClient.opened(broker.address, `device-${i}`, EVER);
    const { reasonCode, sessionPresent } = await client.expect("CONNACK");
    if (reasonCode === 0) {
      assert.equal(sessionPresent, isPresent, `device-${i}`);
      return client;
    }
    assert.equal(reasonCode, RATE_EXCEEDED);
    refusals.count++;
    await client.drop();
    // As a client does that has been told: later, and not all at the same time.
    await new Promise((resolve) => setTimeout(resolve, 200 + (i % 50) * 20));
  }
}

for (const [what, limits] of [
  ["without a limit", []],
  ["with lacewing_max_connect_rate", [`lacewing_max_connect_rate ${MOST_A_SECOND}`]],
] as const) {
  test(`${CLIENTS} clients come back at once, ${what}`, async (context) => {
    const lines = ["allow_anonymous true", "sys_interval 0", "connection_messages false", ...limits];
    const broker = await startConfigured(context, [...lines, "persistence true", "persistence_location FOLDER/data"]);
    const { connections, sessions, counters } = broker.server.broker;
    const refusals = { count: 0 };
    const everybody = Array.from({ length: CLIENTS }, (_, i) => i);
    const began = performance.now();
    const first = await Promise.all(everybody.map((i) => connected(broker, i, refusals, false)));
    const firstSeconds = (performance.now() - began) / 1000;
    await Promise.all(first.map((client, i) => client.subscribe(`to/${i}`, { qos: 1 })));
    for (const client of first) void client.drop();
    await until(() => connections.size === 0, "all are gone");
    assert.equal(sessions.count, CLIENTS);
    const writer = await WireClient.connect(broker.address, "writer");
    writer.send(
      ...everybody.map((i) => {
        const fields = { retain: false, dup: false, qos: 1, packetId: i + 1, properties: NO_PROPERTIES } as const;
        return publishOf({ ...fields, topicName: `to/${i}`, payload: bytesOf(`for ${i}`) });
      }),
    );
    for (const _ of everybody) {
      const { reasonCode } = (await writer.expect("PUBACK")) as Acknowledgement;
      assert.equal(reasonCode, 0);
    }
    let longestMs = 0;
    let lastMs = performance.now();
    const beat = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 5);
    const beganMs = performance.now();
    const again = await Promise.all(everybody.map((i) => connected(broker, i, refusals, true)));
    context.diagnostic(
      `all back after ${Math.round(performance.now() - beganMs)} ms, longest stall ${Math.round(longestMs)} ms`,
    );
    clearInterval(beat);
    for (const [i, client] of again.entries()) {
      const { payload, packetId } = await client.expect("PUBLISH");
      assert.equal(Buffer.from(payload).toString(), `for ${i}`);
      client.acknowledge("PUBACK", packetId);
    }
    await Promise.all(again.map((client) => client.settled()));
    assert.equal(sessions.count, CLIENTS + 1);
    assert.equal(counters.ended["connection-rate-exceeded"], refusals.count);
    // Whoever is so slow that the limit lets all in has no refusal.
    const mostLetIn = MOST_A_SECOND * (1 + firstSeconds);
    if (limits.length === 0) assert.equal(refusals.count, 0);
    else assert.ok(refusals.count > 0 || mostLetIn >= CLIENTS, `${refusals.count} refusals in ${firstSeconds} s`);
    assert.ok(
      again.every((client) => client.taken("PUBLISH").length === 0),
      "nothing came twice",
    );
    await Promise.all([...again, writer].map((client) => client.drop()));
  });
}
