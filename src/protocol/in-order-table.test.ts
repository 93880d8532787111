// A table by packet identifier beside a Map that does the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parameters } from "../../test/support/property.ts";
import { InOrderTable, TableEntry } from "./in-order-table.ts";

class Item extends TableEntry {}

/** Identifiers that are near each other, far apart, and in each other's place. */
const id = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 65_535 }),
  fc.constantFrom(8, 264, 65_288),
);

test("any adding and deleting leaves what a Map would hold, in its order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), id), { maxLength: 200 }), (calls) => {
      const table = new InOrderTable<Item>();
      const model = new Map<number, Item>();
      for (const [isAdded, packetId] of calls) {
        const known = model.get(packetId);
        assert.equal(table.get(packetId), known);
        if (isAdded && known === undefined) {
          const item = new Item(packetId);
          table.add(item);
          model.set(packetId, item);
        } else if (!isAdded && known !== undefined) {
          table.delete(known);
          model.delete(packetId);
          assert.deepEqual([known.before, known.after], [null, null], "garbage must not hold on to others");
        }
        assert.equal(table.size, model.size);
        assert.deepEqual(
          table.entries().map(({ packetId }) => packetId),
          [...model.keys()],
        );
      }
    }),
    parameters(500),
  );
});

test("all 65,535 identifiers fit, and an empty table takes them again", () => {
  const table = new InOrderTable<Item>();
  for (let round = 0; round < 2; round++) {
    const items = Array.from({ length: 65_535 }, (_, i) => new Item(i + 1));
    for (const item of items) table.add(item);
    assert.equal(table.get(65_535), items.at(-1));
    assert.equal(table.get(0), undefined);
    for (const item of items) table.delete(item);
    assert.equal(table.size, 0);
  }
});
