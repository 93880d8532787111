// V9: access control on every path that a message can take, under six kinds of rules, that held when it was sent or only since a
// reload. What the rules forbid is never delivered; what they allow always is.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured, until } from "./configured-broker.ts";

const TOPIC = "a/secret";
const MARKER = "marker";
const EVER = { properties: { sessionExpirySeconds: 4_294_967_295 }, cleanStart: false } as const;

/** What the reader's rules say of `TOPIC`, and whether that lets it through. */
const RULES: readonly (readonly [what: string, lines: string, isAllowed: boolean])[] = [
  ["the topic is granted", `topic read ${TOPIC}`, true],
  ["a wildcard above it is granted", "topic read a/#", true],
  ["it is denied below what is granted", `topic read a/#\ntopic deny ${TOPIC}`, false],
  ["nothing is granted", "topic read b/#", false],
  ["only writing is granted", `topic write ${TOPIC}`, false],
  ["a pattern of another user grants it", "topic read b/#\npattern read %u/secret", false],
];

function aclOf(lines: string): string {
  // Patterns are for everybody, so that they come last.
  const [own = "", ...patterns] = lines.split(/\n(?=pattern)/);
  return `user w\ntopic readwrite #\nuser r\ntopic read ${MARKER}\n${own}\n${patterns.join("\n")}\n`;
}

const OPEN = aclOf("topic readwrite #");
const LINES = ["allow_anonymous true", "acl_file FOLDER/rules"];

/** The lines of a bridge that is the user r here. */
function bridgeTo({ address }: ConfiguredBroker): readonly string[] {
  const who = ["remote_clientid bridge", "local_username r"];
  return ["connection out", `address ${address.host}:${address.port}`, ...who, "topic # out 1"];
}

/** One broker, who writes and who reads; the reader is the user r. */
interface World {
  readonly broker: ConfiguredBroker;
  /** The other end of its bridge. */
  readonly remote: ConfiguredBroker | null;
  readonly lines: readonly string[];
  readonly writer: WireClient;
  reader(options?: Parameters<typeof WireClient.connect>[2]): Promise<WireClient>;
}

/** A path of a message: what is done before the rules come into force that judge its delivery, and what brings it about. */
interface Path {
  readonly name: string;
  /** Whether the broker has a bridge; false. */
  readonly isBridged?: boolean;
  prepare(world: World): Promise<WireClient | null>;
  /** @returns the reader to whom it would come */
  deliver(world: World, prepared: WireClient | null): Promise<WireClient>;
}

const PATHS: readonly Path[] = [
  {
    name: "live",
    prepare: async ({ reader }) => subscribed(await reader()),
    deliver: async ({ writer }, reader) => {
      await writer.publish(TOPIC, "x", { qos: 1 });
      return some(reader);
    },
  },
  {
    name: "retained",
    prepare: async ({ writer }) => {
      await writer.publish(TOPIC, "x", { qos: 1, retain: true });
      return null;
    },
    deliver: async ({ reader }) => subscribed(await reader()),
  },
  {
    name: "offline queue",
    prepare: async ({ reader, writer }) => {
      const client = await subscribed(await reader(EVER));
      await client.drop();
      await writer.publish(TOPIC, "x", { qos: 1 });
      return null;
    },
    deliver: ({ reader }) => reader(EVER),
  },
  {
    name: "will",
    prepare: async (world) => {
      const testator = await testatorOf(world, 0);
      world.reader(); // an idle one beside it
      return testator;
    },
    deliver: async (world, testator) => {
      const reader = await subscribed(await world.reader());
      await some(testator).drop();
      await until(() => world.broker.server.broker.sessions.get("testator") === undefined, "the will is out");
      return reader;
    },
  },
  {
    name: "delayed will",
    prepare: async (world) => {
      const testator = await testatorOf(world, 1);
      await testator.drop();
      return null;
    },
    deliver: async (world) => {
      const reader = await subscribed(await world.reader());
      await until(() => world.broker.server.broker.sessions.get("testator") === undefined, "the will is out");
      return reader;
    },
  },
  {
    name: "$share",
    prepare: async ({ reader }) => {
      const client = await reader();
      await client.subscribe("$share/group/#");
      await client.subscribe(MARKER);
      return client;
    },
    deliver: async ({ writer }, reader) => {
      await writer.publish(TOPIC, "x", { qos: 1 });
      return some(reader);
    },
  },
  {
    name: "takeover",
    prepare: async ({ reader, writer }) => {
      const client = await subscribed(await reader(EVER));
      await writer.publish("a/other", "x", { qos: 1 });
      return client;
    },
    deliver: async ({ reader, writer }) => {
      const again = await reader(EVER);
      await writer.publish(TOPIC, "x", { qos: 1 });
      return again;
    },
  },
  {
    name: "bridge",
    isBridged: true,
    prepare: async ({ broker, remote }) => {
      assert.ok(remote !== null);
      const { sessions } = broker.server.broker;
      // It subscribes here when the other broker has let it in.
      await until(() => (sessions.get("local.bridge")?.subscriptions.size ?? 0) > 0, "the bridge has subscribed");
      await until(() => remote.server.broker.sessions.get("bridge") !== undefined, "the bridge is at the other broker");
      return subscribed(await WireClient.connect(remote.address, "there"));
    },
    deliver: async ({ writer }, reader) => {
      await writer.publish(TOPIC, "x", { qos: 1 });
      return some(reader);
    },
  },
];

