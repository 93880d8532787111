// V3: strings that are none, and topics that cannot be: wherever a client may write one, over real sockets. Who sends one is told and
// closed; nobody else notices.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Version } from "../../src/protocol/index.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured } from "./configured-broker.ts";
import { RawSocket } from "./raw-socket.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const IDENTIFIER_NOT_VALID = 0x85;

/** Text that must not be in any string [5.0 §1.5.4]. */
const NO_STRINGS: Readonly<Record<string, string>> = {
  "U+0000": "610062",
  "a lone high surrogate": "61eda080",
  "a lone low surrogate": "edb08061",
  "an overlong slash": "61c0af",
  "an overlong NUL": "c080",
  "a byte of nothing": "61ff",
  "a sequence that is cut": "61e282",
  "above U+10FFFF": "f4908080",
};

/** Text that our server takes in no name; in properties it does. */
const NO_NAMES: Readonly<Record<string, string>> = {
  "a control character": "610162",
  "a control character beyond ASCII": "61c285",
  "a noncharacter": "61efbfbe",
};

function string(hex: string): string {
  return (hex.length / 2).toString(16).padStart(4, "0") + hex;
}

function packet(firstByte: string, body: string): Buffer {
  const length = body.length / 2;
  const bytes =
    length < 128
      ? [length]
      : [(length & 0x7f) | 0x80, ...(length < 16_384 ? [length >> 7] : [((length >> 7) & 0x7f) | 0x80, length >> 14])];
  return Buffer.concat([Buffer.from(firstByte, "hex"), Buffer.from(bytes), Buffer.from(body, "hex")]);
}

const hex = (text: string): string => Buffer.from(text).toString("hex");

/** A CONNECT; `more` is what follows the client identifier. */
function connect(
  version: Version,
  clientId: string,
  flags: string = "02",
  more: string = "",
  properties: string = "",
): Buffer {
  const propertyLength = version === 5 ? (properties.length / 2).toString(16).padStart(2, "0") + properties : "";
  const protocol = version === 3 ? string(hex("MQIsdp")) : string(hex("MQTT"));
  return packet("10", `${protocol}0${version}${flags}003c${propertyLength}${string(clientId)}${more}`);
}

const HELLO: Readonly<Record<Version, Buffer>> = {
  3: connect(3, hex("bad")),
  4: connect(4, hex("bad")),
  5: connect(5, hex("bad")),
};

/** Where a client may write a string, with `text` in hexadecimal there, and what it is told in 5.0; null: nothing. */
const PLACES: readonly {
  readonly where: string;
  readonly versions: readonly Version[];
  readonly code?: number | null;
  readonly isProperty?: true;
  bytes(version: Version, text: string): Buffer;
}[] = [
  {
    where: "client identifier",
    versions: [3, 4, 5],
    code: IDENTIFIER_NOT_VALID,
    bytes: (version, text) => connect(version, text),
  },
  {
    where: "topic of the will",
    versions: [3, 4, 5],
    code: null,
    bytes: (version, text) => connect(version, hex("bad"), "06", `${version === 5 ? "00" : ""}${string(text)}000178`),
  },
  {
    where: "user name",
    versions: [3, 4, 5],
    code: null,
    bytes: (version, text) => connect(version, hex("bad"), "82", string(text)),
  },
  {
    where: "user property of CONNECT",
    versions: [5],
    isProperty: true,
    bytes: (version, text) => connect(version, hex("bad"), "02", "", `26${string(text)}000178`),
  },
  {
    where: "topic of PUBLISH",
    versions: [3, 4, 5],
    bytes: (version, text) => after(version, packet("30", `${string(text)}${version === 5 ? "00" : ""}78`)),
  },
  {
    where: "response topic",
    versions: [5],
    isProperty: true,
    bytes: (version, text) => after(version, packet("30", `000174${lengthOf(`08${string(text)}`)}08${string(text)}78`)),
  },
  {
    where: "content type",
    versions: [5],
    isProperty: true,
    bytes: (version, text) => after(version, packet("30", `000174${lengthOf(`03${string(text)}`)}03${string(text)}78`)),
  },
  {
    where: "filter of SUBSCRIBE",
    versions: [3, 4, 5],
    bytes: (version, text) => after(version, packet("82", `0001${version === 5 ? "00" : ""}${string(text)}00`)),
  },
  {
    where: "filter of UNSUBSCRIBE",
    versions: [3, 4, 5],
    bytes: (version, text) => after(version, packet("a2", `0001${version === 5 ? "00" : ""}${string(text)}`)),
  },
  {
    where: "reason string of DISCONNECT",
    versions: [5],
    isProperty: true,
    bytes: (version, text) => after(version, packet("e0", `00${lengthOf(`1f${string(text)}`)}1f${string(text)}`)),
  },
];

function lengthOf(properties: string): string {
  return (properties.length / 2).toString(16).padStart(2, "0");
}

function after(version: Version, next: Buffer): Buffer {
  return Buffer.concat([HELLO[version], next]);
}

