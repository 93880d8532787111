/** A line for each packet, worded as by libmosquitto. */
import type { Packet, Publish } from "../protocol/index.ts";
import type { ClientPacketObserver } from "./connection.ts";

/** What a client without identifier is called. */
const NO_ID = "(null)";

/** Writes a line for each packet. */
export class PacketLog implements ClientPacketObserver {
  readonly #write: (text: string) => void;
  #clientId: string;

  /** @param write takes a line, without its end */
  constructor(clientId: string, write: (text: string) => void) {
    this.#clientId = clientId;
    this.#write = write;
  }

  get #client(): string {
    return `Client ${this.#clientId === "" ? NO_ID : this.#clientId}`;
  }

  sent(packet: Packet, mid: number): void {
    for (const text of sentTexts(packet, mid)) this.#write(`${this.#client} sending ${text}`);
  }

  received(packet: Packet): void {
    if (packet.type === "CONNACK") this.#clientId = packet.properties.assignedClientId ?? this.#clientId;
    if (packet.type === "DISCONNECT") this.#write(`Received DISCONNECT (${packet.reasonCode})`);
    else this.#write(`${this.#client} received ${receivedText(packet)}`);
  }

  unknownPacketId(type: Packet["type"], packetId: number): void {
    if (type !== "PUBREC") return;
    const from = this.#clientId === "" ? NO_ID : this.#clientId;
    this.#write(`Warning: Received PUBREC from ${from} for an unknown packet identifier ${packetId}.`);
  }
}
function sentTexts(packet: Packet, mid: number): string[] {
  switch (packet.type) {
    case "PUBLISH":
      return [publishText(packet, mid)];
    case "PUBACK":
    case "PUBREC":
      return [`${packet.type} (m${packet.packetId}, rc${packet.reasonCode})`];
    case "PUBREL":
    case "PUBCOMP":
      return [`${packet.type} (m${packet.packetId})`];
    case "SUBSCRIBE":
      return packet.subscriptions.map(({ topicFilter, qos, noLocal, retainAsPublished, retainHandling }) => {
        const options = (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
        return `SUBSCRIBE (Mid: ${mid}, Topic: ${topicFilter}, QoS: ${qos}, Options: 0x${hexadecimal(options)})`;
      });
    case "UNSUBSCRIBE":
      return packet.topicFilters.map((topicFilter) => `UNSUBSCRIBE (Mid: ${mid}, Topic: ${topicFilter})`);
    default:
      return [packet.type];
  }
}

function receivedText(packet: Packet): string {
  switch (packet.type) {
    case "CONNACK":
      return `CONNACK (${packet.reasonCode})`;
    case "PUBLISH":
      return publishText(packet, packet.packetId);
    case "PUBACK":
    case "PUBCOMP":
      return `${packet.type} (Mid: ${packet.packetId}, RC:${packet.reasonCode})`;
    case "PUBREC":
    case "PUBREL":
      return `${packet.type} (Mid: ${packet.packetId})`;
    default:
      return packet.type;
  }
}

function publishText({ dup, qos, retain, topicName, payload }: Publish, mid: number): string {
  const flags = `d${dup ? 1 : 0}, q${qos}, r${retain ? 1 : 0}, m${mid}`;
  return `PUBLISH (${flags}, '${topicName}', ... (${payload.length} bytes))`;
}

function hexadecimal(value: number): string {
  return value.toString(16).padStart(2, "0");
}
