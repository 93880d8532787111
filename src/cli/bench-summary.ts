/** What `lacewing bench` found, as an object for --json and as text. */
import type { Qos } from "../protocol/index.ts";
import { bandwidth, count, counted, type Times, timesText } from "./quantities.ts";

/** The result of one run. Messages and rates are those of the time that was measured; `lost` is of the whole run. */
export interface BenchSummary {
  readonly server: string;
  readonly version: "3.1" | "3.1.1" | "5.0";
  readonly publishers: number;
  readonly subscribers: number;
  readonly connections: number;
  readonly qos: Qos;
  readonly payloadBytes: number;
  /** As asked; null: as many as go. */
  readonly messagesPerSecond: number | null;
  readonly interrupted: boolean;
  /** How long it was measured. */
  readonly seconds: number;
  readonly connecting: {
    /** At the end. */
    readonly connected: number;
    readonly failures: number;
    readonly losses: number;
    /** Until all had connected. */
    readonly seconds: number;
    /** From the attempt to the CONNACK. */
    readonly ms: Times;
  };
  readonly published: { readonly messages: number; readonly perSecond: number; readonly refused: number };
  readonly received: { readonly messages: number; readonly perSecond: number };
  /** Deliveries that did not come; null when nobody knows how many were due. */
  readonly lost: number | null;
  readonly latencyMs: Times;
}

/** The summary for people. */
export function summaryText(summary: BenchSummary): string {
  const { connecting, published, received, lost, payloadBytes, latencyMs, publishers, subscribers } = summary;
  const lines = [headline(summary), ""];
  const trouble = [
    connecting.failures > 0 && `${count(connecting.failures)} attempts failed`,
    connecting.losses > 0 && `${count(connecting.losses)} connections lost`,
  ].filter((text) => text !== false);
  const perSecond = connecting.seconds === 0 ? 0 : connecting.ms.count / connecting.seconds;
  const connected = `${count(connecting.connected)} clients in ${connecting.seconds.toFixed(2)} s (${count(perSecond)}/s)`;
  lines.push(`Connected  ${[connected, ...trouble].join(", ")}`);
  lines.push(`           ${timesText(connecting.ms)}`);
  const rate = (messages: number, each: number): string =>
    `${count(messages).padStart(13)}  ${count(each).padStart(10)}/s  ${bandwidth(each * payloadBytes)}`;
  if (publishers > 0) {
    const refused = published.refused === 0 ? "" : `, ${count(published.refused)} refused`;
    lines.push(`Published  ${rate(published.messages, published.perSecond)}${refused}`);
  }
  if (subscribers > 0) {
    lines.push(`Received   ${rate(received.messages, received.perSecond)}`);
    lines.push(`Lost       ${lost === null ? "      unknown" : count(lost).padStart(13)}`);
    lines.push(`Latency    ${timesText(latencyMs)}`);
  }
  return `${lines.join("\n")}\n`;
}

function headline(summary: BenchSummary): string {
  const { publishers, subscribers, connections, qos, payloadBytes, messagesPerSecond, seconds, server } = summary;
  const clients = [
    publishers > 0 && counted(publishers, "publisher"),
    subscribers > 0 && counted(subscribers, "subscriber"),
    connections > 0 && `${count(connections)} idle`,
  ].filter((text) => text !== false);
  const rate = messagesPerSecond === null ? "as fast as it goes" : `${count(messagesPerSecond)} messages/s`;
  const load = publishers > 0 ? [`QoS ${qos}`, `${count(payloadBytes)} bytes`, rate] : [];
  const how = [...clients, ...load, `${seconds.toFixed(1)} s${summary.interrupted ? " (interrupted)" : ""}`];
  return `${server}, MQTT ${summary.version}: ${how.join(", ")}`;
}
