// F8: the wall clock jumps while the broker runs. Nobody is thrown out, no Session and no message expires too early or stays for ever,
// wills keep their delay, QoS 2 holds. The broker runs under libfaketime, which changes its wall clock by what a file says and leaves
// the monotonic clock alone.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { libfaketimePath } from "../support/peers.ts";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { Crowd, pause } from "./crowd.ts";
import { Errand } from "./errand.ts";
import type { Address } from "./link.ts";
import { Random } from "./random.ts";
import { faultsOf, type Progress, type Round, roundText, secondsText, sumsOf } from "./report.ts";
import * as wire from "./wire.ts";

export interface ClockOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
  readonly progress: Progress;
}

/** As libfaketime reads them. */
const JUMPS = ["+1h", "-1h", "+10y", "-10y"];
const WILL_DELAY_SECONDS = 2;
const EXPIRY_SECONDS = 600;
const SHORT_SECONDS = 2;
const KEEP_ALIVE_SECONDS = 2;
const PING_MS = 500;
const WATCH_MS = 4000;
/** The broker's log tells its time; a jump that is not seen there was none. */
const LEAST_JUMP_SECONDS = 3000;

/** Each jump in turn; those that take their time beside each other. */
export async function clockJumps(options: ClockOptions): Promise<Round[]> {
  const { rounds, seed, name, progress } = options;
  const found: Round[] = [];
  for (let first = 0; first < rounds; first += JUMPS.length) {
    const jumps = JUMPS.slice(0, rounds - first);
    const some = await Promise.all(
      jumps.map((jump, k) => clockJump(options, jump, new Random(seed + first + k), first + k)),
    );
    for (const [k, round] of some.entries()) progress(roundText(name, first + k + 1, rounds, round));
    found.push(...some);
  }
  return found;
}

