// Whatever packet is legal comes back from its bytes as it was, however the bytes are cut; and is only ever written one way.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  type Packet,
  type Side,
  type Version,
} from "../../src/protocol/index.ts";
import { hexOf } from "../support/hex.ts";
import { parameters } from "../support/property.ts";
import { fieldsOf } from "../vectors/row.ts";
import { chunksOf, packetOf } from "./packet-arbitraries.ts";

/** Properties without content are the same as none. */
function plain(packet: Packet): object {
  return JSON.parse(
    JSON.stringify(fieldsOf(packet), (_key, value) => (value instanceof Uint8Array ? hexOf(value) : value)),
  );
}

function decodeAll(chunks: readonly Uint8Array[], version: Version, sender: Side): Packet[] {
  const framer = new Framer(Number.POSITIVE_INFINITY);
  const packets: Packet[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    for (let framed = framer.next(); framed !== "more"; framed = framer.next()) {
      assert.equal(framed, "packet");
      const decoded = decodePacket(framer.bytes, framer.start, framer.end, version, sender);
      assert.ok(!isFault(decoded), isFault(decoded) ? decoded.message : "");
      packets.push(decoded);
    }
  }
  return packets;
}

for (const version of [3, 4, 5] as const)
  for (const sender of ["client", "server"] as const)
    test(`packets of a ${sender} of version ${version} round trip`, () => {
      const packets = fc.array(packetOf(version, sender), { minLength: 1, maxLength: 4 });
      const places = fc.array(fc.nat(), { maxLength: 6 });
      fc.assert(
        fc.property(packets, places, (originals, cuts) => {
          const encoded = originals.map((packet) => encodePacket(packet, version));
          const stream = new Uint8Array(Buffer.concat(encoded));
          const read = decodeAll(chunksOf(stream, cuts), version, sender);
          assert.deepEqual(read.map(plain), originals.map(plain));
          const again = read.map((packet) => hexOf(encodePacket(packet, version)));
          assert.deepEqual(again, encoded.map(hexOf), "what was read is written the same");
        }),
        parameters(400),
      );
    });
