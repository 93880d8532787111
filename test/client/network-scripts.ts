// What the server of each scenario of network-suite.ts hears and says, byte by byte, as the specification has it. The language is told of
// in script.ts, that of the bytes in ../support/packet-notation.ts. What the client says at a port for TLS, TLS by a key or WebSocket is
// read after these were taken off, for their bytes are random; a connection that they let nobody through has no line here, and brings no
// byte. The first name that a scenario asks for ends in 1, the second in 2, ...
import { hexOf } from "../support/hex.ts";
import type { NETWORK_SCENARIOS } from "./network-suite.ts";
import type { Script } from "./script.ts";

function lines(from: number, to: number, make: (i: number) => Script): Script {
  return Array.from({ length: to - from + 1 }, (_, i) => make(from + i)).flat();
}

/** 70,000 bytes: 0 to 250, again and again. */
const LARGE = hexOf(Uint8Array.from({ length: 70_000 }, (_, i) => i % 251));

/** There and back at QoS 1. @param connect what the CONNECT says of the client */
function works(connection: string, topic: string, connect: string): Script {
  return [
    `${connection} > 10[ 'MQTT' 05 ${connect} ]`,
    `${connection} < 20[ 00 00 {} ]`,
    `${connection} > 82[ 0001 {} '${topic}' 01 ]`,
    `${connection} < 90[ 0001 {} 01 ]`,
    `${connection} > 32[ '${topic}' 0002 {} ${LARGE} ]`,
    `${connection} < 40[ 0002 ] 32[ '${topic}' 0001 {} ${LARGE} ]`,
    `${connection} > 40[ 0001 ] a2[ 0003 {} '${topic}' ]`,
    `${connection} < b0[ 0003 {} 00 ]`,
    ...leaves(connection),
  ];
}

const NEW_CLIENT = "02 003c {21 0014}";

function leaves(connection: string | number): Script {
  return [`${connection} > e0[]`, `${connection} closed`];
}

/** Once nothing is verified any more. */
function insecure(door: string): Script {
  return works(`${door}1`, "t/2", `${NEW_CLIENT} 'c1'`);
}

/** Somebody at QoS 2 who hears of everything in t/1. */
const LISTENER: Script = [
  `1 > 10[ 'MQTT' 05 ${NEW_CLIENT} 'c2' ]`,
  "1 < 20[ 00 00 {} ]",
  "1 > 82[ 0001 {} 't/1' 02 ]",
  "1 < 90[ 0001 {} 02 ]",
];

/** A client that wants its Session for a minute. */
const KEPT = "'MQTT' 05 00 003c {11 0000003c 21 0014}";

const RESENT_QOS_1: Script = [
  ...LISTENER,
  `2 > 10[ ${KEPT} 'c3' ]`,
  "2 < 20[ 00 00 {} ]",
  `2 > 32[ 't/1' 0001 {} "1" ] 32[ 't/1' 0002 {} "2" ] 32[ 't/1' 0003 {} "3" ]`,
  `1 < 32[ 't/1' 0001 {} "1" ] 32[ 't/1' 0002 {} "2" ] 32[ 't/1' 0003 {} "3" ]`,
  "1 > 40[ 0001 ] 40[ 0002 ] 40[ 0003 ]",
  // They are lost.
  "2 < 40[ 0001 ] 40[ 0002 ] 40[ 0003 ]",
  "2 closed",
  `3 > 10[ ${KEPT} 'c3' ]`,
  "3 < 20[ 01 00 {} ]",
  `3 > 3a[ 't/1' 0001 {} "1" ] 3a[ 't/1' 0002 {} "2" ] 3a[ 't/1' 0003 {} "3" ]`,
  `1 < 32[ 't/1' 0004 {} "1" ] 32[ 't/1' 0005 {} "2" ] 32[ 't/1' 0006 {} "3" ]`,
  "1 > 40[ 0004 ] 40[ 0005 ] 40[ 0006 ]",
  "3 < 40[ 0001 ] 40[ 0002 ] 40[ 0003 ]",
  `3 > 32[ 't/1' 0004 {} "end" ]`,
  "3 < 40[ 0004 ]",
  `1 < 32[ 't/1' 0007 {} "end" ]`,
  "1 > 40[ 0007 ]",
  ...leaves(1),
  "3 closed",
];

