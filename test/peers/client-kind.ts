// One face for the MQTT clients of others and ours, so that every one can be tried as publisher and as subscriber.
import type { PeerName } from "../support/peers.ts";

export type VersionName = "3.1" | "3.1.1" | "5.0";
export type Qos = 0 | 1 | 2;

export interface SubscribeOptions {
  readonly port: number;
  readonly version: VersionName;
  readonly topicFilter: string;
}

export interface PublishOptions {
  readonly port: number;
  readonly version: VersionName;
  readonly topicName: string;
  readonly payloads: readonly string[];
  readonly qos: Qos;
}

/** A message as the client told of it. */
export interface Heard {
  readonly topicName: string;
  readonly payload: string;
  /** As delivered. */
  readonly qos: Qos;
}

export interface Subscriber {
  /** Resolves with all that came when `count` have come on topic names that begin with `prefix`. */
  heard(count: number, prefix: string): Promise<readonly Heard[]>;
  end(): Promise<void>;
}

export interface ClientKind {
  readonly name: string;
  /** What must be installed. */
  readonly needs: readonly PeerName[];
  readonly versions: readonly VersionName[];
  /** Subscribes at QoS 2 and resolves when the broker has granted it. */
  subscribe(options: SubscribeOptions): Promise<Subscriber>;
  /** Publishes `payloads` in order and resolves when all are acknowledged and the client has gone. */
  publish(options: PublishOptions): Promise<void>;
}

export const VERSIONS: readonly VersionName[] = ["3.1", "3.1.1", "5.0"];

/** Picks what came on topic names that begin with `prefix` when there are `count` of them. */
export function pick(all: readonly Heard[], count: number, prefix: string): readonly Heard[] | null {
  const matching = all.filter(({ topicName }) => topicName.startsWith(prefix));
  return matching.length >= count ? matching : null;
}
