// The broker has a process for its store: both end together, whoever is told to end and how, and leave the store to the next broker.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { type Ended, Program } from "../support/program.ts";
import { MAIN } from "./broker-process.ts";

const skip = process.platform === "win32" ? "needs signals" : false;
const LOOK_MS = 5;
const LIMIT_MS = 20_000;
const STORE_FAILED = 74;
const IMPATIENT = ["--set", "lacewing_store_timeout=1"];

class Pair {
  readonly broker: Program;
  readonly #data: string;

  /** @param settings words of the command line */
  constructor(data: string, settings: readonly string[] = []) {
    this.#data = data;
    const location = ["--set", `persistence_location=${data}`];
    this.broker = new Program(process.execPath, [MAIN, "-p", "0", "--host", "127.0.0.1", ...location, ...settings]);
  }

  async started(): Promise<number> {
    await this.broker.printed(/ running: /);
    return this.writer;
  }

  get #lock(): string {
    return join(this.#data, "lock.json");
  }

  /** The process that has the store's file. */
  get writer(): number {
    return JSON.parse(readFileSync(this.#lock, "utf8")).writer;
  }

  get isLocked(): boolean {
    return existsSync(this.#lock);
  }
}

async function untilGone(pid: number): Promise<void> {
  for (const startedMs = performance.now(); isThere(pid); ) {
    assert.ok(performance.now() - startedMs < LIMIT_MS, `process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A CONNECT of 3.1.1 with Clean Session off, which the store must know of before it is answered. */
const DURABLE_CONNECT = Buffer.from("100d00044d5154540400003c000164", "hex");

interface Ending {
  readonly name: string;
  readonly isClean: boolean;
  /** Exit code of the broker; null: a signal ended it. */
  readonly code: number | null;
  /** How long it waits for its store is set only where that never answers: the start of a process may take long. */
  readonly settings?: readonly string[];
  end(broker: Program, writer: number): Promise<Ended>;
}

const ENDINGS: readonly Ending[] = [
  {
    name: "Ctrl-C, which a terminal sends to both",
    isClean: true,
    code: 0,
    end: (broker, writer) => {
      process.kill(writer, "SIGINT");
      return broker.stop("SIGINT");
    },
  },
  { name: "SIGTERM to the broker", isClean: true, code: 0, end: (broker) => broker.stop("SIGTERM") },
  { name: "SIGKILL to the broker", isClean: false, code: null, end: (broker) => broker.stop("SIGKILL") },
  {
    name: "SIGKILL to the process of the store, and SIGTERM to the broker while another one starts",
    isClean: true,
    code: 0,
    end: async (broker, writer) => {
      process.kill(writer, "SIGKILL");
      await broker.printed(/process that has the store's file ended by SIGKILL/);
      return broker.stop("SIGTERM");
    },
  },
  {
    name: "a store that does not answer, and SIGTERM to the broker",
    isClean: false,
    code: STORE_FAILED,
    settings: IMPATIENT,
    end: async (broker, writer) => {
      process.kill(writer, "SIGSTOP");
      const ended = await broker.stop("SIGTERM");
      assert.match(ended.errors, /The store could not be closed: it has not answered for 1000 ms\. Nothing/);
      return ended;
    },
  },
  {
    name: "a store that does not answer and has not taken everything, and SIGTERM to the broker",
    isClean: false,
    code: STORE_FAILED,
    settings: IMPATIENT,
    end: async (broker, writer) => {
      process.kill(writer, "SIGSTOP");
      const [, port] = await broker.printed(/running: 127\.0\.0\.1:(\d+)/);
      const client = connect(Number(port), "127.0.0.1").on("error", () => {});
      client.write(DURABLE_CONNECT);
      await broker.printed(/The store does not take changes \(Error: it has not answered for 1000 ms\)/);
      const ended = await broker.stop("SIGTERM");
      assert.match(ended.errors, /The store has not taken the last \d+ changes\. Nothing/);
      client.destroy();
      return ended;
    },
  },
];

for (const { name, isClean, code: wanted, settings, end } of ENDINGS)
  test(`${name}: no process is left behind, and the store can be opened`, { skip }, async (context) => {
    const data = join(temporaryFolder(context), "data");
    const pair = new Pair(data, settings);
    const writer = await pair.started();
    const { code, errors } = await end(pair.broker, writer);
    assert.equal(code, wanted, errors);
    await untilGone(writer);
    assert.equal(pair.isLocked, !isClean);
    const next = new Pair(data);
    await next.started();
    assert.equal((await next.broker.stop()).code, 0);
  });
