// How a connection begins: CONNECT in each version, with each defect, and who gets the Session.
import { hexOf } from "../../support/hex.ts";
import { bytesOf } from "../../support/test-client.ts";
import { asLater, type Difference, ends, ours, refuses, saysWhy } from "../difference.ts";
import type { Setting, Situation, Stage } from "../situation.ts";

/** A string with its length, in hexadecimal. */
function text(value: string): string {
  const bytes = bytesOf(value);
  return bytes.length.toString(16).padStart(4, "0") + hexOf(bytes);
}

/** A packet with its length before `body`, in hexadecimal. */
function framed(firstByte: string, body: string): string {
  return firstByte + (body.replaceAll(" ", "").length / 2).toString(16).padStart(2, "0") + body;
}

/** A first packet that is broken in one way. */
function firstPacket(name: string, hex: string, differs?: Difference): Situation {
  return {
    name,
    ...(differs !== undefined && { differs }),
    play: async (stage) => {
      const player = await stage.open("client", { version: 5 });
      player.bytes(hex);
    },
  };
}

const PROTOCOL = text("MQTT");
const OLD_PROTOCOL = text("MQIsdp");
const ID = text("defect");

/** What 5.0 clients are told. */
const WELCOME = "CONNACK 0x00 maximumPacketSize=2000000 receiveMaximum=20 topicAliasMaximum=10";
const NOT_FOR_SERVERS = {
  connack: "20020000",
  suback: "9003000100",
  unsuback: "b0020001",
  pingresp: "d000",
  reserved: "0000",
};

