// F9: of many who receive, some stop reading. The process grows by no more than what may wait for those, the others get everything, and
// what is dropped is told below $SYS, to the message. Rates and times are the benchmark's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePacket, NO_PROPERTIES, type Packet, publishOf, type Qos } from "../../src/protocol/index.ts";
import { startBrokerProcess } from "../peers/broker-process.ts";
import { memoryKib } from "../support/memory.ts";
import { WireClient } from "../support/wire-client.ts";
import { until } from "./configured-broker.ts";

const RECEIVERS = 40;
const SLOW = 8;
const WARM_MESSAGES = 500;
const MESSAGES = 6000;
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
    const to = { host: "127.0.0.1", port: broker.port };
    const receivers = await Promise.all(
      Array.from({ length: RECEIVERS }, async (_, i) => {
        const client = await WireClient.connect(to, `r${i}`);
        await client.subscribe("t", { qos });
        return client;
      }),
    );
    const [slow, prompt] = [receivers.slice(0, SLOW), receivers.slice(SLOW)];
    const received = new Map(receivers.map((client) => [client, 0]));
    const take = (clients: readonly WireClient[]): number => {
      for (const client of clients) {
        const messages = client.taken("PUBLISH");
        if (qos === 1) for (const { packetId } of messages) client.acknowledge("PUBACK", packetId);
        received.set(client, (received.get(client) ?? 0) + messages.length);
      }
      return clients.reduce((sum, client) => sum + (received.get(client) ?? 0), 0);
    };
    const publisher = await WireClient.connect(to, "publisher");
    context.after(() => Promise.all([...receivers, publisher].map((client) => client.drop())));
    await flood(publisher, WARM_MESSAGES, qos, (sent) =>
      until(() => take(receivers) === RECEIVERS * sent, "all have everything while all read"),
    );
    const before = memoryKib(broker.program.pid);
    for (const client of slow) client.setReading(false);
    let mostKib = before;
    // Those who read are never far behind, however little time this process gets: for them nothing waits long, nor is dropped.
    await flood(publisher, MESSAGES, qos, async (sent) => {
      mostKib = Math.max(mostKib, memoryKib(broker.program.pid));
      await until(() => take(prompt) === prompt.length * (WARM_MESSAGES + sent), "the prompt ones have everything");
    });
    const grownKib = mostKib - before;
    context.diagnostic(`${grownKib} KiB more; ${MOST_WAITING_BYTES / 1024} KiB may wait`);
    const mostGrownKib = (qos === 0 ? SLOW * 17 * 1024 : (1.2 * MOST_WAITING_BYTES) / 1024) + GARBAGE_KIB;
    assert.ok(grownKib <= mostGrownKib, `${grownKib} KiB of ${mostGrownKib}`);
    // What they read afterwards and what $SYS says was dropped is everything that there was.
    for (const client of slow) client.setReading(true);
    const watcher = await WireClient.connect(to, "watcher");
    await watcher.subscribe(`$SYS/broker/lacewing/messages/dropped/${qos === 0 ? "receiver-slow" : "queue-full"}`, {
      qos: 0,
    });
    let dropped = 0;
    const isComplete = (): boolean => {
      for (const { payload } of watcher.taken("PUBLISH")) dropped = Number(Buffer.from(payload).toString());
      return take(slow) + dropped === slow.length * (WARM_MESSAGES + MESSAGES);
    };
    await until(isComplete, "received and dropped are all that there was");
    assert.ok(dropped > 0);
    await Promise.all([...receivers, publisher, watcher].map((client) => client.drop()));
    await broker.stop();
  });
}

/** Publishes in batches; before the next one the broker has taken all, and what `then` waits for has come. */
async function flood(
  publisher: WireClient,
  count: number,
  qos: Qos,
  then: (sent: number) => Promise<void>,
): Promise<void> {
  const together = 250;
  const fields = {
    topicName: "t",
    payload: new Uint8Array(PAYLOAD_BYTES),
    retain: false,
    dup: false,
    properties: NO_PROPERTIES,
  };
  const packets: Packet[] = Array.from({ length: together }, (_, i) =>
    publishOf({ ...fields, qos, packetId: qos === 0 ? 0 : i + 1 }),
  );
  assert.ok(encodePacket(packets[0]!, 5).length > PAYLOAD_BYTES);
  for (let sent = together; sent <= count; sent += together) {
    publisher.send(...packets);
    await publisher.settled();
    publisher.taken("PUBACK");
    await then(sent);
  }
}
