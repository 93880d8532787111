// What the connections of a history saw, in a form that two brokers can be compared by.
import type { HistoryKind } from "./history.ts";

/** A message as it came to a connection. */
export interface Delivery {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly dup: boolean;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[];
}

/** What one connection saw in one step: a message, or another packet as text. */
export interface Seen {
  /** Client and number of the connection. */
  readonly connection: string;
  readonly step: number;
  readonly what: Delivery | string;
}

/** Of a PUBLISH; in front the text that is not part of the topic. */
const PUBLISH = /^PUBLISH (\S+?)=(\S*) q([012])( dup)?( retain)?(?: m\d+)?(?: subscriptionIdentifiers=(\S+))?$/;

/** The PUBLISH that `line` tells of, its topic without `prefix`; null when it is none. */
export function deliveryOf(line: string, prefix: string): Delivery | null {
  const found = PUBLISH.exec(line);
  if (found === null) return null;
  const [, topic = "", payload = "", qos, dup, retain, ids = "[]"] = found;
  return {
    topic: topic.replace(prefix, ""),
    payload,
    qos: Number(qos),
    dup: dup !== undefined,
    retain: retain !== undefined,
    subscriptionIds: (JSON.parse(ids) as number[]).sort((one, other) => one - other),
  };
}

/** The first difference between what mosquitto's clients saw and what ours saw; null when there is none. */
export function differenceBetween(
  mosquitto: readonly Seen[],
  lacewing: readonly Seen[],
  { hasCopies }: HistoryKind,
): string | null {
  const theirs = streamsOf(hasCopies ? mosquitto : joined(mosquitto));
  const ours = streamsOf(lacewing);
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const expected = theirs.get(name) ?? [];
    const actual = ours.get(name) ?? [];
    if (expected.join() !== actual.join())
      return `${name}:\n  mosquitto: ${expected.join("; ")}\n  lacewing:  ${actual.join("; ")}`;
  }
  return null;
}

/** What a connection sees in order, with the number of the step. Between topics, and between QoS, there is no order. */
function streamsOf(all: readonly Seen[]): Map<string, string[]> {
  const streams = new Map<string, string[]>();
  for (const { connection, step, what } of all) {
    // A 5.0 client whose place is taken is told so by us, and by mosquitto 2.1.
    if (what === "DISCONNECT 0x8e") continue;
    const name = `client ${connection}, ${streamOf(what)}`;
    const lines = streams.get(name) ?? [];
    lines.push(`${step}: ${typeof what === "string" ? what : textOf(what)}`);
    streams.set(name, lines);
  }
  return streams;
}

function streamOf(what: Delivery | string): string {
  if (typeof what !== "string") return `${what.topic} at QoS ${what.qos}`;
  const released = /^PUBREL of (\S+)=/.exec(what)?.[1];
  return released === undefined ? "answers" : `${released} released`;
}

function textOf({ payload, dup, retain, subscriptionIds }: Delivery): string {
  const ids = subscriptionIds.length === 0 ? [] : [`of ${subscriptionIds.join("+")}`];
  return [payload === "" ? "empty" : payload, ...(dup ? ["dup"] : []), ...(retain ? ["retained"] : []), ...ids].join(
    " ",
  );
}

/** Copies of a message for overlapping Subscriptions become one, with the highest QoS and all Subscription Identifiers. */
function joined(all: readonly Seen[]): Seen[] {
  const result: Seen[] = [];
  for (const seen of all) {
    const { what } = seen;
    const at = typeof what === "string" ? -1 : result.findIndex((other) => isCopy(seen, other));
    const other = result[at]?.what;
    if (typeof what === "string" && what.startsWith("PUBREL") && result.some((before) => isSame(seen, before)))
      continue;
    if (typeof what === "string" || other === undefined || typeof other === "string") {
      result.push(seen);
      continue;
    }
    const subscriptionIds = [...other.subscriptionIds, ...what.subscriptionIds].sort((one, next) => one - next);
    const qos = Math.max(what.qos, other.qos);
    result[at] = { ...seen, what: { ...what, qos, retain: what.retain || other.retain, subscriptionIds } };
  }
  return result;
}

function isSame(one: Seen, other: Seen): boolean {
  return one.connection === other.connection && one.step === other.step && one.what === other.what;
}

function isCopy(one: Seen, other: Seen): boolean {
  if (one.connection !== other.connection || one.step !== other.step) return false;
  const [mine, its] = [one.what, other.what];
  if (typeof mine === "string" || typeof its === "string") return false;
  return mine.topic === its.topic && mine.payload === its.payload && mine.dup === its.dup;
}
