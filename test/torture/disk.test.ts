// F3 and F5, short: the power goes, the disk is full, the disk fails.
import assert from "node:assert/strict";
import { lacewing } from "./broker-process.ts";
import { noLoopMounts } from "./disk-image.ts";
import { fullDisks } from "./full-disk.ts";
import { noMounts } from "./mounts.ts";
import { powerCuts } from "./power-cut.ts";
import { type Needs, shortTest } from "./short.ts";

const OURS = lacewing("max_inflight_messages=0");
const PROMPT = lacewing("max_inflight_messages=0", "lacewing_store_timeout=1");
const LONGEST_MS = 1000;
/** On two cores that are not busy all power cuts are done in less. */
const BUDGET_MS = 30_000;
const DISK_IMAGES: Needs = { peers: ["mkfs.ext4"], missing: noLoopMounts };

shortTest("F3: what was acknowledged outlives a power cut", DISK_IMAGES, (context) =>
  powerCuts({ ...context, name: "f3", kind: OURS, rounds: 5, longestMs: LONGEST_MS, budgetMs: BUDGET_MS }),
);

shortTest("F3: without syncing the same power cut loses, and the ledger sees it", DISK_IMAGES, async (context) => {
  const unsafe = lacewing("max_inflight_messages=0", "lacewing_durability=none");
  const own = { ...context, name: "f3-control", rounds: 1, longestMs: LONGEST_MS, quietMs: 5000 };
  const [round] = await powerCuts({ ...own, kind: unsafe, progress: () => {} });
  assert.ok(Number(round?.figures.lost) > 0, JSON.stringify(round));
  return [{ figures: {}, faults: [] }];
});

shortTest("F5: a full disk holds and refuses, and loses nothing", { missing: noMounts }, (context) =>
  fullDisks({ ...context, name: "f5", kind: OURS, rounds: 1, what: "full" }),
);

shortTest("F5: a disk that does not answer for a while holds and refuses, and loses nothing", {}, (context) =>
  fullDisks({ ...context, name: "f5c", kind: PROMPT, rounds: 1, what: "hanging" }),
);

shortTest("F5: a disk that fails holds and refuses, and loses nothing", DISK_IMAGES, (context) =>
  fullDisks({ ...context, name: "f5b", kind: OURS, rounds: 1, what: "broken" }),
);
