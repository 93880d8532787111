/** Packets in words, for those who look at what passed on a connection. */
import { packetName, type TrailEntry } from "../protocol/index.ts";

/** A line about packets that passed at once. */
export function trailText(entry: TrailEntry): string {
  const { direction, firstByte, count, firstPacketId, lastPacketId, bytes, firstMs, lastMs } = entry;
  const ids = firstPacketId === lastPacketId ? `m${firstPacketId}` : `m${firstPacketId}-${lastPacketId}`;
  const parts = [
    direction === "received" ? "<-" : "->",
    packetName(firstByte),
    ...(count > 1 ? [`x ${count}`] : []),
    ...(firstPacketId > 0 ? [ids] : []),
    `(${bytes} ${bytes === 1 ? "byte" : "bytes"})`,
    ...(lastMs - firstMs >= 1000 ? [`until ${timeText(lastMs)}`] : []),
  ];
  return `${timeText(firstMs)}  ${parts.join(" ")}`;
}

/** A moment of a day, to the millisecond. */
export function timeText(ms: number): string {
  return `${dateText(ms).slice(11)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
}

/** A moment, to the second, in the time zone of this machine. */
export function dateText(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