/** The reason code that the last packet says; null: there was no packet after the CONNACK. */
function reasonOf(received: Buffer): number | null {
  let last: number | null = null;
  for (let at = 0; at < received.length; ) {
    const [type = 0, length = 0] = received.subarray(at);
    if (type === 0xe0) last = received[at + 2] ?? 0;
    if (type === 0x20) last = (received[at + 3] ?? 0) >= 0x80 ? (received[at + 3] ?? 0) : null;
    at += 2 + length;
  }
  return last;
}

async function witnessOf({ address }: ConfiguredBroker): Promise<{ check(): Promise<void> }> {
  const witness = await WireClient.connect(address, "witness");
  await witness.subscribe("#", { qos: 0 });
  return {
    async check() {
      await witness.publish("witness", "x", { qos: 1 });
      const { topicName } = await witness.expect("PUBLISH");
      assert.equal(topicName, "witness", "it hears of nothing else");
    },
  };
}

for (const { where, versions, code = MALFORMED, isProperty, bytes } of PLACES) {
  test(`what is no string in the ${where}`, async (context) => {
    const broker = await startConfigured(context, ["allow_anonymous true"]);
    const witness = await witnessOf(broker);
    const refused = { ...NO_STRINGS, ...(isProperty ? {} : NO_NAMES) };
    for (const [what, text] of Object.entries(refused)) {
      for (const version of versions) {
        const received = await RawSocket.lastWords(broker.address, bytes(version, text));
        if (version === 5) assert.equal(reasonOf(received), code, `${what}: ${received.toString("hex")}`);
      }
    }
    await witness.check();
    assert.equal(
      broker.server.broker.counters.ended[
        code === IDENTIFIER_NOT_VALID ? "client-identifier-not-valid" : "malformed-packet"
      ],
      versions.length * Object.keys(refused).length,
    );
  });
}

test("text in properties may hold control characters, and comes over as it is", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true"]);
  const receiver = await WireClient.connect(broker.address, "receiver");
  await receiver.subscribe("t", { qos: 1 });
  const sender = await WireClient.connect(broker.address, "sender");
  const properties = { contentType: "a\tb", userProperties: [["two\nlines", "\u0085\ufffe"]] } as const;
  await sender.publish("t", "x", { qos: 1, properties });
  assert.deepEqual((await receiver.expect("PUBLISH")).properties, properties);
});

test("topics that cannot be: wildcards, none at all, an alias for nothing, and filters that are none", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true"]);
  const witness = await witnessOf(broker);
  const publish = (topic: string, properties: string = ""): string =>
    `${string(hex(topic))}${lengthOf(properties)}${properties}78`;
  for (const [what, firstByte, body, reasonCode] of [
    ["+ in a topic name", "30", publish("a/+/b"), MALFORMED],
    ["# in a topic name", "30", publish("a/#"), MALFORMED],
    ["an empty topic without an alias", "30", publish(""), MALFORMED],
    ["an empty topic with an alias for nothing", "30", publish("", "230003"), PROTOCOL_ERROR],
    ["the alias 0", "30", publish("t", "230000"), 0x94],
    ["an alias above the maximum", "30", publish("t", "23000b"), 0x94],
    ["a wildcard in a response topic", "30", publish("t", `08${string(hex("a/+"))}`), PROTOCOL_ERROR],
  ] as const) {
    const received = await RawSocket.lastWords(broker.address, after(5, packet(firstByte, body)));
    assert.equal(reasonOf(received), reasonCode, `${what}: ${received.toString("hex")}`);
    if (!body.includes("2300") && !what.includes("response")) {
      const old = await RawSocket.lastWords(broker.address, after(4, packet(firstByte, body.replace(/0078$/, "78"))));
      assert.equal(old.length, 4, `${what}: only the CONNACK`);
    }
  }
  for (const filter of ["", "a/#/b", "a#", "a/b+", "+a", "$share/g", "$share/+/a", "$share//a"]) {
    const received = await RawSocket.lastWords(
      broker.address,
      after(5, Buffer.concat([packet("82", `000100${string(hex(filter))}00`), packet("e0", "")])),
    );
    const suback = received.subarray(2 + (received[1] ?? 0));
    const told = suback[0] === 0x90 ? suback.at(-1) : reasonOf(received);
    const isShare = filter.startsWith("$share");
    assert.equal(told, isShare ? PROTOCOL_ERROR : MALFORMED, `${filter}: ${received.toString("hex")}`);
  }
  const will = await RawSocket.lastWords(broker.address, connect(5, hex("w"), "06", `00${string(hex("a/+"))}000178`));
  assert.equal(reasonOf(will), MALFORMED);
  await witness.check();
});

test("the longest topic there can be, 65,535 bytes, is a topic like others", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true"]);
  const longest = "x".repeat(65_535);
  for (const version of [3, 4, 5] as const) {
    const client = await WireClient.connect(broker.address, `long-${version}`, { version });
    await client.subscribe(longest, { qos: 1 });
    await client.publish(longest, "x", { qos: 1 });
    assert.equal((await client.expect("PUBLISH")).topicName, longest);
    await client.drop();
  }
});