function some(client: WireClient | null): WireClient {
  assert.ok(client !== null);
  return client;
}

async function subscribed(client: WireClient): Promise<WireClient> {
  await client.subscribe("#");
  return client;
}

function testatorOf({ broker }: World, delaySeconds: number): Promise<WireClient> {
  const will = { topicName: TOPIC, payload: "x", qos: 1, properties: { willDelaySeconds: delaySeconds } } as const;
  const properties = { sessionExpirySeconds: delaySeconds };
  return WireClient.connect(broker.address, "testator", { username: "w", will, properties });
}

async function worldOf(
  context: Parameters<typeof startConfigured>[0],
  rules: string,
  isBridged: boolean,
): Promise<World> {
  const remote = isBridged ? await startConfigured(context, ["allow_anonymous true"]) : null;
  const lines = remote === null ? LINES : [...LINES, ...bridgeTo(remote)];
  const broker = await startConfigured(context, lines, { rules });
  const reader: World["reader"] = (options = {}) =>
    WireClient.connect(broker.address, "r", { username: "r", ...options });
  const writer = await WireClient.connect(broker.address, "w", { username: "w" });
  return { broker, remote, lines, writer, reader };
}

async function reload({ broker, lines }: World, rules: string): Promise<void> {
  writeFileSync(join(broker.folder, "rules"), rules);
  await broker.reload(lines);
}

/** Whether the message comes to the reader: what is sent after it has come tells that it never will. */
async function hasArrived(reader: WireClient, { writer }: World): Promise<boolean> {
  await writer.publish(MARKER, "x", { qos: 1 });
  for (;;) {
    const { topicName } = await reader.expect("PUBLISH");
    if (topicName === TOPIC) return true;
    if (topicName === MARKER) return false;
  }
}

for (const path of PATHS) {
  const { isBridged = false } = path;
  test(`${path.name}: ${RULES.length} kinds of rules, before and after a reload`, async (context) => {
    await Promise.all(
      RULES.flatMap(([what, lines, isAllowed]) => [
        (async () => {
          const world = await worldOf(context, aclOf(lines), isBridged);
          const reader = await path.deliver(world, await path.prepare(world));
          assert.equal(await hasArrived(reader, world), isAllowed, what);
        })(),
        (async () => {
          const world = await worldOf(context, OPEN, isBridged);
          const prepared = await path.prepare(world);
          await reload(world, aclOf(lines));
          const reader = await path.deliver(world, prepared);
          assert.equal(await hasArrived(reader, world), isAllowed, `after a reload: ${what}`);
        })(),
      ]),
    );
  });
}

test("who may not write does not by any path: live, retained, will, delayed will, nor by a right that a reload takes away", async (context) => {
  const may = "user r\ntopic read #\nuser eve\ntopic write a/#\n";
  const mayNot = "user r\ntopic read #\nuser eve\ntopic read a/#\n";
  for (const isReloaded of [false, true]) {
    const broker = await startConfigured(context, LINES, {
      rules: isReloaded ? may : mayNot,
    });
    const reader = await subscribed(await WireClient.connect(broker.address, "r", { username: "r" }));
    const testator = (name: string, willDelaySeconds: number): Promise<WireClient> =>
      WireClient.connect(broker.address, name, {
        username: "eve",
        will: { topicName: TOPIC, qos: 1, retain: true, properties: { willDelaySeconds } },
        properties: { sessionExpirySeconds: willDelaySeconds },
      });
    const testators = [await testator("now", 0), await testator("later", 1)];
    const eve = await WireClient.connect(broker.address, "eve", { username: "eve" });
    if (isReloaded) {
      writeFileSync(join(broker.folder, "rules"), mayNot);
      await broker.reload(LINES);
    }
    for (const retain of [false, true]) {
      await eve.publish(TOPIC, "x", { qos: 1, retain });
      assert.equal(eve.lastReasonCode, 0x87);
    }
    for (const each of testators) await each.drop();
    const { sessions } = broker.server.broker;
    await until(() => sessions.get("now") === undefined && sessions.get("later") === undefined, "the wills are due");
    // Nothing has come, and nothing is retained.
    await subscribed(reader);
    await reader.settled();
    assert.deepEqual(reader.taken("PUBLISH"), []);
  }
});
