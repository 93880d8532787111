/** `lacewing why`: why a client went, or with --follow what passes now. */
import type { Requests } from "../admin/index.ts";
import { printable } from "../observe/index.ts";
import { asking } from "./asking.ts";
import { follow } from "./following.ts";
import { languageOf } from "./language.ts";
import { askArgumentsOf, secondsOf, WHY_COMMAND } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import { runTool, type ToolOutput, withOutput } from "./tool.ts";
import { whyLines } from "./why-text.ts";

/** Runs `lacewing why` and returns its exit code. */
export function runWhy(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(WHY_COMMAND, args, io, (parsed) => {
    const { client, limit, json, pcap, size } = parsed;
    const wanted = askArgumentsOf(parsed);
    const seconds = secondsOf(parsed.forTime);
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, async (asker) => {
        if (parsed.follow || pcap !== undefined)
          return follow(asker, output, { client, seconds, path: pcap ?? null, megabytes: size, showsPackets: true });
        const answer = await asker.ask("why", { clientId: client });
        if (json) output.out.write(`${printable(JSON.stringify(answer))}\n`);
        else if (answer.connections.length > 0)
          for (const line of whyLines(client, answer, limit, languageOf(parsed.lang, io.env ?? {})))
            output.out.write(`${printable(line)}\n`);
        else sayUnknown(client, answer, output);
        return answer.connections.length > 0 ? 0 : 1;
      }),
    );
  });
}

function sayUnknown(client: string, { similar }: Requests["why"]["answer"], output: ToolOutput): void {
  output.complain(`Nothing is known of a client '${printable(client)}': it has not come since the broker was started.`);
  if (similar.length > 0) output.complain(`Known are: ${similar.map(printable).join(", ")}.`);
}
