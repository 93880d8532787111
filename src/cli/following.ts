/** Shows and records what passes between a client and the broker, until the time is over, the file is full, or Ctrl-C. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { TapEvent } from "../admin/index.ts";
import { version } from "../config/version.ts";
import { CaptureWriter, printable } from "../observe/index.ts";
import { Framer, packetName } from "../protocol/index.ts";
import { AskError, type Asker } from "./asking.ts";
import { timeText } from "./packet-text.ts";
import type { ToolOutput } from "./tool.ts";

const ENDING_SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** A recording without a time goes on so long. */
const LONGEST_SECONDS = 86_400;
const ANY_SIZE = 268_435_460;

/** What to follow. */
export interface FollowArguments {
  readonly client: string;
  /** null: until it is ended. */
  readonly seconds: number | null;
  /** File for Wireshark; null: none. */
  readonly path: string | null;
  /** Largest size of the file. */
  readonly megabytes: number;
  /** Whether packets are shown. */
  readonly showsPackets: boolean;
}

/** Follows a client and returns the exit code. */
export async function follow(asker: Asker, output: ToolOutput, args: FollowArguments): Promise<number> {
  const { client, seconds, path, megabytes } = args;
  const file = path === null ? null : openedFile(path);
  const recording = new Recording(output, args, file);
  const ended = new Promise<string>((resolve) => {
    asker.onTap = (event) => {
      recording.take(event);
      if (event.kind === "over") resolve("the time is over");
      else if (recording.bytes > megabytes * 1e6) resolve(`the file has ${megabytes} MB`);
    };
    for (const signal of ENDING_SIGNALS) process.once(signal, () => resolve("ended"));
  });
  try {
    const { isConnected } = await asker.ask("tap", { clientId: client, seconds: seconds ?? LONGEST_SECONDS });
    if (!isConnected) output.complain(`${client} is not connected now; waiting for it.`);
    const why = await Promise.race([ended, asker.lost()]);
    if (path !== null) output.complain(`${recording.summary()} in ${path}: ${why}.`);
    return 0;
  } finally {
    for (const signal of ENDING_SIGNALS) process.removeAllListeners(signal);
    if (file !== null) closeSync(file);
  }
}

function openedFile(path: string): number {
  try {
    // It may hold what others should not read.
    return openSync(path, "wx", 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "there is a file already; name a new one" : (error as Error).message;
    throw new AskError([`Error: ${path} cannot be written: ${why}.`]);
  }
}

/** Two ways of one connection, cut into packets. */
type Ways = Readonly<Record<"received" | "sent", Framer>>;

class Recording {
  readonly #output: ToolOutput;
  readonly #args: FollowArguments;
  readonly #capture: CaptureWriter | null;
  readonly #ways: Map<number, Ways> = new Map();
  #packets = 0;
  #lostBytes = 0;

  constructor(output: ToolOutput, args: FollowArguments, file: number | null) {
    this.#output = output;
    this.#args = args;
    this.#capture =
      file === null ? null : new CaptureWriter((bytes) => writeSync(file, bytes), `lacewing ${version()}`);
  }

  get bytes(): number {
    return this.#capture?.bytes ?? 0;
  }

  summary(): string {
    const lost = this.#lostBytes === 0 ? "" : `, ${this.#lostBytes} bytes missing`;
    return `${this.#packets} packets${lost}`;
  }

  take(event: TapEvent): void {
    switch (event.kind) {
      case "opened":
        this.#opened(event);
        break;
      case "bytes":
        this.#bytes(event);
        break;
      case "gap":
        this.#lostBytes += event.bytes;
        this.#ways.delete(event.connection);
        this.#say(event, `${event.bytes} bytes are missing: this recording was too slow`);
        break;
      case "ended": {
        const why = event.detail === null ? event.reason : `${event.reason}: ${event.detail}`;
        this.#say(event, `ended: ${why}`);
        this.#capture?.close(event.connection, event.atMs, why);
        this.#ways.delete(event.connection);
        break;
      }
      case "over":
        break;
    }
  }

  #opened({ connection, atMs, remoteAddress, localPort }: Extract<TapEvent, { kind: "opened" }>): void {
    this.#ways.set(connection, { received: new Framer(ANY_SIZE), sent: new Framer(ANY_SIZE) });
    const comment = `${this.#args.client} at port ${localPort} of the broker`;
    this.#capture?.open({ remoteAddress, number: connection }, atMs, comment);
    if (this.#args.showsPackets) this.#output.out.write(`${timeText(atMs)}  connection from ${remoteAddress}\n`);
  }

  #bytes({ connection, atMs, direction, data }: Extract<TapEvent, { kind: "bytes" }>): void {
    const bytes = Buffer.from(data, "base64");
    this.#capture?.data(connection, direction, bytes, atMs);
    const framer = this.#ways.get(connection)?.[direction];
    if (framer === undefined) return;
    framer.push(bytes);
    while (framer.next() === "packet") {
      this.#packets++;
      const firstByte = framer.bytes[framer.start]!;
      const arrow = direction === "received" ? "<-" : "->";
      if (this.#args.showsPackets)
        this.#output.out.write(
          `${timeText(atMs)}  ${arrow} ${packetName(firstByte)} (${framer.end - framer.start} bytes)\n`,
        );
    }
  }

  #say({ atMs }: TapEvent, text: string): void {
    if (this.#args.showsPackets) this.#output.out.write(`${timeText(atMs)}  ${printable(text)}\n`);
  }
}
