/** Where the log can go: a file, the system's log, topics of the broker itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import type { LogType } from "../config/index.ts";
import type { Broker } from "../core/index.ts";
import { encodeUtf8 } from "../protocol/index.ts";
import type { LogDestination, LogLine } from "./log.ts";

/** A file that lines are added to. Only its owner can read a new one. */
export class LogFile implements LogDestination<LogType> {
  readonly #path: string;
  #descriptor: number;

  /** @throws the system's error when the file cannot be opened */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "a", 0o600);
  }

  write(lines: readonly LogLine<LogType>[]): void {
    try {
      writeSync(this.#descriptor, lines.map(({ line }) => line).join(""));
    } catch {
      // A full disk must not end the broker; the lines are lost.
    }
  }

  /**
   * The new file is open before the old one is let go.
   * @throws Error that names the file when it cannot be opened; lines go on to the old one then
   */
  reopen(): void {
    let descriptor: number;
    try {
      descriptor = openSync(this.#path, "a", 0o600);
    } catch (error) {
      throw new Error(`Unable to open log file ${this.#path} again: ${(error as Error).message}`, { cause: error });
    }
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Priorities of syslog [RFC 5424 §6.2.1], as mosquitto chooses them. */
const SEVERITIES: Readonly<Record<LogType, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  information: 6,
  subscribe: 5,
  unsubscribe: 5,
  debug: 7,
  websockets: 7,
  internal: 7,
};

/** Facilities of syslog: daemon, and the first of the local ones. */
const DAEMON = 3;
const LOCAL0 = 16;

/**
 * The system's log. Node cannot speak to its socket, so the lines go through `logger`, which every Linux has; one that ends is
 * started again with the next lines.
 */
export class SystemLog implements LogDestination<LogType> {
  readonly #facility: number;
  #logger: ChildProcess | null = null;

  /** @param local 0..7 for local0 to local7; null: daemon */
  constructor(local: number | null) {
    this.#facility = local === null ? DAEMON : LOCAL0 + local;
  }

  write(lines: readonly LogLine<LogType>[]): void {
    this.#logger ??= this.#start();
    this.#logger.stdin?.write(
      lines.map(({ type, text }) => `<${this.#facility * 8 + SEVERITIES[type]}>${text}\n`).join(""),
    );
  }

  #start(): ChildProcess {
    const logger = spawn("logger", ["--prio-prefix", "-t", "lacewing"], { stdio: ["pipe", "ignore", "ignore"] });
    const forget = (): void => {
      if (this.#logger === logger) this.#logger = null;
    };
    logger.on("error", forget).on("exit", forget);
    logger.stdin.on("error", forget);
    logger.unref();
    return logger;
  }

  close(): void {
    this.#logger?.stdin?.end();
  }
}

/** Topics of the log, by mosquitto's names; lines of other kinds are not published. */
const TOPICS: Partial<Readonly<Record<LogType, string>>> = {
  error: "$SYS/broker/log/E",
  warning: "$SYS/broker/log/W",
  notice: "$SYS/broker/log/N",
  information: "$SYS/broker/log/I",
  subscribe: "$SYS/broker/log/M/subscribe",
  unsubscribe: "$SYS/broker/log/M/unsubscribe",
  websockets: "$SYS/broker/log/WS",
};

/** How long a line on a topic is worth delivering, in seconds: mosquitto's. */
const LINE_EXPIRY_SECONDS = 20;

/** Topics of the broker itself; there is none to publish to before it runs. */
export class LogTopics implements LogDestination<LogType> {
  #broker: Broker | null = null;

  attach(broker: Broker): void {
    this.#broker = broker;
  }

  write(lines: readonly LogLine<LogType>[]): void {
    for (const { type, line } of lines) {
      const topicName = TOPICS[type];
      if (topicName === undefined || this.#broker === null) continue;
      this.#broker.publish({
        topicName,
        payload: encodeUtf8(line.trimEnd()),
        qos: 2,
        retain: false,
        dup: false,
        packetId: 0,
        properties: { messageExpirySeconds: LINE_EXPIRY_SECONDS },
      });
    }
  }
}
