// A bridge beside a store that takes nothing: it must not keep the broker from its clients, nor from its end.
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { freePorts } from "../support/ports.ts";
import { WireClient } from "../support/wire-client.ts";
import { mount, noMounts, unmount } from "../torture/mounts.ts";
import { NOT_ALLOWED } from "../torture/short.ts";
import { startOwn } from "./brokers.ts";

const WHY_NOT = noMounts();
const MOUNTED = { skip: WHY_NOT === undefined ? false : `${NOT_ALLOWED}: ${WHY_NOT}` };
/** Enough to open the store, too little for it to take changes. */
const LEFT_BYTES = 12_288;

/** A folder on a disk of its own. */
function smallDisk(context: TestContext): string {
  const folder = join(temporaryFolder(context), "disk");
  mount(folder, "-t", "tmpfs", "-o", "size=8m", "tmpfs");
  return folder;
}

function fill(disk: string): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "filler"), Buffer.alloc(bavail * bsize - LEFT_BYTES));
}

test("on a full disk the broker begins, takes clients and ends", MOUNTED, async (context) => {
  const disk = smallDisk(context);
  const place = [`persistence_location ${join(disk, "store")}`, "persistence true", "lacewing_store_timeout 1"];
  const [port = 0] = await freePorts(1);
  const empty = await startOwn(context, place, { port });
  await empty.stop();
  fill(disk);
  const broker = await startOwn(context, [...place, "connection one", "address 127.0.0.1:1", "topic # out 1"], {
    port,
  });
  await broker.logged(/Bridges cannot begin, as the store takes no changes/);
  const client = await WireClient.connect({ host: "127.0.0.1", port }, "client");
  await client.drop();
  // With room it has what it needs.
  rmSync(join(disk, "filler"));
  await broker.logged(/The store works again/);
  await broker.stop();
  unmount(disk);
});
