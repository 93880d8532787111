// Whether the retained messages are those that they must be: for each publisher the last one that was acknowledged, or a later one
// that was sent.
import { type Crowd, pause } from "./crowd.ts";
import { Errand } from "./errand.ts";
import type { Address } from "./link.ts";
import * as wire from "./wire.ts";

const LIMIT_MS = 5000;
const LOOK_MS = 5;

/** Asks for the retained messages of a crowd's topics and says what is wrong with them. */
export async function retainedFaults(crowd: Crowd, address: Address): Promise<string[]> {
  const found = await retained(crowd, address);
  return crowd.publishers.flatMap((publisher) => {
    const { index } = publisher.options;
    const sequence = found.get(index) ?? 0;
    if (sequence >= publisher.retained) return [];
    const what = sequence === 0 ? "none is there" : `${sequence} is there`;
    return [`retained message of publisher ${index}: ${publisher.retained} was acknowledged, ${what}`];
  });
}

/** By publisher, the sequence number of the message retained on its topic; -1 for one that is not as it was sent. */
async function retained(crowd: Crowd, address: Address): Promise<Map<number, number>> {
  const { payloads, options } = crowd;
  const expected = crowd.publishers.filter((publisher) => publisher.retained > 0).length;
  const client = await Errand.connect(address, { version: 4, clientId: `${options.name}-retained`, isClean: true });
  client.send(wire.encodeSubscribe(4, 1, `${options.name}/+`, 0));
  await client.packet(wire.SUBACK);
  const startedMs = performance.now();
  while (client.of(wire.PUBLISH).length < expected && performance.now() - startedMs < LIMIT_MS) await pause(LOOK_MS);
  client.cut();
  const found = new Map<number, number>();
  for (const { body } of client.of(wire.PUBLISH)) {
    const at = 2 + body.readUInt16BE(0);
    found.set(payloads.publisherOf(body, at), payloads.sequenceOf(body, at, body.length) || -1);
  }
  return found;
}
