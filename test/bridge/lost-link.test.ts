// The moment in which a bridge loses its link and has it again, with both brokers in this process and a disk that is slow.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Bridge, type BridgeLog, type BridgeOptions } from "../../src/bridge/index.ts";
import { openPairStore } from "../../src/client/index.ts";
import { ANONYMOUS, type Connection } from "../../src/core/index.ts";
import { encodeUtf8, NO_PROPERTIES } from "../../src/protocol/index.ts";
import { MemoryConnector } from "../../src/transport/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Listening, listenAt, type OwnBroker, startOwn, until } from "./brokers.ts";

const SETTINGS = {
  name: "test",
  roundRobin: false,
  topics: [
    { pattern: "t", direction: "out", qos: 1, localPrefix: "", remotePrefix: "" },
    { pattern: "u", direction: "in", qos: 1, localPrefix: "", remotePrefix: "" },
  ],
  version: 4,
  cleanSession: false,
  localCleanSession: false,
  remoteClientId: "bridge",
  remoteUsername: null,
  remotePassword: null,
  localClientId: "local.bridge",
  localUsername: null,
  keepAliveSeconds: 60,
  notificationTopic: null,
  notificationsLocalOnly: true,
  startType: "automatic",
  idleTimeoutSeconds: 60,
  thresholdMessages: 10,
  restartDelay: { kind: "constant", seconds: 0.05 },
  tryPrivate: true,
  attemptUnsubscribe: false,
  maximumPacketSize: 0,
  topicAliasMaximum: 0,
  receiveMaximum: 20,
  sessionExpirySeconds: 0,
  outgoingRetain: true,
  authenticator: ANONYMOUS,
} as const;

/** A bridge on a slow disk. */
interface Slow {
  readonly here: OwnBroker;
  readonly there: OwnBroker;
  readonly listening: Listening;
  readonly disk: Disk;
}

function publish({ server }: OwnBroker, text: string, topicName: string = "t"): void {
  const payload = encodeUtf8(text);
  const fields = { topicName, payload, qos: 1, retain: false, dup: false, packetId: 0 } as const;
  server.broker.publish({ ...fields, properties: NO_PROPERTIES });
}

function connectionAt({ server }: OwnBroker, clientId: string): Connection | null {
  return server.broker.sessions.get(clientId)?.connection ?? null;
}

/** The disk of a bridge. */
interface Disk {
  /** Whether something waits for it. */
  isWaitedFor: boolean;
  hold(): void;
  release(): void;
}

/** A bridge whose store keeps nothing while `isHeld`, until `release`. */
async function bridgeOf(context: TestContext, here: OwnBroker, there: OwnBroker, log: BridgeLog): Promise<Disk> {
  const file = await openPairStore(join(temporaryFolder(context), "bridge.store"));
  let held: Promise<void> | null = null;
  let release = (): void => {};
  const { broker } = there.server;
  const disk: Disk = {
    isWaitedFor: false,
    hold: () => {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
  };
  const options: BridgeOptions = {
    ...SETTINGS,
    connectors: [new MemoryConnector("there", (link) => broker.accept(link, ANONYMOUS))],
    store: {
      ...{ saved: file.saved, damage: file.damage },
      append: async (changes) => {
        disk.isWaitedFor = held !== null;
        await held;
        await file.append(changes);
      },
      close: () => file.close(),
    },
  };
  const bridge = new Bridge(here.server.broker, options, log);
  context.after(() => bridge.stop());
  await bridge.prepare();
  bridge.start();
  return disk;
}

/** Brokers and a bridge between them. `lost` is called when the link is lost for the first time. */
async function slowDisk(context: TestContext, lost: (here: OwnBroker) => void): Promise<Slow> {
  const [here, there] = [await startOwn(context, []), await startOwn(context, [])];
  const listening = await listenAt(context, there, "t");
  let losses = 0;
  const log: BridgeLog = {
    write: (_type, text) => {
      if (/is not connected/.test(text) && losses++ === 0) lost(here);
    },
    wantsDebug: () => false,
  };
  const disk = await bridgeOf(context, here, there, log);
  await until(
    () => connectionAt(there, "bridge") !== null && connectionAt(here, "local.bridge") !== null,
    () => "both ends are connected",
  );
  publish(here, "before");
  await listening.got("t before q1");
  return { here, there, listening, disk };
}

/** Has the disk keep nothing, does `work`, cuts the link once the disk is waited for, and lets the disk go on when there is a new one. */
async function cutDuring({ there, disk }: Slow, work: () => void): Promise<void> {
  disk.hold();
  work();
  await until(
    () => disk.isWaitedFor,
    () => "the disk is asked to keep it",
  );
  connectionAt(there, "bridge")?.close("administrative-action");
  await until(
    () => connectionAt(there, "bridge") === null,
    () => "the link is lost",
  );
  await until(
    () => connectionAt(there, "bridge") !== null,
    () => "the link is there again",
  );
  disk.release();
}

test("what comes while the disk is slow and the link is lost goes out when the link is there again", async (context) => {
  const slow = await slowDisk(context, (here) => publish(here, "while it is lost"));
  const { here, listening } = slow;
  await cutDuring(slow, () => publish(here, "on the way"));
  await listening.got("t while it is lost q1");
  publish(here, "after");
  await listening.got("t after q1");
  assert.equal(new Set(listening.messages).size, 4);
});

test("a bridge that could take no more when it lost its link takes the rest when the link is there again", async (context) => {
  const slow = await slowDisk(context, () => {});
  const { here, there, listening } = slow;
  connectionAt(there, "bridge")?.pauseReading(16);
  for (let i = 0; i < 300; i++) publish(here, String(i));
  const waiting = (): number => here.server.broker.sessions.get("local.bridge")?.queuedMessages ?? 0;
  await until(
    () => waiting() > 0 && waiting() <= 100,
    () => `${waiting()} wait`,
  );
  await cutDuring(slow, () => publish(there, "", "u"));
  await listening.got("t 299 q1");
});
