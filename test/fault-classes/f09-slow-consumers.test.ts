// F9: of many who receive, some stop reading. The process grows by no more than what may wait for those, the others get everything, and
// what is dropped is told below $SYS, to the message. Rates and times are the benchmark's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_PROPERTIES, publishOf, type Qos } from "../../src/protocol/index.ts";
import { startBrokerProcess } from "../peers/broker-process.ts";
import { memoryKib } from "../support/memory.ts";
import { WireClient } from "../support/wire-client.ts";
import { until } from "./configured-broker.ts";

const RECEIVERS = 24;
const SLOW = 8;
const WARM_MESSAGES = 500;
/** Published after the first has been dropped. */
const MESSAGES_BEYOND = 1000;
const BATCH = 250;
const PAYLOAD_BYTES = 4096;
/** For each connection: a megabyte of output before messages wait, and 200 of those. */
const MOST_QUEUED = 200;
const MOST_WAITING_BYTES = SLOW * (1_048_576 + 65_536 + MOST_QUEUED * PAYLOAD_BYTES);
/** A process that works hard has garbage that is not collected yet, whatever waits. */
const GARBAGE_KIB = 64 * 1024;

for (const qos of [0, 1] as const satisfies readonly Qos[]) {
  test(`QoS ${qos}: ${SLOW} of ${RECEIVERS} stop reading`, async (context) => {
    const broker = await startBrokerProcess(
      ...["--set", `max_queued_messages=${MOST_QUEUED}`, "--set", "max_inflight_messages=0", "--set", "sys_interval=1"],
    );
    const connected = async (clientId: string, topicFilter: string): Promise<WireClient> => {
      const client = await WireClient.connect({ host: "127.0.0.1", port: broker.port }, clientId);
      context.after(() => client.drop());
      await client.subscribe(topicFilter, { qos });
      return client;
    };
    const receivers = await Promise.all(Array.from({ length: RECEIVERS }, (_, i) => connected(`r${i}`, "t")));
    const publisher = await connected("publisher", "none");
    const reason = qos === 0 ? "receiver-slow" : "queue-full";
    const watcher = await connected("watcher", `$SYS/broker/lacewing/messages/dropped/${reason}`);
    const [slow, prompt] = [receivers.slice(0, SLOW), receivers.slice(SLOW)];
    let dropped = 0;
    const look = (): void => {
      for (const { payload } of watcher.taken("PUBLISH")) dropped = Number(Buffer.from(payload).toString());
    };
    const received = new Map(receivers.map((client) => [client, 0]));
    const take = (clients: readonly WireClient[]): number => {
      for (const client of clients) {
        const messages = client.taken("PUBLISH");
        if (qos === 1) for (const { packetId } of messages) client.acknowledge("PUBACK", packetId);
        received.set(client, (received.get(client) ?? 0) + messages.length);
      }
      return clients.reduce((sum, client) => sum + (received.get(client) ?? 0), 0);
    };
    let sent = 0;
    // Those who read are never far behind, however little time this process gets: for them nothing waits long, nor is dropped.
    const flood = async (readers: readonly WireClient[]): Promise<void> => {
      await publishBatch(publisher, qos);
      sent += BATCH;
      await until(() => take(readers) === readers.length * sent, "those who read have everything");
    };
    while (sent < WARM_MESSAGES) await flood(receivers);
    const before = memoryKib(broker.program.pid);
    for (const client of slow) client.setReading(false);
    let mostKib = before;
    // How much waits in the system's buffers is its own affair.
    for (let rest = MESSAGES_BEYOND; rest > 0; look()) {
      await flood(prompt);
      mostKib = Math.max(mostKib, memoryKib(broker.program.pid));
      if (dropped > 0) rest -= BATCH;
    }
    const grownKib = mostKib - before;
    context.diagnostic(`${sent} messages, ${grownKib} KiB more; ${MOST_WAITING_BYTES / 1024} KiB may wait`);
    const mostGrownKib = (qos === 0 ? SLOW * 17 * 1024 : (1.2 * MOST_WAITING_BYTES) / 1024) + GARBAGE_KIB;
    assert.ok(grownKib <= mostGrownKib, `${grownKib} KiB of ${mostGrownKib}`);
    // What they read afterwards and what $SYS says was dropped is everything that there was.
    for (const client of slow) client.setReading(true);
    const isComplete = (): boolean => {
      look();
      return take(slow) + dropped === slow.length * sent;
    };
    await until(isComplete, "received and dropped are all that there was");
    await Promise.all([...receivers, publisher, watcher].map((client) => client.drop()));
    await broker.stop();
  });
}

/** Publishes many messages and waits until the broker has taken them. */
async function publishBatch(publisher: WireClient, qos: Qos): Promise<void> {
  const fields = { topicName: "t", payload: new Uint8Array(PAYLOAD_BYTES), retain: false, dup: false, qos };
  publisher.send(
    ...Array.from({ length: BATCH }, (_, i) =>
      publishOf({ ...fields, packetId: qos === 0 ? 0 : i + 1, properties: NO_PROPERTIES }),
    ),
  );
  await publisher.settled();
  publisher.taken("PUBACK");
}
