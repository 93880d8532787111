// What the command-line clients, mosquitto's and ours alike, say to a broker line by line, and what they hear of
// retained messages, wills and Sessions. A suite for any pair of tools and any broker.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { type PeerName, testWithPeers } from "../support/peers.ts";
import type { Ended, Program, ProgramOptions } from "../support/program.ts";

/** A publisher and a subscriber as commands. */
export interface Tools {
  readonly needs: readonly PeerName[];
  readonly startPub: (args: readonly string[], options?: ProgramOptions) => Program;
  readonly startSub: (args: readonly string[], options?: ProgramOptions) => Program;
}

/** A broker in a process of its own. */
export interface BrokerProcess {
  readonly port: number;
  /** Ends it and checks that it ended well. */
  stop(): Promise<void>;
}

/** `tools` at a broker that all tests of a file share. */
export class ToolsAtBroker {
  readonly needs: readonly PeerName[];
  readonly #tools: Tools;
  readonly #broker: () => BrokerProcess;
  #count = 0;

  constructor(tools: Tools, needs: readonly PeerName[], broker: () => BrokerProcess) {
    this.needs = [...tools.needs, ...needs];
    this.#tools = tools;
    this.#broker = broker;
  }

  /** A name that no other test of the file uses. */
  fresh(name: string): string {
    this.#count++;
    return `${name}-${this.#count}`;
  }

  /** @param version a value of -V */
  sub(version: string, args: string): Program {
    return this.#tools.startSub([...this.#fixed(version), ...args.split(" ")]);
  }

  /** Publishes and resolves when that has gone well. */
  async pub(version: string, args: string, input?: string): Promise<Ended> {
    const options = input === undefined ? {} : { input };
    const ended = await this.#tools.startPub([...this.#fixed(version), ...args.split(" ")], options).end();
    assert.deepEqual([ended.code, ended.errors], [0, ""]);
    return ended;
  }