async function clockJump(options: ClockOptions, jump: string, random: Random, number: number): Promise<Round> {
  const name = `${options.name}-${number}`;
  const file = join(options.folder, `${name}.offset`);
  writeFileSync(file, "+0\n");
  const broker = await BrokerProcess.on(options.kind, join(options.folder, name));
  broker.env = {
    LD_PRELOAD: libfaketimePath() as string,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
  const shape = { publishers: 2, window: 16, online: 1, offline: 1, payload: { least: 8, most: 40 } };
  const crowd = new Crowd({ name, qos: 2, ...shape }, random);
  await broker.start();
  const witnesses = new Witnesses(broker.address, name);
  try {
    await crowd.subscribe(broker.address);
    await crowd.join(broker.address, false);
    crowd.setSending(true);
    await witnesses.begin();
    writeFileSync(file, `${jump}\n`);
    await pause(WATCH_MS);
    const faults = await witnesses.faults();
    if (!hasJumped(broker.errors)) faults.push("the broker's clock has not jumped: this test proves nothing");
    crowd.setSending(false);
    await crowd.join(broker.address, true);
    await crowd.settle();
    const verdict = crowd.ledger.verdict();
    const figures = { jump, will: secondsText(witnesses.willAfterMs), ...sumsOf(verdict) };
    return { figures, faults: [...faultsOf(verdict), ...faults] };
  } finally {
    witnesses.end();
    crowd.end();
    await broker.kill();
  }
}

/** Whether the seconds before the lines of a log jump. */
function hasJumped(log: string): boolean {
  const seconds = [...log.matchAll(/^(\d+): /gm)].map(([, text]) => Number(text));
  return Math.max(...seconds) - Math.min(...seconds) > LEAST_JUMP_SECONDS;
}

/** Clients each of which would see a certain mistake. */
class Witnesses {
  readonly #address: Address;
  readonly #name: string;
  readonly #faults: string[] = [];
  readonly #clients: Errand[] = [];
  #alive: Errand | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #willLeftAtMs = 0;
  /** How long the will waited in truth. */
  willAfterMs = 0;

  constructor(address: Address, name: string) {
    this.#address = address;
    this.#name = name;
  }

  async #client(kind: string, fields: Partial<wire.ConnectFields>): Promise<Errand> {
    const own = { version: 5, clientId: `${this.#name}-${kind}`, isClean: true } as const;
    const client = await Errand.connect(this.#address, { ...own, ...fields });
    this.#clients.push(client);
    return client;
  }

  /** To be called before the jump. */
  async begin(): Promise<void> {
    await this.#keepAlive();
    await this.#will();
    await this.#sessions();
  }

  /** One that pings in time. */
  async #keepAlive(): Promise<void> {
    const alive = await this.#client("alive", { keepAliveSeconds: KEEP_ALIVE_SECONDS });
    this.#alive = alive;
    this.#pinging = setInterval(() => alive.send(wire.encodePingreq()), PING_MS);
  }

  /** One that dies, and one that gets its will. */
  async #will(): Promise<void> {
    const topicName = `${this.#name}-will`;
    const heir = await this.#client("heir", {});
    heir.onPacket = ({ head }) => {
      if (head >> 4 === wire.PUBLISH) this.willAfterMs = performance.now() - this.#willLeftAtMs;
    };
    heir.send(wire.encodeSubscribe(5, 1, topicName, 0));
    const will = { topicName, payload: Buffer.from("will"), qos: 1, delaySeconds: WILL_DELAY_SECONDS } as const;
    const mortal = await this.#client("mortal", { isClean: false, sessionExpirySeconds: EXPIRY_SECONDS, will });
    await heir.packet(wire.SUBACK);
    mortal.cut();
    this.#willLeftAtMs = performance.now();
  }

  /** One whose Session and message are to be there after the jump, and one whose Session is to be gone soon. */
  async #sessions(): Promise<void> {
    const topicName = `${this.#name}-kept`;
    const kept = await this.#client("kept", { isClean: false, sessionExpirySeconds: EXPIRY_SECONDS });
    kept.send(wire.encodeSubscribe(5, 1, topicName, 1));
    const brief = await this.#client("brief", { isClean: false, sessionExpirySeconds: SHORT_SECONDS });
    await kept.packet(wire.SUBACK);
    kept.cut();
    brief.cut();
    const from = await this.#client("from", {});
    const message = { version: 5, qos: 1, packetId: 1, payload: Buffer.from("kept"), topicName } as const;
    from.send(wire.encodePublish({ ...message, expirySeconds: EXPIRY_SECONDS }));
    await from.packet(wire.PUBACK);
  }

  /** What was seen, some seconds after the jump. */
  async faults(): Promise<string[]> {
    const kept = await this.#client("kept", { isClean: false, sessionExpirySeconds: EXPIRY_SECONDS });
    if (!kept.isSessionPresent) this.#faults.push(`a Session that has ${EXPIRY_SECONDS} s is gone`);
    else if ((await kept.packet(wire.PUBLISH).catch(() => null)) === null)
      this.#faults.push(`a message that has ${EXPIRY_SECONDS} s is gone`);
    const brief = await this.#client("brief", { isClean: false, sessionExpirySeconds: SHORT_SECONDS });
    if (brief.isSessionPresent) this.#faults.push(`a Session that had ${SHORT_SECONDS} s is still there`);
    const { lost } = this.#alive as Errand;
    if (lost !== undefined) this.#faults.push(`a client that pings in time lost its connection: ${lost}`);
    if (this.willAfterMs === 0) this.#faults.push("a will has not come");
    else if (this.willAfterMs < WILL_DELAY_SECONDS * 1000)
      this.#faults.push(`a will came after ${secondsText(this.willAfterMs)}, ${WILL_DELAY_SECONDS} s are its delay`);
    return this.#faults;
  }

  end(): void {
    clearInterval(this.#pinging);
    for (const client of this.#clients) client.cut();
  }
}
