// F5: the disk is full, refuses every write, or does not answer. The broker lives, acknowledges nothing that it could not keep, goes on with QoS 0, and
// takes up its work when there is space again; what it had acknowledged is all there.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Beat } from "./beat.ts";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { Crowd, pause } from "./crowd.ts";
import { DiskImage } from "./disk-image.ts";
import { Errand } from "./errand.ts";
import { isMounted, mount, unmount } from "./mounts.ts";
import { Random } from "./random.ts";
import { faultsOf, type Progress, type Round, roundText, secondsText, sumsOf, total } from "./report.ts";
import * as wire from "./wire.ts";

export interface FullDiskOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
  /** "full": no space for a while; "broken": an error of the disk, until it is mended; "hanging": no answer for a while. */
  readonly what: "full" | "broken" | "hanging";
  /** How long it stays as it is once the broker has noticed; 2 s unless told. */
  readonly staysMs?: number;
  readonly progress: Progress;
}

const DISK_MEGABYTES = 64;
/** Taken away to make space again. */
const BALLAST_MEGABYTES = 30;
const IMAGE_MEGABYTES = 256;
/** The broker's log says that it is so, and that it is over. */
const REFUSED = /The store does not take changes/g;
const TAKEN_AGAIN = /The store works again/g;
const FULL_MS = 2000;
const FILL_LIMIT_MS = 60_000;
const RECOVERY_LIMIT_MS = 30_000;
const BREAK_AFTER_MS = 700;
const LOOK_MS = 10;
const SETTLE_LIMIT_MS = 10_000;
const QUOTA_EXCEEDED = 0x97;

export async function fullDisks(options: FullDiskOptions): Promise<Round[]> {
  const { rounds, seed, name, progress, what } = options;
  const found: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const random = new Random(seed + number);
    const round = await ROUNDS[what](options, random, number);
    found.push(round);
    progress(roundText(name, number + 1, rounds, round));
  }
  return found;
}

/** A broker, its clients and the disk of a round. */
class Scene {
  readonly crowd: Crowd;
  readonly broker: BrokerProcess;
  readonly faults: string[] = [];
  #beat: Beat | undefined;
  /** Client identifier and topic of what is refused. */
  readonly #refused: string;

  private constructor(crowd: Crowd, broker: BrokerProcess) {
    this.crowd = crowd;
    this.broker = broker;
    this.#refused = `${crowd.options.name}-refused`;
  }

  static async begin({ name, kind }: FullDiskOptions, random: Random, number: number, folder: string): Promise<Scene> {
    const shape = { publishers: 4, window: 64, online: 1, offline: 2, payload: { least: 500, most: 1500 } };
    const crowd = new Crowd({ name: `${name}-${number}`, qos: random.pick([1, 2]), ...shape }, random);
    const scene = new Scene(crowd, await BrokerProcess.on(kind, join(folder, "data")));
    await scene.broker.start();
    await crowd.subscribe(scene.broker.address);
    await crowd.join(scene.broker.address, false);
    await scene.#leaveDurableSession();
    scene.#beat = await Beat.begin(scene.broker.address, crowd.options.name);
    crowd.setSending(true);
    return scene;
  }

