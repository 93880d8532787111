/** `lacewing replay`: judges a capture by the rules of MQTT and names the first that was broken. */
import { readFile } from "node:fs/promises";
import { CaptureError, printable, type Replayed, replay } from "../observe/index.ts";
import { reasonCodeName } from "../protocol/index.ts";
import { REPLAY_COMMAND } from "./options/replay-options.ts";
import type { ToolIo } from "./output.ts";
import { dateText, timeText } from "./packet-text.ts";
import { runTool } from "./tool.ts";

/** The exit code when a rule was broken. */
const BROKEN = 2;

/** Runs `lacewing replay` and returns its exit code. */
export function runReplay(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(REPLAY_COMMAND, args, io, async ({ file, verbose }) => {
    try {
      const replayed = replay(await readFile(file));
      io.stdout.write(`${linesOf(replayed, verbose).map(printable).join("\n")}\n`);
      return replayed.some(({ broken }) => broken !== null) ? BROKEN : 0;
    } catch (error) {
      const isOurs = error instanceof CaptureError;
      if (!isOurs && (error as NodeJS.ErrnoException).code === undefined) throw error;
      io.stderr.write(`Error: ${file} cannot be read: ${(error as Error).message}.\n`);
      return 1;
    }
  });
}

function linesOf(replayed: readonly Replayed[], verbose: boolean): readonly string[] {
  if (replayed.length === 0)
    return [
      "There is no MQTT connection in it: none of its TCP connections begins with a CONNECT. (TLS cannot be read.)",
    ];
  return replayed.flatMap((connection) => connectionLines(connection, verbose));
}

function connectionLines(
  { client, server, fromMs, packets, broken, missingBytes }: Replayed,
  verbose: boolean,
): string[] {
  const lines = [`${dateText(fromMs)}  ${client} -> ${server}: ${packets.length} packets`];
  if (verbose)
    for (const { by, atMs, packet } of packets)
      lines.push(`  ${timeText(atMs)}  ${by === "client" ? "->" : "<-"} ${packet.type}${detailOf(packet)}`);
  if (broken !== null) {
    const { by, atMs, fault } = broken;
    const who = by === "client" ? "the client" : "the server";
    lines.push(`  ${timeText(atMs)}  ${who} broke a rule: ${fault.message}`);
    lines.push(`  ${reasonCodeName(fault.reasonCode)} (0x${fault.reasonCode.toString(16)})`);
  } else lines.push("  every packet was as it must be");
  if (missingBytes > 0)
    lines.push(`  bytes are missing in the capture; ${missingBytes} behind them were not looked at`);
  return lines;
}

function detailOf(packet: Replayed["packets"][number]["packet"]): string {
  if (packet.type === "PUBLISH") {
    const { topicName, qos, packetId, payload } = packet;
    return ` q${qos}${qos > 0 ? ` m${packetId}` : ""} '${topicName}' (${payload.length} bytes)`;
  }
  return "packetId" in packet ? ` m${packet.packetId}` : "";
}
