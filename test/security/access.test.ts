// Rules and users at a broker's door and on every path of a message, and what a reload changes.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Applicant } from "../../src/core/index.ts";
import { ReasonCode } from "../../src/protocol/index.ts";
import {
  AccessControl,
  type AccessOptions,
  formatPasswordHash,
  hashPassword,
  NO_SECURITY,
  Realm,
  RealmParts,
  SecurityError,
} from "../../src/security/index.ts";
import { testAuthenticator } from "../contracts/authenticator-contract.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { temporaryFolder } from "../support/folder.ts";
import { connectOf } from "../support/test-client.ts";

const CLOSED: AccessOptions = { allowAnonymous: false, identityAsUsername: null };
const OPEN: AccessOptions = { ...CLOSED, allowAnonymous: true };

/** These Realms take no requests. */
const NO_BROKER = new BrokerHarness().broker;

function applicantOf(peer: Partial<Applicant["peer"]>, credentials: Parameters<typeof connectOf>[2] = {}): Applicant {
  return {
    connect: connectOf(5, "c", credentials),
    clientId: "c",
    remoteAddress: "127.0.0.1:5",
    localPort: 1,
    peer: { isEncrypted: true, certificate: null, pskIdentity: null, cipher: null, ...peer },
  };
}

interface World {
  readonly control: AccessControl;
  readonly harness: BrokerHarness;
  readonly log: string[];
  /** Reads the files anew and puts them in force. */
  reload(): Promise<void>;
  write(acl: string): void;
}

async function worldOf(context: TestContext, acl: string, refuseSubscriptions: boolean = false): Promise<World> {
  const folder = temporaryFolder(context, { acl });
  const aclFile = join(folder, "acl");
  const log: string[] = [];
  const parts = new RealmParts(NO_BROKER, (type, line) => log.push(`${type}: ${line}`));
  const options = { ...NO_SECURITY, aclFile, refuseSubscriptions };
  const control = new AccessControl(await Realm.open(options, parts), OPEN);
  const harness = new BrokerHarness({ authenticator: control });
  return {
    control,
    harness,
    log,
    write: (text) => writeFileSync(aclFile, text),
    reload: async () => {
      control.change(await Realm.open(options, parts), OPEN);
      control.endUnwelcome(harness.broker);
    },
  };
}

test("live, retained, queued and shared messages and wills are all checked, when they are delivered", async (context) => {
  const world = await worldOf(context, "user w\ntopic write #\nuser r\ntopic read a/#\n");
  const { harness } = world;
  const writer = harness.connect("w", { username: "w" });
  const options = { username: "r", cleanStart: false, properties: { sessionExpirySeconds: 100 } };
  const reader = harness.connect("r", options);
  writer.publish("a/retained", "x", { retain: true });
  writer.publish("b/retained", "x", { retain: true });
  reader.subscribe("#");
  reader.subscribe("$share/g/+/shared");
  for (const topicName of ["a/live", "b/live", "a/shared", "b/shared"]) writer.publish(topicName, "x");
  const topics = (): string[] => reader.publishes().map(({ topicName }) => topicName);
  assert.deepEqual(topics().sort(), ["a/live", "a/retained", "a/shared", "a/shared"]);
  reader.drop();
  writer.publish("a/queued", "x", { qos: 1 });
  writer.publish("a/late", "x", { qos: 1 });
  // What was queued under the old rules is judged by the new ones.
  world.write("user w\ntopic write #\nuser r\ntopic read a/queued\ntopic read a/will\n");
  await world.reload();
  const testator = harness.connect("t", {
    username: "r",
    will: { topicName: "a/will", payload: "not allowed", qos: 1 },
  });
  testator.drop();
  harness.connect("t2", { username: "w", will: { topicName: "a/will", payload: "allowed", qos: 1 } }).drop();
  const again = harness.connect("r", options);
  const got = again.publishes().map(({ topicName }) => topicName);
  assert.deepEqual(got, ["a/queued", "a/will"]);
});

