import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { Output } from "./output.ts";

test("what a turn writes, text and bytes, is one write", async () => {
  const writes: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString());
      done();
    },
  });
  const output = new Output(stream);
  output.write("a ");
  output.write(new Uint8Array([0x62]));
  output.write("\n");
  assert.deepEqual(writes, []);
  await Promise.resolve();
  assert.deepEqual(writes, ["a b\n"]);
  output.write("c");
  await output.end();
  assert.equal(writes.join(""), "a b\nc");
});

test("a stream that is full says so, and when it is not any more", async () => {
  const told: string[] = [];
  const stream = new PassThrough({ highWaterMark: 1 });
  const output = new Output(stream, { full: () => told.push("full"), drained: () => told.push("drained") });
  output.write("abc");
  output.flush();
  assert.deepEqual(told, ["full"]);
  assert.equal(stream.read()?.toString(), "abc");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, ["full", "drained"]);
});

test("a stream that nobody reads says so once; what comes later is dropped, and the end does not wait", async () => {
  let broken = 0;
  const stream = new PassThrough();
  const output = new Output(stream, { broken: () => broken++ });
  stream.destroy(new Error("EPIPE"));
  await new Promise((resolve) => setImmediate(resolve));
  output.write("late");
  await output.end();
  assert.equal(broken, 1);
});
