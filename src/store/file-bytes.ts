/** A file that is read at any place. What it allocates is bounded by what the file has, never by what the file says of itself. */
import { type FileHandle, open } from "node:fs/promises";
import { ImportError } from "./import-source.ts";

/** Read at once, in bytes. */
const WINDOW_BYTES = 65_536;

/** An open file. */
export class FileBytes {
  /** Its length when it was opened. */
  readonly size: number;
  readonly #handle: FileHandle;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /** @throws ImportError when it is not a file, and what the system throws */
  static async open(path: string): Promise<FileBytes> {
    const handle = await open(path, "r");
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new ImportError("it is not a file");
      return new FileBytes(handle, stats.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /**
   * `count` bytes from `at` on. The caller has seen to it that the file has them.
   * @throws ImportError when the file has become shorter meanwhile, and what the system throws
   */
  async read(at: number, count: number): Promise<Uint8Array> {
    if (at < 0 || count < 0 || at + count > this.size) throw new RangeError(`${count} bytes at ${at} of ${this.size}`);
    const from = at - this.#windowAt;
    if (from >= 0 && from + count <= this.#window.length) return this.#window.subarray(from, from + count);
    if (count > WINDOW_BYTES) return this.#fill(new Uint8Array(count), at);
    // A window of its own each time: what was given out before stays as it is.
    this.#window = await this.#fill(new Uint8Array(Math.min(WINDOW_BYTES, this.size - at)), at);
    this.#windowAt = at;
    return this.#window.subarray(0, count);
  }

  async #fill(target: Uint8Array, at: number): Promise<Uint8Array> {
    for (let filled = 0; filled < target.length; ) {
      const length = Math.min(WINDOW_BYTES, target.length - filled);
      const { bytesRead } = await this.#handle.read(target, filled, length, at + filled);
      if (bytesRead === 0) throw new ImportError("the file became shorter while it was read");
      filled += bytesRead;
    }
    return target;
  }
}
