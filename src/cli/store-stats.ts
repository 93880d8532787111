/** `lacewing store stats`: what a store holds, in all and by client. */
import { type ClientSummary, type LmdbStats, type StoreSummary, summarize } from "../store/index.ts";
import { STATS_COMMAND } from "./options/store-options.ts";
import type { ToolIo } from "./output.ts";
import { counted } from "./quantities.ts";
import { bytesText, explained, shown, withStore } from "./store-tool.ts";
import { runTool } from "./tool.ts";

/** Runs the command and returns its exit code. */
export function runStats(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(STATS_COMMAND, args, io, ({ folder, top, json }) =>
    explained(io, folder, async () => {
      const [summary, file] = await withStore(folder, io, async (store) => [
        await summarize(store),
        await store.stats(),
      ]);
      const clients = largest(summary.clients, top);
      const lines = json ? jsonLines(summary, file, clients) : textLines(folder, summary, file, clients);
      io.stdout.write(`${lines.join("\n")}\n`);
      return 0;
    }),
  );
}

function weight({ queuedBytes, inflightBytes }: ClientSummary): number {
  return queuedBytes + inflightBytes;
}

function messagesOf({ queuedMessages, inflightMessages }: ClientSummary): number {
  return queuedMessages + inflightMessages;
}

/** Those with the most bytes, then with the most messages, then with the most Subscriptions. */
function largest(clients: readonly ClientSummary[], count: number): ClientSummary[] {
  const sorted = [...clients].sort(
    (a, b) =>
      weight(b) - weight(a) ||
      messagesOf(b) - messagesOf(a) ||
      b.subscriptions - a.subscriptions ||
      (a.clientId < b.clientId ? -1 : 1),
  );
  return sorted.slice(0, count);
}

function jsonLines(
  { clients: all, ...totals }: StoreSummary,
  { fileBytes, freeBytes, setAside }: LmdbStats,
  clients: readonly ClientSummary[],
): string[] {
  const first = { sessions: all.length, ...totals, fileBytes, freeBytes, setAside };
  return [first, ...clients].map((line) => JSON.stringify(line));
}

function textLines(
  folder: string,
  summary: StoreSummary,
  { fileBytes, freeBytes, setAside }: LmdbStats,
  clients: readonly ClientSummary[],
): string[] {
  const totals: [string, number, number?][] = [
    ["Sessions", summary.clients.length],
    ["Subscriptions", summary.subscriptions],
    ["Queued messages", summary.queuedMessages, summary.queuedBytes],
    ["Messages in flight", summary.inflightMessages, summary.inflightBytes],
    ["QoS 2 identifiers", summary.received],
    ["Retained messages", summary.retainedMessages, summary.retainedBytes],
    ["Wills", summary.wills],
    ["Owed to groups", summary.shares],
  ];
  if (setAside > 0) totals.push(["Damaged, set aside", setAside]);
  const rows = totals.map(([name, count, bytes]) => [
    name,
    count.toLocaleString("en"),
    bytes === undefined ? "" : bytesText(bytes),
  ]);
  const size = `${bytesText(fileBytes)}, of which ${bytesText(freeBytes)} are free to be used again`;
  const lines = [`Store ${folder}: ${size}`, ...aligned(rows, ["left", "right", "right"])];
  return clients.length === 0 ? lines : [...lines, "", ...clientLines(summary, clients)];
}

function clientLines(summary: StoreSummary, clients: readonly ClientSummary[]): string[] {
  const head = ["Queued", "Bytes", "In flight", "Received", "Subscriptions", "Client"];
  const rows = clients.map((client) => [
    client.queuedMessages.toLocaleString("en"),
    bytesText(weight(client)),
    client.inflightMessages.toLocaleString("en"),
    client.received.toLocaleString("en"),
    client.subscriptions.toLocaleString("en"),
    shown(client.clientId),
  ]);
  const title = `The ${clients.length.toLocaleString("en")} of ${counted(summary.clients.length, "client")} with the most:`;
  return [title, ...aligned([head, ...rows], ["right", "right", "right", "right", "right", "left"])];
}

type Side = "left" | "right";

function aligned(rows: readonly (readonly string[])[], sides: readonly Side[]): string[] {
  const widths = sides.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      sides[column] === "left" ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    return `  ${cells.join("  ")}`.trimEnd();
  });
}
