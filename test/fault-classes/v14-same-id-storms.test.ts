// V14: many connections that fight for few client identifiers, subscribing, publishing, leaving politely and not, all at once and at
// random. The broker does not fail, serves a client beside them, and has at the end exactly what is left.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../support/random.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured, until } from "./configured-broker.ts";

const FIGHTERS = 60;
const IDS = 12;
const ROUNDS = 25;
const TOPICS = 8;

/** One life of a connection. What goes wrong because another one has taken the identifier is none of its faults. */
async function live({ address }: ConfiguredBroker, random: Random): Promise<boolean> {
  const clientId = `id-${random.below(IDS)}`;
  const isKept = random.chance(0.5);
  const version = random.pick([3, 4, 5] as const);
  const properties = version === 5 && isKept ? { sessionExpirySeconds: 1000 } : {};
  const will = random.chance(0.3) ? { topicName: `t/${random.below(TOPICS)}`, payload: "will" } : undefined;
  let client: WireClient;
  try {
    client = await WireClient.connect(address, clientId, {
      version,
      cleanStart: version === 5 ? random.chance(0.5) : !isKept,
      properties,
      ...(will !== undefined && { will }),
    });
  } catch {
    return false;
  }
  try {
    for (let steps = random.below(5); steps > 0; steps--) {
      const topicName = `t/${random.below(TOPICS)}`;
      const share = random.chance(0.3) ? `$share/g${random.below(3)}/` : "";
      if (random.chance(0.4))
        await client.subscribe(share + random.pick([topicName, "t/+", "#"]), { qos: random.pick([0, 1, 2]) });
      else if (random.chance(0.3)) await client.unsubscribe(share + topicName);
      else await client.publish(topicName, "x", { qos: random.pick([0, 1, 2]), retain: random.chance(0.2) });
    }
    if (random.chance(0.5)) await client.disconnect();
    else await client.drop();
    return true;
  } catch {
    await client.drop();
    return false;
  }
}

test(`${FIGHTERS} connections and ${IDS} identifiers, ${FIGHTERS * ROUNDS} lives`, async (context) => {
  const seed = Number(process.env.LACEWING_SEED ?? Math.floor(Math.random() * 2 ** 31));
  context.diagnostic(`LACEWING_SEED=${seed}`);
  const broker = await startConfigured(context, ["allow_anonymous true", "sys_interval 0", "max_queued_messages 50"]);
  const { sessions, router, connections, counters, retained } = broker.server.broker;
  const witness = await WireClient.connect(broker.address, "witness");
  await witness.subscribe("only/the/witness");
  const random = new Random(seed);
  let isOver = false;
  let lived = 0;
  const fighters = Array.from({ length: FIGHTERS }, async () => {
    for (let round = 0; round < ROUNDS; round++) if (await live(broker, random)) lived++;
  });
  const fight = Promise.all(fighters).finally(() => {
    isOver = true;
  });
  for (; !isOver; ) {
    await witness.publish("only/the/witness", "x", { qos: 1 });
    const message = await witness.expect("PUBLISH");
    witness.acknowledge("PUBACK", message.packetId);
  }
  await fight;
  context.diagnostic(`${lived} whole lives, ${counters.ended["session-taken-over"]} takeovers`);
  assert.ok(lived > FIGHTERS && counters.ended["session-taken-over"] > IDS);
  await until(() => connections.size === 1, "all are gone but the witness");
  assert.equal(broker.server.broker.connectedClients, 1);
  // What is counted is what there is: subscriptions by the sessions, and by the index that messages go by.
  const all = [...sessions];
  const subscriptions = all.flatMap(({ subscriptions: own }) => [...own.values()]);
  const shared = subscriptions.filter(({ group }) => group !== null).length;
  assert.deepEqual([router.sharedSubscriptions, router.subscriptions], [shared, subscriptions.length]);
  assert.ok(sessions.count <= IDS + 1);
  // Everybody comes back for good and leaves nothing: then there is nothing.
  for (let i = 0; i < IDS; i++) {
    const client = await WireClient.connect(broker.address, `id-${i}`, { cleanStart: true });
    await client.disconnect();
  }
  for (let i = 0; i < TOPICS; i++) await witness.publish(`t/${i}`, "", { qos: 1, retain: true });
  await witness.disconnect();
  await until(() => connections.size === 0, "the witness is gone");
  assert.deepEqual([sessions.count, router.subscriptions, router.sharedSubscriptions, retained.count], [0, 0, 0, 0]);
  assert.deepEqual([broker.server.broker.queueMemoryBytes, broker.server.broker.pendingOutputBytes], [0, 0]);
});
