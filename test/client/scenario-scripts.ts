// What the server of each scenario of scenario-suite.ts hears and says, byte by byte, as the specification has it. The language is told of
// in script.ts, that of the bytes in ../support/packet-notation.ts. The first name that a scenario asks for ends in 1, the second in 2, ...
import type { Qos } from "../../src/protocol/index.ts";
import { hexOf } from "../support/hex.ts";
import { forEachQos, type IN_EACH_VERSION, type ONLY_5 } from "./scenario-suite.ts";
import type { Script } from "./script.ts";

/** The name and level of the protocol [5.0 §3.1.2.1]. */
const PROTOCOL = "3('MQIsdp' 03) 4('MQTT' 04) 5('MQTT' 05)";

/** A client comes for a new Session: keep-alive 60, and in 5.0 Receive Maximum 20, as libmosquitto. */
function enters(connection: number, clientId: string): Script {
  return [`${connection} > 10[ ${PROTOCOL} 02 003c {21 0014} '${clientId}' ]`, `${connection} < 20[ 00 00 {} ]`];
}

function leaves(connection: number): Script {
  return [`${connection} > e0[]`, `${connection} closed`];
}

/** Two bytes. */
function hex(packetId: number): string {
  return packetId.toString(16).padStart(4, "0");
}

function each(from: number, to: number, lines: (i: number) => Script): Script {
  return Array.from({ length: to - from + 1 }, (_, i) => lines(from + i)).flat();
}

function roundTrip(published: Qos, subscribed: Qos): Script {
  const publish: Script = [
    `1 > 30[ 't/2' {} "1" ]        30[ 't/2' {} "2" ]        30[ 't/2' {} "3" ]`,
    `1 > 32[ 't/2' 0002 {} "1" ]   32[ 't/2' 0003 {} "2" ]   32[ 't/2' 0004 {} "3" ]`,
    `1 > 34[ 't/2' 0002 {} "1" ]   34[ 't/2' 0003 {} "2" ]   34[ 't/2' 0004 {} "3" ]`,
  ];
  const acknowledge: readonly Script[] = [
    [],
    ["1 < 40[ 0002 ] 40[ 0003 ] 40[ 0004 ]"],
    [
      "1 < 50[ 0002 ] 50[ 0003 ] 50[ 0004 ]",
      "1 > 62[ 0002 ] 62[ 0003 ] 62[ 0004 ]",
      "1 < 70[ 0002 ] 70[ 0003 ] 70[ 0004 ]",
    ],
  ];
  const deliver: readonly Script[] = [
    [`1 < 30[ 't/2' {} "1" ]        30[ 't/2' {} "2" ]        30[ 't/2' {} "3" ]`],
    [
      `1 < 32[ 't/2' 0101 {} "1" ]   32[ 't/2' 0102 {} "2" ]   32[ 't/2' 0103 {} "3" ]`,
      "1 > 40[ 0101 ] 40[ 0102 ] 40[ 0103 ]",
    ],
    each(1, 3, (i) => [
      `1 < 34[ 't/2' 010${i} {} "${i}" ]`,
      `1 > 50[ 010${i} ]`,
      `1 < 62[ 010${i} ]`,
      `1 > 70[ 010${i} ]`,
    ]),
  ];
  return [
    ...enters(1, "c1"),
    `1 > 82[ 0001 {} 't/2' 0${subscribed} ]`,
    `1 < 90[ 0001 {} 0${subscribed} ]`,
    publish[published]!,
    ...acknowledge[published]!,
    ...deliver[Math.min(published, subscribed)]!,
    "1 > a2[ 0005 {} 't/2' ]",
    ...leaves(1),
  ];
}

/** 100,000 bytes: 0 to 250, again and again. */
const LARGE = hexOf(Uint8Array.from({ length: 100_000 }, (_, i) => i % 251));