  async #leaveDurableSession(): Promise<void> {
    const own = { version: 4, clientId: `${this.#refused}-for`, isClean: false } as const;
    const client = await Errand.connect(this.broker.address, own);
    client.send(wire.encodeSubscribe(4, 1, this.#refused, 1));
    await client.packet(wire.SUBACK);
    client.cut();
  }

  /** Stays as it is for a while; at QoS 0 messages must pass, and nobody may be acknowledged. */
  async endure(ms: number): Promise<void> {
    const beat = this.#beat as Beat;
    const { sent } = beat;
    const { acknowledged } = this.crowd.ledger;
    const again = this.#count(TAKEN_AGAIN);
    await pause(ms);
    const wanted = Math.max(beat.sent, sent + 1);
    const limitMs = performance.now() + SETTLE_LIMIT_MS;
    while (beat.received < wanted && performance.now() < limitMs) await pause(LOOK_MS);
    if (beat.received < wanted) this.faults.push(`${wanted - beat.received} messages at QoS 0 waited as well`);
    if (beat.lost !== undefined) this.faults.push(`a client at QoS 0 lost its connection: ${beat.lost}`);
    // Now and then a little can be written after all; the broker is killed later, and a false acknowledgement shows then.
    const more = this.crowd.ledger.acknowledged - acknowledged;
    if (more > 0 && this.#count(TAKEN_AGAIN) === again)
      this.faults.push(`${more} messages were acknowledged while nothing could be written`);
    if (total(this.crowd.publishers.map(({ inflight }) => inflight)) === 0) this.faults.push("no publisher is held");
    await this.#seekRefusal();
  }

  #count(lines: RegExp): number {
    return [...this.broker.errors.matchAll(lines)].length;
  }

  /** Resolves when the store takes nothing any more, as the broker says. */
  async untilRefused(): Promise<void> {
    const startedMs = performance.now();
    while (this.#count(REFUSED) <= this.#count(TAKEN_AGAIN)) {
      if (performance.now() - startedMs > FILL_LIMIT_MS) throw new Error("the store goes on taking changes");
      await pause(LOOK_MS);
    }
  }

  /** A 5.0 client that comes now, and for whom no disk is needed, is told 0x97: its message would go to a durable Session. */
  async #seekRefusal(): Promise<void> {
    const client = await Errand.connect(this.broker.address, { version: 5, clientId: this.#refused, isClean: true });
    const message = { version: 5, qos: 1, packetId: 1, payload: Buffer.alloc(8), topicName: this.#refused } as const;
    client.send(wire.encodePublish(message));
    const reason = await client.packet(wire.PUBACK).then(({ body }) => body[2], String);
    client.cut();
    if (reason !== QUOTA_EXCEEDED) this.faults.push(`a 5.0 publisher was not told 0x97, but ${reason}`);
  }

  async restart(): Promise<void> {
    this.crowd.expectsLoss = true;
    this.#beat?.end();
    await this.broker.kill();
    await this.broker.start();
    this.crowd.expectsLoss = false;
    this.crowd.setSending(true);
    // A durable Session's CONNACK waits for the disk.
    this.crowd.beginJoining(this.broker.address);
    this.#beat = await Beat.begin(this.broker.address, this.crowd.options.name);
  }

  /** Lets what is under way be acknowledged, kills the broker and reads the book of what the disk has. */
  async finish(figures: Round["figures"]): Promise<Round> {
    this.crowd.setSending(false);
    await this.crowd.join(this.broker.address, false);
    const limitMs = performance.now() + SETTLE_LIMIT_MS;
    while (this.crowd.publishers.some(({ inflight }) => inflight > 0) && performance.now() < limitMs)
      await pause(LOOK_MS);
    this.crowd.expectsLoss = true;
    await this.broker.kill();
    await this.broker.start();
    this.crowd.expectsLoss = false;
    await this.crowd.join(this.broker.address, true);
    await this.crowd.settle();
    const verdict = this.crowd.ledger.verdict();
    return { figures: { ...figures, ...sumsOf(verdict) }, faults: [...faultsOf(verdict), ...this.faults] };
  }

  async end(): Promise<void> {
    this.#beat?.end();
    this.crowd.end();
    if (this.broker.isRunning) await this.broker.kill();
  }
}

async function fullDisk(options: FullDiskOptions, random: Random, number: number): Promise<Round> {
  const folder = join(options.folder, `${options.name}-${number}`);
  mount(folder, "-t", "tmpfs", "-o", `size=${DISK_MEGABYTES}m`, "tmpfs");
  const ballast = join(folder, "ballast");
  let scene: Scene | undefined;
  try {
    writeFileSync(ballast, Buffer.alloc(BALLAST_MEGABYTES * 2 ** 20));
    scene = await Scene.begin(options, random, number, folder);
    const startedMs = performance.now();
    await scene.untilRefused();
    const filledMs = performance.now() - startedMs;
    const isKilled = random.chance(0.3);
    if (isKilled) await scene.restart();
    await scene.untilRefused();
    await scene.endure(options.staysMs ?? FULL_MS);
    const { acknowledged } = scene.crowd.ledger;
    rmSync(ballast);
    const recoveryMs = await untilAcknowledged(scene.crowd, acknowledged);
    return await scene.finish({
      filled: secondsText(filledMs),
      killed: isKilled ? "while full" : "no",
      recovered: secondsText(recoveryMs),
    });
  } finally {
    await scene?.end();
    unmount(folder);
  }
}

async function brokenDisk(options: FullDiskOptions, random: Random, number: number): Promise<Round> {
  const disk = new DiskImage(join(options.folder, `${options.name}-${number}`));
  let scene: Scene | undefined;
  try {
    disk.make(IMAGE_MEGABYTES);
    disk.mount();
    scene = await Scene.begin(options, random, number, disk.folder);
    await pause(BREAK_AFTER_MS);
    disk.fail();
    await scene.untilRefused();
    await scene.endure(options.staysMs ?? FULL_MS);
    scene.crowd.expectsLoss = true;
    await scene.broker.kill();
    disk.unmount();
    disk.mend();
    disk.mount();
    const backMs = await scene.broker.start();
    return await scene.finish({ disk: "failed and mended", back: secondsText(backMs) });
  } finally {
    await scene?.end();
    if (isMounted(disk.folder)) disk.unmount();
    disk.remove();
  }
}

/** The process that writes stops, as it does while a disk does not answer. */
async function hangingDisk(options: FullDiskOptions, random: Random, number: number): Promise<Round> {
  const scene = await Scene.begin(options, random, number, join(options.folder, `${options.name}-${number}`));
  try {
    await pause(BREAK_AFTER_MS);
    scene.broker.signalChildren("SIGSTOP");
    await scene.untilRefused();
    await scene.endure(options.staysMs ?? FULL_MS);
    const { acknowledged } = scene.crowd.ledger;
    scene.broker.signalChildren("SIGCONT");
    const recoveryMs = await untilAcknowledged(scene.crowd, acknowledged);
    return await scene.finish({ disk: "did not answer", recovered: secondsText(recoveryMs) });
  } finally {
    await scene.end();
  }
}

const ROUNDS = { full: fullDisk, broken: brokenDisk, hanging: hangingDisk } as const;

/** Resolves when more is acknowledged, with how long that took. */
async function untilAcknowledged(crowd: Crowd, acknowledged: number): Promise<number> {
  const startedMs = performance.now();
  while (crowd.ledger.acknowledged <= acknowledged) {
    if (performance.now() - startedMs > RECOVERY_LIMIT_MS)
      throw new Error(`nothing is acknowledged ${RECOVERY_LIMIT_MS / 1000} s after there was space again`);
    await pause(LOOK_MS);
  }
  return performance.now() - startedMs;
}