test("a denied publish is answered 0x87 in 5.0 at QoS 1 and 2, and like any other before", async (context) => {
  const { harness } = await worldOf(context, "topic read #\n");
  const reader = harness.connect("r");
  reader.subscribe("#");
  for (const [version, qos, code] of [
    [5, 1, ReasonCode.NotAuthorized],
    [5, 2, ReasonCode.NotAuthorized],
    [4, 1, 0],
    [3, 1, 0],
  ] as const) {
    const writer = harness.connect(`w${version}${qos}`, { version });
    writer.publish("a", "x", { qos });
    const told = code === 0 ? "" : ` 0x${code.toString(16)}`;
    assert.match(writer.trace()[0] ?? "nothing", new RegExp(`^${qos === 1 ? "PUBACK" : "PUBREC"} m\\d+${told}$`));
    writer.publish("a", "x");
    assert.equal(writer.isClosed, false);
  }
  assert.deepEqual(reader.publishes(), []);
});

test("a SUBSCRIBE that nothing can come through is granted and told, or refused when that is set", async (context) => {
  const acl = "topic read a/+/x\ntopic read b/#\ntopic deny b/secret/#\npattern read own/%c/#\n";
  for (const isRefused of [false, true]) {
    const { harness, log } = await worldOf(context, acl, isRefused);
    for (const version of [4, 5] as const) {
      const client = harness.connect("c", { version });
      const told = (filter: string): number => client.subscribe(filter)[0]!;
      for (const filter of ["#", "+/+/x", "a/y/x", "a/#", "b", "own/+/y", "$share/g/a/#"])
        assert.ok(told(filter) <= 2, filter);
      assert.deepEqual(log, []);
      for (const filter of ["c/#", "a/y/y", "b/secret/x", "own/d", "$share/g/c"]) {
        const refusal = version === 5 ? ReasonCode.NotAuthorized : 0x80;
        assert.equal(told(filter), isRefused ? refusal : 2, filter);
        assert.match(log.splice(0).join("\n"), /^notice: Client c subscribes to .* nothing/);
      }
      client.disconnect();
    }
  }
});

test("a file that is broken or gone changes nothing, and says where", async (context) => {
  const world = await worldOf(context, "topic read a\n");
  const reader = world.harness.connect("r");
  assert.equal(reader.connection.policy.canReceive("a"), true);
  world.write("topic read a\ntopic raed b\n");
  await assert.rejects(world.reload(), (error) => error instanceof SecurityError && error.line === 2);
  assert.equal(reader.connection.policy.canReceive("a"), true);
  world.write("topic read b\n");
  await world.reload();
  assert.equal(reader.connection.policy.canReceive("a"), false);
  assert.equal(reader.connection.policy.canReceive("b"), true);
});

test("who comes in the turn in which a reload is asked for is judged by what comes out of it", async (context) => {
  const aclFile = join(temporaryFolder(context, { acl: "topic read a\n" }), "acl");
  let endTurn = (): void => {};
  const turn = new Promise<void>((resolve) => {
    endTurn = resolve;
  });
  const parts = new RealmParts(
    NO_BROKER,
    () => {},
    () => turn,
  );
  const open = (): Promise<Realm> => Realm.open({ ...NO_SECURITY, aclFile }, parts);
  const control = new AccessControl(await open(), OPEN);
  const allowed = Promise.resolve(control.authenticate(applicantOf({}))).then((verdict) => {
    assert.ok(verdict.kind === "accepted");
    return ["a", "b"].filter((topicName) => verdict.policy.canReceive(topicName));
  });
  writeFileSync(aclFile, "topic read b\n");
  const reloaded = parts.whileReloading(async () => control.change(await open(), OPEN));
  endTurn();
  assert.deepEqual(await allowed, ["b"]);
  await reloaded;
});

