// Facts of a store in words, by session, so that tests can say what they expect without keys and in any order of sessions.
import type { Change } from "../../src/core/index.ts";
import { decodePacket, isFault, type Publish } from "../../src/protocol/index.ts";
import { textOf } from "./test-client.ts";

const NEVER_SECONDS = 4_294_967_295;

/** What is said of each session; "" has what belongs to none. */
export function digestOf(facts: readonly Change[]): Record<string, string[]> {
  const digest: Record<string, string[]> = {};
  const payloads = new Map<number, string>();
  for (const fact of facts) {
    if (fact.kind === "message-added") payloads.set(fact.message, textOf(publishOf(fact.publish).payload));
    else (digest["clientId" in fact ? fact.clientId : ""] ??= []).push(inWords(fact, payloads));
  }
  digest[""]?.sort();
  return digest;
}

/** The packet that a store keeps. */
export function publishOf(bytes: Uint8Array): Publish {
  const packet = decodePacket(bytes, 0, bytes.length, 5, "client");
  if (isFault(packet) || packet.type !== "PUBLISH") throw new Error("a stored message is no PUBLISH");
  return packet;
}

function inWords(fact: Change, payloads: ReadonlyMap<number, string>): string {
  switch (fact.kind) {
    case "session-set": {
      const of = fact.principal === null ? "" : `of ${fact.principal}, `;
      if (fact.expirySeconds === NEVER_SECONDS) return `${of}never expires`;
      return `${of}expires after ${fact.expirySeconds} s, ${fact.disconnectedAtMs === null ? "connected" : "gone"}`;
    }
    case "subscription-set": {
      const { topicFilter, qos, noLocal, retainAsPublished, subscriptionId } = fact;
      const options = `${noLocal ? " no-local" : ""}${retainAsPublished ? " as-published" : ""}`;
      return `subscribes ${topicFilter} q${qos}${options}${subscriptionId === null ? "" : ` id ${subscriptionId}`}`;
    }
    case "delivery-set": {
      const { message, qos, retain, subscriptionIds, packetId, wait, share } = fact;
      const what = message === null ? "nothing" : payloads.get(message);
      const ids = subscriptionIds === null ? "" : ` ids ${subscriptionIds.join(" ")}`;
      const sent = packetId === 0 ? "" : `, sent as ${packetId}, waits for ${wait}`;
      return `owed ${what} q${qos}${retain ? " retain" : ""}${ids}${share === null ? "" : ` by ${share}`}${sent}`;
    }
    case "received-set":
      return `received ${fact.packetId}`;
    case "retained-set":
      return `retained ${fact.topicName} ${payloads.get(fact.message)}`;
    default:
      return fact.kind;
  }
}
