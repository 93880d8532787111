// The same ACL file under mosquitto and under Lacewing: what each client may publish and what it gets is the same.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { testWithPeers } from "../support/peers.ts";
import { textOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { type AclSituation, type AclWorld, WORLDS } from "./acl-situations.ts";
import { type GuardedBroker, startGuarded, startGuardedMosquitto } from "./guarded-broker.ts";

/** May write everywhere, so that there is something to read. */
const WRITER = "\nuser writer\ntopic write #\ntopic write $own/#\ntopic write $other/#\n";

function keyOf({ username, clientId }: AclSituation): string {
  return `${username} ${clientId}`;
}

/** What each situation comes to, as "reads" and "writes". */
async function outcomes(broker: GuardedBroker, { situations }: AclWorld): Promise<Record<string, string>> {
  const to = { port: broker.port, host: "127.0.0.1" };
  const clients = new Map<string, WireClient>();
  for (const situation of situations) {
    const { username, clientId, topicName } = situation;
    const client =
      clients.get(keyOf(situation)) ??
      (await WireClient.connect(to, clientId, username === null ? {} : { username, password: "x" }));
    clients.set(keyOf(situation), client);
    await client.subscribe(topicName, { qos: 0 });
  }
  const writer = await WireClient.connect(to, "the writer", { username: "writer", password: "x" });
  for (const topicName of new Set(situations.map((situation) => situation.topicName))) {
    await writer.publish(topicName, `for ${topicName}`, { qos: 1 });
  }
  const found: Record<string, string> = {};
  const read = new Map<string, ReadonlySet<string>>();
  for (const [key, client] of clients) {
    await client.settled();
    read.set(key, new Set(client.taken("PUBLISH").map(({ payload }) => textOf(payload))));
  }
  for (const situation of situations) {
    const client = clients.get(keyOf(situation))!;
    const { topicName } = situation;
    await client.publish(topicName, "denied or not"); // at QoS 0 nothing tells, and the connection stays
    const mayWrite = (await writeCode(client, topicName)) < 0x80;
    const mayRead = read.get(keyOf(situation))!.has(`for ${topicName}`);
    found[`${keyOf(situation)} ${topicName}`] = [mayRead ? "reads" : "", mayWrite ? "writes" : ""].join(" ").trim();
  }
  for (const client of [...clients.values(), writer]) await client.disconnect();
  return found;
}

async function writeCode(client: WireClient, topicName: string): Promise<number> {
  await client.publish(topicName, "denied or not", { qos: 1 });
  return client.lastReasonCode;
}

for (const world of WORLDS) {
  testWithPeers(`ACL: ${world.title}: as mosquitto`, ["mosquitto"], async (context) => {
    const folder = temporaryFolder(context, { acl: world.acl + WRITER });
    const settings = { allowAnonymous: true, aclFile: join(folder, "acl") };
    const [theirs, ours] = await Promise.all([startGuardedMosquitto(folder, settings), startGuarded(settings)]);
    context.after(() => Promise.all([theirs.stop(), ours.stop()]));
    const [expected, found] = await Promise.all([outcomes(theirs, world), outcomes(ours, world)]);
    assert.deepEqual(found, expected);
    const said = new Set(Object.values(expected));
    assert.ok(said.size > 1 || world.title.startsWith("nothing"), "some may and some may not");
  });
}

test("there are at least 80 situations", () => {
  assert.ok(WORLDS.flatMap(({ situations }) => situations).length >= 80);
});
