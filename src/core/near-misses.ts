/** Topic Filters that nearly match a Topic Name: what people mistype, and what MQTT takes literally where they do not expect it. */
import { isShared, parseShared, topicMatches } from "../protocol/index.ts";

/** How a filter and a name differ. */
export type MissKind =
  /** Only upper and lower case differ: topics are case-sensitive [5.0 §4.7.1]. */
  | "letter-case"
  /** One begins with a "/" and the other does not: that is a level of its own [5.0 MQTT-4.7.3-1]. */
  | "leading-slash"
  | "trailing-slash"
  /** White space at the beginning or end of a level. */
  | "white-space"
  /** The name has levels below what the filter takes; a "#" at its end would take them. */
  | "name-deeper"
  /** The filter has more levels than the name. */
  | "filter-deeper"
  /** The name begins with "$", which no filter that begins with a wildcard matches [5.0 MQTT-4.7.2-1]. */
  | "dollar-topic"
  /** One level differs by a letter or two. */
  | "spelling";

/** A filter that nearly matches. */
export interface NearMiss {
  readonly topicFilter: string;
  readonly kind: MissKind;
}

/** Nearest first: the difference that is most surely a mistake. */
const ORDER: readonly MissKind[] = [
  "letter-case",
  "leading-slash",
  "trailing-slash",
  "white-space",
  "dollar-topic",
  "spelling",
  "name-deeper",
  "filter-deeper",
];

/** Most letters that may differ in a level for it to be a slip. */
const SLIPS = 2;

/** Those of `topicFilters` that nearly match `topicName`, the nearest first; none that matches. */
export function nearMisses(topicName: string, topicFilters: Iterable<string>): readonly NearMiss[] {
  const misses: NearMiss[] = [];
  for (const topicFilter of topicFilters) {
    const filter = isShared(topicFilter) ? (parseShared(topicFilter)?.topicFilter ?? topicFilter) : topicFilter;
    const kind = missKind(topicName, filter);
    if (kind !== null) misses.push({ topicFilter, kind });
  }
  return misses.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

function missKind(name: string, filter: string): MissKind | null {
  if (topicMatches(filter, name)) return null;
  if (topicMatches(filter.toLowerCase(), name.toLowerCase())) return "letter-case";
  if (topicMatches(toggled(filter), name)) return "leading-slash";
  if (filter.endsWith("/") && topicMatches(filter, `${name}/`)) return "trailing-slash";
  if (name.endsWith("/") && topicMatches(filter, name.slice(0, -1))) return "trailing-slash";
  if (topicMatches(trimmed(filter), trimmed(name))) return "white-space";
  if (name.startsWith("$") && /^[+#]/.test(filter) && topicMatches(filter, name.slice(1))) return "dollar-topic";
  const [names, filters] = [name.split("/"), filter.split("/")];
  if (names.length === filters.length) return isSlip(names, filters) ? "spelling" : null;
  const common = Math.min(names.length, filters.length);
  if (!topicMatches(filters.slice(0, common).join("/"), names.slice(0, common).join("/"))) return null;
  return names.length > filters.length ? "name-deeper" : "filter-deeper";
}

function toggled(filter: string): string {
  return filter.startsWith("/") ? filter.slice(1) : `/${filter}`;
}

function trimmed(topic: string): string {
  return topic
    .split("/")
    .map((level) => level.trim())
    .join("/");
}

/** Whether all levels match but one, which differs by a letter or two that are not most of it. */
function isSlip(names: readonly string[], filters: readonly string[]): boolean {
  const others = names.flatMap((level, i) => (topicMatches(filters[i]!, level) ? [] : [i]));
  if (others.length !== 1) return false;
  const [name, filter] = [names[others[0]!]!, filters[others[0]!]!];
  // sensor1 and sensor2 are two sensors.
  if (name.replace(/\d+/g, "") === filter.replace(/\d+/g, "")) return false;
  const slips = distance(name, filter);
  return slips <= SLIPS && slips * 2 < Math.max(name.length, filter.length);
}

/** Letters to be changed, added, left out or swapped with the next to make one text of the other. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > SLIPS) return SLIPS + 1;
  const rows = [Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1]!;
      let least = Math.min(above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1), above[j]! + 1, row[j - 1]! + 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
