/** `lacewing clients`: who is connected, and who is away and remembered; and `lacewing top`, the busiest of them again and again. */
import type { ClientState } from "../admin/index.ts";
import { durationText } from "../explain/index.ts";
import { type Asker, asking } from "./asking.ts";
import { askArgumentsOf, CLIENTS_COMMAND, TOP_COMMAND } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import { tableLines } from "./table.ts";
import { runTool, withOutput } from "./tool.ts";

const PAGE = 1000;
/** Lines of `lacewing top` without a terminal that says its height. */
const TOP_LINES = 20;
const CLEAR_SCREEN = "\u001b[H\u001b[2J";
const NEVER_SECONDS = 4_294_967_295;

/** Runs `lacewing clients` and returns its exit code. */
export function runClients(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(CLIENTS_COMMAND, args, io, (parsed) => {
    const wanted = askArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, async (asker) => {
        const clients = await allClients(asker);
        const lines = parsed.json ? clients.map((client) => JSON.stringify(client)) : clientLines(clients, Date.now());
        for (const line of lines) output.out.write(`${line}\n`);
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

/** Runs `lacewing top` and returns its exit code. */
export function runTop(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(TOP_COMMAND, args, io, (parsed) => {
    const wanted = askArgumentsOf(parsed);
    const terminal = io.stdout as Partial<Pick<NodeJS.WriteStream, "isTTY" | "rows">>;
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, async (asker) => {
        const isEnded = signalled();
        let before = await allClients(asker);
        for (let times = 0; times < (parsed.times ?? Number.POSITIVE_INFINITY); times++) {
          if ((await Promise.race([isEnded, asker.lost(), pause(parsed.every * 1000)])) === "signal") break;
          const now = await allClients(asker);
          const lines = topLines(before, now, parsed.every, (terminal.rows ?? TOP_LINES + 4) - 4);
          output.out.write(`${terminal.isTTY === true ? CLEAR_SCREEN : ""}${lines.join("\n")}\n`);
          before = now;
        }
        return 0;
      }),
    );
  });
}

function signalled(): Promise<"signal"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("signal"));
  });
}

function pause(ms: number): Promise<"time"> {
  return new Promise((resolve) => {
    setTimeout(() => resolve("time"), ms);
  });
}

function topLines(
  before: readonly ClientState[],
  now: readonly ClientState[],
  seconds: number,
  most: number,
): readonly string[] {
  const earlier = new Map(before.map((client) => [client.clientId, client]));
  const rates = now.map((client) => {
    const then = earlier.get(client.clientId);
    // After a new connection everything is counted from its beginning.
    const since = then?.connectedSinceMs === client.connectedSinceMs ? then : undefined;
    return {
      client,
      received: (client.receivedPackets - (since?.receivedPackets ?? 0)) / seconds,
      sent: (client.sentPackets - (since?.sentPackets ?? 0)) / seconds,
    };
  });
  rates.sort((a, b) => b.received + b.sent - (a.received + a.sent));
  const rows = rates
    .slice(0, Math.max(1, most))
    .map(({ client, received, sent }) => [
      client.clientId,
      client.remoteAddress ?? "away",
      received.toFixed(1),
      sent.toFixed(1),
      String(client.queuedMessages),
      String(client.inflightMessages),
      String(client.backlogBytes),
    ]);
  const sum = (of: "received" | "sent"): string => rates.reduce((all, rate) => all + rate[of], 0).toFixed(1);
  return [
    `${now.filter(({ remoteAddress }) => remoteAddress !== null).length} clients, ${sum("received")} packets/s in, ${sum("sent")} packets/s out`,
    ...tableLines(["CLIENT", "ADDRESS", "IN/S", "OUT/S", "QUEUED", "IN FLIGHT", "UNREAD BYTES"], rows),
  ];
}
