/** A line of the log for each packet of the other broker's end, worded as mosquitto's for bridges. */
import { PacketLog } from "../client/index.ts";

/** What writes such lines. */
export function packetLines(clientId: string, write: (text: string) => void): PacketLog {
  const [sending, received] = [`Client ${clientId} sending `, `Client ${clientId} received `];
  return new PacketLog(clientId, (text) => {
    if (text.startsWith(sending)) write(sentLine(clientId, text.slice(sending.length)));
    else if (text.startsWith(received)) write(receivedLine(clientId, text.slice(received.length)));
    else write(text);
  });
}

function sentLine(clientId: string, packet: string): string {
  if (/^(CONNECT|SUBSCRIBE|UNSUBSCRIBE)\b/.test(packet)) return `Bridge ${clientId} sending ${packet}`;
  const [type, ...details] = packet.split(" ");
  return [`Sending ${type} to ${clientId}`, ...details].join(" ");
}

function receivedLine(clientId: string, packet: string): string {
  if (packet.startsWith("CONNACK")) return `Received CONNACK on connection ${clientId}.`;
  const [type, ...details] = packet.split(" ");
  return [`Received ${type} from ${clientId}`, ...details].join(" ");
}
