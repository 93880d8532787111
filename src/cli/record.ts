/** `lacewing record`: everything that passes between a client and the broker, as a file for Wireshark and `lacewing replay`. */
import { asking } from "./asking.ts";
import { CommandLineError } from "./command-line.ts";
import { follow } from "./following.ts";
import { askArgumentsOf, RECORD_COMMAND, secondsOf } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import { runTool, withOutput } from "./tool.ts";

/** Runs `lacewing record` and returns its exit code. */
export function runRecord(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(RECORD_COMMAND, args, io, (parsed) => {
    const { client, pcap: path, size: megabytes } = parsed;
    if (path === undefined) throw new CommandLineError("Name the file to write: --pcap FILE.");
    const seconds = secondsOf(parsed.forTime);
    const wanted = askArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, (asker) =>
        follow(asker, output, { client, seconds, path, megabytes, showsPackets: false, language: wanted.language }),
      ),
    );
  });
}
