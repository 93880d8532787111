/** `topic PATTERN [DIRECTION [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]` of a bridge. */
import { type Qos, topicFilterFault } from "../../protocol/index.ts";
import type { BridgeTopic } from "../bridge-config.ts";
import { OptionError } from "../problem.ts";
import { empty, type ValueKind, wordsOf } from "../values.ts";

const FORM = "PATTERN [out|in|both [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]";

/** One topic that crosses a bridge. */
export const BRIDGE_TOPIC: ValueKind<Omit<BridgeTopic, "place">> = {
  form: FORM,
  read(name, rest) {
    const { pattern, words } = split(name, rest.trim());
    const [direction = "out", qosWord = "0", local = "", remote = ""] = withoutComment(words);
    const topic = {
      pattern,
      direction: directionOf(direction),
      qos: qosOf(qosWord),
      localPrefix: prefixOf(local),
      remotePrefix: prefixOf(remote),
    };
    check(topic);
    return topic;
  },
};

/** The pattern may be quoted, as it may hold spaces. */
function split(name: string, rest: string): { pattern: string; words: readonly string[] } {
  if (rest.startsWith('"') && !rest.startsWith('""')) {
    const end = rest.indexOf('"', 1);
    if (end < 0) throw new OptionError(`Error: Missing closing quote in topic value (${wordsOf(rest).at(-1)}).`);
    return { pattern: rest.slice(1, end), words: wordsOf(rest.slice(end + 1)) };
  }
  const [first, ...words] = wordsOf(rest);
  if (first === undefined) throw empty(name, FORM);
  return { pattern: prefixOf(first), words };
}

function withoutComment(words: readonly string[]): readonly string[] {
  // A "#" where a prefix would stand begins a comment, as in mosquitto; no prefix may have one.
  const at = words.findIndex((word) => word.startsWith("#"));
  return at < 0 ? words : words.slice(0, at);
}

function prefixOf(word: string): string {
  return word === '""' ? "" : word;
}

function directionOf(word: string): BridgeTopic["direction"] {
  const direction = word.toLowerCase();
  if (direction === "out" || direction === "in" || direction === "both") return direction;
  throw new OptionError(`Error: Invalid bridge topic direction '${word}'. Allowed is out, in or both.`);
}

function qosOf(word: string): Qos {
  if (word === "0") return 0;
  if (word === "1") return 1;
  if (word === "2") return 2;
  throw new OptionError(`Error: Invalid bridge QoS level '${word}'. Allowed is 0, 1 or 2.`);
}

function check({ pattern, localPrefix, remotePrefix }: Omit<BridgeTopic, "place">): void {
  for (const [prefix, which] of [
    [localPrefix, "local"],
    [remotePrefix, "remote"],
  ] as const) {
    if (/[+#]/.test(prefix)) {
      throw new OptionError(
        `Error: Invalid bridge topic ${which} prefix '${prefix}'. A prefix has no wildcards; they belong in the pattern.`,
      );
    }
    const topic = prefix + pattern;
    if (topic === "") {
      throw new OptionError(
        `Error: Invalid bridge remapping: with the pattern "" both prefixes must be given, and the ${which} one is empty.`,
      );
    }
    const fault = topicFilterFault(topic);
    if (fault !== null) throw new OptionError(`Error: Invalid bridge topic '${topic}': ${fault}.`);
  }
}
