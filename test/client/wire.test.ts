// Conversations of the client library with a server whose every byte is scripted, and each of whose bytes is checked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DisconnectOptions, MqttClient, type MqttClientOptions } from "../../src/client/index.ts";
import type { Version } from "../../src/protocol/index.ts";
import { type Line, scriptedDoors } from "./script.ts";

/** A line of a script, mostly of the connection that there is; or something that the client is to do. */
type Step = Line | ((client: MqttClient) => unknown);

interface Conversation {
  readonly what: string;
  readonly version: Version;
  readonly options?: Omit<MqttClientOptions, "version">;
  /** Where the client wants to go, when that is not the script's door; and who leads it there, the door being its own. */
  readonly server?: `mqtt://${string}`;
  readonly proxy?: (port: number) => string;
  readonly steps: readonly Step[];
}

const KEPT = { cleanStart: false };
const CONNECT_4 = "> 10 0d 0004 4d515454 04 02 003c 0001 63";
const AGAIN_4 = "> 10 0d 0004 4d515454 04 00 003c 0001 63";
const CONNECT_5 = "> 10 11 0004 4d515454 05 02 003c 03 21 0014 0001 63";
const CONNACK_4 = "< 20 02 00 00";
const CONNACK_5 = "< 20 03 00 00 00";
const GOODBYE: readonly Step[] = [goodbye(), "> e0 00"];

function goodbye(options: DisconnectOptions = {}): Step {
  return async (client) => {
    await client.connected;
    void client.disconnect({ drainMs: 0, ...options });
  };
}

function publishing(qos: 0 | 1 | 2, retain: boolean = false): Step {
  return (client) => void client.publish("t", "x", { qos, retain }).catch(() => {});
}

