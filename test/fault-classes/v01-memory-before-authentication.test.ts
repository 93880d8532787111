// V1: what a stranger makes the broker hold. A thousand of them claim the largest packet there is, or one that is allowed and never
// comes; and the first packet is anything but CONNECT.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type LacewingProcess, startBrokerProcess } from "../peers/broker-process.ts";
import { memoryKib } from "../support/memory.ts";
import { WireClient } from "../support/wire-client.ts";
import { RawSocket } from "./raw-socket.ts";

const STRANGERS = 1000;
const MOST_GROWTH_KIB = 64 * 1024;

/** A CONNECT of a Remaining Length of which a kilobyte comes. */
function claiming(length: readonly number[]): Buffer {
  return Buffer.concat([Buffer.of(0x10, ...length), Buffer.from("00044d515454053c", "hex"), Buffer.alloc(1000)]);
}

async function served({ port }: LacewingProcess): Promise<void> {
  const client = await WireClient.connect({ host: "127.0.0.1", port }, "witness");
  await client.publish("t", "x", { qos: 1 });
  await client.disconnect();
}

/** What `STRANGERS` that begin with `bytes` add to the broker's memory, and the sockets, still open at this end. */
async function grown(broker: LacewingProcess, bytes: Uint8Array): Promise<{ kib: number; sockets: RawSocket[] }> {
  const { program, port } = broker;
  await served(broker);
  const before = memoryKib(program.pid);
  const sockets: RawSocket[] = [];
  while (sockets.length < STRANGERS) {
    const more = Array.from({ length: 100 }, () => RawSocket.open({ host: "127.0.0.1", port }, bytes));
    sockets.push(...(await Promise.all(more)));
  }
  await served(broker);
  return { kib: memoryKib(program.pid) - before, sockets };
}

test(`${STRANGERS} strangers claim 268,435,455 bytes: each is closed, and the broker does not grow by it`, async (context) => {
  const broker = await startBrokerProcess("--set", "connection_messages=false");
  const { kib, sockets } = await grown(broker, claiming([0xff, 0xff, 0xff, 0x7f]));
  context.diagnostic(`${kib} KiB more`);
  assert.ok(kib <= MOST_GROWTH_KIB, `${kib} KiB`);
  await Promise.all(sockets.map((socket) => socket.closed()));
  assert.ok(sockets.every(({ isClosed }) => isClosed));
  await broker.stop();
});

test(`${STRANGERS} strangers claim what is allowed and send little of it: nothing is put aside for the rest`, async (context) => {
  const broker = await startBrokerProcess("--set", "connection_messages=false");
  // 99,000 bytes each, which would be 97 MB.
  const { kib, sockets } = await grown(broker, claiming([0xb8, 0x85, 0x06]));
  context.diagnostic(`${kib} KiB more`);
  assert.ok(kib <= MOST_GROWTH_KIB, `${kib} KiB`);
  assert.ok(sockets.every(({ isClosed }) => !isClosed));
  await Promise.all(sockets.map((socket) => socket.drop()));
  await broker.stop();
});

test("a stranger who sends on and on without completing a CONNECT is held to lacewing_max_connect_size", async () => {
  const broker = await startBrokerProcess();
  const socket = await RawSocket.open({ host: "127.0.0.1", port: broker.port }, claiming([0xa0, 0x8d, 0x06]));
  await socket.closed();
  await broker.program.printed(/Packet too large: .*100[.,]?000/);
  await broker.stop();
});

test("a first packet of each of the other types is closed at once, without an answer, whatever it claims", async () => {
  const broker = await startBrokerProcess();
  const to = { host: "127.0.0.1", port: broker.port };
  for (let type = 0; type < 16; type++) {
    if (type === 1) continue;
    const firstByte = (type << 4) | ([6, 8, 10].includes(type) ? 2 : 0);
    for (const length of ["02", "ffffff7f"]) {
      // Only the beginning is sent, so that it is the first byte which decides.
      const socket = await RawSocket.open(to, Buffer.from(firstByte.toString(16).padStart(2, "0") + length, "hex"));
      await socket.closed();
      assert.equal(socket.received.length, 0, `type ${type}`);
    }
  }
  const told = (): number => broker.program.errors.match(/the first (packet is not CONNECT|byte)/g)?.length ?? 0;
  await broker.program.when(() => told() === 30, "30 lines");
  await broker.stop();
});

test("bytes before a CONNECT that is refused are not kept by its connection", async () => {
  const broker = await startBrokerProcess("--set", "allow_anonymous=false");
  const to = { host: "127.0.0.1", port: broker.port };
  const socket = await RawSocket.open(to, Buffer.from("100d00044d51545405020000000000", "hex"));
  socket.write(Buffer.alloc(500_000, 0xc0));
  await socket.closed();
  if (!socket.socket.closed) await once(socket.socket, "close");
  assert.deepEqual(socket.received.subarray(0, 1), Buffer.of(0x20));
  await broker.stop();
});
