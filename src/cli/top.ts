/** `lacewing top`: the busiest clients, again and again. */
import type { Requests } from "../admin/index.ts";
import type { Language } from "../explain/index.ts";
import { printable } from "../observe/index.ts";
import { asking } from "./asking.ts";
import { say } from "./language.ts";
import { askArgumentsOf, TOP_COMMAND } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import { counted } from "./quantities.ts";
import { tableLines } from "./table.ts";
import { runTool, withOutput } from "./tool.ts";

/** Clients shown without a terminal that says its height, and the lines besides. */
const CLIENTS = 20;
const LINES_BESIDES = 4;
const MOST_CLIENTS = 100;
const CLEAR_SCREEN = "\u001b[H\u001b[2J";

/** Runs `lacewing top` and returns its exit code. */
export function runTop(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(TOP_COMMAND, args, io, (parsed) => {
    const wanted = askArgumentsOf(parsed);
    const { every: seconds, times = Number.POSITIVE_INFINITY } = parsed;
    const terminal = io.stdout as Partial<Pick<NodeJS.WriteStream, "isTTY" | "rows">>;
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, async (asker) => {
        const isEnded = signalled();
        for (let i = 0; i < times; i++) {
          const rows = (terminal.rows ?? CLIENTS + LINES_BESIDES) - LINES_BESIDES;
          const limit = Math.min(MOST_CLIENTS, Math.max(1, rows));
          const answer = await Promise.race([isEnded, asker.ask("top", { seconds, limit }, seconds * 1000)]);
          if (answer === "signal") break;
          output.out.write(
            `${terminal.isTTY === true ? CLEAR_SCREEN : ""}${topLines(answer, wanted.language).map(printable).join("\n")}\n`,
          );
        }
        return 0;
      }),
    );
  });
}

const HEADS: Readonly<Record<Language, readonly string[]>> = {
  en: ["CLIENT", "ADDRESS", "IN/S", "OUT/S", "QUEUED", "IN FLIGHT", "UNREAD BYTES"],
  zh: ["客户端", "地址", "接收/秒", "发送/秒", "排队", "传输中", "未读字节"],
};

function signalled(): Promise<"signal"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("signal"));
  });
}

function topLines(
  { clients, connected, receivedPerSecond, sentPerSecond }: Requests["top"]["answer"],
  language: Language,
): readonly string[] {
  const rows = clients.map((client) => [
    client.clientId,
    client.remoteAddress ?? say(language, "away", "离线"),
    client.receivedPerSecond.toFixed(1),
    client.sentPerSecond.toFixed(1),
    String(client.queuedMessages),
    String(client.inflightMessages),
    String(client.backlogBytes),
  ]);
  return [
    say(
      language,
      `${counted(connected, "client")}, ${receivedPerSecond.toFixed(1)} packets/s in, ${sentPerSecond.toFixed(1)} packets/s out`,
      `${connected} 个客户端，接收 ${receivedPerSecond.toFixed(1)} 报文/秒，发送 ${sentPerSecond.toFixed(1)} 报文/秒`,
    ),
    ...tableLines(HEADS[language], rows),
  ];
}
