// V10: the client identifier of somebody else. Another user is refused and gets nothing of that session; the same user takes over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPasswordHash, hashPassword } from "../../src/security/index.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured, until } from "./configured-broker.ts";

const TAKEOVERS = 1000;
const EVER = { properties: { sessionExpirySeconds: 4_294_967_295 }, cleanStart: false } as const;

async function withUsers(context: Parameters<typeof startConfigured>[0]): Promise<ConfiguredBroker> {
  const line = async (name: string): Promise<string> =>
    `${name}:${formatPasswordHash(await hashPassword(name, "sha512-pbkdf2", 1))}\n`;
  const users = (await line("ann")) + (await line("bob"));
  return startConfigured(context, ["password_file FOLDER/users", "allow_anonymous true"], { users });
}

const ANN = { username: "ann", password: "ann" };
const BOB = { username: "bob", password: "bob" };

test("a session of one user is not given to another, online or offline, with a clean start or without", async (context) => {
  const broker = await withUsers(context);
  const ann = await WireClient.connect(broker.address, "device", { ...ANN, ...EVER });
  await ann.subscribe("for/ann");
  const strangers = [BOB, {}];
  const attempts = async (): Promise<void> => {
    for (const who of strangers) {
      for (const cleanStart of [true, false]) {
        for (const [version, refusal] of [
          [5, 0x85],
          [4, 2],
        ] as const) {
          const code = await WireClient.reasonCode(broker.address, "device", { ...who, cleanStart, version });
          assert.equal(code, refusal, `${JSON.stringify(who)}, clean start ${cleanStart}, version ${version}`);
        }
      }
    }
  };
  await attempts();
  await ann.settled();
  await ann.drop();
  const writer = await WireClient.connect(broker.address, "writer", ANN);
  await writer.publish("for/ann", "queued", { qos: 1 });
  await attempts();
  const again = await WireClient.connect(broker.address, "device", { ...ANN, ...EVER });
  assert.equal(Buffer.from((await again.expect("PUBLISH")).payload).toString(), "queued");
  assert.match(broker.log, /the client identifier belongs to another user's session/);
});

test("the same user takes over, 5.0 is told 0x8E, and the session with its messages is the newer one's", async (context) => {
  const broker = await withUsers(context);
  for (const who of [ANN, {}]) {
    const id = "username" in who ? "device" : "anonymous";
    const first = await WireClient.connect(broker.address, id, { ...who, ...EVER });
    await first.subscribe(`for/${id}`);
    const second = await WireClient.connect(broker.address, id, { ...who, ...EVER });
    assert.equal((await first.expect("DISCONNECT")).reasonCode, 0x8e);
    const writer = await WireClient.connect(broker.address, "writer", ANN);
    await writer.publish(`for/${id}`, "x", { qos: 1 });
    assert.equal((await second.expect("PUBLISH")).topicName, `for/${id}`);
    assert.deepEqual(first.taken("PUBLISH"), []);
  }
});

test("an anonymous session may become a user's, as when passwords are introduced, and is then nobody else's", async (context) => {
  const broker = await withUsers(context);
  const anonymous = await WireClient.connect(broker.address, "device", EVER);
  await anonymous.drop();
  assert.equal(await WireClient.reasonCode(broker.address, "device", { ...ANN, ...EVER }), 0);
  assert.equal(await WireClient.reasonCode(broker.address, "device", { ...BOB, ...EVER }), 0x85);
  assert.equal(await WireClient.reasonCode(broker.address, "device", EVER), 0x85);
});

test(`${TAKEOVERS} takeovers leave one session with one connection`, async (context) => {
  const broker = await withUsers(context);
  const { connections, sessions, counters } = broker.server.broker;
  let left = TAKEOVERS;
  const takers = Array.from({ length: 8 }, async () => {
    for (; left > 0; left--) {
      const client = await WireClient.connect(
        broker.address,
        "device",
        left % 2 === 0 ? EVER : { version: 4, cleanStart: false },
      );
      if (left % 10 === 0) await client.subscribe(`t/${left % 7}`).catch(() => {});
    }
  });
  await Promise.all(takers);
  const last = await WireClient.connect(broker.address, "device", EVER);
  await last.settled();
  await until(() => connections.size === 1, "the others are gone");
  assert.equal(sessions.count, 1);
  assert.ok(counters.ended["session-taken-over"] >= TAKEOVERS - 8, `${counters.ended["session-taken-over"]}`);
  await last.subscribe("t/0");
  await last.publish("t/0", "x", { qos: 1 });
  assert.equal((await last.expect("PUBLISH")).topicName, "t/0");
});
