// The flows of QoS 0, 1 and 2, both ways, as they should be and otherwise.
import { asLater, type Difference, ends, otherCode, ours, saysWhy } from "../difference.ts";
import type { Setting, Situation } from "../situation.ts";

const WELCOME = "CONNACK 0x00 maximumPacketSize=2000000 receiveMaximum=20 topicAliasMaximum=10";

const ENDPOINT = asLater("`$CONTROL` without anybody", {
  at: "client",
  mosquitto: ["PUBACK m1"],
  lacewing: ['PUBLISH $CONTROL/a/response={"error":"endpoint not available"} q0', "PUBACK m1"],
});

/** Who gets a message and answers with `answers` instead of what it should. */
function wrongAnswer(name: string, qos: 1 | 2, answers: readonly string[], differs?: Difference): Situation {
  return {
    name,
    ...(differs !== undefined && { differs }),
    play: async (stage) => {
      const topicName = `wrong/${name}`;
      const subscriber = await stage.connect("subscriber", { version: 5, clientId: `wrong ${name}`, answers: false });
      await subscriber.subscribe(topicName);
      const publisher = await stage.connect("publisher", { version: 5, clientId: `wrong publisher ${name}` });
      await publisher.publish(topicName, "x", { qos });
      await stage.settle();
      for (const answer of answers) {
        subscriber.bytes(answer);
        await subscriber.settle();
      }
    },
  };
}

/** A client that sends one packet, and what comes of it. */
function sent(
  name: string,
  hex: string,
  versions: readonly (3 | 4 | 5)[] = [4, 5],
  differences: { readonly [version: number]: Difference } = {},
): readonly Situation[] {
  return versions.map((version) => ({
    name: `${name}: version ${version}`,
    ...(differences[version] !== undefined && { differs: differences[version] }),
    play: async (stage) => {
      const client = await stage.connect("client", { version, clientId: `${name} ${version}` });
      const bytes = version === 5 ? hex.replace("|", "00") : hex.replace("|", "");
      const [first = "", rest = ""] = bytes.split("..");
      client.bytes(first + (rest.replaceAll(" ", "").length / 2).toString(16).padStart(2, "0") + rest);
    },
  }));
}