export const SCRIPTS_IN_EACH_VERSION: Readonly<Record<keyof typeof IN_EACH_VERSION, Script>> = {
  ...forEachQos(roundTrip),

  "payloads of 0 bytes and of 100,000": [
    ...enters(1, "c1"),
    "1 > 82[ 0001 {} 't/2' 02 ]",
    "1 < 90[ 0001 {} 02 ]",
    "1 > 32[ 't/2' 0002 {} ]",
    "1 < 40[ 0002 ]",
    `1 > 32[ 't/2' 0003 {} ${LARGE} ]`,
    "1 < 40[ 0003 ]",
    `1 < 32[ 't/2' 0001 {} ] 32[ 't/2' 0002 {} ${LARGE} ]`,
    "1 > 40[ 0001 ] 40[ 0002 ]",
    "1 > a2[ 0004 {} 't/2' ]",
    ...leaves(1),
  ],

  "a retained message comes with the subscription, and an empty one removes it": [
    ...enters(1, "c1"),
    `1 > 33[ 't/2' 0001 {} "kept" ]`,
    "1 < 40[ 0001 ]",
    "1 > 82[ 0002 {} 't/2' 02 ]",
    `1 < 90[ 0002 {} 02 ] 33[ 't/2' 0001 {} "kept" ]`,
    "1 > 40[ 0001 ] a2[ 0003 {} 't/2' ]",
    "1 < b0[ 0003 {} 5(00) ]",
    "1 > 33[ 't/2' 0004 {} ]",
    "1 < 40[ 0004 ]",
    "1 > 82[ 0005 {} 't/2' 02 ]",
    "1 < 90[ 0005 {} 02 ]",
    `1 > 32[ 't/2' 0006 {} "new" ]`,
    `1 < 40[ 0006 ] 32[ 't/2' 0002 {} "new" ]`,
    "1 > 40[ 0002 ] a2[ 0007 {} 't/2' ]",
    ...leaves(1),
  ],

  "wildcards, several filters at once, and unsubscribing from one": [
    ...enters(1, "c1"),
    "1 > 82[ 0001 {} 't2/+/x' 01 't2/deep/#' 01 ]",
    "1 < 90[ 0001 {} 01 01 ]",
    `1 > 32[ 't2/a/x' 0002 {} "plus" ]`,
    `1 < 32[ 't2/a/x' 0001 {} "plus" ] 40[ 0002 ]`,
    `1 > 40[ 0001 ] 32[ 't2/deep/b/c' 0003 {} "hash" ]`,
    `1 < 32[ 't2/deep/b/c' 0002 {} "hash" ] 40[ 0003 ]`,
    `1 > 40[ 0002 ] 32[ 't2/a/y' 0004 {} "nobody" ]`,
    "1 < 40[ 0004 5(10) ]",
    "1 > a2[ 0005 {} 't2/+/x' ]",
    "1 < b0[ 0005 {} 5(00) ]",
    `1 > 32[ 't2/a/x' 0006 {} "too late" ]`,
    "1 < 40[ 0006 5(10) ]",
    "1 > 82[ 0007 {} 't2/end' 02 ]",
    "1 < 90[ 0007 {} 02 ]",
    "1 > 32[ 't2/end' 0008 {} ]",
    "1 < 40[ 0008 ] 32[ 't2/end' 0003 {} ]",
    "1 > 40[ 0003 ] a2[ 0009 {} 't2/end' ]",
    ...leaves(1),
  ],

  "a Session that is kept brings what came meanwhile, in order": [
    ...enters(1, "c1"),
    `2 > 10[ ${PROTOCOL} 00 003c {11 00000064 21 0014} 'kept3' ]`,
    "2 < 20[ 00 00 {} ]",
    "2 > 82[ 0001 {} 't/2' 02 ]",
    "2 < 90[ 0001 {} 02 ]",
    ...leaves(2),
    `1 > 32[ 't/2' 0001 {} "0" ]`,
    "1 < 40[ 0001 ]",
    `1 > 34[ 't/2' 0002 {} "1" ]`,
    "1 < 50[ 0002 ]",
    "1 > 62[ 0002 ]",
    "1 < 70[ 0002 ]",
    `1 > 32[ 't/2' 0003 {} "2" ]`,
    "1 < 40[ 0003 ]",
    `3 > 10[ ${PROTOCOL} 00 003c {11 00000064 21 0014} 'kept3' ]`,
    // 3.1 has no word for a Session that is there.
    "3 < 20[ 3(00) 4(01) 5(01) 00 {} ]",
    `3 < 32[ 't/2' 0001 {} "0" ] 34[ 't/2' 0002 {} "1" ] 32[ 't/2' 0003 {} "2" ]`,
    "3 > 40[ 0001 ] 50[ 0002 ] 40[ 0003 ]",
    "3 < 62[ 0002 ]",
    "3 > 70[ 0002 ]",
    ...leaves(3),
    ...enters(4, "kept3"),
    ...leaves(4),
    ...leaves(1),
  ],

  "a will comes when a client goes without a goodbye, and not after one": [
    ...enters(1, "c1"),
    `2 > 10[ ${PROTOCOL} 06 003c {21 0014} 'c3' {} 'will/2' 'polite' ]`,
    "2 < 20[ 00 00 {} ]",
    `3 > 10[ ${PROTOCOL} 0e 003c {21 0014} 'rude4' {} 'will/2' 'rude' ]`,
    "3 < 20[ 00 00 {} ]",
    "1 > 82[ 0001 {} 'will/2' 02 ]",
    "1 < 90[ 0001 {} 02 ]",
    ...leaves(2),
    ...enters(4, "rude4"),
    "3 < 5(e0[ 8e ])",
    "3 drop",
    `1 < 32[ 'will/2' 0001 {} "rude" ]`,
    "1 > 40[ 0001 ] a2[ 0002 {} 'will/2' ]",
    ...leaves(1),
    ...leaves(4),
  ],

  "a client that is taken over is told, and in 5.0 why": [
    ...enters(1, "taken1"),
    ...enters(2, "taken1"),
    "1 < 5(e0[ 8e ])",
    "1 drop",
    ...leaves(2),
  ],

  // 20 are under way at a time: the first acknowledgement makes room for the 21st.
  "a thousand messages at QoS 1 both ways at once": [
    ...enters(1, "c1"),
    ...enters(2, "c2"),
    "1 > 82[ 0001 {} 't/3/back' 01 ]",
    "1 < 90[ 0001 {} 01 ]",
    "2 > 82[ 0001 {} 't/3/there' 01 ]",
    "2 < 90[ 0001 {} 01 ]",
    ...(
      [
        [1, "there"],
        [2, "back"],
      ] as const
    ).flatMap(([connection, name]) => {
      const publish = (i: number): string => `${connection} > 32[ 't/3/${name}' ${hex(2 + i)} {} "${i}" ]`;
      return [
        ...each(0, 19, (i) => [publish(i)]),
        `${connection} silent`,
        ...each(20, 999, (i) => [`${connection} < 40[ ${hex(2 + i - 20)} ]`, publish(i)]),
        ...each(980, 999, (i) => [`${connection} < 40[ ${hex(2 + i)} ]`]),
      ];
    }),
    ...(
      [
        [1, "back"],
        [2, "there"],
      ] as const
    ).flatMap(([connection, name]) => [
      ...each(0, 999, (i) => [
        `${connection} < 32[ 't/3/${name}' ${hex(7 + i)} {} "${i}" ]`,
        `${connection} > 40[ ${hex(7 + i)} ]`,
      ]),
      `${connection} > a2[ ${hex(1002)} {} 't/3/${name}' ]`,
    ]),
    ...leaves(1),
    ...leaves(2),
  ],
};

