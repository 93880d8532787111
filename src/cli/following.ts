/** Shows and records what passes between a client and the broker, until the time is over, the file is full, or Ctrl-C. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { TapEvent } from "../admin/index.ts";
import { version } from "../config/version.ts";
import { explanationOf, type Language, ruleText } from "../explain/index.ts";
import { CaptureWriter, printable } from "../observe/index.ts";
import { Framer, packetName } from "../protocol/index.ts";
import { AskError, type Asker } from "./asking.ts";
import { say } from "./language.ts";
import { timeText } from "./packet-text.ts";
import { counted } from "./quantities.ts";
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
  readonly language: Language;
}

/** Follows a client and returns the exit code. */
export async function follow(asker: Asker, output: ToolOutput, args: FollowArguments): Promise<number> {
  const { client, seconds, path, megabytes, language } = args;
  const file = path === null ? null : openedFile(path, language);
  const recording = new Recording(output, args, file);
  const ended = new Promise<string>((resolve) => {
    asker.onTap = (event) => {
      recording.take(event);
      if (event.kind === "over") resolve(say(language, "the time is over", "时间到"));
      else if (recording.bytes > megabytes * 1e6)
        resolve(say(language, `the file has ${megabytes} MB`, `文件已达 ${megabytes} MB`));
    };
    for (const signal of ENDING_SIGNALS) process.once(signal, () => resolve(say(language, "ended", "已结束")));
  });
  try {
    const { isConnected } = await asker.ask("tap", { clientId: client, seconds: seconds ?? LONGEST_SECONDS });
    if (!isConnected)
      output.complain(
        say(language, `${client} is not connected now; waiting for it.`, `${client} 目前不在线，正在等待。`),
      );
    else if (path !== null)
      output.complain(
        say(
          language,
          `${client} is connected already: what passed before is not recorded, and lacewing replay judges from its next connection on.`,
          `${client} 已经在线：此前的报文不会记录，lacewing replay 要从它的下一次连接开始判断。`,
        ),
      );
    const why = await Promise.race([ended, asker.lost()]);
    if (path !== null)
      output.complain(
        say(language, `${recording.summary()} in ${path}: ${why}.`, `${path} 中有 ${recording.summary()}：${why}。`),
      );
    return 0;
  } finally {
    for (const signal of ENDING_SIGNALS) process.removeAllListeners(signal);
    if (file !== null) closeSync(file);
  }
}

function openedFile(path: string, language: Language): number {
  try {
    // It may hold what others should not read.
    return openSync(path, "wx", 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isThere = say(language, "there is a file already; name a new one", "文件已存在，请换一个名字");
    const why = code === "EEXIST" ? isThere : (error as Error).message;
    throw new AskError([say(language, `Error: ${path} cannot be written: ${why}.`, `错误：${path} 写不了：${why}。`)]);
  }
}

/** Why a connection ended, by the name of the reason, in Chinese. */
function endZh({ reason, detail }: Extract<TapEvent, { kind: "ended" }>): string {
  if (detail !== null) return ruleText(detail, "zh");
  return explanationOf({ space: "end", code: reason }, "zh")?.title ?? reason;
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
    const { language } = this.#args;
    const bytes = this.#lostBytes;
    const lost = bytes === 0 ? "" : say(language, `, ${bytes} bytes missing`, `，缺少 ${bytes} 字节`);
    return say(language, `${counted(this.#packets, "packet")}${lost}`, `${this.#packets} 个报文${lost}`);
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
        this.#say(
          event,
          say(
            this.#args.language,
            `${event.bytes} bytes are missing: this recording was too slow`,
            `缺少 ${event.bytes} 字节：记录速度跟不上`,
          ),
        );
        break;
      case "ended": {
        const why = event.detail === null ? event.reason : `${event.reason}: ${event.detail}`;
        this.#say(event, say(this.#args.language, `ended: ${why}`, `连接结束：${endZh(event)}`));
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
    this.#say({ atMs }, say(this.#args.language, `connection from ${remoteAddress}`, `来自 ${remoteAddress} 的连接`));
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

  #say({ atMs }: Pick<TapEvent, "atMs">, text: string): void {
    if (this.#args.showsPackets) this.#output.out.write(`${timeText(atMs)}  ${printable(text)}\n`);
  }
}
