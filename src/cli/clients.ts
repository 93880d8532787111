/** `lacewing clients`: who is connected, and who is away and remembered. */
import type { ClientState } from "../admin/index.ts";
import { durationText } from "../explain/index.ts";
import { printable } from "../observe/index.ts";
import { type Asker, asking } from "./asking.ts";
import { askArgumentsOf, CLIENTS_COMMAND } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import { tableLines } from "./table.ts";
import { runTool, withOutput } from "./tool.ts";

const PAGE = 1000;
const NEVER_SECONDS = 4_294_967_295;

/** Runs `lacewing clients` and returns its exit code. */
export function runClients(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(CLIENTS_COMMAND, args, io, (parsed) => {
    const wanted = askArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, async (asker) => {
        const clients = await allClients(asker);
        const lines = parsed.json ? clients.map((client) => JSON.stringify(client)) : clientLines(clients, Date.now());
        for (const line of lines) output.out.write(`${printable(line)}\n`);
        return 0;
      }),
    );
  });
}

async function allClients(asker: Asker): Promise<readonly ClientState[]> {
  const all: ClientState[] = [];
  for (;;) {
    const { clients } = await asker.ask("clients", { after: all.at(-1)?.clientId ?? "", limit: PAGE });
    all.push(...clients);
    if (clients.length < PAGE) return all;
  }
}

function clientLines(clients: readonly ClientState[], nowMs: number): readonly string[] {
  const rows = clients.map((client) => [
    client.clientId,
    client.remoteAddress ?? "away",
    client.version === null ? "" : ({ 3: "3.1", 4: "3.1.1", 5: "5.0" }[client.version] ?? ""),
    client.connectedSinceMs === null
      ? `kept ${keptText(client.sessionExpirySeconds)}`
      : durationText((nowMs - client.connectedSinceMs) / 1000).en,
    String(client.subscriptions),
    String(client.queuedMessages),
    String(client.inflightMessages),
  ]);
  const heads = ["CLIENT", "ADDRESS", "MQTT", "SINCE", "SUBSCRIPTIONS", "QUEUED", "IN FLIGHT"];
  const connected = clients.filter(({ remoteAddress }) => remoteAddress !== null).length;
  return [...tableLines(heads, rows), `${connected} connected, ${clients.length - connected} away.`];
}

function keptText(seconds: number): string {
  return seconds >= NEVER_SECONDS ? "for ever" : durationText(seconds).en;
}
