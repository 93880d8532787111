import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Change } from "../../core/index.ts";
import { encodePublish } from "../../protocol/index.ts";
import { factLine, LineError, lineFact, parseLine } from "./fact-lines.ts";

const again = (fact: Change): Change => lineFact(parseLine(factLine(fact)));

test("the lines of the comment say what they seem to say", () => {
  const message = lineFact(
    parseLine(
      '{"kind":"message","message":7,"topicName":"a/b","payload":"aGk=","qos":1,"retain":false,"properties":{},"expiresAtMs":null,"publisher":"p"}',
    ),
  );
  assert.deepEqual(message, {
    kind: "message-added",
    message: 7,
    publish: new Uint8Array(Buffer.from("320a0003612f6200010068" + "69", "hex")),
    expiresAtMs: null,
    publisher: "p",
  });
  assert.deepEqual(lineFact(parseLine('{"kind":"received","clientId":"c","packetId":3}')), {
    kind: "received-set",
    clientId: "c",
    packetId: 3,
  });
});

test("a session says its last packet identifier when it has one", () => {
  const session = {
    kind: "session-set",
    clientId: "c",
    principal: null,
    expirySeconds: 1,
    disconnectedAtMs: 5,
  } as const;
  assert.doesNotMatch(factLine(session), /lastPacketId/);
  const counting: Change = { ...session, lastPacketId: 65_535 };
  assert.match(factLine(counting), /"lastPacketId":65535/);
  assert.deepEqual([again(session), again(counting)], [session, counting]);
  assert.throws(() => lineFact(parseLine(factLine({ ...session, lastPacketId: 0 }))), LineError);
});

test("every property of a message survives, and every kind of payload", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 8 }).filter((value) => !value.includes("\0"));
  const name = text.map((value) => value.replaceAll(/[+#]/g, "") || "t");
  const fields = fc.record({
    topicName: name,
    payload: fc.uint8Array({ maxLength: 40 }),
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    retain: fc.boolean(),
    properties: fc.record(
      {
        payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const),
        messageExpirySeconds: fc.nat(),
        contentType: text,
        responseTopic: name,
        correlationData: fc.uint8Array({ maxLength: 9 }),
        userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  });
  fc.assert(
    fc.property(fields, (publish) => {
      const bytes = encodePublish({ ...publish, dup: false, packetId: publish.qos === 0 ? 0 : 1 }, 5);
      const added = { kind: "message-added", message: 1, publish: bytes, expiresAtMs: 5, publisher: null } as const;
      // Who may be asked about it, or is not known.
      const source = { username: publish.properties.contentType ?? null, listener: null };
      const message: Change = publish.retain ? { ...added, source } : added;
      assert.deepEqual(again(message), message);
      const will: Change = { kind: "will-set", clientId: "", publish: bytes, delaySeconds: 0, dueAtMs: null };
      assert.deepEqual(again(will), will);
    }),
  );
});

test("what a publisher chose for itself is not exported: packet identifier, DUP", () => {
  const publish = new Uint8Array(Buffer.from("3a0800017412340068" + "69", "hex"));
  const message: Change = { kind: "message-added", message: 1, publish, expiresAtMs: null, publisher: null };
  const read = again(message);
  assert.ok(read.kind === "message-added");
  assert.equal(Buffer.from(read.publish).toString("hex"), "3208000174000100" + "6869");
});

const SESSION = '{"kind":"session","clientId":"c","principal":null,"expirySeconds":1,"disconnectedAtMs":null';
const MESSAGE = '"kind":"message","message":1,"qos":0,"retain":false,"expiresAtMs":null,"publisher":null';

for (const [line, said] of [
  ["", /no JSON/],
  ["[]", /no JSON object/],
  ["null", /no JSON object/],
  ['{"kind":"sesion"}', /"sesion" is no kind/],
  ['{"kind":"constructor"}', /no kind/],
  ['{"kind":7}', /7 is no kind/],
  [`${SESSION},"more":1}`, /a session has no "more"/],
  [`${SESSION},"__proto__":1}`, /a session has no "__proto__"/],
  ['{"kind":"received","clientId":"c"}', /a received needs "packetId"/],
  ['{"kind":"received","clientId":"c","packetId":0}', /"packetId" of a received is 0; it must be .* 1 to 65535/],
  ['{"kind":"received","clientId":"c","packetId":1.5}', /1\.5/],
  ['{"kind":"received","clientId":"c","packetId":"1"}', /"1"/],
  ['{"kind":"received","clientId":"c\\u0000","packetId":1}', /text of at most 65535 bytes/],
  ['{"kind":"received","clientId":"c\\ud800","packetId":1}', /text of at most 65535 bytes/],
  [`{"kind":"received","clientId":"${"é".repeat(32_768)}","packetId":1}`, /text of at most 65535 bytes/],
  [`{${MESSAGE},"topicName":"a","payload":"a","properties":{}}`, /"payload" is not base64/],
  [`{${MESSAGE},"topicName":"a","payload":"YQ==YQ==","properties":{}}`, /"payload" is not base64/],
  [`{${MESSAGE},"topicName":"a/#","payload":"","properties":{}}`, /contains "#" at 3/],
  [`{${MESSAGE},"topicName":"","payload":"","properties":{}}`, /topic name is empty/],
  [`{${MESSAGE},"topicName":"a","payload":"","properties":[]}`, /must be an object/],
  [
    `{${MESSAGE},"topicName":"a","payload":"","properties":{},"source":{"username":"u"}}`,
    /must be {"username", "listener"}/,
  ],
  [
    `{${MESSAGE},"topicName":"a","payload":"","properties":{},"source":{"username":1,"listener":null}}`,
    /"source" of a message is/,
  ],
  [`{${MESSAGE},"topicName":"a","payload":"","properties":{"topicAlias":1}}`, /"topicAlias" is no property/],
  [`{${MESSAGE},"topicName":"a","payload":"","properties":{"receiveMaximum":1}}`, /Receive Maximum does not belong/],
  [`{${MESSAGE},"topicName":"a","payload":"","properties":{"messageExpirySeconds":-1}}`, /-1/],
  [`{${MESSAGE},"topicName":"a","payload":"","properties":{"contentType":1}}`, /must be text/],
  [`{${MESSAGE},"topicName":"a","payload":"","properties":{"userProperties":[["a"]]}}`, /pairs/],
  [`{${MESSAGE},"topicName":"a","payload":"","properties":{"correlationData":"?"}}`, /not base64/],
] as const) {
  test(`refused: ${line.slice(0, 80)}`, () => {
    assert.throws(
      () => lineFact(parseLine(line)),
      (error) => error instanceof LineError && said.test(error.message),
    );
  });
}

test("base64 that is longer than one match of an expression may be", () => {
  const payload = new Uint8Array(300_001).fill(7);
  const publish = encodePublish(
    { topicName: "t", payload, qos: 0, retain: false, dup: false, packetId: 0, properties: {} },
    5,
  );
  const message: Change = { kind: "message-added", message: 1, publish, expiresAtMs: null, publisher: null };
  assert.deepEqual(again(message), message);
});