export const PUBLISHING: Setting = {
  title: "publishing",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true"],
  situations: [
    ...([0, 1, 2] as const).flatMap((from) =>
      ([0, 1, 2] as const).map(
        (to): Situation => ({
          name: `published at QoS ${from}, subscribed at QoS ${to}`,
          play: async (stage) => {
            const topicName = `flow/${from}/${to}`;
            for (const version of [3, 4, 5] as const) {
              const subscriber = await stage.connect(`subscriber ${version}`, {
                version,
                clientId: `${topicName} ${version}`,
              });
              await subscriber.subscribe(topicName, { qos: to });
            }
            const publisher = await stage.connect("publisher", { version: 5, clientId: `${topicName} publisher` });
            await publisher.publish(topicName, "x", { qos: from });
          },
        }),
      ),
    ),
    {
      name: "QoS 2: the PUBLISH comes again before PUBREL, and once more after PUBCOMP",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "again subscriber" });
        await subscriber.subscribe("again");
        const publisher = await stage.connect("publisher", { version: 5, clientId: "again", answers: false });
        await publisher.publish("again", "x", { qos: 2, packetId: 7 });
        await publisher.publish("again", "x", { qos: 2, packetId: 7, dup: true });
        publisher.acknowledge("PUBREL", 7);
        await publisher.settle();
        await stage.settle();
        await publisher.publish("again", "x", { qos: 2, packetId: 7 });
        publisher.acknowledge("PUBREL", 7);
      },
    },
    {
      name: "QoS 2: another message under an identifier that is not released",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "reused subscriber" });
        await subscriber.subscribe("reused");
        const publisher = await stage.connect("publisher", { version: 5, clientId: "reused", answers: false });
        await publisher.publish("reused", "one", { qos: 2, packetId: 7 });
        await publisher.publish("reused", "two", { qos: 2, packetId: 7 });
        publisher.acknowledge("PUBREL", 7);
      },
      differs: ours("Another message at QoS 2 under an identifier that is not released", {
        at: "subscriber",
        mosquitto: ["PUBLISH reused=two q2 m1"],
        lacewing: ["PUBLISH reused=one q2 m1"],
      }),
    },
    ...([4, 5] as const).flatMap((version): readonly Situation[] => [
      {
        name: `PUBREL of an identifier that nobody knows: version ${version}`,
        play: async (stage) => {
          const client = await stage.connect("client", { version, clientId: `unknown PUBREL ${version}` });
          client.acknowledge("PUBREL", 99);
        },
      },
      {
        name: `acknowledgements of identifiers that nobody knows: version ${version}`,
        play: async (stage) => {
          for (const type of ["PUBACK", "PUBREC", "PUBCOMP"] as const) {
            const client = await stage.connect(type, {
              version,
              clientId: `unknown ${type} ${version}`,
              answers: false,
            });
            client.acknowledge(type, 99);
            await client.settle();
          }
        },
      },
    ]),
    wrongAnswer(
      "PUBREC to QoS 1",
      1,
      ["50020001"],
      asLater("A reason in words and codes", saysWhy("0x82", "subscriber")),
    ),
    wrongAnswer(
      "PUBCOMP to QoS 1",
      1,
      ["70020001"],
      asLater("A reason in words and codes", saysWhy("0x82", "subscriber")),
    ),
    wrongAnswer(
      "PUBACK to QoS 2",
      2,
      ["40020001"],
      asLater("A reason in words and codes", saysWhy("0x82", "subscriber")),
    ),
    wrongAnswer(
      "PUBCOMP to QoS 2",
      2,
      ["70020001"],
      asLater("A reason in words and codes", saysWhy("0x82", "subscriber")),
    ),
    wrongAnswer(
      "PUBACK after PUBREC",
      2,
      ["50020001", "40020001"],
      asLater("A reason in words and codes", saysWhy("0x82", "subscriber")),
    ),
    wrongAnswer("PUBREC twice", 2, ["50020001", "50020001", "70020001"]),
    wrongAnswer("PUBREC with an error", 2, ["5003000180"]),
    wrongAnswer("PUBACK with an error", 1, ["4003000197"]),
    wrongAnswer(
      "PUBACK with an unknown reason code",
      1,
      ["4003000177"],
      asLater(
        "Acknowledgements that are not well-formed",
        ends("PUBLISH wrong/PUBACK with an unknown reason code=x q1 m1", "0x82", "subscriber"),
      ),
    ),
    wrongAnswer(
      "PUBACK with flags",
      1,
      ["42020001"],
      asLater(
        "Acknowledgements that are not well-formed",
        ends("PUBLISH wrong/PUBACK with flags=x q1 m1", "0x81", "subscriber"),
      ),
    ),
    wrongAnswer(
      "PUBACK of identifier 0",
      1,
      ["40020000"],
      asLater("A reason in words and codes", saysWhy("0x82", "subscriber")),
    ),
    wrongAnswer("PUBACK with reason and properties", 1, ["40090001 00 05 1f000261 62"]),
    {
      name: "acknowledgements out of order",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "disorder", answers: false });
        await subscriber.subscribe("disorder/#");
        const publisher = await stage.connect("publisher", { clientId: "disorder publisher" });
        for (const qos of [1, 2, 1, 2] as const) await publisher.publish("disorder/a", "x", { qos });
        await stage.settle();
        subscriber.acknowledge("PUBREC", 4);
        subscriber.acknowledge("PUBACK", 3);
        subscriber.acknowledge("PUBREC", 2);
        await subscriber.settle();
        subscriber.acknowledge("PUBCOMP", 2);
        subscriber.acknowledge("PUBCOMP", 4);
        subscriber.acknowledge("PUBACK", 1);
      },
    },
    {
      name: "a Receive Maximum of 1 in the CONNECT",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", {
          version: 5,
          clientId: "narrow",
          answers: false,
          properties: { receiveMaximum: 1 },
        });
        await subscriber.subscribe("narrow");
        const publisher = await stage.connect("publisher", { version: 5, clientId: "narrow publisher" });
        for (const payload of ["1", "2", "3"]) await publisher.publish("narrow", payload, { qos: 1 });
        await stage.settle();
        subscriber.acknowledge("PUBACK", 1);
        await subscriber.settle();
        subscriber.acknowledge("PUBACK", 2);
      },
    },
    {
      name: "QoS 0 passes what waits at QoS 1",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", {
          version: 5,
          clientId: "passing",
          answers: false,
          properties: { receiveMaximum: 1 },
        });
        await subscriber.subscribe("passing");
        const publisher = await stage.connect("publisher", { version: 5, clientId: "passing publisher" });
        for (const [payload, qos] of [
          ["1", 1],
          ["2", 1],
          ["3", 0],
        ] as const)
          await publisher.publish("passing", payload, { qos });
      },
    },
    {
      name: "a message to nobody",
      play: async (stage) => {
        for (const version of [3, 4, 5] as const) {
          const publisher = await stage.connect(`publisher ${version}`, { version, clientId: `nobody ${version}` });
          await publisher.publish("nobody/listens", "x", { qos: 1 });
          await publisher.publish("nobody/listens", "x", { qos: 2 });
        }
      },
    },
    {
      name: "properties are passed on to 5.0, and left out for 3.1.1",
      play: async (stage) => {
        for (const version of [4, 5] as const) {
          const subscriber = await stage.connect(`subscriber ${version}`, {
            version,
            clientId: `properties ${version}`,
          });
          await subscriber.subscribe("properties", { qos: 1 });
        }
        const publisher = await stage.connect("publisher", { version: 5, clientId: "properties publisher" });
        await publisher.publish("properties", "x", {
          qos: 1,
          properties: {
            payloadFormatIndicator: 1,
            messageExpirySeconds: 100,
            contentType: "text/plain",
            responseTopic: "answers",
            correlationData: new Uint8Array([1, 2, 3]),
            userProperties: [
              ["k", "1"],
              ["k", "2"],
            ],
          },
        });
      },
    },
    {
      name: "a payload that is said to be UTF-8 and is not",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { version: 5, clientId: "not-utf8" });
        await subscriber.subscribe("not-utf8");
        const publisher = await stage.connect("publisher", { version: 5, clientId: "not-utf8 publisher" });
        publisher.bytes("30 0e 0008 6e6f742d75746638 02 0101 ff");
      },
    },
    {
      name: "topic aliases from the client",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { version: 5, clientId: "aliased" });
        await subscriber.subscribe("alias/#");
        const publisher = await stage.connect("publisher", { version: 5, clientId: "aliased publisher" });
        await publisher.publish("alias/a", "1", { properties: { topicAlias: 10 } });
        await publisher.publish("", "2", { properties: { topicAlias: 10 } });
        await publisher.publish("alias/b", "3", { properties: { topicAlias: 10 } });
        await publisher.publish("", "4", { properties: { topicAlias: 10 } });
      },
    },
    {
      name: "a topic alias that stands for nothing",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "no alias" });
        client.bytes("30 07 0000 03 230003 78");
      },
    },
    {
      name: "a topic alias above the maximum",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "alias 11" });
        client.bytes("30 08 0001 61 03 23000b 78");
      },
    },
    {
      name: "topic alias 0",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "alias 0" });
        client.bytes("30 08 0001 61 03 230000 78");
      },
      differs: asLater("Topic alias 0", otherCode("0x81", "0x94")),
    },
    {
      name: "a client that takes small packets only",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", {
          version: 5,
          clientId: "small",
          properties: { maximumPacketSize: 40 },
        });
        await subscriber.subscribe("small", { qos: 1 });
        const publisher = await stage.connect("publisher", { version: 5, clientId: "small publisher" });
        await publisher.publish("small", "fits", { qos: 1 });
        await publisher.publish("small", "does not fit".repeat(10), { qos: 1 });
        await publisher.publish("small", "fits too", { qos: 1 });
      },
    },
    ...sent("a topic with +", "30 .. 0003 612f2b | 78", [4, 5], {
      5: asLater("A topic that is not well-formed", otherCode("0x82", "0x81")),
    }),
    ...sent("a topic with #", "30 .. 0003 612f23 | 78", [4, 5], {
      5: asLater("A topic that is not well-formed", otherCode("0x82", "0x81")),
    }),
    ...sent("an empty topic", "30 .. 0000 | 78", [4, 5], {
      5: asLater("A topic that is not well-formed", otherCode("0x82", "0x81")),
    }),
    ...sent("a topic with U+0000", "30 .. 0003 610062 | 78"),
    ...sent("a topic with a surrogate", "30 .. 0003 eda080 | 78"),
    ...sent("a topic with a control character", "30 .. 0003 610162 | 78"),
    ...sent("a topic that is longer than its packet", "30 .. 0009 6162"),
    ...sent("QoS 3", "36 .. 0001 61 0001 | 78"),
    ...sent("QoS 1 with identifier 0", "32 .. 0001 61 0000 | 78"),
    ...sent("QoS 1 without identifier", "32 .. 0001 61"),
    ...sent("a duplicate at QoS 0", "38 .. 0001 61 | 78", [4, 5], {
      4: asLater("A duplicate at QoS 0", ends("CONNACK 0x00", null)),
      5: asLater("A duplicate at QoS 0", ends(WELCOME, "0x81")),
    }),
    ...sent("nothing but a topic", "30 .. 0001 61 |", [3, 4, 5]),
    ...sent("a payload format that is none", "30 .. 0001 61 02 0102 78", [5], {
      5: asLater("PUBLISH with bad properties", ends(WELCOME, "0x82")),
    }),
    ...sent("a response topic with wildcards", "30 .. 0001 61 06 08 0003 622f23 78", [5], {
      5: asLater("PUBLISH with bad properties", ends(WELCOME, "0x82")),
    }),
    ...sent("a property twice", "30 .. 0001 61 0a 0200000001 0200000001 78", [5], {
      5: asLater("A reason in words and codes", saysWhy("0x82")),
    }),
    ...sent("a subscription identifier from a client", "30 .. 0001 61 02 0b01 78", [5], {
      5: asLater("PUBLISH with bad properties", ends(WELCOME, "0x82")),
    }),
    ...sent("a property of another packet", "30 .. 0001 61 03 210001 78", [5], {
      5: asLater("PUBLISH with bad properties", otherCode("0x81", "0x82")),
    }),
    ...sent("$SYS from a client at QoS 1", "32 .. 0008 245359532f612f62 0001 | 78", [3, 4, 5]),
    ...sent("$SYS from a client at QoS 0", "30 .. 0008 245359532f612f62 | 78"),
    ...sent("$share as a topic", "32 .. 000a 2473686172652f612f62 0001 | 78"),
    ...sent("another $ topic", "32 .. 0006 246f776e2f62 0001 | 78"),
    ...sent("$CONTROL without anybody", "32 .. 000a 24434f4e54524f4c2f61 0001 | 78", [4, 5], {
      4: ENDPOINT,
      5: ENDPOINT,
    }),
  ],
};
