// What mosquitto's own clients say to our broker, line by line, and what they hear of retained messages, wills and
// Sessions.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { startPeer, testWithPeers } from "../support/peers.ts";
import type { Ended, Program } from "../support/program.ts";
import { type BrokerProcess, startBrokerProcess } from "./broker-process.ts";

let broker: BrokerProcess;
before(async () => {
  broker = await startBrokerProcess();
});
after(() => broker.stop());

/** mosquitto's -V for each version. */
const VERSIONS = ["31", "311", "5"];
/** A number in each topic name and client identifier, as all tests share a broker. */
let count = 0;
function fresh(name: string): string {
  count++;
  return `${name}-${count}`;
}

function sub(version: string, args: string): Program {
  return startPeer("mosquitto_sub", ["-p", String(broker.port), "-V", version, ...args.split(" ")]);
}

function pub(version: string, args: string): Program {
  return startPeer("mosquitto_pub", ["-p", String(broker.port), "-V", version, ...args.split(" ")]);
}

/** Publishes and resolves when that has gone well. */
async function published(version: string, args: string): Promise<Ended> {
  const ended = await pub(version, args).end();
  assert.deepEqual([ended.code, ended.errors], [0, ""]);
  return ended;
}

const SUBSCRIBED = /^Subscribed \(mid: 1\): \d$/m;
const PUB_LINES = [
  [
    "sending CONNECT",
    "received CONNACK (0)",
    "sending PUBLISH (d0, q0, r0, m1, 'T', ... (5 bytes))",
    "sending DISCONNECT",
  ],
  [
    "sending CONNECT",
    "received CONNACK (0)",
    "sending PUBLISH (d0, q1, r0, m1, 'T', ... (5 bytes))",
    "received PUBACK (Mid: 1, RC:0)",
    "sending DISCONNECT",
  ],
  [
    "sending CONNECT",
    "received CONNACK (0)",
    "sending PUBLISH (d0, q2, r0, m1, 'T', ... (5 bytes))",
    "received PUBREC (Mid: 1)",
    "sending PUBREL (m1)",
    "received PUBCOMP (Mid: 1, RC:0)",
    "sending DISCONNECT",
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

for (const version of VERSIONS)
  for (const qos of [0, 1, 2])
    testWithPeers(`-d of both ends, -V ${version}, QoS ${qos}`, ["mosquitto_pub", "mosquitto_sub"], async () => {
      const topic = fresh("debug");
      const [subId, pubId] = [fresh("sub"), fresh("pub")];
      const subscriber = sub(version, `-t ${topic} -q 2 -d -i ${subId} -C 1`);
      await subscriber.printed(SUBSCRIBED);
      const publisher = await published(version, `-t ${topic} -m hello -q ${qos} -d -i ${pubId}`);
      const lines = (id: string, expected: readonly string[]) =>
        expected.map((line) => `Client ${id} ${line}\n`).join("");
      const told = (text: string) => text.replaceAll(topic, "T");
      assert.equal(told(publisher.out), lines(pubId, PUB_LINES[qos] ?? []));
      const { code, out } = await subscriber.end();
      assert.equal(code, 0);
      assert.ok(told(out).includes(lines(subId, SUB_LINES[qos] ?? [])), out);
      assert.match(out, /^hello$/m);
    });

for (const version of VERSIONS) {
  testWithPeers(`a retained message and its removal, -V ${version}`, ["mosquitto_pub", "mosquitto_sub"], async () => {
    const topic = fresh("retained");
    await published(version, `-t ${topic} -m kept -q 1 -r`);
    const { out } = await sub(version, `-t ${topic} -q 1 -C 1 -F %r:%q:%p`).end();
    assert.equal(out, "1:1:kept\n");
    await published(version, `-t ${topic} -n -r`);
    const later = sub(version, `-t ${topic} -C 1 -F %r:%p -d`);
    await later.printed(SUBSCRIBED);
    await published(version, `-t ${topic} -m live`);
    assert.match((await later.end()).out, /^0:live$/m);
  });

  testWithPeers(`a will goes out when its client dies, -V ${version}`, ["mosquitto_pub", "mosquitto_sub"], async () => {
    const topic = fresh("will");
    const heir = sub(version, `-t ${topic} -q 2 -d -C 1 -F %q:%r:%p`);
    await heir.printed(SUBSCRIBED);
    const will = `--will-topic ${topic} --will-payload gone --will-qos 2 --will-retain`;
    const mortal = sub(version, `-t nothing -d ${will}`);
    await mortal.printed(SUBSCRIBED);
    await mortal.stop("SIGKILL");
    assert.match((await heir.end()).out, /^2:0:gone$/m);
    const { out } = await sub(version, `-t ${topic} -q 2 -C 1 -F %q:%r:%p`).end();
    assert.equal(out, "2:1:gone\n");
  });

  testWithPeers(`no will after DISCONNECT, -V ${version}`, ["mosquitto_pub", "mosquitto_sub"], async () => {
    const topic = fresh("will");
    const heir = sub(version, `-t ${topic} -d -C 1`);
    await heir.printed(SUBSCRIBED);
    await published(version, `-t other -m x --will-topic ${topic} --will-payload gone`);
    await published(version, `-t ${topic} -m last`);
    assert.match((await heir.end()).out, /^last$/m);
  });

  testWithPeers(`a Session keeps messages, -V ${version}`, ["mosquitto_pub", "mosquitto_sub"], async () => {
    const [topic, id] = [fresh("session"), fresh("durable")];
    const session = `-t ${topic} -q 2 -c -i ${id}${version === "5" ? " -x 100" : ""}`;
    const first = sub(version, `${session} -d`);
    await first.printed(SUBSCRIBED);
    await first.stop();
    const qosOfMessages = [1, 2, 0, 2, 1, 1];
    for (const [index, qos] of qosOfMessages.entries())
      await published(version, `-t ${topic} -m message-${index} -q ${qos}`);
    // QoS 0 is not kept for who is away.
    const { code, out } = await sub(version, `${session} -C 5 -F %q:%p`).end();
    assert.equal(code, 0);
    // It prints a message of QoS 2 only when its exchange is over, so order shows within each QoS.
    assert.deepEqual(out.match(/^1:.*/gm), ["1:message-0", "1:message-4", "1:message-5"]);
    assert.deepEqual(out.match(/^2:.*/gm), ["2:message-1", "2:message-3"]);
  });
}

testWithPeers("-l: each line of standard input is a message", ["mosquitto_pub", "mosquitto_sub"], async () => {
  const topic = fresh("lines");
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
  const subscriber = sub("5", `-t ${topic} -q 2 -C ${lines.length} -d -F %p`);
  await subscriber.printed(SUBSCRIBED);
  const args = ["-p", String(broker.port), "-V", "5", "-t", topic, "-q", "2", "-l"];
  const { code } = await startPeer("mosquitto_pub", args, { input: `${lines.join("\n")}\n` }).end();
  assert.equal(code, 0);
  const { out } = await subscriber.end();
  assert.deepEqual(out.match(/^line .*$/gm), lines);
});

testWithPeers("properties of 5.0 travel", ["mosquitto_pub", "mosquitto_sub"], async () => {
  const topic = fresh("properties");
  const subscriber = sub("5", `-t ${topic} -q 1 -C 1 -d -F %C|%R|%D|%E|%P|%p`);
  await subscriber.printed(SUBSCRIBED);
  const properties =
    "-D publish content-type text/plain -D publish response-topic answers -D publish correlation-data abc " +
    "-D publish message-expiry-interval 60 -D publish user-property key value";
  await published("5", `-t ${topic} -m hello -q 1 ${properties}`);
  assert.match((await subscriber.end()).out, /^text\/plain\|answers\|abc\|(?:60|59)\|key:value\|hello$/m);
});

testWithPeers("a taken-over client hears 0x8E in 5.0", ["mosquitto_sub"], async () => {
  const id = fresh("twice");
  const first = sub("5", `-t a -i ${id} -d`);
  await first.printed(SUBSCRIBED);
  const second = sub("5", `-t a -i ${id} -d`);
  await second.printed(SUBSCRIBED);
  assert.match((await first.end()).out, /^Received DISCONNECT \(142\)$/m);
  await second.stop();
});
