// F5 of RELIABILITY.md for the store alone: on a full disk appends are refused and nothing else happens; ends can still be
// written, and with room everything goes on. Needs a small file system of its own.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Change } from "../../src/core/index.ts";
import { type Durability, type LmdbStore, openLmdbStore, StoreError, type StoreReport } from "../../src/store/index.ts";
import { deliverySet, FactModel, holdings, messageAdded, sessionSet } from "../contracts/facts.ts";
import { temporaryFolder } from "../support/folder.ts";
import { mount, noMounts, runTool, unmount } from "../torture/mounts.ts";
import { NOT_ALLOWED } from "../torture/short.ts";

const DISK_MIB = 16;

/** A store on a disk of its own, and a model of what it must hold. */
class SmallDisk {
  readonly folder: string;
  readonly reports: StoreReport[] = [];
  readonly model: FactModel = new FactModel();
  store!: LmdbStore;

  constructor(context: TestContext) {
    this.folder = join(temporaryFolder(context), "disk");
    mount(this.folder, "-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs");
  }

  async open(durability: Durability): Promise<void> {
    const folder = join(this.folder, "store");
    this.store = await openLmdbStore({ folder, durability, report: (event) => this.reports.push(event) });
  }

  async append(batch: readonly Change[]): Promise<void> {
    await this.store.append(batch);
    this.model.apply(batch);
  }

  /** Appends messages until that is refused; returns how many times it was done. */
  async fill(batchAt: (round: number) => Change[]): Promise<number> {
    for (let round = 0; ; round++) {
      try {
        await this.append(batchAt(round));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC", String(error));
        return round;
      }
    }
  }

  /** What it has said of its room. A journal that is emptied while messages come makes room for a while. */
  get said(): readonly string[] {
    return this.reports.map((event) => (event.kind === "space" ? event.state : event.kind));
  }

  grow(): void {
    runTool("mount", "-o", `remount,size=${DISK_MIB * 2}m`, this.folder);
  }

  async assertHolds(): Promise<void> {
    assert.deepEqual(await holdings(this.store), this.model.holdings());
    assert.deepEqual((await this.store.check()).problems, []);
  }
}

function messages(round: number): Change[] {
  const batch: Change[] = [];
  for (let i = round * 50 + 1; i <= (round + 1) * 50; i++)
    batch.push(messageAdded(i, new Uint8Array(2000)), deliverySet("s", i, i));
  return batch;
}

/** Declares a test, or says why it cannot be run here. */
function smallDiskTest(name: string, run: (disk: SmallDisk) => Promise<void>): void {
  const reason = noMounts();
  if (reason !== undefined) void test(name, { skip: `${NOT_ALLOWED}: ${reason}` }, () => {});
  else
    void test(name, async (context) => {
      const disk = new SmallDisk(context);
      try {
        await run(disk);
      } finally {
        await disk.store.close();
        unmount(disk.folder);
      }
    });
}

for (const durability of ["always", { intervalMs: 10 }] as const)
  smallDiskTest(
    `a full disk refuses what is new and takes ends, durability ${JSON.stringify(durability)}`,
    async (disk) => {
      await disk.open(durability);
      await disk.append([sessionSet("s")]);
      const rounds = await disk.fill(messages);
      assert.ok(rounds > 30, `${rounds}`);
      await assert.rejects(disk.store.append(messages(rounds)), { code: "ENOSPC" });
      assert.match(disk.said.join(), /^low(,enough,low)*$/);
      await disk.assertHolds();
      const ends = Array.from(
        { length: 1000 },
        (_, i): Change => ({ kind: "delivery-deleted", clientId: "s", order: i + 1, message: null }),
      );
      await disk.append(ends);
      await disk.append([sessionSet("other")]);
      await disk.append(messages(rounds));
      disk.grow();
      for (let round = rounds + 1; round < rounds + 20; round++) await disk.append(messages(round));
      assert.match(disk.said.join(), /^low(,enough,low)*,enough$/);
      await disk.assertHolds();
      await disk.store.close();
      await disk.open(durability);
      await disk.assertHolds();
    },
  );

smallDiskTest(
  "a store is not begun on a full disk, and one that is there is not opened without room for its lock",
  async (disk) => {
    const ballast = join(disk.folder, "ballast");
    const refused = (error: unknown): boolean =>
      error instanceof StoreError &&
      error.fault === "unusable" &&
      /no space left.* Make room on its disk/.test(error.message);
    writeFileSync(ballast, new Uint8Array(DISK_MIB * 2 ** 20 - 40_000));
    await assert.rejects(disk.open("always"), refused);
    rmSync(ballast);
    await disk.open("always");
    await disk.append([sessionSet("s")]);
    await disk.store.close();
    assert.throws(() => writeFileSync(ballast, new Uint8Array(DISK_MIB * 2 ** 20)), { code: "ENOSPC" });
    await assert.rejects(disk.open("always"), refused);
    rmSync(ballast);
    await disk.open("always");
    await disk.assertHolds();
  },
);

smallDiskTest("a commit that meets a full disk half-way is refused whole, and can be repeated", async (disk) => {
  await disk.open("always");
  const clients = 40_000;
  for (let from = 0; from < clients; from += 4000)
    await disk.append(Array.from({ length: 4000 }, (_, i) => sessionSet(`a client with a long name ${from + i}`)));
  // Few bytes on many pages: more than the store expects of a batch of this length.
  const spread = (expirySeconds: number): Change[] =>
    Array.from({ length: 1000 }, (_, i) => sessionSet(`a client with a long name ${i * 40}`, { expirySeconds }));
  const { fileBytes, freeBytes } = await disk.store.stats();
  const room = DISK_MIB * 2 ** 20 - fileBytes;
  assert.ok(freeBytes < 2 ** 20 && room > 6 * 2 ** 20, `${room}`);
  writeFileSync(join(disk.folder, "ballast"), new Uint8Array(room - 2 * 2 ** 20));
  // Nothing is free: it was not refused beforehand.
  await assert.rejects(disk.store.append(spread(1)), { code: "ENOSPC", message: /: 0\.0 of/ });
  await disk.assertHolds();
  disk.grow();
  await disk.append(spread(1));
  await disk.assertHolds();
});
