// All that a packet says, as one line: what two brokers answer is compared by these.
import type { Packet, Properties } from "../../src/protocol/index.ts";
import { hexOf } from "../support/hex.ts";
import { textOf } from "../support/test-client.ts";

/** Identifiers that a broker makes up, as in auto-6F1A0B62-8D21-...: only their shape can be compared. */
const MADE_UP = /[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}/g;
/** What is left of an expiry depends on the moment; it is rounded up to this many seconds. */
const EXPIRY_STEP_SECONDS = 10;

/** The packet with every field and property; what is at its neutral value is left out. */
export function packetText(packet: Packet): string {
  return [packet.type, ...fieldsOf(packet), ...propertiesOf(packet)].join(" ").trim();
}

function fieldsOf(packet: Packet): readonly string[] {
  switch (packet.type) {
    case "PUBLISH": {
      const { topicName, payload, qos, retain, dup, packetId } = packet;
      const flags = [...(dup ? ["dup"] : []), ...(retain ? ["retain"] : []), ...(packetId > 0 ? [`m${packetId}`] : [])];
      return [`${topicName}=${textOf(payload)}`, `q${qos}`, ...flags];
    }
    case "SUBACK":
    case "UNSUBACK":
      return [`m${packet.packetId}`, ...packet.reasonCodes.map(codeText)];
    case "PUBACK":
    case "PUBREC":
    case "PUBREL":
    case "PUBCOMP":
      return [`m${packet.packetId}`, ...(packet.reasonCode === 0 ? [] : [codeText(packet.reasonCode)])];
    case "CONNACK":
      return [codeText(packet.reasonCode), ...(packet.sessionPresent ? ["present"] : [])];
    case "DISCONNECT":
    case "AUTH":
      return [codeText(packet.reasonCode)];
    default:
      return [];
  }
}

function codeText(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}

function propertiesOf(packet: Packet): readonly string[] {
  if (!("properties" in packet)) return [];
  const properties: Properties = packet.properties;
  return Object.entries(properties)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, value]) => `${name}=${valueText(name, value)}`);
}

function valueText(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return hexOf(value);
  if (name === "messageExpirySeconds")
    return `<=${Math.ceil(Number(value) / EXPIRY_STEP_SECONDS) * EXPIRY_STEP_SECONDS}`;
  return (typeof value === "string" ? value : JSON.stringify(value)).replaceAll(MADE_UP, "made-up");
}
