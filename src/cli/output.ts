/** What a tool writes to a stream, joined to one write for each turn. */
import type { Readable, Writable } from "node:stream";
import type { Environment } from "./options-file.ts";

/** The streams of a tool, and what surrounds it. */
export interface ToolIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Where files of options are looked for; nowhere without it. */
  readonly env?: Environment;
  /** The name that the tool was called by, when it is not its own. */
  readonly calledAs?: string;
}

/** Told how a stream fares. */
export interface OutputListener {
  /** More is waiting than should; `drained` tells when it has left. */
  full?(): void;
  drained?(): void;
  /** Nobody reads any more. */
  broken?(): void;
}

/** Collects text and bytes for one stream. */
export class Output {
  readonly #stream: Writable;
  #pieces: Buffer[] = [];
  #isBroken = false;

  constructor(stream: Writable, listener: OutputListener = {}) {
    this.#stream = stream;
    this.#listener = listener;
    stream.on("drain", this.#onDrain);
    stream.on("error", this.#onError);
  }
  readonly #listener: OutputListener;

  readonly #onDrain = (): void => this.#listener.drained?.();

  readonly #onError = (): void => {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#listener.broken?.();
  };

  write(piece: string | Uint8Array): void {
    if (this.#isBroken) return;
    if (this.#pieces.length === 0) queueMicrotask(() => this.flush());
    const bytes =
      typeof piece === "string" ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    this.#pieces.push(bytes);
  }

  flush(): void {
    if (this.#pieces.length === 0 || this.#isBroken) return;
    const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    if (!this.#stream.write(bytes)) this.#listener.full?.();
  }

  /** Resolves when everything has left, or cannot. */
  async end(): Promise<void> {
    this.flush();
    if (!this.#isBroken && this.#stream.writable) {
      await new Promise<void>((resolve) => {
        this.#stream.once("error", () => resolve());
        this.#stream.write("", () => resolve());
      });
    }
    this.#stream.off("drain", this.#onDrain);
    // An error that comes later must find somebody.
    this.#stream.off("error", this.#onError).on("error", () => {});
  }
}
