// The delivery rules of QoS 1 and 2 [5.0 §4.3] [3.1.1 §4.3], step by step and in any order of calls.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parameters } from "../../test/support/property.ts";
import { type Ack, Inflight, lowerQos, MAXIMUM_PACKET_ID, Received, type Step } from "./inflight.ts";

function shown(inflight: Inflight<string>, id: number): unknown[] {
  const { message, wait, qos } = inflight.get(id)!;
  return [message, wait, qos];
}

test("a message at QoS 1 is done with its PUBACK", () => {
  const inflight = new Inflight<string>(10);
  const packetId = inflight.add("m", 1);
  assert.deepEqual(shown(inflight, packetId), ["m", "PUBACK", 1]);
  assert.equal(inflight.acknowledge(packetId, "PUBACK", false), "done");
  assert.equal(inflight.has(packetId), false);
  assert.equal(inflight.size, 0);
});

test("a message at QoS 2 is forgotten at PUBREC, and its identifier at PUBCOMP [5.0 MQTT-4.3.3-6]", () => {
  const inflight = new Inflight<string>(10);
  const packetId = inflight.add("m", 2);
  assert.equal(inflight.acknowledge(packetId, "PUBREC", false), "send PUBREL");
  assert.deepEqual(shown(inflight, packetId), [null, "PUBCOMP", 2]);
  assert.equal(inflight.acknowledge(packetId, "PUBREC", false), "send PUBREL", "the receiver missed our PUBREL");
  assert.equal(inflight.acknowledge(packetId, "PUBCOMP", false), "done");
  assert.equal(inflight.size, 0);
});

/** Every acknowledgement in every state: what is asked, and what is waited for afterwards; null: nothing any more. */
const MOVES: readonly (readonly [wait: Ack, ack: Ack, refused: boolean, step: Step, after: Ack | null])[] = [
  ["PUBACK", "PUBACK", false, "done", null],
  ["PUBACK", "PUBACK", true, "done", null],
  ["PUBACK", "PUBREC", false, "unexpected", "PUBACK"],
  ["PUBACK", "PUBREC", true, "unexpected", "PUBACK"],
  ["PUBACK", "PUBCOMP", false, "unexpected", "PUBACK"],
  ["PUBREC", "PUBREC", false, "send PUBREL", "PUBCOMP"],
  ["PUBREC", "PUBREC", true, "done", null],
  ["PUBREC", "PUBACK", false, "unexpected", "PUBREC"],
  ["PUBREC", "PUBACK", true, "unexpected", "PUBREC"],
  ["PUBREC", "PUBCOMP", false, "unexpected", "PUBREC"],
  ["PUBCOMP", "PUBCOMP", false, "done", null],
  ["PUBCOMP", "PUBCOMP", true, "done", null],
  ["PUBCOMP", "PUBREC", false, "send PUBREL", "PUBCOMP"],
  ["PUBCOMP", "PUBACK", false, "unexpected", "PUBCOMP"],
];

for (const [wait, ack, refused, step, after] of MOVES)
  test(`${ack}${refused ? " that refuses" : ""} while ${wait} is awaited: ${step}`, () => {
    const inflight = new Inflight<string>(10);
    inflight.restore(7, wait === "PUBCOMP" ? null : "m", wait === "PUBACK" ? 1 : 2, wait);
    assert.equal(inflight.acknowledge(7, ack, refused), step);
    assert.equal(inflight.get(7)?.wait ?? null, after);
    assert.equal(inflight.get(7)?.message ?? null, after === wait && wait !== "PUBCOMP" ? "m" : null);
  });

test("an acknowledgement of nothing is unexpected", () => {
  const inflight = new Inflight<string>(10);
  for (const ack of ["PUBACK", "PUBREC", "PUBCOMP"] as const)
    assert.equal(inflight.acknowledge(1, ack, false), "unexpected");
});

test("the window holds new messages back, and a smaller one drops none", () => {
  const inflight = new Inflight<number>(3);
  const ids = [1, 2, 3].map((message) => inflight.add(message, 1));
  assert.equal(inflight.hasRoom, false);
  assert.equal(inflight.add(4, 1), 0);
  inflight.receiveMaximum = 1;
  assert.equal(inflight.receiveMaximum, 1);
  assert.equal(inflight.size, 3);
  inflight.acknowledge(ids[0]!, "PUBACK", false);
  inflight.acknowledge(ids[1]!, "PUBACK", false);
  assert.equal(inflight.add(4, 1), 0, "one is still on its way");
  inflight.acknowledge(ids[2]!, "PUBACK", false);
  assert.notEqual(inflight.add(4, 1), 0);
});

test("identifiers go round, skip those in use, and run out at 65,535", () => {
  const inflight = new Inflight<number>(MAXIMUM_PACKET_ID);
  for (let id = 1; id <= MAXIMUM_PACKET_ID; id++) assert.equal(inflight.add(id, 1), id);
  assert.equal(inflight.nextId(), 0);
  assert.equal(inflight.add(0, 1), 0);
  inflight.acknowledge(500, "PUBACK", false);
  assert.equal(inflight.add(0, 1), 500, "the only one that is free");
  inflight.remove(MAXIMUM_PACKET_ID);
  inflight.remove(1);
  assert.equal(
    inflight.nextId((id) => id === MAXIMUM_PACKET_ID),
    1,
    "taken by somebody else",
  );
});

