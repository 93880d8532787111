/** The loop between a machine and a link: one write for each turn, time, and the end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { socketPair } from "../../test/support/socket-pair.ts";
import { standStill } from "../../test/support/stand-still.ts";
import type { Link } from "../core/index.ts";
import type { Taken } from "../protocol/index.ts";
import { Pump, type Pumped } from "./pump.ts";

/** Answers what it gets and notes what happens. */
class Echo implements Pumped {
  readonly happened: string[] = [];
  readonly #output: Uint8Array[] = [];
  isEnded = false;
  dueMs = Number.POSITIVE_INFINITY;
  ticked: () => void = () => {};

  opened(): void {
    this.say("hello");
  }

  say(text: string): void {
    this.#output.push(new TextEncoder().encode(text));
  }

  receive(chunk: Uint8Array): void {
    this.say(new TextDecoder().decode(chunk));
  }

  takeOutput(): Taken | null {
    const segments = this.#output.splice(0);
    return segments.length === 0 ? null : { segments, spent: null };
  }

  written(waiting: number): void {
    this.happened.push(`written, ${waiting} wait`);
  }

  drained(): void {
    this.happened.push("drained");
  }

  recycle(): void {}

  closed(isError: boolean, error: Error | null): void {
    this.happened.push(`closed ${isError} ${error?.message ?? "-"}`);
  }

  deadlineMs(): number {
    return this.dueMs;
  }

  tick(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    this.ticked();
  }
}

function rig() {
  const writes: string[] = [];
  const link: Link & { isClosed: boolean } = {
    remoteAddress: "memory",
    isClosed: false,
    write: ({ segments }) => {
      writes.push(segments.map((segment) => new TextDecoder().decode(segment)).join("|"));
      return 3;
    },
    close() {
      this.isClosed = true;
    },
    pause() {},
    resume() {},
  };
  const echo = new Echo();
  const pump = new Pump(echo);
  return { writes, link, echo, pump };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("one write for each chunk, and one for all that a turn asks for", async () => {
  const { writes, link, echo, pump } = rig();
  pump.opened(link);
  pump.receive(bytes("a"));
  for (const text of ["b", "c"]) {
    echo.say(text);
    pump.requestFlush();
  }
  assert.deepEqual(writes, ["hello", "a"]);
  await Promise.resolve();
  assert.deepEqual(writes, ["hello", "a", "b|c"]);
  assert.deepEqual(echo.happened, ["written, 3 wait", "written, 3 wait", "written, 3 wait"]);
});

test("before the link is there nothing is written", () => {
  const { writes, link, echo, pump } = rig();
  echo.say("early");
  pump.flush();
  assert.deepEqual(writes, []);
  pump.opened(link);
  assert.deepEqual(writes, ["early|hello"]);
});

test("an end is written, then the link closes and nothing goes in any more", () => {
  const { writes, link, echo, pump } = rig();
  pump.opened(link);
  echo.say("goodbye");
  echo.isEnded = true;
  pump.flush();
  assert.equal(link.isClosed, true);
  pump.receive(bytes("late"));
  pump.drained();
  pump.closed(false);
  assert.deepEqual(writes, ["hello", "goodbye"]);
  assert.equal(echo.happened.length, 2);
});

test("a link that goes is told once, with its error", () => {
  const { echo, link, pump } = rig();
  pump.opened(link);
  pump.closed(true, new Error("reset"));
  pump.closed(true);
  assert.deepEqual(echo.happened.slice(1), ["closed true reset"]);
});

test("the clock ticks when something is due, and what that writes leaves", async () => {
  const { writes, link, echo, pump } = rig();
  echo.dueMs = performance.now();
  await new Promise<void>((resolve) => {
    echo.ticked = () => {
      echo.say("tick");
      queueMicrotask(resolve);
    };
    pump.opened(link);
  });
  assert.deepEqual(writes, ["hello", "tick"]);
  pump.closed(false);
});

test("what came while the process stood still goes in before the clock ticks", async (context) => {
  const { writes, link, echo, pump } = rig();
  const [here, there] = await socketPair(context);
  here.on("data", (chunk) => pump.receive(chunk));
  there.write("in time");
  echo.dueMs = performance.now() + 10;
  const ticked = new Promise<void>((resolve) => {
    echo.ticked = () => {
      echo.say("tick");
      queueMicrotask(resolve);
    };
  });
  pump.opened(link);
  standStill(20);
  await ticked;
  assert.deepEqual(writes, ["hello", "in time", "tick"]);
  pump.closed(false);
});
