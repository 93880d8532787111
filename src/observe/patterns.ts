/** What several connections of one client have in common: a single end has many possible causes, a pattern of ends has few. */
import type { EndReason } from "../protocol/index.ts";
import type { ConnectionRecord } from "./flight-recorder.ts";

/** Something that several connections show. */
export type Pattern =
  /** They end after the same time: something on the way, or the client, has a limit. */
  | { readonly kind: "regular-length"; readonly seconds: number; readonly times: number }
  /** They end when nothing has passed for the same time: a NAT, firewall or load balancer forgets idle connections. */
  | { readonly kind: "regular-silence"; readonly seconds: number; readonly times: number }
  /** Two or more take the client identifier from each other. */
  | { readonly kind: "identifier-fight"; readonly addresses: readonly string[]; readonly times: number }
  /** The last thing that passed before the end was the same. */
  | {
      readonly kind: "same-last-packet";
      readonly direction: "received" | "sent";
      readonly firstByte: number;
      readonly times: number;
    }
  /** It comes back at once each time, without a pause that grows. */
  | { readonly kind: "no-back-off"; readonly times: number; readonly medianPauseMs: number }
  /** Other clients were lost at the same time. */
  | { readonly kind: "lost-with-others"; readonly all: number; readonly sameNetwork: number }
  /** It is refused again and again for the same reason. */
  | { readonly kind: "refused-again"; readonly reason: EndReason; readonly times: number };

/** Ends that nobody explained: what a middlebox does looks like them. */
const UNEXPLAINED: readonly EndReason[] = ["connection-closed", "network-error", "keep-alive-timeout"];
/** Connections that must show it. */
const ENOUGH = 3;
/** How far times may be from their median to count as the same, as a part of it and at least in milliseconds. */
const SAME_PART = 0.03;
const SAME_MS = 1500;
/** Shorter ones are no limit of anything. */
const SHORTEST_LIMIT_MS = 5000;
/** Connections end for the same reason within this time of the last packet. */
const AT_ONCE_MS = 1000;
/** A pause shorter than this is none. */
const SHORT_PAUSE_MS = 2000;
const NOTABLE_WAVE = 3;

/** The patterns that connections of one client, oldest first, show. */
export function patternsOf(records: readonly ConnectionRecord[]): readonly Pattern[] {
  const ended = records.filter((record) => record.endedMs !== null);
  const found = [
    identifierFight(ended),
    regular(ended),
    refusedAgain(ended),
    sameLastPacket(ended),
    lostWithOthers(ended.at(-1)),
    noBackOff(records),
  ];
  return found.filter((pattern) => pattern !== null);
}

function regular(ended: readonly ConnectionRecord[]): Pattern | null {
  const unexplained = ended.filter(({ reason, wasAccepted }) => wasAccepted && UNEXPLAINED.includes(reason!));
  // A keep-alive loss is noticed later than it happened.
  const closed = unexplained.filter(({ reason }) => reason !== "keep-alive-timeout");
  const silences = closed.map((record) => record.endedMs! - lastPacketMs(record));
  const silence = sameOf(silences);
  if (silence !== null) return { kind: "regular-silence", seconds: seconds(silence), times: closed.length };
  const length = sameOf(unexplained.map((record) => record.endedMs! - record.openedMs));
  return length === null ? null : { kind: "regular-length", seconds: seconds(length), times: unexplained.length };
}

/** The median of times that are all the same, or null. */
function sameOf(timesMs: readonly number[]): number | null {
  if (timesMs.length < ENOUGH) return null;
  const median = medianOf(timesMs);
  const tolerance = Math.max(SAME_MS, median * SAME_PART);
  if (median < SHORTEST_LIMIT_MS || timesMs.some((ms) => Math.abs(ms - median) > tolerance)) return null;
  return median;
}

function identifierFight(ended: readonly ConnectionRecord[]): Pattern | null {
  const taken = ended.filter(({ reason }) => reason === "session-taken-over");
  if (taken.length < 2) return null;
  const hosts = taken.flatMap((record) => [record.remoteAddress, record.takenOverBy ?? record.remoteAddress]);
  const addresses = [...new Set(hosts.map(hostOf))];
  return { kind: "identifier-fight", addresses, times: taken.length };
}

function sameLastPacket(ended: readonly ConnectionRecord[]): Pattern | null {
  const last = ended.slice(-ENOUGH);
  if (last.length < ENOUGH || last.some(({ reason }) => reason === "client-disconnected")) return null;
  const packets = last.map(({ trail, endedMs }) => {
    const entry = trail.at(-1);
    return entry !== undefined && endedMs! - entry.lastMs <= AT_ONCE_MS ? entry : null;
  });
  const [first] = packets;
  if (first == null) return null;
  const isSame = packets.every((entry) => entry?.direction === first.direction && entry.firstByte === first.firstByte);
  return isSame
    ? { kind: "same-last-packet", direction: first.direction, firstByte: first.firstByte, times: last.length }
    : null;
}

function refusedAgain(ended: readonly ConnectionRecord[]): Pattern | null {
  const last = ended.at(-1);
  if (last === undefined || last.wasAccepted) return null;
  let times = 0;
  for (const { wasAccepted, reason } of [...ended].reverse()) {
    if (wasAccepted || reason !== last.reason) break;
    times++;
  }
  return times < ENOUGH ? null : { kind: "refused-again", reason: last.reason!, times };
}

function lostWithOthers(last: ConnectionRecord | undefined): Pattern | null {
  if (last?.lostWith == null || last.lostWith.all < NOTABLE_WAVE) return null;
  return { kind: "lost-with-others", ...last.lostWith };
}

function noBackOff(records: readonly ConnectionRecord[]): Pattern | null {
  const pauses: number[] = [];
  for (const [i, { openedMs }] of records.entries()) {
    const before = records[i - 1];
    if (before?.endedMs != null && before.reason !== "client-disconnected") pauses.push(openedMs - before.endedMs);
  }
  if (pauses.length < ENOUGH * 2) return null;
  const medianPauseMs = medianOf(pauses);
  return medianPauseMs < SHORT_PAUSE_MS ? { kind: "no-back-off", times: pauses.length, medianPauseMs } : null;
}

function lastPacketMs({ trail, lastReceivedMs }: ConnectionRecord): number {
  return trail.reduce((last, entry) => Math.max(last, entry.lastMs), lastReceivedMs);
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

/** The address without its port. */
function hostOf(remoteAddress: string): string {
  return remoteAddress.replace(/:\d+$/, "");
}
