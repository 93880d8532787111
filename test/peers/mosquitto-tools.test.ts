// mosquitto's own command-line clients at our broker.
import assert from "node:assert/strict";
import { testWithPeers } from "../support/peers.ts";
import { startBrokerProcess } from "./broker-process.ts";
import { mosquittoTools } from "./tools.ts";
import { declareToolsSuite, SUBSCRIBED } from "./tools-suite.ts";

const at = declareToolsSuite(mosquittoTools, [], () => startBrokerProcess());

testWithPeers("-l: 500 lines of standard input are messages in order", at.needs, async () => {
  const topic = at.fresh("lines");
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
  const subscriber = at.sub("5", `-t ${topic} -q 2 -C ${lines.length} -d -F %p`);
  await subscriber.printed(SUBSCRIBED);
  await at.pub("5", `-t ${topic} -q 2 -l`, `${lines.join("\n")}\n`);
  const { out } = await subscriber.end();
  assert.deepEqual(out.match(/^line .*$/gm), lines);
});

testWithPeers("properties of 5.0 travel", at.needs, async () => {
  const topic = at.fresh("properties");
  const subscriber = at.sub("5", `-t ${topic} -q 1 -C 1 -d -F %C|%R|%D|%E|%P|%p`);
  await subscriber.printed(SUBSCRIBED);
  const properties =
    "-D publish content-type text/plain -D publish response-topic answers -D publish correlation-data abc " +
    "-D publish message-expiry-interval 60 -D publish user-property key value";
  await at.pub("5", `-t ${topic} -m hello -q 1 ${properties}`);
  assert.match((await subscriber.end()).out, /^text\/plain\|answers\|abc\|(?:60|59)\|key:value\|hello$/m);
});

testWithPeers("a taken-over client hears 0x8E in 5.0", at.needs, async () => {
  const id = at.fresh("twice");
  const first = at.sub("5", `-t a -i ${id} -d`);
  await first.printed(SUBSCRIBED);
  const second = at.sub("5", `-t a -i ${id} -d`);
  await second.printed(SUBSCRIBED);
  assert.match((await first.end()).out, /^Received DISCONNECT \(142\)$/m);
  await second.stop();
});