const CONVERSATIONS: readonly Conversation[] = [
  { what: "3.1", version: 3, steps: ["> 10 0f 0006 4d5149736470 03 02 003c 0001 63", CONNACK_4, ...GOODBYE] },
  { what: "3.1.1", version: 4, steps: [CONNECT_4, CONNACK_4, ...GOODBYE] },
  { what: "5.0", version: 5, steps: [CONNECT_5, CONNACK_5, ...GOODBYE] },
  {
    what: "a user name, a password, a will, no clean session, no keep-alive",
    version: 4,
    options: {
      ...KEPT,
      ...{ username: "u", password: "pw", keepAliveSeconds: 0 },
      will: { topicName: "w", payload: "gone", qos: 1, retain: true },
    },
    steps: ["> 10 1d 0004 4d515454 04 ec 0000 0001 63 0001 77 0004 676f6e65 0001 75 0002 7077", CONNACK_4, ...GOODBYE],
  },
  {
    what: "a will with its delay, and properties of the CONNECT",
    version: 5,
    options: {
      properties: { sessionExpirySeconds: 60 },
      will: { topicName: "w", payload: "", properties: { willDelaySeconds: 5 } },
    } as Omit<MqttClientOptions, "version">,
    steps: [
      "> 10 21 0004 4d515454 05 06 003c 08 11 0000003c 21 0014 0001 63 05 18 00000005 0001 77 0000",
      CONNACK_5,
      ...GOODBYE,
    ],
  },
  { what: "QoS 0 out", version: 4, steps: [CONNECT_4, CONNACK_4, publishing(0), "> 30 04 0001 74 78", ...GOODBYE] },
  {
    what: "retained",
    version: 4,
    steps: [CONNECT_4, CONNACK_4, publishing(0, true), "> 31 04 0001 74 78", ...GOODBYE],
  },
  {
    what: "QoS 1 out",
    version: 4,
    steps: [CONNECT_4, CONNACK_4, publishing(1), "> 32 06 0001 74 0001 78", "< 40 02 0001", ...GOODBYE],
  },
  {
    what: "QoS 2 out",
    version: 4,
    steps: [
      CONNECT_4,
      CONNACK_4,
      publishing(2),
      "> 34 06 0001 74 0001 78",
      "< 50 02 0001",
      "> 62 02 0001",
      "< 70 02 0001",
      ...GOODBYE,
    ],
  },
  {
    what: "QoS 2 out, refused with its PUBREC: no PUBREL",
    version: 5,
    steps: [
      CONNECT_5,
      CONNACK_5,
      publishing(2),
      "> 34 07 0001 74 0001 00 78",
      "< 50 03 0001 97",
      publishing(0),
      "> 30 05 0001 74 00 78",
      ...GOODBYE,
    ],
  },
  {
    what: "QoS 1 again after a lost connection, with DUP and its identifier",
    version: 4,
    options: KEPT,
    steps: [
      AGAIN_4,
      CONNACK_4,
      publishing(1),
      "> 32 06 0001 74 0001 78",
      "drop",
      AGAIN_4,
      "< 20 02 01 00",
      "> 3a 06 0001 74 0001 78",
      "< 40 02 0001",
      ...GOODBYE,
    ],
  },
  {
    what: "QoS 2 again: PUBLISH before its PUBREC, PUBREL after it",
    version: 4,
    options: KEPT,
    steps: [
      ...[AGAIN_4, CONNACK_4, publishing(2), "> 34 06 0001 74 0001 78", "drop"],
      ...[AGAIN_4, "< 20 02 01 00", "> 3c 06 0001 74 0001 78", "< 50 02 0001", "> 62 02 0001", "drop"],
      ...[AGAIN_4, "< 20 02 01 00", "> 62 02 0001", "< 70 02 0001", ...GOODBYE],
    ],
  },
  {
    what: "QoS 0 in flight is not sent again",
    version: 4,
    steps: [
      CONNECT_4,
      CONNACK_4,
      publishing(0),
      "> 30 04 0001 74 78",
      "drop",
      CONNECT_4,
      CONNACK_4,
      publishing(0),
      "> 30 04 0001 74 78",
      ...GOODBYE,
    ],
  },
  {
    what: "subscribe and unsubscribe; one count of identifiers for everything",
    version: 4,
    steps: [
      ...[CONNECT_4, CONNACK_4, publishing(1), "> 32 06 0001 74 0001 78"],
      ...[
        (client: MqttClient) => void client.subscribe(["a", "b/#"], { qos: 1 }),
        "> 82 0c 0002 0001 61 01 0003 622f23 01",
      ],
      ...[
        "< 90 04 0002 01 01",
        (client: MqttClient) => void client.unsubscribe("a"),
        "> a2 05 0003 0001 61",
        "< b0 02 0003",
      ],
      ...["< 40 02 0001", ...GOODBYE],
    ],
  },
  {
    what: "subscription options and an identifier",
    version: 5,
    steps: [
      ...[CONNECT_5, CONNACK_5],
      (client) =>
        void client.subscribe("a", {
          qos: 2,
          noLocal: true,
          retainAsPublished: true,
          retainHandling: 1,
          identifier: 200,
        }),
      ...["> 82 0a 0001 03 0b c801 0001 61 1e", "< 90 04 0001 00 02", ...GOODBYE],
    ],
  },
  {
    what: "a forgotten Session: the subscriptions first, then what waits",
    version: 4,
    steps: [
      ...[
        CONNECT_4,
        CONNACK_4,
        (client: MqttClient) => void client.subscribe("a"),
        "> 82 06 0001 0001 61 00",
        "< 90 03 0001 00",
      ],
      ...[publishing(1), "> 32 06 0001 74 0002 78", "drop", CONNECT_4, CONNACK_4],
      ...["> 82 06 0003 0001 61 00", "> 3a 06 0001 74 0002 78", "< 90 03 0003 00 40 02 0002", ...GOODBYE],
    ],
  },
  {
    what: "QoS 1 in",
    version: 4,
    steps: [CONNECT_4, CONNACK_4, listen, "< 32 06 0001 74 0007 78", "> 40 02 0007", ...GOODBYE],
  },
  {
    what: "QoS 2 in, and its PUBLISH again: nothing twice",
    version: 4,
    steps: [
      ...[
        CONNECT_4,
        CONNACK_4,
        listen,
        "< 34 06 0001 74 0007 78",
        "> 50 02 0007",
        "< 3c 06 0001 74 0007 78",
        "> 50 02 0007",
      ],
      ...["< 62 02 0007", "> 70 02 0007", heard("x"), ...GOODBYE],
    ],
  },
  {
    what: "a PUBREL for what is not known: PUBCOMP, in 5.0 with 0x92",
    version: 5,
    steps: [CONNECT_5, CONNACK_5, "< 62 02 0009", "> 70 03 0009 92", ...GOODBYE],
  },
  {
    what: "topic aliases out: the name once, then the alias alone; the server's alias in",
    version: 5,
    options: { topicAliases: 5 } as Omit<MqttClientOptions, "version">,
    steps: [
      ...[CONNECT_5, "< 20 06 00 00 03 22 0001", publishing(0), "> 30 08 0001 74 03 23 0001 78", publishing(0)],
      ...[
        "> 30 07 0000 03 23 0001 78",
        (client: MqttClient) => void client.publish("other", "x"),
        "> 30 09 0005 6f74686572 00 78",
        ...GOODBYE,
      ],
    ],
  },
  {
    what: "topic aliases in, which we had allowed",
    version: 5,
    options: { properties: { topicAliasMaximum: 2 } } as Omit<MqttClientOptions, "version">,
    steps: [
      ...["> 10 14 0004 4d515454 05 02 003c 06 22 0002 21 0014 0001 63", CONNACK_5, listen],
      ...["< 30 08 0001 74 03 23 0002 78", "< 30 07 0000 03 23 0002 79", heard("x", "y"), ...GOODBYE],
    ],
  },
  {
    what: "an alias that we had not allowed: 0x94",
    version: 5,
    steps: [CONNECT_5, CONNACK_5, "< 30 08 0001 74 03 23 0001 78", /* DISCONNECT */ "> e0 01 94", "closed"],
  },
  {
    what: "the server's Receive Maximum: two under way, the third waits",
    version: 5,
    steps: [
      ...[CONNECT_5, "< 20 06 00 00 03 21 0002", publishing(1), publishing(1), publishing(1)],
      ...[
        "> 32 07 0001 74 0001 00 78",
        "> 32 07 0001 74 0002 00 78",
        "silent",
        "< 40 02 0001",
        "> 32 07 0001 74 0003 00 78",
        ...GOODBYE,
      ],
    ],
  },
  {
    what: "the server's keep-alive holds: PINGREQ after a second",
    version: 5,
    steps: [CONNECT_5, "< 20 06 00 00 03 13 0001", "> c0 00", "< d0 00", ...GOODBYE],
  },
  {
    what: "a packet that is none: the end, in 5.0 with 0x82",
    version: 5,
    steps: [CONNECT_5, CONNACK_5, "< 00 00", "> e0 01 82", "closed"],
  },
  {
    what: "a packet that is none before 5.0: the end without a word",
    version: 4,
    steps: [CONNECT_4, CONNACK_4, "< 00 00", "closed"],
  },
  {
    what: "a CONNACK after the CONNACK: 0x82",
    version: 5,
    steps: [CONNECT_5, CONNACK_5, CONNACK_5, "> e0 01 82", "closed"],
  },
  {
    what: "enhanced authentication: start, answer, success",
    version: 5,
    options: {
      authentication: {
        method: "M",
        start: () => Uint8Array.of(1),
        answer: (data: Uint8Array) => Uint8Array.of(data[0]! + 1),
      },
    } as Omit<MqttClientOptions, "version">,
    steps: [
      ...[
        "> 10 19 0004 4d515454 05 02 003c 0b 15 0001 4d 16 0001 01 21 0014 0001 63",
        "< f0 0a 18 08 15 0001 4d 16 0001 05",
      ],
      ...["> f0 0a 18 08 15 0001 4d 16 0001 06", "< 20 07 00 00 04 15 0001 4d", ...GOODBYE],
    ],
  },
  {
    what: "a goodbye with a reason",
    version: 5,
    steps: [CONNECT_5, CONNACK_5, goodbye({ reasonCode: 4 }), "> e0 01 04", "closed"],
  },
  {
    what: "a request, by response topic and correlation data",
    version: 5,
    steps: [
      ...[CONNECT_5, "< 20 09 00 00 06 1a 0003 722f63"],
      async (client) => {
        await client.connected;
        client.request("q", "?").catch(() => {});
      },
      // Our own name there is random, and in these tests "i".
      ...["> 82[ 0001 {} 'r/c/i' 01 ]", "< 90[ 0001 {} 01 ]", "> 30[ 'q' {08 'r/c/i' 09 'i1'} \"?\" ]", ...GOODBYE],
    ],
  },
  {
    what: "a SOCKS5 proxy without a password [RFC 1928], which looks the name up",
    version: 4,
    ...throughProxy(""),
    steps: [
      ...["> 05 01 00", "< 05 00", '> 05 01 00 03 0e "broker.example" 075b', "< 05 00 00 01 7f000001 1234"],
      ...[CONNECT_4, CONNACK_4, ...GOODBYE],
    ],
  },
  {
    what: "a SOCKS5 proxy with a password [RFC 1929]",
    version: 4,
    ...throughProxy("me:secret@"),
    steps: [
      ...["> 05 02 00 02", "< 05 02", '> 01 02 "me" 06 "secret"', "< 01 00"],
      ...['> 05 01 00 03 0e "broker.example" 075b', "< 05 00 00 01 7f000001 1234", CONNECT_4, CONNACK_4, ...GOODBYE],
    ],
  },
  {
    what: "a SOCKS5 proxy that finds no way: no byte of MQTT",
    version: 4,
    ...throughProxy(""),
    steps: ["> 05 01 00", "< 05 00", '> 05 01 00 03 0e "broker.example" 075b', "< 05 04 00 01 00000000 0000", "closed"],
  },
  ...([1, 2, 3, 4, 5] as const).map(
    (code): Conversation => ({
      what: `refused with ${code}: no other word`,
      version: 4,
      steps: [CONNECT_4, `< 20 02 00 0${code}`, "closed", refused(code)],
    }),
  ),
  // Those that a CONNACK may carry [5.0 table 3-1].
  ...[
    ...["80", "81", "82", "83", "84", "85", "86", "87", "88", "89", "8a", "8c"],
    ...["90", "95", "97", "99", "9a", "9b", "9c", "9d", "9f"],
  ].map(
    (code): Conversation => ({
      what: `refused with 0x${code}: no other word`,
      version: 5,
      steps: [CONNECT_5, `< 20 03 00 ${code} 00`, "closed", refused(Number.parseInt(code, 16))],
    }),
  ),
];

