/** `lacewing clients`: who is connected, and who is away and remembered. */
import type { ClientState } from "../admin/index.ts";
import { durationText, type Language } from "../explain/index.ts";
import { printable } from "../observe/index.ts";
import { type Asker, asking } from "./asking.ts";
import { say } from "./language.ts";
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
        const lines = parsed.json
          ? clients.map((client) => JSON.stringify(client))
          : clientLines(clients, Date.now(), wanted.language);
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

function clientLines(clients: readonly ClientState[], nowMs: number, language: Language): readonly string[] {
  const rows = clients.map((client) => [
    client.clientId,
    client.remoteAddress ?? say(language, "away", "离线"),
    client.version === null ? "" : ({ 3: "3.1", 4: "3.1.1", 5: "5.0" }[client.version] ?? ""),
    client.connectedSinceMs === null
      ? keptText(client.sessionExpirySeconds, language)
      : durationText((nowMs - client.connectedSinceMs) / 1000)[language],
    String(client.subscriptions),
    String(client.queuedMessages),
    String(client.inflightMessages),
  ]);
  const heads = HEADS[language];
  const connected = clients.filter(({ remoteAddress }) => remoteAddress !== null).length;
  const away = clients.length - connected;
  return [
    ...tableLines(heads, rows),
    say(language, `${connected} connected, ${away} away.`, `${connected} 个在线，${away} 个离线。`),
  ];
}

const HEADS: Readonly<Record<Language, readonly string[]>> = {
  en: ["CLIENT", "ADDRESS", "MQTT", "SINCE", "SUBSCRIPTIONS", "QUEUED", "IN FLIGHT"],
  zh: ["客户端", "地址", "MQTT", "在线时长", "订阅数", "排队", "传输中"],
};

function keptText(seconds: number, language: Language): string {
  if (seconds >= NEVER_SECONDS) return say(language, "kept for ever", "永久保留");
  const { en, zh } = durationText(seconds);
  return say(language, `kept ${en}`, `保留 ${zh}`);
}
