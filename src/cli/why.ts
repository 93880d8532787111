/** `lacewing why`: why a client went, or with --follow what passes now. */
import type { Requests } from "../admin/index.ts";
import type { Language } from "../explain/index.ts";
import { printable } from "../observe/index.ts";
import { asking } from "./asking.ts";
import { follow } from "./following.ts";
import { say } from "./language.ts";
import { askArgumentsOf, secondsOf, WHY_COMMAND } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import { runTool, type ToolOutput, withOutput } from "./tool.ts";
import { whyLines } from "./why-text.ts";

/** Runs `lacewing why` and returns its exit code. */
export function runWhy(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(WHY_COMMAND, args, io, (parsed) => {
    const { client, limit, json, pcap, size } = parsed;
    const wanted = askArgumentsOf(parsed);
    const { language } = wanted;
    const common = { client, seconds: secondsOf(parsed.forTime), megabytes: size, language };
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, async (asker) => {
        if (parsed.follow || pcap !== undefined)
          return follow(asker, output, { ...common, path: pcap ?? null, showsPackets: true });
        const answer = await asker.ask("why", { clientId: client });
        if (json) output.out.write(`${printable(JSON.stringify(answer))}\n`);
        else if (answer.connections.length > 0)
          for (const line of whyLines(client, answer, limit, language)) output.out.write(`${printable(line)}\n`);
        else sayUnknown(client, answer, output, wanted.language);
        return answer.connections.length > 0 ? 0 : 1;
      }),
    );
  });
}

function sayUnknown(
  client: string,
  { similar }: Requests["why"]["answer"],
  output: ToolOutput,
  language: Language,
): void {
  const name = printable(client);
  output.complain(
    say(
      language,
      `Nothing is known of a client '${name}': it has not come since the broker was started.`,
      `没有客户端 '${name}' 的记录：服务器启动以来它没有连接过。`,
    ),
  );
  const names = similar.map(printable).join(", ");
  if (similar.length > 0) output.complain(say(language, `Known are: ${names}.`, `相近的有：${names}。`));
}