function throughProxy(login: string): Pick<Conversation, "server" | "proxy"> {
  return { server: "mqtt://broker.example", proxy: (port) => `socks5h://${login}127.0.0.1:${port}` };
}

function refused(reasonCode: number): Step {
  return async (client) => {
    const error = await client.closed;
    assert.deepEqual([error?.code, error?.reasonCode], ["connection-refused", reasonCode]);
  };
}

const texts = new WeakMap<MqttClient, string[]>();

function listen(client: MqttClient): void {
  const got: string[] = [];
  texts.set(client, got);
  client.on("message", ({ text }) => got.push(text));
}

function heard(...expected: readonly string[]): Step {
  return async (client) => {
    while (texts.get(client)!.length < expected.length)
      await new Promise((resolve) => client.on("message", resolve, { once: true }));
    assert.deepEqual(texts.get(client), expected);
  };
}

for (const { what, version, options, server, proxy, steps } of CONVERSATIONS) {
  test(`${version === 5 ? "5.0" : version === 4 ? "3.1.1" : "3.1"}: ${what}`, { timeout: 20_000 }, async (context) => {
    context.mock.method(Math, "random", () => 0.5);
    const doors = await scriptedDoors(context, version);
    const client = new MqttClient(server ?? doors.url, {
      ...{ clientId: "c", reconnect: steps.includes("drop") ? { minimumDelayMs: 0, maximumDelayMs: 0 } : false },
      ...(proxy && { proxy: proxy(doors.port()) }),
      ...options,
      version,
    } as MqttClientOptions);
    context.after(() => client.disconnect({ drainMs: 0 }));
    await doors.play(steps.map((step) => (typeof step === "string" ? step : () => step(client))));
    await doors.end();
  });
}