const RESENT_QOS_2: Script = [
  ...LISTENER,
  `2 > 10[ ${KEPT} 'c3' ]`,
  "2 < 20[ 00 00 {} ]",
  `2 > 34[ 't/1' 0001 {} "1" ] 34[ 't/1' 0002 {} "2" ] 34[ 't/1' 0003 {} "3" ]`,
  // They are lost.
  "2 < 50[ 0001 ] 50[ 0002 ] 50[ 0003 ]",
  "2 closed",
  `3 > 10[ ${KEPT} 'c3' ]`,
  "3 < 20[ 01 00 {} ]",
  `3 > 3c[ 't/1' 0001 {} "1" ] 3c[ 't/1' 0002 {} "2" ] 3c[ 't/1' 0003 {} "3" ]`,
  "3 < 50[ 0001 ] 50[ 0002 ] 50[ 0003 ]",
  "3 > 62[ 0001 ] 62[ 0002 ] 62[ 0003 ]",
  "3 < 70[ 0001 ] 70[ 0002 ] 70[ 0003 ]",
  `3 > 34[ 't/1' 0004 {} "end" ]`,
  "3 < 50[ 0004 ]",
  "3 > 62[ 0004 ]",
  "3 < 70[ 0004 ]",
  ...["1", "2", "3", "end"].flatMap((text, i) => [
    `1 < 34[ 't/1' 000${1 + i} {} "${text}" ]`,
    `1 > 50[ 000${1 + i} ]`,
    `1 < 62[ 000${1 + i} ]`,
    `1 > 70[ 000${1 + i} ]`,
  ]),
  ...leaves(1),
  "3 closed",
];

/** The client at its connections 1, 3, 4, ... 7; what is published meanwhile, at 2, does not get through to it before the next one. */
const RECEIVED_QOS_2: Script = [
  `1 > 10[ ${KEPT} 'c2' ]`,
  "1 < 20[ 00 00 {} ]",
  `1 > 82[ 0001 {} 't/1' 02 ] 34[ 't/1' 0002 {} "0" ]`,
  `1 < 90[ 0001 {} 02 ] 50[ 0002 ] 34[ 't/1' 0001 {} "0" ]`,
  "1 > 62[ 0002 ] 50[ 0001 ]",
  "1 < 62[ 0001 ]",
  "1 > 70[ 0001 ]",
  "1 < 70[ 0002 ]",
  "2 > 10[ 'MQTT' 04 02 003c 'c3' ]",
  "2 < 20[ 00 00 ]",
  ...lines(1, 5, (round) => {
    const [before, after] = [round === 1 ? 1 : round + 1, round + 2];
    return [
      `2 > 34[ 't/1' 000${round} "${round}" ]`,
      // They are lost: the PUBREL of the last round, and the message of this one.
      ...(round === 1 ? [] : [`${before} < 62[ 000${round} ]`]),
      `${before} < 34[ 't/1' 000${round + 1} {} "${round}" ]`,
      `2 < 50[ 000${round} ]`,
      `2 > 62[ 000${round} ]`,
      `2 < 70[ 000${round} ]`,
      `${before} closed`,
      `${after} > 10[ ${KEPT} 'c2' ]`,
      `${after} < 20[ 01 00 {} ] ${round === 1 ? "" : `62[ 000${round} ]`} 3c[ 't/1' 000${round + 1} {} "${round}" ]`,
      `${after} > ${round === 1 ? "" : `70[ 000${round} ]`} 50[ 000${round + 1} ]`,
    ];
  }),
  `2 > 34[ 't/1' 0006 "end" ]`,
  "2 < 50[ 0006 ]",
  "2 > 62[ 0006 ]",
  "2 < 70[ 0006 ]",
  `7 < 62[ 0006 ] 34[ 't/1' 0007 {} "end" ]`,
  "7 > 70[ 0006 ] 50[ 0007 ]",
  "7 < 62[ 0007 ]",
  "7 > 70[ 0007 ] a2[ 0003 {} 't/1' ]",
  "7 < b0[ 0003 {} 00 ]",
  "7 closed",
  ...leaves(2),
];

