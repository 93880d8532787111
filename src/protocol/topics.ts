/**
 * Topic Names and Topic Filters [5.0 §4.7] [3.1.1 §4.7]: what is well-formed, what matches, and shared subscriptions
 * [5.0 §4.8.2]. Everything is a loop over characters: the depth of a topic costs no stack.
 */

/** Most levels of a topic that are taken unless configured otherwise. */
export const DEFAULT_MAXIMUM_TOPIC_LEVELS = 201;

/** What is wrong with a Topic Name or Topic Filter, in words; null when nothing is. */
export type TopicFault = string | null;

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;
const DOLLAR = 0x24;

/** Whether the unit at `at` cannot be sent: U+0000, or half of a surrogate pair [5.0 MQTT-1.5.4-1] [5.0 MQTT-1.5.4-2]. */
function isUnsendable(topic: string, at: number): boolean {
  const unit = topic.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdfff) return unit === 0;
  const other = topic.charCodeAt(unit < 0xdc00 ? at + 1 : at - 1);
  return unit < 0xdc00 ? !(other >= 0xdc00 && other <= 0xdfff) : !(other >= 0xd800 && other <= 0xdbff);
}

/** Number of levels: one more than there are slashes. */
export function topicLevels(topic: string): number {
  let levels = 1;
  for (let i = 0; i < topic.length; i++) if (topic.charCodeAt(i) === SLASH) levels++;
  return levels;
}

/** Checks a Topic Name, as in PUBLISH or a will [5.0 MQTT-3.3.2-2] [5.0 MQTT-4.7.3-1] [3.1.1 MQTT-3.3.2-2] [3.1.1 MQTT-4.7.3-1]. */
export function topicNameFault(topicName: string, maximumLevels: number = DEFAULT_MAXIMUM_TOPIC_LEVELS): TopicFault {
  if (topicName.length === 0) return "topic name is empty [5.0 MQTT-4.7.3-1]";
  let levels = 1;
  for (let i = 0; i < topicName.length; i++) {
    const unit = topicName.charCodeAt(i);
    if (unit === SLASH) levels++;
    else if (unit === PLUS || unit === HASH) {
      return `topic name contains "${topicName[i]}" at ${i + 1}; wildcards belong in topic filters [5.0 MQTT-3.3.2-2]`;
    } else if ((unit === 0 || unit >= 0xd800) && isUnsendable(topicName, i)) {
      return `topic name holds U+0000 or a lone surrogate at ${i + 1} [5.0 §1.5.4]`;
    }
  }
  return levels > maximumLevels ? `topic name has ${levels} levels; at most ${maximumLevels} are allowed` : null;
}

/**
 * Checks a Topic Filter, shared ones included [5.0 MQTT-4.7.1-1] [5.0 MQTT-4.7.1-2] [5.0 MQTT-4.8.2-1] [3.1.1 MQTT-4.7.1-2].
 */
export function topicFilterFault(
  topicFilter: string,
  maximumLevels: number = DEFAULT_MAXIMUM_TOPIC_LEVELS,
): TopicFault {
  if (!isShared(topicFilter)) return plainFilterFault(topicFilter, maximumLevels);
  const shared = parseShared(topicFilter);
  if (shared === null) {
    return "a shared topic filter is $share/NAME/FILTER; NAME is not empty and holds no + or #, FILTER is not empty [5.0 MQTT-4.8.2-1]";
  }
  return plainFilterFault(shared.topicFilter, maximumLevels);
}

function plainFilterFault(filter: string, maximumLevels: number): TopicFault {
  if (filter.length === 0) return "topic filter is empty [5.0 MQTT-4.7.3-1]";
  let levels = 1;
  for (let i = 0; i < filter.length; i++) {
    const unit = filter.charCodeAt(i);
    if (unit === SLASH) levels++;
    else if (unit === PLUS) {
      if (!isWholeLevel(filter, i))
        return `topic filter has "+" at ${i + 1} beside other characters; it takes a whole level [5.0 MQTT-4.7.1-2]`;
    } else if (unit === HASH && (i !== filter.length - 1 || !isWholeLevel(filter, i))) {
      return `topic filter has "#" at ${i + 1}; it stands alone in the last level [5.0 MQTT-4.7.1-1]`;
    } else if ((unit === 0 || unit >= 0xd800) && isUnsendable(filter, i)) {
      return `topic filter holds U+0000 or a lone surrogate at ${i + 1} [5.0 §1.5.4]`;
    }
  }
  return levels > maximumLevels ? `topic filter has ${levels} levels; at most ${maximumLevels} are allowed` : null;
}

function isWholeLevel(filter: string, at: number): boolean {
  const before = at === 0 || filter.charCodeAt(at - 1) === SLASH;
  return before && (at === filter.length - 1 || filter.charCodeAt(at + 1) === SLASH);
}

/** Whether the filter is one of a shared subscription, well-formed or not. */
export function isShared(topicFilter: string): boolean {
  return topicFilter.startsWith("$share/") || topicFilter === "$share";
}

/** The two parts of a shared subscription's filter. */
export interface SharedFilter {
  readonly shareName: string;
  readonly topicFilter: string;
}

/** Takes `$share/NAME/FILTER` apart; null when it is not of that form [5.0 MQTT-4.8.2-1] [5.0 MQTT-4.8.2-2]. */
export function parseShared(topicFilter: string): SharedFilter | null {
  if (!topicFilter.startsWith("$share/")) return null;
  const slash = topicFilter.indexOf("/", 7);
  if (slash < 0) return null;
  const shareName = topicFilter.slice(7, slash);
  const rest = topicFilter.slice(slash + 1);
  if (shareName === "" || rest === "" || shareName.includes("+") || shareName.includes("#")) return null;
  return { shareName, topicFilter: rest };
}

/**
 * Whether a well-formed `topicFilter` (not a shared one) matches a well-formed `topicName` [5.0 §4.7]. Filters that start with a
 * wildcard do not match names that start with `$` [5.0 MQTT-4.7.2-1] [3.1.1 MQTT-4.7.2-1].
 */
export function topicMatches(topicFilter: string, topicName: string): boolean {
  const filterEnd = topicFilter.length;
  const nameEnd = topicName.length;
  const first = topicFilter.charCodeAt(0);
  if (topicName.charCodeAt(0) === DOLLAR && (first === PLUS || first === HASH)) return false;
  let f = 0;
  let n = 0;
  // Each round compares one level; both stand at the beginning of one.
  for (;;) {
    const wildcard = topicFilter.charCodeAt(f);
    if (wildcard === HASH) return true;
    if (wildcard === PLUS) {
      f++;
      while (n < nameEnd && topicName.charCodeAt(n) !== SLASH) n++;
    } else {
      while (
        f < filterEnd &&
        n < nameEnd &&
        topicFilter.charCodeAt(f) !== SLASH &&
        topicFilter.charCodeAt(f) === topicName.charCodeAt(n)
      ) {
        f++;
        n++;
      }
    }
    const filterAtEnd = f === filterEnd;
    const nameAtEnd = n === nameEnd;
    if (nameAtEnd) {
      // "a/#" matches "a" too: the parent level is included [5.0 §4.7.1.2].
      return (
        filterAtEnd ||
        (f === filterEnd - 2 && topicFilter.charCodeAt(f) === SLASH && topicFilter.charCodeAt(f + 1) === HASH)
      );
    }
    if (filterAtEnd || topicFilter.charCodeAt(f) !== SLASH || topicName.charCodeAt(n) !== SLASH) return false;
    f++;
    n++;
  }
}
