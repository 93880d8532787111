// The LMDB store alone, without a broker: how fast queues fill and drain, and how long a restart takes.
// `node build/bench/store.js [--messages N] [--sessions N] [--folder PATH]`
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Change } from "../src/core/index.ts";
import { encodePublish, NO_PROPERTIES } from "../src/protocol/index.ts";
import { type Durability, type LmdbStore, openLmdbStore } from "../src/store/index.ts";

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "200000" },
    sessions: { type: "string", default: "100000" },
    folder: { type: "string", default: tmpdir() },
  },
});
const messages = Number(values.messages);
const sessions = Number(values.sessions);
const PAYLOAD_BYTES = 64;
/** Messages in a batch; each is two facts. */
const BATCHES = [256, 512, 2000];
/** Packet identifiers in flight while a queue drains. */
const WINDOW = 20;

const publish = encodePublish(
  {
    topicName: "sensors/7/temperature",
    payload: new Uint8Array(PAYLOAD_BYTES),
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1,
    properties: NO_PROPERTIES,
  },
  5,
);

function sessionSet(clientId: string): Change {
  return { kind: "session-set", clientId, principal: null, expirySeconds: 86_400, disconnectedAtMs: null };
}

function deliverySet(clientId: string, order: number, message: number, packetId: number): Change {
  return {
    kind: "delivery-set",
    clientId,
    order,
    message,
    qos: 1,
    retain: false,
    subscriptionIds: null,
    packetId,
    wait: "PUBACK",
    share: null,
    payloadBytes: PAYLOAD_BYTES,
  };
}

/** Makes batches of `size` messages with `factsOf` and appends them one after another; returns messages a second. */
async function appendAll(store: LmdbStore, size: number, factsOf: (message: number) => Change[]): Promise<number> {
  const startedMs = performance.now();
  for (let first = 1; first <= messages; first += size) {
    const batch: Change[] = [];
    for (let i = first; i < first + size && i <= messages; i++) batch.push(...factsOf(i));
    await store.append(batch);
  }
  return messages / ((performance.now() - startedMs) / 1000);
}

function fill(store: LmdbStore, size: number): Promise<number> {
  return appendAll(store, size, (i) => [
    { kind: "message-added", message: i, publish, expiresAtMs: null, publisher: "publisher" },
    deliverySet("subscriber", i, i, 0),
  ]);
}

/** What leaves a queue is sent first and deleted when it is acknowledged, a window later. */
function drain(store: LmdbStore, size: number): Promise<number> {
  return appendAll(store, size, (i) => {
    const facts: Change[] = [deliverySet("subscriber", i, i, (i % 65_535) + 1)];
    if (i > WINDOW)
      facts.push({ kind: "delivery-deleted", clientId: "subscriber", order: i - WINDOW, message: i - WINDOW });
    return facts;
  });
}

async function withStore<Result>(durability: Durability, run: (folder: string, store: LmdbStore) => Promise<Result>) {
  const folder = mkdtempSync(join(values.folder, "lacewing bench-"));
  const store = await openLmdbStore({ folder, durability, report: (event) => console.log(event) });
  try {
    await store.append([sessionSet("subscriber")]);
    return await run(folder, store);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function line(text: string, value: number, unit: string): void {
  console.log(`${text.padEnd(52)} ${Math.round(value).toLocaleString("en").padStart(12)} ${unit}`);
}

console.log(`${messages} messages of ${PAYLOAD_BYTES} bytes, Node ${process.version}`);
for (const size of BATCHES)
  await withStore("always", async (_, store) => {
    line(`fill, synced, ${2 * size} facts a batch`, await fill(store, size), "messages/s");
    line(`drain, synced, ${2 * size} facts a batch`, await drain(store, size), "messages/s");
    await store.close();
  });

await withStore("always", async (folder, store) => {
  await fill(store, 2000);
  for (let i = 0; i < sessions; i += 2000) {
    const batch: Change[] = [];
    for (let j = i; j < Math.min(sessions, i + 2000); j++) {
      const clientId = `device-${j}`;
      batch.push(sessionSet(clientId), {
        kind: "subscription-set",
        clientId,
        topicFilter: `devices/${j}/#`,
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        subscriptionId: null,
      });
    }
    await store.append(batch);
  }
  await store.close();
  line("file", statSync(join(folder, "data.mdb")).size / 1024, "KiB");
  let startedMs = performance.now();
  const opened = await openLmdbStore({ folder, durability: "always", report: (event) => console.log(event) });
  line("open", performance.now() - startedMs, "ms");
  startedMs = performance.now();
  let facts = 0;
  for await (const _ of opened.replay()) facts++;
  line(`replay of ${facts} facts`, performance.now() - startedMs, "ms");
  startedMs = performance.now();
  for (let after = 0; ; ) {
    const page = await opened.readQueue("subscriber", after, 1000);
    if (page.length === 0) break;
    after = page.at(-1)!.delivery.order;
  }
  line("read of the queue", messages / ((performance.now() - startedMs) / 1000), "messages/s");
  await opened.close();
});
line("memory of this process", process.memoryUsage().rss / 1048576, "MiB");
