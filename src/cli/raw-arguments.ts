/** Arguments as bytes: Node puts U+FFFD in the place of what is not UTF-8, and a payload may be anything. Linux has the bytes. */
import { readFileSync } from "node:fs";
import { encodeUtf8, isDiscouraged } from "../protocol/index.ts";
import { CommandLineError } from "./command-line.ts";

const REPLACEMENT = "\uFFFD";

/** The bytes of an argument of this process. */
export function bytesOfArgument(text: string): Uint8Array {
  return (text.includes(REPLACEMENT) ? rawArgument(text) : null) ?? encodeUtf8(text);
}

function rawArgument(text: string): Uint8Array | null {
  let line: Buffer;
  try {
    line = readFileSync("/proc/self/cmdline");
  } catch {
    return null;
  }
  for (let from = 0, end = line.indexOf(0); end >= 0; from = end + 1, end = line.indexOf(0, from)) {
    const argument = line.subarray(from, end);
    if (argument.toString() === text) return argument;
  }
  return null;
}

const TOPIC_OPTIONS = ["-t", "--topic", "-T", "--filter-out", "-U", "--unsubscribe", "-e", "--will-topic"];

/**
 * Sees that topics are UTF-8, without characters that brokers refuse.
 * @throws CommandLineError with mosquitto's words
 */
export function checkTopicArguments(args: readonly string[]): void {
  for (const [index, text] of args.entries()) {
    const option = args[index - 1];
    if (option === undefined || !TOPIC_OPTIONS.includes(option)) continue;
    if (isDiscouraged(text) || !isUtf8(text)) throw new CommandLineError(`Malformed UTF-8 in ${option} argument.`);
  }
}

function isUtf8(text: string): boolean {
  return !text.includes(REPLACEMENT) || Buffer.compare(bytesOfArgument(text), encodeUtf8(text)) === 0;
}
