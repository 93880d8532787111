import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionRecord } from "./flight-recorder.ts";
import { patternsOf } from "./patterns.ts";

const SECOND = 1000;

function recordOf(openedMs: number, lengthMs: number, change: Partial<ConnectionRecord> = {}): ConnectionRecord {
  return {
    clientId: "c1",
    remoteAddress: "10.0.0.1:5000",
    localPort: 1883,
    version: 4,
    cleanStart: true,
    keepAliveSeconds: 0,
    username: null,
    wasAccepted: true,
    openedMs,
    endedMs: openedMs + lengthMs,
    reason: "connection-closed",
    detail: null,
    lastReceivedMs: openedMs + 100,
    receivedPackets: 1,
    sentPackets: 1,
    takenOverBy: null,
    lostWith: null,
    denied: [],
    trail: [],
    ...change,
  };
}

function entryAt(lastMs: number, firstByte: number): ConnectionRecord["trail"][number] {
  const direction = "received" as const;
  return { direction, firstByte, count: 1, firstPacketId: 0, lastPacketId: 0, bytes: 2, firstMs: lastMs, lastMs };
}

function kindsOf(records: readonly ConnectionRecord[]): readonly string[] {
  return patternsOf(records).map(({ kind }) => kind);
}

test("connections that end when they have been silent for the same time", () => {
  const records = [0, 200, 900].map((at, i) =>
    recordOf(at * SECOND, (60 + i * 20) * SECOND + 300 * i, { lastReceivedMs: (at + i * 20) * SECOND }),
  );
  assert.deepEqual(patternsOf(records), [{ kind: "regular-silence", seconds: 60.3, times: 3 }]);
});

test("connections that end after the same time, though something passed until the end", () => {
  const records = [0, 4000, 9000].map((at) => {
    const openedMs = at * SECOND;
    return recordOf(openedMs, 3600 * SECOND, { lastReceivedMs: openedMs + 3599.9 * SECOND - at * 100 });
  });
  assert.deepEqual(kindsOf(records), ["regular-length"]);
});

test("ends at any time, too few of them, and those that the client asked for, are no pattern", () => {
  assert.deepEqual(kindsOf([0, 100, 300].map((at, i) => recordOf(at * SECOND, (7 + i * 9) * SECOND))), []);
  assert.deepEqual(kindsOf([0, 100].map((at) => recordOf(at * SECOND, 60 * SECOND))), []);
  const wanted = { reason: "client-disconnected" } as const;
  assert.deepEqual(kindsOf([0, 100, 300].map((at) => recordOf(at * SECOND, 60 * SECOND, wanted))), []);
});

test("two that take the identifier from each other, and where they are", () => {
  const records = [0, 10, 20].map((at, i) =>
    recordOf(at * SECOND, 10 * SECOND, {
      reason: "session-taken-over",
      remoteAddress: `10.0.0.${1 + (i % 2)}:5000`,
      takenOverBy: `10.0.0.${2 - (i % 2)}:6000`,
    }),
  );
  assert.deepEqual(patternsOf(records)[0], {
    kind: "identifier-fight",
    addresses: ["10.0.0.1", "10.0.0.2"],
    times: 3,
  });
});

test("an end right after the same packet each time", () => {
  const records = [0, 100, 300].map((at, i) =>
    recordOf(at * SECOND, (10 + 7 * i) * SECOND, { trail: [entryAt((at + 10 + 7 * i) * SECOND - 12, 0x32)] }),
  );
  assert.deepEqual(patternsOf(records), [
    { kind: "same-last-packet", direction: "received", firstByte: 0x32, times: 3 },
  ]);
});

test("refused again and again, and coming back at once", () => {
  const refused = { reason: "bad-user-name-or-password", wasAccepted: false } as const;
  const records = Array.from({ length: 8 }, (_, i) => recordOf(i * SECOND, 5, refused));
  assert.deepEqual(kindsOf(records), ["refused-again", "no-back-off"]);
  assert.deepEqual(kindsOf([...records, recordOf(100 * SECOND, 5)]), ["no-back-off"]);
});

test("a keep-alive loss with many others", () => {
  const lost = (all: number): ConnectionRecord =>
    recordOf(0, 90 * SECOND, { reason: "keep-alive-timeout", lostWith: { all, sameNetwork: 2 } });
  assert.deepEqual(patternsOf([lost(4)]), [{ kind: "lost-with-others", all: 4, sameNetwork: 2 }]);
  assert.deepEqual(patternsOf([lost(1)]), []);
});