export const CONNECTING: Setting = {
  title: "connecting",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true"],
  situations: [
    ...([3, 4, 5] as const).map(
      (version): Situation => ({
        name: `CONNECT of version ${version}`,
        play: async (stage) => {
          await stage.connect("client", { version, clientId: `plain-${version}` });
        },
      }),
    ),
    firstPacket("another protocol's name", framed("10", `${text("HTTP")}04 02 003c ${ID}`)),
    firstPacket("3.1's name with 3.1.1's level", framed("10", `${OLD_PROTOCOL}04 02 003c ${ID}`)),
    firstPacket("3.1.1's name with 3.1's level", framed("10", `${PROTOCOL}03 02 003c ${ID}`)),
    firstPacket("a level of the future", framed("10", `${PROTOCOL}06 02 003c ${ID}`)),
    firstPacket("the reserved flag is set", framed("10", `${PROTOCOL}04 03 003c ${ID}`)),
    firstPacket("a will of QoS 3", framed("10", `${PROTOCOL}04 1e 003c ${ID}${text("a")}${text("b")}`)),
    firstPacket("QoS of a will without will", framed("10", `${PROTOCOL}04 0a 003c ${ID}`)),
    firstPacket("retain of a will without will", framed("10", `${PROTOCOL}04 22 003c ${ID}`)),
    firstPacket("a password without user name in 3.1.1", framed("10", `${PROTOCOL}04 42 003c ${ID}${text("p")}`)),
    firstPacket("a password without user name in 5.0", framed("10", `${PROTOCOL}05 42 003c 00 ${ID}${text("p")}`)),
    firstPacket("no client identifier at all", framed("10", `${PROTOCOL}04 02 003c`)),
    firstPacket("bytes after the end", framed("10", `${PROTOCOL}04 02 003c ${ID} 00`)),
    firstPacket("a length byte too many", "10ffffffff7f"),
    firstPacket("a client identifier that is not UTF-8", framed("10", `${PROTOCOL}04 02 003c 0002 c328`)),
    firstPacket("a client identifier with U+0000", framed("10", `${PROTOCOL}04 02 003c 0003 610062`)),
    firstPacket("flags in the first byte", framed("11", `${PROTOCOL}04 02 003c ${ID}`)),
    firstPacket("PUBLISH first", framed("30", `${text("a")}62`)),
    firstPacket("PINGREQ first", "c000"),
    firstPacket("packet type 0 first", "0000"),
    firstPacket("CONNACK first", "20020000"),
    firstPacket(
      "a property that is none",
      framed("10", `${PROTOCOL}05 02 003c 02 7f00 ${ID}`),
      asLater("CONNECT with bad properties", refuses("0x81")),
    ),
    firstPacket(
      "a property of another packet",
      framed("10", `${PROTOCOL}05 02 003c 03 130001 ${ID}`),
      asLater("CONNECT with bad properties", refuses("0x82")),
    ),
    firstPacket(
      "a property twice",
      framed("10", `${PROTOCOL}05 02 003c 06 210001 210001 ${ID}`),
      asLater("CONNECT with bad properties", refuses("0x82")),
    ),
    firstPacket(
      "Receive Maximum 0",
      framed("10", `${PROTOCOL}05 02 003c 03 210000 ${ID}`),
      asLater("CONNECT with bad properties", refuses("0x82")),
    ),
    firstPacket(
      "Maximum Packet Size 0",
      framed("10", `${PROTOCOL}05 02 003c 05 2700000000 ${ID}`),
      asLater("CONNECT with bad properties", refuses("0x82")),
    ),
    firstPacket(
      "Request Problem Information 2",
      framed("10", `${PROTOCOL}05 02 003c 02 1702 ${ID}`),
      asLater("CONNECT with bad properties", refuses("0x82")),
    ),
    firstPacket(
      "authentication data without method",
      framed("10", `${PROTOCOL}05 02 003c 04 16000161 ${ID}`),
      asLater("CONNECT with bad properties", {
        at: "client",
        mosquitto: [WELCOME],
        lacewing: ["CONNACK 0x82", "closed"],
      }),
    ),
    firstPacket("an authentication method nobody knows", framed("10", `${PROTOCOL}05 02 003c 04 15000161 ${ID}`)),
    firstPacket("an empty will topic", framed("10", `${PROTOCOL}04 06 003c ${ID}${text("")}${text("b")}`)),
    firstPacket("a will topic with a wildcard", framed("10", `${PROTOCOL}04 06 003c ${ID}${text("a/#")}${text("b")}`)),
    {
      name: "a second CONNECT",
      play: async (stage) => {
        const client = await stage.connect("client", { clientId: "second-connect" });
        await client.connect("second-connect");
      },
    },
    firstPacket("an empty identifier: 3.1", framed("10", `${OLD_PROTOCOL}03 02 003c ${text("")}`)),
    firstPacket("an empty identifier: 3.1.1, session kept", framed("10", `${PROTOCOL}04 00 003c ${text("")}`)),
    {
      name: "an empty identifier: 3.1.1, clean session",
      play: async (stage) => {
        await stage.connect("client", { version: 4, clientId: "" });
      },
    },
    {
      name: "an empty identifier: 5.0, session kept",
      play: async (stage) => {
        await stage.connect("client", { version: 5, clientId: "", cleanStart: false });
      },
    },
    {
      name: "an identifier of 300 bytes, also in 3.1",
      play: async (stage) => {
        await stage.connect("old", { version: 3, clientId: "o".repeat(300) });
        await stage.connect("new", { version: 5, clientId: "n".repeat(300) });
      },
    },
    {
      name: "a CONNECT in two halves, with a PINGREQ behind it",
      play: async (stage) => {
        const client = await stage.open("client");
        client.bytes("10120004");
        client.bytes("4d51545404020000 0006 68616c766573 c000");
        await client.packets(2);
      },
    },
    {
      name: "everything in one piece: CONNECT, SUBSCRIBE, PUBLISH, DISCONNECT",
      play: async (stage) => {
        const client = await stage.open("client");
        client.bytes("1011 00044d515454 04 02 0000 0005 7069656365 82060001 000161 00 3004 000161 78 e000");
        await client.closed();
      },
    },
    {
      name: "keep-alive none",
      play: async (stage) => {
        await stage.connect("older", { version: 4, keepAliveSeconds: 0 });
        await stage.connect("newer", { version: 5, keepAliveSeconds: 0 });
      },
      differs: asLater("Keep-alive 0 of a 5.0 client", {
        at: "newer",
        mosquitto: [WELCOME.replace("=20 ", "=20 serverKeepAliveSeconds=65535 ")],
        lacewing: [WELCOME],
      }),
    },
    {
      name: "DISCONNECT and more behind it",
      play: async (stage) => {
        const client = await stage.connect("client", { clientId: "goodbye" });
        client.bytes("e000 c000");
        await client.closed();
      },
    },
    {
      name: "DISCONNECT with flags",
      play: async (stage) => {
        const client = await stage.connect("client", { clientId: "flagged-goodbye" });
        client.bytes("e100");
        await client.closed();
      },
    },
    {
      name: "DISCONNECT of 5.0 with a reason and properties",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "reason" });
        await client.disconnect(0x04, { reasonString: "tired", userProperties: [["a", "b"]] });
      },
    },
    {
      name: "DISCONNECT that gives a Session an expiry which it did not have",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "expiry" });
        await client.disconnect(0, { sessionExpirySeconds: 100 });
      },
    },
    {
      name: "AUTH that nobody asked for",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "auth" });
        client.bytes("f000");
      },
      differs: asLater("A reason in words and codes", saysWhy("0x82")),
    },
    {
      name: "packet types that a server does not take: 3.1.1",
      play: (stage) => playNotForServers(stage, 4),
      differs: ours(
        "Packets that only servers send",
        ends("CONNACK 0x00", null, "suback"),
        ends("CONNACK 0x00", null, "unsuback"),
        ends("CONNACK 0x00", null, "pingresp"),
      ),
    },
    {
      name: "packet types that a server does not take: 5.0",
      play: (stage) => playNotForServers(stage, 5),
      differs: ours(
        "Packets that only servers send",
        saysWhy("0x82", "connack"),
        saysWhy("0x82", "suback"),
        saysWhy("0x82", "unsuback"),
        ends(WELCOME, "0x82", "pingresp"),
      ),
    },
  ],
};

async function playNotForServers(stage: Stage, version: 4 | 5): Promise<void> {
  for (const [name, hex] of Object.entries(NOT_FOR_SERVERS)) {
    const client = await stage.connect(name, { version, clientId: `not-for-servers-${name}-${version}` });
    client.bytes(hex);
    await client.settle();
  }
}
