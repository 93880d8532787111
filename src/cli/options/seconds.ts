/** Times on the command line: seconds, with fractions. */
import { CommandLineError } from "../command-line.ts";

/** As long as a timer of Node can be: 24 days. */
const MOST_SECONDS = 2_147_483;

/**
 * Reads a time.
 * @param option the option's name, for the message
 * @throws CommandLineError when it is not a number of seconds
 */
export function secondsOf(option: string, text: string): number {
  const seconds = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MOST_SECONDS) return seconds;
  throw new CommandLineError(`Invalid ${option} '${text}': allowed are 0 to ${MOST_SECONDS} seconds, as 2 or 0.5.`);
}
