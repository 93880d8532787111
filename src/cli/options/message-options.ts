/** The options that say what to publish, for every tool that publishes. */
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { bytesOfArgument } from "../raw-arguments.ts";
import { systemText } from "../system-text.ts";

/** The table. */
export const MESSAGE_OPTIONS = {
  message: {
    group: "Message",
    short: "m",
    long: "message",
    type: "text",
    argument: "message",
    help: "Publish this text.",
    again: "Only one type of message can be sent at once.",
  },
  isNull: {
    group: "Message",
    short: "n",
    long: "null-message",
    type: "flag",
    help: "Publish an empty message.",
    again: "Only one type of message can be sent at once.",
  },
  file: {
    group: "Message",
    short: "f",
    long: "file",
    type: "text",
    argument: "file",
    help: "Publish the content of a file.",
    again: "Only one type of message can be sent at once.",
  },
  readsStdin: {
    group: "Message",
    short: "s",
    long: "stdin-file",
    type: "flag",
    help: "Publish standard input, as a whole.",
    again: "Only one type of message can be sent at once.",
  },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
MESSAGE_OPTIONS satisfies OptionTable;

/** Where one payload comes from. */
export type PayloadSource =
  | { readonly from: "text"; readonly payload: Uint8Array }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "stdin" };

/**
 * The one source that the options name, or null.
 * @param others how many sources of other kinds are named
 * @throws CommandLineError when there are several
 */
export function sourceOf(
  { message, isNull, file, readsStdin }: ParsedOptions<typeof MESSAGE_OPTIONS>,
  others: number,
): PayloadSource | null {
  const sources: PayloadSource[] = [];
  if (message !== undefined) sources.push({ from: "text", payload: bytesOfArgument(message) });
  if (isNull) sources.push({ from: "text", payload: new Uint8Array(0) });
  if (file !== undefined) sources.push({ from: "file", path: file });
  if (readsStdin) sources.push({ from: "stdin" });
  if (sources.length + others > 1) throw new CommandLineError("Only one type of message can be sent at once.");
  return sources[0] ?? null;
}

/** The payload, or what is to be said when there is none. */
export async function payloadOf(source: PayloadSource, stdin: Readable): Promise<Uint8Array | string> {
  switch (source.from) {
    case "text":
      return source.payload;
    case "file":
      try {
        return await readFile(source.path);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const why = systemText(code, message);
        return `Error: Unable to read file "${source.path}": ${why}.\nError loading input file "${source.path}".`;
      }
    case "stdin": {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin as AsyncIterable<Buffer | string>) chunks.push(Buffer.from(chunk as Buffer));
      const bytes = Buffer.concat(chunks);
      return bytes.length > 0 ? bytes : "Error: Zero length input.\nError loading input from stdin.";
    }
  }
}