  #fixed(version: string): readonly string[] {
    return ["-h", "127.0.0.1", "-p", String(this.#broker().port), "-V", version];
  }
}

/** The line of -d with which a subscriber is ready. */
export const SUBSCRIBED: RegExp = /^Subscribed \(mid: 1\): \d$/m;

/** Lines of -d without their "Client ID ", by QoS. */
const PUB_LINES = [
  ["sending PUBLISH (d0, q0, r0, m1, 'T', ... (5 bytes))"],
  ["sending PUBLISH (d0, q1, r0, m1, 'T', ... (5 bytes))", "received PUBACK (Mid: 1, RC:0)"],
  [
    "sending PUBLISH (d0, q2, r0, m1, 'T', ... (5 bytes))",
    "received PUBREC (Mid: 1)",
    "sending PUBREL (m1)",
    "received PUBCOMP (Mid: 1, RC:0)",
  ],
];
const SUB_LINES = [
  ["received PUBLISH (d0, q0, r0, m0, 'T', ... (5 bytes))"],
  ["received PUBLISH (d0, q1, r0, m1, 'T', ... (5 bytes))", "sending PUBACK (m1, rc0)"],
  [
    "received PUBLISH (d0, q2, r0, m1, 'T', ... (5 bytes))",
    "sending PUBREC (m1, rc0)",
    "received PUBREL (Mid: 1)",
    "sending PUBCOMP (m1)",
  ],
];

function lines(clientId: string, topic: string, texts: readonly string[]): string {
  return texts.map((text) => `Client ${clientId} ${text.replace("'T'", `'${topic}'`)}\n`).join("");
}

/** Messages at a QoS with the line of -d that told of each: "retain payload". */
function received(out: string, qos: number): readonly string[] {
  const told = [
    ...out.matchAll(/^Client \S+ received PUBLISH \(d0, q(\d), r(\d), .*\n(?:Client .*\n)*(?!Client )(.*)/gm),
  ];
  return told.filter(([, told]) => Number(told) === qos).map(([, , retain, payload]) => `${retain} ${payload}`);
}

/**
 * Declares the tests of `tools` at the broker that `start` starts.
 * @param needs what the broker needs
 * @param versions values of -V
 */
export function declareToolsSuite(
  tools: Tools,
  needs: readonly PeerName[],
  start: () => Promise<BrokerProcess>,
  versions: readonly string[] = ["31", "311", "5"],
): ToolsAtBroker {
  let broker: BrokerProcess | undefined;
  const at = new ToolsAtBroker(tools, needs, () => broker as BrokerProcess);
  before(async () => {
    broker = await start();
  });
  after(() => broker?.stop());
  for (const version of versions) {
    for (const qos of [0, 1, 2]) declareDebugLines(at, version, qos);
    declareRetained(at, version);
    declareWill(at, version);
    declareSession(at, version);
  }
  return at;
}

function declareDebugLines(at: ToolsAtBroker, version: string, qos: number): void {
  testWithPeers(`-d of both ends, -V ${version}, QoS ${qos}`, at.needs, async () => {
    const topic = at.fresh("debug");
    const [subId, pubId] = [at.fresh("sub"), at.fresh("pub")];
    const subscriber = at.sub(version, `-t ${topic} -q 2 -d -i ${subId} -C 1`);
    await subscriber.printed(SUBSCRIBED);
    const publisher = await at.pub(version, `-t ${topic} -m hello -q ${qos} -d -i ${pubId}`);
    const begin = ["sending CONNECT", "received CONNACK (0)"];
    const sent = [...begin, ...(PUB_LINES[qos] ?? []), "sending DISCONNECT"];
    assert.equal(publisher.out, lines(pubId, topic, sent));
    const { code, out } = await subscriber.end();
    assert.equal(code, 0);
    const granted = [...begin, `sending SUBSCRIBE (Mid: 1, Topic: ${topic}, QoS: 2, Options: 0x00)`, "received SUBACK"];
    assert.ok(out.startsWith(`${lines(subId, topic, granted)}Subscribed (mid: 1): 2\n`), out);
    assert.ok(out.includes(lines(subId, topic, SUB_LINES[qos] ?? [])), out);
    assert.ok(out.endsWith(`hello\n${lines(subId, topic, ["sending DISCONNECT"])}`), out);
  });
}

function declareRetained(at: ToolsAtBroker, version: string): void {
  testWithPeers(`a retained message and its removal, -V ${version}`, at.needs, async () => {
    const topic = at.fresh("retained");
    await at.pub(version, `-t ${topic} -m kept -q 1 -r`);
    const { out } = await at.sub(version, `-t ${topic} -q 1 -C 1 -d`).end();
    assert.deepEqual(received(out, 1), ["1 kept"]);
    await at.pub(version, `-t ${topic} -n -r`);
    const later = at.sub(version, `-t ${topic} -C 1 -d`);
    await later.printed(SUBSCRIBED);
    await at.pub(version, `-t ${topic} -m live`);
    assert.deepEqual(received((await later.end()).out, 0), ["0 live"]);
  });
}

function declareWill(at: ToolsAtBroker, version: string): void {
  testWithPeers(`a will: after death, not after DISCONNECT, -V ${version}`, at.needs, async () => {
    const [topic, quiet] = [at.fresh("will"), at.fresh("quiet")];
    const heir = at.sub(version, `-t ${topic} -t ${quiet} -q 2 -d -C 1`);
    await heir.printed(/^Subscribed \(mid: \d\): 2/m);
    await at.pub(version, `-t nothing -m x --will-topic ${quiet} --will-payload never`);
    const will = `--will-topic ${topic} --will-payload gone --will-qos 2 --will-retain`;
    const mortal = at.sub(version, `-t nothing -d ${will}`);
    await mortal.printed(SUBSCRIBED);
    await mortal.stop("SIGKILL");
    assert.deepEqual(received((await heir.end()).out, 2), ["0 gone"]);
    const { out } = await at.sub(version, `-t ${topic} -q 2 -C 1 -d`).end();
    assert.deepEqual(received(out, 2), ["1 gone"]);
  });
}

function declareSession(at: ToolsAtBroker, version: string): void {
  testWithPeers(`a Session keeps messages, -V ${version}`, at.needs, async () => {
    const [topic, id] = [at.fresh("session"), at.fresh("durable")];
    const session = `-t ${topic} -q 2 -c -i ${id}${version === "5" ? " -x 100" : ""}`;
    const first = at.sub(version, `${session} -d`);
    await first.printed(SUBSCRIBED);
    assert.equal((await first.stop()).code, 0);
    for (const qos of [0, 1, 2])
      await at.pub(version, `-t ${topic} -q ${qos} -l`, `QoS ${qos}, first\nQoS ${qos}, second\n`);
    // QoS 0 is not kept for who is away.
    const { code, out } = await at.sub(version, `${session} -C 4`).end();
    assert.equal(code, 0);
    const heard = out.trim().split("\n").sort();
    assert.deepEqual(heard, ["QoS 1, first", "QoS 1, second", "QoS 2, first", "QoS 2, second"]);
  });
}
