import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PacketTrail, type TrailEntry } from "./packet-trail.ts";

const PUBLISH = 0x30;
const PUBACK = 0x40;
const PINGREQ = 0xc0;
const PINGRESP = 0xd0;

function brief({
  direction,
  firstByte,
  count,
  firstPacketId,
  lastPacketId,
  bytes,
  firstMs,
  lastMs,
}: TrailEntry): string {
  const ids = firstPacketId === lastPacketId ? firstPacketId : `${firstPacketId}-${lastPacketId}`;
  return `${direction} ${firstByte.toString(16)} x${count} m${ids} ${bytes}B ${firstMs}..${lastMs}`;
}

test("packets of a kind that come one after the other share an entry, those of another turn do not", () => {
  const turn = { turnMs: 10 };
  const trail = new PacketTrail(8, turn);
  for (const id of [1, 2, 3]) {
    trail.received(PUBLISH | 2, id, 20);
    trail.sent(PUBACK, id, 4);
  }
  trail.endSent();
  turn.turnMs = 11;
  trail.endReceived();
  trail.received(PUBLISH | 2, 4, 20);
  trail.received(PUBLISH, 0, 30);
  assert.deepEqual(trail.entries().map(brief), [
    "received 32 x3 m1-3 60B 10..10",
    "sent 40 x3 m1-3 12B 10..10",
    "received 32 x1 m4 20B 11..11",
    "received 30 x1 m0 30B 11..11",
  ]);
});

test("pings that nothing else comes between share an entry for as long as they go on", () => {
  const turn = { turnMs: 0 };
  const trail = new PacketTrail(8, turn);
  const ping = (): void => {
    trail.endReceived();
    trail.received(PINGREQ, 0, 2);
    trail.sent(PINGRESP, 0, 2);
    trail.endSent();
  };
  for (; turn.turnMs < 300; turn.turnMs += 60) ping();
  assert.deepEqual(trail.entries().map(brief), ["received c0 x5 m0 10B 0..240", "sent d0 x5 m0 10B 0..240"]);
  trail.received(PUBLISH, 0, 9);
  turn.turnMs += 1;
  ping();
  assert.deepEqual(trail.entries().map(brief).slice(2), [
    "received 30 x1 m0 9B 300..300",
    "received c0 x1 m0 2B 301..301",
    "sent d0 x1 m0 2B 301..301",
  ]);
});

test("whatever passes, the newest entries are there, in order, and never more than the bound", () => {
  const step = fc.record({
    isSent: fc.boolean(),
    firstByte: fc.constantFrom(PUBLISH, PUBACK, PUBLISH | 2),
    isNewTurn: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.nat(20), fc.array(step, { maxLength: 200 }), (most, steps) => {
      const turn = { turnMs: 0 };
      const trail = new PacketTrail(most, turn);
      steps.forEach(({ isSent, firstByte, isNewTurn }, i) => {
        if (isNewTurn) {
          turn.turnMs++;
          trail.endReceived();
          trail.endSent();
        }
        if (isSent) trail.sent(firstByte, i + 1, 2);
        else trail.received(firstByte, i + 1, 2);
      });
      const entries = trail.entries();
      assert.ok(entries.length <= most);
      const ids = entries.map((entry) => entry.firstPacketId);
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => a - b),
      );
      for (const { count, bytes } of entries) assert.equal(bytes, count * 2);
      if (most < 2 || steps.length === 0) return;
      const { isSent, firstByte } = steps.at(-1)!;
      const last = entries.find((entry) => entry.lastPacketId === steps.length);
      assert.deepEqual([last?.direction, last?.firstByte], [isSent ? "sent" : "received", firstByte]);
    }),
  );
});

test("the end of a connection keeps the newest entries and all that was counted", () => {
  const trail = new PacketTrail(8, { turnMs: 5 });
  for (const [i, firstByte] of [PUBLISH, PUBACK, PUBLISH, PUBACK].entries()) trail.received(firstByte, i + 1, 4);
  trail.sent(PUBLISH, 0, 9);
  trail.shrink(2);
  assert.deepEqual(trail.entries().map(brief), ["received 40 x1 m4 4B 5..5", "sent 30 x1 m0 9B 5..5"]);
  assert.deepEqual([trail.receivedPackets, trail.sentPackets], [4, 1]);
});

test("a connection that said little keeps all of it at its end", () => {
  for (const kept of [3, 16]) {
    const trail = new PacketTrail(8, { turnMs: 5 });
    trail.received(PUBLISH, 0, 9);
    trail.sent(PINGRESP, 0, 2);
    trail.shrink(kept);
    assert.deepEqual(trail.entries().map(brief), ["received 30 x1 m0 9B 5..5", "sent d0 x1 m0 2B 5..5"]);
    assert.deepEqual([trail.receivedPackets, trail.sentPackets], [1, 1]);
  }
});
