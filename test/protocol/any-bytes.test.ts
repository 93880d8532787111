// No bytes whatever make a machine throw or hang: each ends in packets, in waiting, or in one end with its reason.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  ClientMachine,
  type Connect,
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  isReasonCodeOn,
  NO_PROPERTIES,
  OutputPool,
  ServerMachine,
  type Side,
  type Taken,
  type Version,
} from "../../src/protocol/index.ts";
import { parameters } from "../support/property.ts";
import { fieldsOf, readRows } from "../vectors/row.ts";
import { chunksOf, type Sent, sent } from "./packet-arbitraries.ts";

const POOL = new OutputPool();
const LIMIT = 100_000;

function connectOf(version: Version): Connect {
  return {
    type: "CONNECT",
    version,
    bridge: false,
    cleanStart: true,
    keepAliveSeconds: 60,
    clientId: "c",
    will: null,
    username: null,
    password: null,
    properties: version === 5 ? { authenticationMethod: "m", topicAliasMaximum: 10 } : NO_PROPERTIES,
  };
}

type Start = "new" | "connected";

function serverMachine(version: Version, start: Start): ServerMachine {
  const machine = new ServerMachine({ maximumConnectBytes: LIMIT, connectTimeoutMs: 1000, pool: POOL }, 0);
  if (start === "new") return machine;
  machine.receive(encodePacket(connectOf(version), version), 0);
  machine.next();
  accept(machine);
  machine.takeOutput();
  return machine;
}

function accept(machine: ServerMachine): void {
  const granted = { sessionPresent: false, properties: NO_PROPERTIES, keepAliveSeconds: 60, topicAliasMaximum: 10 };
  machine.accept({ ...granted, maximumPacketSize: LIMIT }, 0);
}

function clientMachine(version: Version, start: Start): ClientMachine {
  const machine = new ClientMachine(
    { maximumPacketSize: LIMIT, connackTimeoutMs: 1000, topicAliases: 5, pool: POOL },
    0,
  );
  machine.open(connectOf(version), 0);
  if (start === "connected") {
    const connack = { type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES } as const;
    machine.receive(encodePacket(connack, version), 0);
    machine.next();
  }
  machine.takeOutput();
  return machine;
}

/** Gives the chunks to the machine that hears `sender`, and checks what holds whatever they are. */
function survive(version: Version, sender: Side, start: Start, chunks: readonly Uint8Array[]): void {
  const machine = sender === "client" ? serverMachine(version, start) : clientMachine(version, start);
  // The shortest packet has two bytes: more events than that cannot be.
  let events = chunks.reduce((sum, { length }) => sum + length, 0) / 2 + 1;
  let ends = 0;
  for (const chunk of chunks) {
    machine.receive(chunk, 1);
    for (let event = machine.next(); event !== null; event = machine.next()) {
      assert.ok(--events >= 0, "it ends");
      assert.equal(ends, 0, "nothing comes after the end");
      if (event.type === "ENDED") {
        ends++;
        if (event.fault !== null) assert.ok(event.fault.reasonCode >= 0x80 && event.fault.message.length > 0);
      } else if (event.type === "CONNECT") accept(machine as ServerMachine);
    }
  }
  assert.equal(machine.ended !== null, ends === 1);
  assert.ok(machine.deadlineMs() >= 0);
  checkOutput(machine.takeOutput(), machine.version, sender);
}

/** Whatever is answered is legal itself. */
function checkOutput(taken: Taken | null, version: Version, heard: Side): void {
  const framer = new Framer(LIMIT);
  framer.push(new Uint8Array(Buffer.concat(taken?.segments ?? [])));
  for (let framed = framer.next(); framed !== "more"; framed = framer.next()) {
    assert.equal(framed, "packet");
    const packet = decodePacket(
      framer.bytes,
      framer.start,
      framer.end,
      version,
      heard === "client" ? "server" : "client",
    );
    assert.ok(!isFault(packet), "the answer is legal");
    if (packet.type === "DISCONNECT") assert.ok(isReasonCodeOn("DISCONNECT", packet.reasonCode));
  }
}