test("a Session's messages are sent again in their order, with what is left of each", () => {
  const inflight = new Inflight<string>(10);
  inflight.restore(9, "first", 1);
  inflight.restore(3, "second", 2);
  inflight.restore(5, null, 2, "PUBCOMP");
  inflight.add("fourth", 1);
  inflight.acknowledge(3, "PUBREC", false);
  const left = inflight.entries().map(({ packetId, message, wait }) => [packetId, message, wait]);
  assert.deepEqual(left, [
    [9, "first", "PUBACK"],
    [3, null, "PUBCOMP"],
    [5, null, "PUBCOMP"],
    [1, "fourth", "PUBACK"],
  ]);
});

test("a message at QoS 2 is taken once until its PUBREL [5.0 MQTT-4.3.3-10]", () => {
  const received = new Received();
  assert.equal(received.publish(1), "new");
  assert.equal(received.publish(1), "repeated");
  assert.equal(received.has(1), true);
  assert.deepEqual([...received.values()], [1]);
  assert.equal(received.release(1), true);
  assert.equal(received.release(1), false);
  assert.equal(received.publish(1), "new", "the identifier may be used again");
  assert.equal(received.size, 1);
});

test("lowerQos", () => {
  assert.deepEqual([lowerQos(0, 2), lowerQos(2, 1), lowerQos(1, 1)], [0, 1, 1]);
});

/** One call, as data; identifiers are few, so that calls meet. */
type Call =
  | { readonly do: "add"; readonly qos: 1 | 2 }
  | { readonly do: "acknowledge"; readonly id: number; readonly ack: Ack; readonly refused: boolean }
  | { readonly do: "window"; readonly size: number }
  | { readonly do: "remove"; readonly id: number };

const id = fc.integer({ min: 0, max: 9 });
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("add"), qos: fc.constantFrom(1, 2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("acknowledge"),
      id,
      ack: fc.constantFrom<Ack>("PUBACK", "PUBREC", "PUBCOMP"),
      refused: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("window"), size: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove"), id }) },
);

/** What is known of each message, kept the plain way. */
type Model = Map<number, { readonly qos: 1 | 2; readonly message: number; isReceived: boolean }>;

/** What an acknowledgement must ask for, said without a table. */
function expectedStep(model: Model, packetId: number, ack: Ack, refused: boolean): Step {
  const entry = model.get(packetId);
  if (entry === undefined) return "unexpected";
  if (entry.qos === 1) return ack === "PUBACK" ? "done" : "unexpected";
  if (ack === "PUBREC") return refused ? "done" : "send PUBREL";
  return ack === "PUBCOMP" && entry.isReceived ? "done" : "unexpected";
}

class InflightUnderTest {
  readonly inflight: Inflight<number> = new Inflight<number>(3);
  readonly model: Model = new Map();
  #window = 3;
  #messages = 0;
  readonly #firstId: number;

  /** @param skipped identifiers used up before, so that the numbers go round */
  constructor(skipped: number) {
    this.#firstId = skipped;
    for (let i = 0; i < skipped; i++) this.inflight.nextId();
  }

  /** The identifier that a call means: 0 as it is, others from the first one on. */
  #idOf(id: number): number {
    return id === 0 ? 0 : ((this.#firstId + id - 1) % MAXIMUM_PACKET_ID) + 1;
  }

  apply(call: Call): void {
    if (call.do === "add") this.#add(call.qos);
    else if (call.do === "acknowledge") this.#acknowledge(this.#idOf(call.id), call.ack, call.refused);
    else if (call.do === "window") this.inflight.receiveMaximum = this.#window = call.size;
    else {
      this.inflight.remove(this.#idOf(call.id));
      this.model.delete(this.#idOf(call.id));
    }
    this.#compare();
  }

  #add(qos: 1 | 2): void {
    const message = ++this.#messages;
    const packetId = this.inflight.add(message, qos);
    assert.equal(packetId === 0, this.model.size >= this.#window, "0 if and only if the window is full");
    if (packetId === 0) return;
    assert.ok(packetId >= 1 && packetId <= MAXIMUM_PACKET_ID);
    assert.ok(!this.model.has(packetId), `identifier ${packetId} is in use`);
    this.model.set(packetId, { qos, message, isReceived: false });
  }

  #acknowledge(packetId: number, ack: Ack, refused: boolean): void {
    const expected = expectedStep(this.model, packetId, ack, refused);
    assert.equal(this.inflight.acknowledge(packetId, ack, refused), expected);
    if (expected === "done") this.model.delete(packetId);
    else if (expected === "send PUBREL") this.model.get(packetId)!.isReceived = true;
  }

  #compare(): void {
    assert.equal(this.inflight.size, this.model.size);
    const left = this.inflight.entries().map(({ packetId, message, qos }) => [packetId, message, qos]);
    const expected = [...this.model].map(([id, { message, qos, isReceived }]) => [
      id,
      isReceived ? null : message,
      qos,
    ]);
    assert.deepEqual(left, expected, "the same messages in the order of their sending");
  }
}

for (const [skipped, runs] of [
  [0, 2000],
  [MAXIMUM_PACKET_ID - 4, 100],
] as const)
  test(`any order of calls keeps the rules of the sender, after ${skipped} identifiers`, () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const subject = new InflightUnderTest(skipped);
        for (const one of calls) subject.apply(one);
      }),
      parameters(runs),
    );
  });

test("any order of calls keeps the rules of the receiver: a message is taken once between two releases", () => {
  const event = fc.tuple(fc.boolean(), id);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const received = new Received();
      const model = new Set<number>();
      for (const [isPublish, packetId] of events) {
        const isKnown = model.has(packetId);
        if (isPublish) assert.equal(received.publish(packetId), isKnown ? "repeated" : "new");
        else assert.equal(received.release(packetId), isKnown);
        if (isPublish) model.add(packetId);
        else model.delete(packetId);
        assert.deepEqual([...received.values()].sort(), [...model].sort());
      }
    }),
    parameters(1000),
  );
});