const ALL_PROPERTIES = "{01 01 03 'text/plain' 08 'answer/here' 09 0003 010203 26 'a' '1' 26 'a' '2'}";

export const SCRIPTS_ONLY_5: Readonly<Record<keyof typeof ONLY_5, Script>> = {
  "properties arrive as they were": [
    ...enters(1, "c1"),
    "1 > 82[ 0001 {} 't/2' 02 ]",
    "1 < 90[ 0001 {} 02 ]",
    `1 > 32[ 't/2' 0002 ${ALL_PROPERTIES} "x" ]`,
    `1 < 40[ 0002 ] 32[ 't/2' 0001 ${ALL_PROPERTIES} "x" ]`,
    "1 > 40[ 0001 ] a2[ 0003 {} 't/2' ]",
    ...leaves(1),
  ],

  "the server chooses an identifier and says which": [
    "1 > 10[ 'MQTT' 05 02 003c {21 0014} '' ]",
    "1 < 20[ 00 00 {12 'chosen'} ]",
    ...leaves(1),
  ],

  // The server allows ten: the first ten topics have one, the other twenty are sent whole each time.
  "topic aliases, more topics than the server allows": [
    "1 > 10[ 'MQTT' 05 02 003c {21 0014} 'alias1' ]",
    "1 < 20[ 00 00 {22 000a} ]",
    "1 > 82[ 0001 {} 't2/+' 02 ]",
    "1 < 90[ 0001 {} 02 ]",
    ...each(0, 89, (i) => {
      const topic = i % 30;
      const name = topic < 10 && i >= 30 ? "''" : `'t2/${topic}'`;
      const publish = `1 > 32[ ${name} ${hex(2 + i)} {${topic < 10 ? `23 ${hex(1 + topic)}` : ""}} "x" ]`;
      return i < 20 ? [publish] : [`1 < 40[ ${hex(2 + i - 20)} ]`, publish];
    }),
    ...each(70, 89, (i) => [`1 < 40[ ${hex(2 + i)} ]`]),
    ...each(0, 89, (i) => [`1 < 32[ 't2/${i % 30}' ${hex(1 + i)} {} "x" ]`, `1 > 40[ ${hex(1 + i)} ]`]),
    `1 > a2[ ${hex(92)} {} 't2/+' ]`,
    ...leaves(1),
  ],

  "no local, retain as published, and identifiers": [
    ...enters(1, "c1"),
    ...enters(2, "c2"),
    "1 > 82[ 0001 {0b 4d} 't/3' 0d ]",
    "1 < 90[ 0001 {} 01 ]",
    `1 > 32[ 't/3' 0002 {} "mine" ]`,
    "1 < 40[ 0002 10 ]",
    `2 > 33[ 't/3' 0001 {} "theirs" ]`,
    `1 < 33[ 't/3' 0001 {0b 4d} "theirs" ]`,
    "1 > 40[ 0001 ]",
    "2 < 40[ 0001 ]",
    "1 > 82[ 0003 {} 't/3/end' 02 ]",
    "1 < 90[ 0003 {} 02 ]",
    "1 > 32[ 't/3/end' 0004 {} ]",
    "1 < 40[ 0004 ] 32[ 't/3/end' 0002 {} ]",
    "1 > 40[ 0002 ] a2[ 0005 {} 't/3/end' ]",
    "2 > 33[ 't/3' 0002 {} ]",
    "2 < 40[ 0002 ]",
    ...leaves(1),
    ...leaves(2),
  ],

  "a shared subscription: each message to one of its members": [
    ...enters(1, "c1"),
    ...enters(2, "c2"),
    ...enters(3, "c3"),
    "1 > 82[ 0001 {} '$share/group/t/4' 01 ]",
    "1 < 90[ 0001 {} 01 ]",
    "2 > 82[ 0001 {} '$share/group/t/4' 01 ]",
    "2 < 90[ 0001 {} 01 ]",
    ...each(0, 19, (i) => [`3 > 32[ 't/4' ${hex(1 + i)} {} "${i}" ]`]),
    ...each(0, 19, (i) => [
      `3 < 40[ ${hex(1 + i)} ]`,
      `${1 + (i % 2)} < 32[ 't/4' ${hex(1 + i)} {} "${i}" ]`,
      `${1 + (i % 2)} > 40[ ${hex(1 + i)} ]`,
    ]),
    ...leaves(1),
    ...leaves(2),
    ...leaves(3),
  ],

  // The client's own name for its responses is random, and in these tests "i".
  "request and response": [
    ...enters(1, "c1"),
    ...enters(2, "c2"),
    "2 > 82[ 0001 {} 'command/3' 01 ]",
    "2 < 90[ 0001 {} 01 ]",
    "1 > 82[ 0001 {} 'response/i' 01 ]",
    "1 < 90[ 0001 {} 01 ]",
    `1 > 32[ 'command/3' 0002 {08 'response/i' 09 'i1'} "a" ]`,
    `1 > 32[ 'command/3' 0003 {08 'response/i' 09 'i2'} "b" ]`,
    `1 > 32[ 'command/3' 0004 {08 'response/i' 09 'i3'} "c" ]`,
    "1 < 40[ 0002 ] 40[ 0003 ] 40[ 0004 ]",
    ...(["a", "b", "c"] as const).flatMap((text, i) => [
      `2 < 32[ 'command/3' 000${1 + i} {08 'response/i' 09 'i${1 + i}'} "${text}" ]`,
      `2 > 30[ 'response/i' {09 'i${1 + i}'} "did ${text}" ] 40[ 000${1 + i} ]`,
    ]),
    // The correlation data tells them apart, not the order.
    `1 < 30[ 'response/i' {09 'i3'} "did c" ] 30[ 'response/i' {09 'i1'} "did a" ]`,
    `1 < 30[ 'response/i' {09 'i2'} "did b" ]`,
    ...leaves(1),
    ...leaves(2),
  ],

  "nobody has subscribed": [...enters(1, "c1"), `1 > 32[ 'nobody/2' 0001 {} "x" ]`, "1 < 40[ 0001 10 ]", ...leaves(1)],
};
