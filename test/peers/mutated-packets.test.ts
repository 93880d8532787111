// 100,000 mutated packets over real sockets: the broker does not end, serves the others meanwhile, and stays small.
import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { test } from "node:test";
import type { Version } from "../../src/protocol/index.ts";
import { memoryKib } from "../support/memory.ts";
import { mutated } from "../support/mutated.ts";
import { Random } from "../support/random.ts";
import { WireClient } from "../support/wire-client.ts";
import { readRows } from "../vectors/row.ts";
import { type LacewingProcess, startBrokerProcess } from "./broker-process.ts";

const PACKETS = 100_000;
/** Connections at a time. */
const ATTACKERS = 24;
const MOST_PER_CONNECTION = 8;
const LIMIT_MS = 150_000;
/** Memory is measured after this part of the packets, and may grow so far from then on. */
const WARM_PART = 0.2;
const GROWTH_KIB = 150 * 1024;
/** Longer vectors only cost time. */
const MOST_BYTES = 2000;

/** Legal and illegal packets of clients, by version: what is mutated. CONNECTs are apart. */
const ROWS = readRows().filter(({ sender, bytes }) => sender === "client" && bytes.length <= MOST_BYTES);
const isConnect = (bytes: Uint8Array) => (bytes[0] ?? 0) >> 4 === 1;
const CONNECTS = ROWS.filter(({ packet, bytes }) => packet !== null && isConnect(bytes));
const CORPUS: Readonly<Record<Version, readonly Uint8Array[]>> = { 3: corpus(3), 4: corpus(4), 5: corpus(5) };
const LEGAL: Readonly<Record<Version, readonly Uint8Array[]>> = { 3: legal(3), 4: legal(4), 5: legal(5) };

function corpus(version: Version): readonly Uint8Array[] {
  return ROWS.filter((row) => row.version === version).map(({ bytes }) => bytes);
}

function legal(version: Version): readonly Uint8Array[] {
  const rows = ROWS.filter(({ packet, bytes }) => packet !== null && packet.type !== "DISCONNECT" && !isConnect(bytes));
  return rows.filter((row) => row.version === version).map(({ bytes }) => bytes);
}

/** A connection's worth of bytes: mostly a good CONNECT, then mutants with some good packets between. */
function burst(random: Random, mutants: number): Uint8Array {
  const version = random.pick<Version>([3, 4, 5]);
  const packets = corpusOf(random, version, mutants);
  const connect = random.pick(CONNECTS.filter((row) => row.version === version)).bytes;
  if (random.chance(0.9)) packets.unshift(connect);
  return Buffer.concat(packets);
}

function corpusOf(random: Random, version: Version, mutants: number): Uint8Array[] {
  return Array.from({ length: mutants }, () => {
    const mutant = mutated(random.pick(CORPUS[version]), random.pick(CORPUS[version]), random);
    return random.chance(0.3) ? [random.pick(LEGAL[version]), mutant] : [mutant];
  }).flat();
}

/** Sends `bytes` cut in two, and waits for the end of the connection; or does not wait and resets it. */
function attack(port: number, bytes: Uint8Array, random: Random): Promise<void> {
  const [cut, isReset] = [random.below(bytes.length + 1), random.chance(0.1)];
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: "127.0.0.1", port, noDelay: true });
    socket.once("connect", () => {
      socket.write(bytes.subarray(0, cut));
      if (isReset) socket.write(bytes.subarray(cut), () => socket.resetAndDestroy());
      else socket.end(bytes.subarray(cut));
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") reject(error); // the broker is gone
    });
    socket.once("close", () => resolve());
    socket.resume();
  });
}

/** A client that behaves: each of its messages must come back, all the time. */
class Witness {
  isDone = false;
  served = 0;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async run(): Promise<void> {
    const client = await WireClient.connect({ host: "127.0.0.1", port: this.#port }, "witness-of-mutants");
    await client.subscribe("witness/of/mutants");
    for (; !this.isDone; this.served++) {
      const payload = `message ${this.served}`;
      const packetId = await client.publish("witness/of/mutants", payload, { qos: 2, packetId: 1 });
      await client.release(packetId);
      const message = await client.expect("PUBLISH");
      assert.equal(Buffer.from(message.payload).toString(), payload);
      client.acknowledge("PUBREC", message.packetId);
      await client.expect("PUBREL");
      client.acknowledge("PUBCOMP", message.packetId);
    }
    await client.disconnect();
  }
}

/** Sends all packets and returns how much memory the broker took on the way, in KiB. */
async function flood({ port, program }: LacewingProcess, random: Random): Promise<number> {
  let left = PACKETS;
  let warmKib: number | undefined;
  const attacker = async () => {
    while (left > 0) {
      const mutants = Math.min(left, 1 + random.below(MOST_PER_CONNECTION));
      left -= mutants;
      await attack(port, burst(random, mutants), random);
      if (left < PACKETS * (1 - WARM_PART)) warmKib ??= memoryKib(program.pid);
    }
  };
  await Promise.all(Array.from({ length: ATTACKERS }, attacker));
  return memoryKib(program.pid) - (warmKib ?? 0);
}

test(`${PACKETS} mutated packets over sockets`, { timeout: LIMIT_MS }, async (t) => {
  const seed = Number(process.env.LACEWING_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const again = `LACEWING_SEED=${seed} npm test mutated-packets`;
  t.diagnostic(again);
  const broker = await startBrokerProcess("--set", "max_queued_messages=100");
  const witness = new Witness(broker.port);
  const flooding = flood(broker, new Random(seed)).finally(() => {
    witness.isDone = true;
  });
  const [growthKib] = await Promise.all([flooding, witness.run()]);
  t.diagnostic(`${witness.served} messages served meanwhile, ${growthKib} KiB more memory`);
  assert.ok(witness.served > 0, again);
  assert.ok(growthKib < GROWTH_KIB, `${growthKib} KiB more memory; ${again}`);
  await broker.stop(); // which checks that it was well
});
