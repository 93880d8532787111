/** The log that a Config asks for. */
import type { LogConfig, LogType } from "../config/index.ts";
import type { Broker } from "../core/index.ts";
import {
  Log,
  type LogDestination,
  LogFile,
  type LogSink,
  LogTopics,
  SystemLog,
  textDestination,
} from "../observe/index.ts";
import { StartError } from "./start-error.ts";

/** A log, and how it gets to know the broker whose topics it writes to. */
export class OpenLog {
  readonly log: Log<LogType>;
  readonly #hasSink: boolean;
  readonly #listener: readonly LogDestination<LogType>[];
  #topics: LogTopics | null = null;
  #broker: Broker | null = null;
  #config: LogConfig;

  /**
   * @param sink takes the text in place of what the Config names
   * @param listener gets all lines too, whatever the Config names
   * @throws StartError when a file cannot be written
   */
  constructor(config: LogConfig, sink: LogSink | null, listener: LogDestination<LogType> | null = null) {
    this.#config = config;
    this.#hasSink = sink !== null;
    this.#listener = listener === null ? [] : [listener];
    const destinations = sink === null ? this.#open(config) : [textDestination<LogType>(sink), ...this.#listener];
    this.log = new Log(config, destinations);
  }

  #open({ destinations, facility }: LogConfig): readonly LogDestination<LogType>[] {
    this.#topics = null;
    return [...destinations.map((destination) => this.#destination(destination, facility)), ...this.#listener];
  }

  #destination(
    destination: LogConfig["destinations"][number],
    facility: LogConfig["facility"],
  ): LogDestination<LogType> {
    switch (destination.kind) {
      case "stdout":
        return textTo(process.stdout);
      case "stderr":
        return textTo(process.stderr);
      case "syslog":
        return new SystemLog(facility);
      case "file":
        return openFile(destination.path);
      case "topic":
        this.#topics = new LogTopics();
        if (this.#broker !== null) this.#topics.attach(this.#broker);
        return this.#topics;
    }
  }

  /** Lines for topics are published by `broker` from now on. */
  attach(broker: Broker): void {
    this.#broker = broker;
    this.#topics?.attach(broker);
  }

  /**
   * Prepares to log as another Config says.
   * @returns what puts it in force
   * @throws StartError when a file cannot be written; all goes on as it was then
   */
  prepare(config: LogConfig): () => void {
    const isElsewhere = JSON.stringify(placesOf(config)) !== JSON.stringify(placesOf(this.#config));
    const destinations = isElsewhere && !this.#hasSink ? this.#open(config) : undefined;
    return () => {
      this.#config = config;
      this.log.change(config, destinations);
      const failures = destinations === undefined ? this.log.reopen() : [];
      for (const { message } of failures) this.log.write("error", `${message}. Lines go on to the old one.`);
    };
  }
}

function placesOf({ destinations, facility }: LogConfig): unknown {
  return { destinations, facility };
}

function textTo(stream: NodeJS.WriteStream): LogDestination<LogType> {
  return { write: (lines) => void stream.write(lines.map(({ line }) => line).join("")) };
}

function openFile(path: string): LogFile {
  try {
    return new LogFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `Unable to open log file ${path} for writing: ${reason}. Let this user write there, or change log_dest.`,
      error,
    );
  }
}