for (const [acl, said] of [
  ["topic", /Empty topic in acl_file .*acl:1: the topic is missing/],
  ["topic read", /^$/],
  ["user", /Missing username in acl_file .*acl:1: the user name is missing/],
  ["user a\nreadwrite x", /Invalid line in acl_file .*acl:2: "readwrite" is none of user, topic and pattern/],
  ["topic wirte a/b", /Invalid topic access type "wirte" in acl_file .*acl:1: access "wirte" is none of/],
  ["topic a/#/b", /Invalid ACL topic "a\/#\/b" in acl_file .*acl:1: a\/#\/b cannot be used: topic filter has "#" at 3/],
  ["topic\tread a", /acl:1: "topic\tread" is none of/],
] as const) {
  test(`a line of an ACL file: ${JSON.stringify(acl)}`, async (context) => {
    // "topic read" is the topic "read", as in mosquitto.
    if (said.source === "^$") await worldOf(context, acl);
    else await assert.rejects(worldOf(context, acl), said);
  });
}

test("who has lost the right to be here goes with a reload, and nobody else", async (context) => {
  const folder = temporaryFolder(context);
  const passwordFile = join(folder, "passwords");
  const line = async (user: string, password: string): Promise<string> =>
    `${user}:${formatPasswordHash(await hashPassword(password, "sha512-pbkdf2", 1))}\n`;
  const [alice, bob, carol] = await Promise.all([line("alice", "a"), line("bob", "b"), line("carol", "c")]);
  writeFileSync(passwordFile, alice + bob + carol);
  const parts = new RealmParts(NO_BROKER, () => {});
  const options = { ...NO_SECURITY, passwordFile };
  const control = new AccessControl(await Realm.open(options, parts), OPEN);
  const harness = new BrokerHarness({ authenticator: control });
  const clients = [["alice", "a"], ["bob", "b"], ["carol", "c"], []].map(([username, password]) => {
    const client = harness.open(5);
    client.connect(username ?? "anonymous", { username, password } as object);
    return client;
  });
  while (harness.broker.connectedClients < 4) await harness.rest();
  // carol has another password, bob is gone, nobody is anonymous any more.
  writeFileSync(passwordFile, alice + (await line("carol", "c")));
  control.change(await Realm.open(options, parts), CLOSED);
  control.endUnwelcome(harness.broker);
  await harness.rest();
  assert.deepEqual(
    clients.map((client) => client.isClosed),
    [false, true, true, true],
  );
  assert.equal(clients[1]!.trace().at(-1), "DISCONNECT 0x87");
});

/** The user nobody. */
const NOBODY_ID = 65_534;

test("a password file that may not be read is an error", async (context) => {
  const folder = temporaryFolder(context, { passwords: "" });
  const passwordFile = join(folder, "passwords");
  chmodSync(passwordFile, 0);
  // Root may read everything, so it becomes somebody else for a while.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY_ID);
  try {
    await assert.rejects(
      Realm.open({ ...NO_SECURITY, passwordFile }, new RealmParts(NO_BROKER, () => {})),
      /may not read it/,
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test("names of certificates and keys take the place of the user name, and who has none is told so", async () => {
  const realm = await Realm.open(NO_SECURITY, new RealmParts(NO_BROKER, () => {}));
  const certificate = {
    subject: "CN=device-7,O=Example",
    commonName: "device-7",
    issuer: "CN=ca",
    serialNumber: "01",
    fingerprint: "00",
    endsAtMs: 0,
  };
  for (const [identityAsUsername, peer, username] of [
    ["common-name", { certificate }, "device-7"],
    ["subject", { certificate }, "CN=device-7,O=Example"],
    ["psk-identity", { pskIdentity: "key-7" }, "key-7"],
    ["common-name", {}, null],
    ["common-name", { certificate: { ...certificate, commonName: null } }, null],
    ["psk-identity", { certificate }, null],
  ] as const) {
    const control = new AccessControl(realm, { ...OPEN, identityAsUsername });
    const verdict = await control.authenticate(applicantOf(peer, { username: "eve", password: "x" }));
    if (username === null) assert.deepEqual(verdict, { kind: "refused", reason: "identity-missing" });
    else assert.ok(verdict.kind === "accepted" && verdict.principal === username && verdict.username === username);
  }
});

testAuthenticator("access control with a password file", async () => {
  const users = `alice:${formatPasswordHash(await hashPassword("right", "sha512-pbkdf2", 1))}\n`;
  const folder = mkdtempSync(join(tmpdir(), "lacewing test-"));
  const passwordFile = join(folder, "passwords");
  writeFileSync(passwordFile, users);
  const realm = await Realm.open({ ...NO_SECURITY, passwordFile }, new RealmParts(NO_BROKER, () => {}));
  rmSync(folder, { recursive: true });
  return {
    authenticator: new AccessControl(realm, CLOSED),
    welcome: [{ username: "alice", password: "right" }],
    unwelcome: [
      {},
      { username: "alice" },
      { username: "alice", password: "wrong" },
      { username: "bob", password: "right" },
    ],
  };
});
