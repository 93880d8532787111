// 100,000 mutated packets over real sockets, a tenth of them in WebSockets: the broker does not end, serves the others meanwhile, and stays small.
import assert from "node:assert/strict";
import { createConnection, type Socket } from "node:net";
import { test } from "node:test";
import type { Version } from "../../src/protocol/index.ts";
import { startConfigured } from "../beside-mosquitto/broker-pair.ts";
import { temporaryFolder } from "../support/folder.ts";
import { memoryKib } from "../support/memory.ts";
import { mutated } from "../support/mutated.ts";
import { Program } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { WireClient } from "../support/wire-client.ts";
import { UPGRADE } from "../transport/raw-web-socket.ts";
import { readRows } from "../vectors/row.ts";
import { MAIN } from "./broker-process.ts";

const PACKETS = 100_000;
/** Connections at a time. */
const ATTACKERS = 24;
const MOST_PER_CONNECTION = 8;
/** Of the connections. */
const WEB_SOCKET_PART = 0.1;
const MOST_FRAMES = 6;
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

/** Where the broker listens. */
interface Ports {
  readonly main: number;
  readonly web: number;
}

/** Sends `bytes` cut in two, and waits for the end of the connection; or does not wait and resets it. */
function attack(port: number, bytes: Uint8Array, random: Random): Promise<void> {
  const [cut, isReset] = [random.below(bytes.length + 1), random.chance(0.1)];
  return new Promise((resolve, reject) => {
    const socket = openSocket(port, resolve, reject);
    socket.once("connect", () => {
      socket.write(bytes.subarray(0, cut));
      if (isReset) socket.write(bytes.subarray(cut), () => socket.resetAndDestroy());
      else socket.end(bytes.subarray(cut));
    });
    socket.resume();
  });
}

/** The same in a WebSocket, in frames that know nothing of packets. */
function attackWeb(port: number, bytes: Uint8Array, random: Random): Promise<void> {
  const isReset = random.chance(0.1);
  const frames = framed(bytes, random);
  return new Promise((resolve, reject) => {
    const socket = openSocket(port, resolve, reject);
    socket.once("connect", () => socket.write(`${UPGRADE.join("\r\n")}\r\n\r\n`));
    // The answer to the request.
    socket.once("data", (answer: Buffer) => {
      if (!answer.toString("latin1").startsWith("HTTP/1.1 101")) reject(new Error(`no WebSocket: ${answer}`));
      if (isReset) socket.write(frames, () => socket.resetAndDestroy());
      else socket.end(frames);
      webSockets++;
    });
  });
}

let webSockets = 0;

function openSocket(port: number, resolve: () => void, reject: (error: Error) => void): Socket {
  const socket = createConnection({ host: "127.0.0.1", port, noDelay: true });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNREFUSED") reject(error); // the broker is gone
  });
  return socket.once("close", () => resolve());
}

/** `bytes` in binary frames, cut anywhere, some of them fragments of one message. */
function framed(bytes: Uint8Array, random: Random): Buffer {
  const cuts = Array.from({ length: random.below(MOST_FRAMES) }, () => random.below(bytes.length + 1)).sort(
    (one, other) => one - other,
  );
  const parts = [0, ...cuts].map((from, at) => bytes.subarray(from, cuts[at] ?? bytes.length));
  let isContinued = false;
  return Buffer.concat(
    parts.flatMap((part, at) => {
      const isLast = at === parts.length - 1 || random.chance(0.7);
      const head = (isLast ? 0x80 : 0) | (isContinued ? 0 : 2);
      isContinued = !isLast;
      return [frameHead(head, part.length), masked(part)];
    }),
  );
}

/** RFC 6455, 5.2. */
function frameHead(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, 0x80 | length, ...MASK]);
  return Buffer.from([first, 0x80 | 126, length >> 8, length & 255, ...MASK]);
}

const MASK = [0x5a, 0xa5, 0x3c, 0xc3];

function masked(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => byte ^ (MASK[at % MASK.length] as number));
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
async function flood({ main, web }: Ports, program: Program, random: Random): Promise<number> {
  let left = PACKETS;
  let warmKib: number | undefined;
  const attacker = async () => {
    while (left > 0) {
      const mutants = Math.min(left, 1 + random.below(MOST_PER_CONNECTION));
      left -= mutants;
      const bytes = burst(random, mutants);
      await (random.chance(WEB_SOCKET_PART) ? attackWeb(web, bytes, random) : attack(main, bytes, random));
      if (left < PACKETS * (1 - WARM_PART)) warmKib ??= memoryKib(program.pid);
    }
  };
  await Promise.all(Array.from({ length: ATTACKERS }, attacker));
  return memoryKib(program.pid) - (warmKib ?? 0);
}

const LINES = [
  "max_queued_messages 100",
  "allow_anonymous true",
  "listener @main 127.0.0.1",
  "listener @web 127.0.0.1",
  "protocol websockets",
];

test(`${PACKETS} mutated packets over sockets and WebSockets`, { timeout: LIMIT_MS }, async (t) => {
  const seed = Number(process.env.LACEWING_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const again = `LACEWING_SEED=${seed} npm test mutated-packets`;
  t.diagnostic(again);
  const start = (file: string, cwd: string): Program => new Program(process.execPath, [MAIN, "-c", file], { cwd });
  const { program, ports } = await startConfigured(temporaryFolder(t), { lines: LINES }, start, /running: /);
  const { main = 0, web = 0 } = ports;
  const witness = new Witness(main);
  const flooding = flood({ main, web }, program, new Random(seed)).finally(() => {
    witness.isDone = true;
  });
  const [growthKib] = await Promise.all([flooding, witness.run()]);
  t.diagnostic(`${witness.served} messages served meanwhile, ${webSockets} WebSockets, ${growthKib} KiB more memory`);
  assert.ok(witness.served > 0 && webSockets > 0, again);
  assert.ok(growthKib < GROWTH_KIB, `${growthKib} KiB more memory; ${again}`);
  const { code, errors } = await program.stop();
  assert.ok(code === 0 && !errors.includes("has a fault"), `It ended with ${code}; ${again}\n${errors.slice(-4000)}`);
});
