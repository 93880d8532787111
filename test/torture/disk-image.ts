// A disk that loses its power: ext4 in a file, mounted by a loop device. What a copy of the file holds is what the disk had. For
// root, on Linux, and only where loop devices can be had.
import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isMounted, mount, noMounts, runTool, unmount } from "./mounts.ts";

/** Seconds after which the file system would write its journal by itself: longer than any round. */
const COMMIT_SECONDS = 300;
/**
 * Part in percent of all memory that may be dirty for this device alone before the kernel begins to write back. A fresh device has a
 * small share otherwise, and what was never synced would be on the disk all the same.
 */
const WRITE_BACK_PERCENT = 20;

/** Why loop mounts cannot be had here; undefined when they can. */
export function noLoopMounts(folder: string): string | undefined {
  const why = noMounts();
  if (why !== undefined) return why;
  const image = new DiskImage(join(folder, "probe"));
  try {
    image.make(16);
    image.mount();
    image.unmount();
    return undefined;
  } catch (error) {
    return `no loop mounts here: ${(error as Error).message}`;
  } finally {
    image.remove();
  }
}

/** A file with ext4 in it, and the folder where it is mounted. */
export class DiskImage {
  readonly file: string;
  readonly folder: string;
  /** The kernel's settings of the loop device, while it is mounted. */
  #settings = "";

  /** @param path without ending: of the file and of the folder */
  constructor(path: string) {
    this.file = `${path}.ext4`;
    this.folder = path;
  }

  /** Makes an empty file system of `megabytes`. */
  make(megabytes: number): void {
    mkdirSync(dirname(this.file), { recursive: true });
    const file = openSync(this.file, "w");
    ftruncateSync(file, megabytes * 2 ** 20);
    closeSync(file);
    runTool("mkfs.ext4", "-q", "-F", this.file);
  }

  mount(): void {
    mount(this.folder, "-o", `loop,noinit_itable,commit=${COMMIT_SECONDS}`, this.file);
    const device = runTool("findmnt", "-n", "-o", "MAJ:MIN", this.folder);
    this.#settings = `/sys/class/bdi/${device}`;
    writeFileSync(join(this.#settings, "min_ratio"), `${WRITE_BACK_PERCENT}`);
  }

  unmount(): void {
    writeFileSync(join(this.#settings, "min_ratio"), "0");
    unmount(this.folder);
  }

  /** From now on every write fails and the file system is read-only, as after an error of the disk. */
  fail(): void {
    runTool("mount", "-o", "remount,abort", this.folder);
  }

  /** Mends the file system after `fail`, while it is not mounted. */
  mend(): void {
    // Its exit code says that it has mended something.
    spawnSync("e2fsck", ["-f", "-y", this.file]);
  }

  /** What the disk holds now, as another disk. */
  copyTo(other: DiskImage): void {
    runTool("cp", "--sparse=auto", this.file, other.file);
  }

  remove(): void {
    if (isMounted(this.folder)) this.unmount();
    rmSync(this.file, { force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
