// What our own broker logs when clients go wrong, read by `lacewing explain`: one problem each, with the rule that was broken.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import { LogReader, type MeaningKey } from "../../src/explain/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { bytesOfHex } from "../support/hex.ts";

const log: string[] = [];
const sockets: Socket[] = [];
let server: Server;
let logged: () => void = () => {};

before(async () => {
  const listeners = [true, false].map((allowAnonymous) => listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous }));
  server = await startServer({ ...DEFAULT_CONFIG, listeners }, (text) => {
    log.push(...text.split("\n").filter((line) => line !== ""));
    logged();
  });
  // The log is written behind what happens.
  await new Promise<void>((resolve) => {
    logged = () => {
      if (log.some((line) => line.includes("Nobody may connect"))) resolve();
    };
    logged();
  });
});

after(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

/** Says bytes to a listener, by its place in the list. */
async function say(listener: number, ...hex: readonly string[]): Promise<Socket> {
  const socket = connect(server.listeners[listener]!.port, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  for (const part of hex) socket.write(bytesOfHex(part));
  return socket;
}

/** CONNECT of 3.1.1 with a client identifier of one letter. */
function connectHex(letter: string, level: number = 4): string {
  return `100d00044d5154540${level}02003c0001${Buffer.from(letter).toString("hex")}`;
}

interface Row {
  readonly what: string;
  readonly act: () => Promise<unknown>;
  readonly meaning: MeaningKey;
  /** What the explanation says of this case. */
  readonly rule?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    what: "one identifier twice",
    act: async () => {
      const first = await say(0, connectHex("a"));
      await once(first, "data");
      await say(0, connectHex("a"));
    },
    meaning: "session-taken-over",
  },
  {
    what: "HTTP",
    act: () => say(0, Buffer.from("GET / HTTP/1.1\r\n\r\n").toString("hex")),
    meaning: "not-mqtt",
    rule: /first packet is not CONNECT/,
  },
  {
    what: "TLS to the plain listener",
    act: () => say(0, "160301000501000001030300"),
    meaning: "not-mqtt",
    rule: /TLS handshake/,
  },
  {
    what: "a version that there is not",
    act: () => say(0, connectHex("b", 6)),
    meaning: "protocol-version-refused",
    rule: /Invalid protocol version 6/,
  },
  {
    what: "a second CONNECT",
    act: () => say(0, connectHex("c") + connectHex("c")),
    meaning: "protocol-error",
    rule: /sending multiple CONNECT/,
  },
  {
    what: "no DISCONNECT",
    act: async () => {
      const socket = await say(0, connectHex("d"));
      await once(socket, "data");
      socket.destroy();
    },
    meaning: "closed-without-disconnect",
  },
  {
    what: "no identifier and no clean session",
    act: () => say(0, "100c00044d5154540400003c0000"),
    meaning: "identifier-refused",
    rule: /clean session/,
  },
  {
    what: "a topic that is no UTF-8",
    act: () => say(0, `${connectHex("e")}3005000280ff78`),
    meaning: "malformed-packet",
    rule: /UTF-8/,
  },
  {
    what: "a wildcard in a topic",
    act: () => say(0, `${connectHex("f")}300400012378`),
    meaning: "topic-name-invalid",
    rule: /"#" at 1/,
  },
  {
    what: "a packet of 200 MB",
    act: () => say(0, `${connectHex("g")}30ffffff7f000174`),
    meaning: "packet-too-large",
    rule: /2000000 bytes/,
  },
  {
    what: "a listener that lets nobody in",
    act: () => say(1, connectHex("h")),
    meaning: "not-authorised",
    rule: /allow_anonymous is false/,
  },
];

for (const { what, act, meaning, rule = /^$/ } of ROWS)
  test(`our broker's log: ${what}`, async () => {
    log.length = 0;
    const isEnded = new Promise<void>((resolve) => {
      logged = () => {
        if (log.some((line) => /disconnected/.test(line))) resolve();
      };
    });
    await act();
    await isEnded;
    const reader = new LogReader();
    for (const line of log) reader.add(line);
    const { problems, unexplained } = reader.summary();
    assert.deepEqual(
      [problems.map(({ explanation, count }) => [explanation.key, count]), unexplained],
      [[[meaning, 1]], []],
      log.join("\n"),
    );
    assert.match(problems[0]?.explanation.facts.rule ?? "", rule);
  });