export const NETWORK_SCRIPTS: Readonly<Record<keyof typeof NETWORK_SCENARIOS, Script>> = {
  "TLS: a certificate of a CA that is trusted, by address and by name, from a file and from memory": [
    ...works("tls1", "t/2", `${NEW_CLIENT} 'c1'`),
    ...works("tls2", "t/4", `${NEW_CLIENT} 'c3'`),
    ...works("tls3", "t/6", `${NEW_CLIENT} 'c5'`),
  ],
  "TLS: a CA that nobody trusts": insecure("tls"),
  "TLS: a certificate that is not valid yet": insecure("tlsFuture"),
  "TLS: a certificate that has expired": insecure("tlsExpired"),
  "TLS: a certificate of another name": insecure("tlsMisnamed"),
  "TLS: another name than was asked for": insecure("tls"),
  "TLS: a client's certificate is wanted: ours, a stranger's, none": insecure("tlsClient"),
  "TLS: a key that both sides know, and one that only we know": insecure("tlsPsk"),
  // A ClientHello [RFC 8446 §5.1]: a handshake, which the server takes for a packet that is none.
  "TLS where there is none, and none where there is": ["1 > 16 03 01 ~", "1 drop"],
  WebSocket: works("webSocket1", "t/2", `${NEW_CLIENT} 'c1'`),
  "a SOCKS5 proxy, with and without a password, plain and with TLS inside": [
    ...works("1", "t/2", `${NEW_CLIENT} 'c1'`),
    ...works("tls1", "t/4", `${NEW_CLIENT} 'c3'`),
  ],

  "user name and password: right, wrong, none; it gives up by itself": [
    ...works("password1", "t/2", "c2 003c {21 0014} 'c1' 'device' 'se cret'"),
    ...works("password2", "t/4", "c2 003c {21 0014} 'c3' 'device' 'se cret'"),
    "password3 > 10[ 'MQTT' 04 c2 003c 'c5' 'device' 'wrong' ]",
    "password3 < 20[ 00 04 ]",
    "password3 closed",
    "password4 > 10[ 'MQTT' 04 02 003c 'c6' ]",
    "password4 < 20[ 00 05 ]",
    "password4 closed",
    "password5 > 10[ 'MQTT' 05 c2 003c {21 0014} 'c7' 'device' 'wrong' ]",
    "password5 < 20[ 00 86 {} ]",
    "password5 closed",
    "password6 > 10[ 'MQTT' 05 02 003c {21 0014} 'c8' ]",
    "password6 < 20[ 00 87 {} ]",
    "password6 closed",
  ],
  "a token that has expired is asked for again, and lets us in": [
    "password1 > 10[ 'MQTT' 04 c2 003c 'c1' 'device' 'old' ]",
    "password1 < 20[ 00 05 ]",
    "password1 closed",
    "password2 > 10[ 'MQTT' 04 c2 003c 'c1' 'device' 'se cret' ]",
    "password2 < 20[ 00 00 ]",
    ...leaves("password2"),
  ],

  "nobody there at first: back-off between its bounds, and what waited arrives in order": [
    ...LISTENER,
    "2 > 10[ 'MQTT' 04 02 003c 'c3' ]",
    "2 < 20[ 00 00 ]",
    `2 > 32[ 't/1' 0001 "0" ] 30[ 't/1' "1" ] 30[ 't/1' "2" ] 32[ 't/1' 0004 "3" ] 32[ 't/1' 0005 "end" ]`,
    "2 < 40[ 0001 ] 40[ 0004 ] 40[ 0005 ]",
    `1 < 32[ 't/1' 0001 {} "0" ] 30[ 't/1' {} "1" ] 30[ 't/1' {} "2" ]`,
    `1 < 32[ 't/1' 0002 {} "3" ] 32[ 't/1' 0003 {} "end" ]`,
    "1 > 40[ 0001 ] 40[ 0002 ] 40[ 0003 ]",
    ...leaves(1),
    "2 closed",
  ],
  "a network that is silent: 19, and what was under way arrives": [
    ...LISTENER,
    "2 > 10[ 'MQTT' 05 00 0001 {11 0000003c 21 0014} 'c3' ]",
    "2 < 20[ 00 00 {} ]",
    // Neither the message nor the PINGREQ gets here.
    "2 closed",
    "3 > 10[ 'MQTT' 05 00 0001 {11 0000003c 21 0014} 'c3' ]",
    // With a keep-alive of the server's, so that no PINGREQ comes between.
    "3 < 20[ 01 00 {13 003c} ]",
    `3 > 3a[ 't/1' 0001 {} "late" ]`,
    "3 < 40[ 0001 ]",
    `1 < 32[ 't/1' 0001 {} "late" ]`,
    "1 > 40[ 0001 ]",
    ...leaves(1),
    "3 closed",
  ],
  "QoS 1 whose acknowledgement is lost is sent again": RESENT_QOS_1,
  "QoS 2 whose acknowledgement is lost is sent again, and comes once": RESENT_QOS_2,
  "QoS 2 to us: what is lost on the way is sent again, and comes once": RECEIVED_QOS_2,
  "several servers: the one that is there, and the next when it has gone": [
    "1 > 10[ 'MQTT' 04 02 003c 'c1' ]",
    "1 < 20[ 00 00 ]",
    "1 closed",
    "2 > 10[ 'MQTT' 04 02 003c 'c1' ]",
    "2 < 20[ 00 00 ]",
    "2 closed",
  ],
  "a server that sends us elsewhere: followed when it is allowed, and it is there": [
    `1 > 10[ 'MQTT' 05 ${NEW_CLIENT} 'c1' ]`,
    "1 < 20[ 00 00 {} ]",
    ...leaves(1),
  ],
  "a consumer that is slow: the broker holds back what it was told to": [
    "1 > 10[ 'MQTT' 05 02 003c {21 0002} 'c2' ]",
    "1 < 20[ 00 00 {} ]",
    "1 > 82[ 0001 {} 't/1' 01 ]",
    "1 < 90[ 0001 {} 01 ]",
    "2 > 10[ 'MQTT' 04 02 003c 'c3' ]",
    "2 < 20[ 00 00 ]",
    `1 < 32[ 't/1' 0101 {} "0" ] 32[ 't/1' 0102 {} "1" ]`,
    ...lines(0, 19, (i) => {
      const packetId = (1 + i).toString(16).padStart(4, "0");
      return [`2 > 32[ 't/1' ${packetId} "${i}" ]`, "1 silent", `2 < 40[ ${packetId} ]`];
    }),
    ...lines(0, 19, (i) => {
      const packetId = (n: number): string => (0x0101 + n).toString(16).padStart(4, "0");
      return [`1 > 40[ ${packetId(i)} ]`, ...(i < 18 ? [`1 < 32[ 't/1' ${packetId(i + 2)} {} "${i + 2}" ]`] : [])];
    }),
    "1 > a2[ 0002 {} 't/1' ]",
    ...leaves(1),
    ...leaves(2),
  ],
  "an enhanced authentication that the broker does not know": [
    "1 > 10[ 'MQTT' 05 02 003c {15 'NO-SUCH-METHOD' 21 0014} '' ]",
    "1 < 20[ 00 8c {} ]",
    "1 closed",
  ],
};