const version = fc.constantFrom<Version>(3, 4, 5);
const side = fc.constantFrom<Side>("client", "server");
const start = fc.constantFrom<Start>("new", "connected");
const places = fc.array(fc.nat(), { maxLength: 8 });

test("any bytes", () => {
  // Many streams begin as packets do, so that the decoders are reached.
  const first = fc.integer({ min: 1, max: 15 }).map((type) => (type << 4) | ([6, 8, 10].includes(type) ? 2 : 0));
  const body = fc.uint8Array({ maxLength: 60 });
  const packet = fc.tuple(first, body).map(([byte, rest]) => new Uint8Array([byte, rest.length, ...rest]));
  const stream = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.array(packet, { minLength: 1, maxLength: 4 }).map((packets) => new Uint8Array(Buffer.concat(packets))),
  );
  fc.assert(
    fc.property(version, side, start, stream, places, (v, sender, from, bytes, cuts) =>
      survive(v, sender, from, chunksOf(bytes, cuts)),
    ),
    parameters(10_000),
  );
});

/** One change of a packet's bytes, as data. */
type Mutation =
  | { readonly do: "set" | "flip" | "insert"; readonly at: number; readonly value: number }
  | { readonly do: "remove" | "cut" | "repeat"; readonly at: number };

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({
    do: fc.constantFrom("set", "flip", "insert"),
    at: fc.nat(),
    value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0x7f, 0x80, 0xff)),
  }),
  fc.record({ do: fc.constantFrom("remove", "cut", "repeat"), at: fc.nat() }),
);

function mutated(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  const values = [...bytes];
  for (const mutation of mutations) {
    const at = mutation.at % (values.length + 1);
    if (mutation.do === "set") values[at] = mutation.value;
    else if (mutation.do === "flip") values[at] = (values[at] ?? 0) ^ mutation.value;
    else if (mutation.do === "insert") values.splice(at, 0, mutation.value);
    else if (mutation.do === "remove") values.splice(at, 1);
    else if (mutation.do === "cut") values.length = at;
    else values.splice(at, 0, ...values.slice(at, at + 10));
  }
  return new Uint8Array(values);
}

const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

test("legal packets with a few bytes changed, one behind the other", () => {
  const packets = fc.array(fc.tuple(sent, mutations), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(packets, start, places, (some, from, cuts) => {
      const [{ version: v, sender }] = some[0] as [Sent, Mutation[]];
      const bytes = some.map(([{ packet, version: own }, changes]) => mutated(encodePacket(packet, own), changes));
      survive(v, sender, from, chunksOf(new Uint8Array(Buffer.concat(bytes)), cuts));
    }),
    parameters(6000),
  );
});

test("the vectors with a few bytes changed", () => {
  const row = fc.constantFrom(...readRows());
  fc.assert(
    fc.property(row, mutations, start, places, (one, changes, from, cuts) =>
      survive(one.version, one.sender, from, chunksOf(mutated(one.bytes, changes), cuts)),
    ),
    parameters(10_000),
  );
});

test("how bytes are cut changes nothing", () => {
  const row = fc.constantFrom(...readRows());
  const outcome = (v: Version, sender: Side, chunks: readonly Uint8Array[]): unknown => {
    const machine = sender === "client" ? serverMachine(v, "connected") : clientMachine(v, "connected");
    const events: unknown[] = [];
    for (const chunk of chunks) {
      machine.receive(chunk, 1);
      for (let event = machine.next(); event !== null; event = machine.next())
        events.push(event.type === "ENDED" ? event : fieldsOf(event));
    }
    return events;
  };
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 3 }), places, (rows, cuts) => {
      const { version: v, sender } = rows[0]!;
      const stream = new Uint8Array(Buffer.concat(rows.map(({ bytes }) => bytes)));
      assert.deepEqual(outcome(v, sender, chunksOf(stream, cuts)), outcome(v, sender, [stream]));
    }),
    parameters(3000),
  );
});
