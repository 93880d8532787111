/** The short way to write a PUBLISH gives the very bytes of the long one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodePublish, NO_PROPERTIES, Output, OutputPool, publishOf, type Version } from "../protocol/index.ts";
import { PlainPublishWriter } from "./plain-publish.ts";

function written(output: Output): string {
  return Buffer.concat(output.take()?.segments ?? []).toString("hex");
}

const MESSAGES = fc.array(
  fc.record({
    topicName: fc.constantFrom("t", "a/b", "grüße/☃", "x".repeat(300)),
    payload: fc.uint8Array({ maxLength: 300 }),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    dup: fc.boolean(),
    packetId: fc.integer({ min: 1, max: 65_535 }),
  }),
  { maxLength: 8 },
);

test("any messages, one behind the other, in each version", () => {
  fc.assert(
    fc.property(MESSAGES, fc.constantFrom<Version>(3, 4, 5), (messages, version) => {
      const writer = new PlainPublishWriter();
      const output = new Output(new OutputPool());
      const expected = messages.map(({ qos, dup, packetId, ...rest }) => {
        const isAcknowledged = qos !== 0;
        const fields = {
          ...rest,
          qos: qos as 0 | 1 | 2,
          dup: dup && isAcknowledged,
          packetId: isAcknowledged ? packetId : 0,
        };
        const message = { ...fields, properties: NO_PROPERTIES };
        assert.ok(writer.write(output, version, Number.POSITIVE_INFINITY, message, fields.packetId, fields.dup));
        return Buffer.from(encodePublish(publishOf(message), version)).toString("hex");
      });
      assert.equal(written(output), expected.join(""));
    }),
  );
});

test("what is longer than the server takes is not written", () => {
  const writer = new PlainPublishWriter();
  const output = new Output(new OutputPool());
  const message = {
    topicName: "t",
    payload: new Uint8Array(10),
    qos: 1,
    retain: false,
    properties: NO_PROPERTIES,
  } as const;
  assert.equal(writer.write(output, 5, 17, message, 1, false), false);
  assert.equal(written(output), "");
  assert.equal(writer.write(output, 5, 18, message, 1, false), true);
});
