/**
 * The flight recorder of a client: how each of its connections ended, by whom and by which rule, and what passed before. Always
 * written, and bounded; the ring of packets is the one that the broker has too.
 */
import { type EndReason, type PacketTrail, packetName, type TrailEntry, type Version } from "../protocol/index.ts";
import type { ConnectionEnd } from "./connection.ts";

/** Packets that passed one way, at once or one after the other. Times are wall time in milliseconds since 1970. */
export interface PassedPackets extends TrailEntry {
  /** Their type and what is special about them, as `PUBLISH q1 retain`. */
  readonly packet: string;
}

/** The end of a connection, or of the attempt to make one. Times are wall time in milliseconds since 1970. */
export interface ConnectionEnding {
  /** "client" is this one: by a goodbye, or as the server broke a rule or did not answer. */
  readonly endedBy: "client" | "server" | "network";
  readonly reason: EndReason;
  /** The rule in words: what the server said, which rule it broke, what the system said. */
  readonly detail: string;
  /** Where the connection led. */
  readonly address: string;
  readonly clientId: string;
  readonly version: Version;
  /** In force: the server's, when it named one. */
  readonly keepAliveSeconds: number;
  /** Whether the server had let us in. */
  readonly wasAccepted: boolean;
  /** When the attempt began. */
  readonly startedMs: number;
  /** When the network connection had come to be; null: it never had. */
  readonly openedMs: number | null;
  readonly endedMs: number;
  /** When the last packet of the server came; null: none did. */
  readonly lastReceivedMs: number | null;
  readonly receivedPackets: number;
  readonly sentPackets: number;
  /** What passed last, oldest first; at most 16 entries. */
  readonly trail: readonly PassedPackets[];
}

/** What is remembered of the connection that there is, in entries of its trail. */
export const TRAIL_ENTRIES = 64;
/** The same of one that has ended. */
const ENDED_TRAIL_ENTRIES = 16;
/** Ended connections that are remembered. */
const MOST_ENDINGS = 8;

/** What a connection was, beside how it ended. Times are of the clock of its trail. */
export interface ConnectionFacts {
  readonly address: string;
  readonly clientId: string;
  readonly version: Version;
  readonly keepAliveSeconds: number;
  readonly startedMs: number;
  readonly openedMs: number | null;
  readonly lastReceivedMs: number;
  readonly trail: PacketTrail;
}

/**
 * @param detail what is to be said of it
 * @param nowMs on the clock of the trail
 * @param wallMs the same moment as wall time
 */
export function endingOf(
  end: ConnectionEnd,
  facts: ConnectionFacts,
  detail: string,
  nowMs: number,
  wallMs: number,
): ConnectionEnding {
  const { address, clientId, version, keepAliveSeconds, startedMs, openedMs, lastReceivedMs, trail } = facts;
  const aheadMs = wallMs - nowMs;
  const { receivedPackets, sentPackets } = trail;
  trail.shrink(ENDED_TRAIL_ENTRIES);
  return {
    endedBy: endedBy(end),
    reason: end.reason,
    detail,
    address,
    clientId,
    version,
    keepAliveSeconds,
    wasAccepted: end.wasAccepted,
    startedMs: startedMs + aheadMs,
    openedMs: openedMs === null ? null : openedMs + aheadMs,
    endedMs: wallMs,
    lastReceivedMs: receivedPackets === 0 ? null : lastReceivedMs + aheadMs,
    receivedPackets,
    sentPackets,
    trail: passedPackets(trail, aheadMs),
  };
}

function endedBy({ reason, fault, connack, disconnect, error, wasOpened }: ConnectionEnd): ConnectionEnding["endedBy"] {
  if (connack !== null || disconnect !== null) return "server";
  if (fault !== null) return "client";
  switch (reason) {
    case "client-disconnected":
    case "disconnected-with-will":
    case "keep-alive-timeout":
    case "connect-timeout":
      return "client";
    default:
      // Closed in an orderly way: by the server, or whoever is in between.
      return error === null && wasOpened ? "server" : "network";
  }
}

/** The entries of a trail; `aheadMs` is how far the wall clock is ahead of the trail's. */
export function passedPackets(trail: PacketTrail, aheadMs: number): readonly PassedPackets[] {
  return trail.entries().map((entry) => ({
    ...entry,
    packet: packetName(entry.firstByte),
    firstMs: entry.firstMs + aheadMs,
    lastMs: entry.lastMs + aheadMs,
  }));
}

/** The last endings of one client. */
export class Endings {
  #endings: readonly ConnectionEnding[] = NONE;

  /** Oldest first; at most 8. */
  get all(): readonly ConnectionEnding[] {
    return this.#endings;
  }

  add(ending: ConnectionEnding): void {
    this.#endings = [...this.#endings.slice(1 - MOST_ENDINGS), ending];
  }
}

const NONE: readonly ConnectionEnding[] = Object.freeze([]);
