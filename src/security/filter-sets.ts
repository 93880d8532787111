/** Topic filters as sets of topic names: what two have in common, and whether one holds another. */

/** The topic names that both filters match, as a filter; null when there are none. */
export function commonFilter(one: string, other: string): string | null {
  const a = one.split("/");
  const b = other.split("/");
  // Wildcards at the beginning do not match what begins with "$" [5.0 MQTT-4.7.2-1].
  if ((isWild(a[0]!) && b[0]!.startsWith("$")) || (isWild(b[0]!) && a[0]!.startsWith("$"))) return null;
  const levels: string[] = [];
  for (let i = 0; ; i++) {
    const [left, right] = [a[i], b[i]];
    // "a/#" matches "a" too, of which nothing is left here [5.0 §4.7.1.2].
    if (left === "#") return [...levels, ...b.slice(i)].join("/");
    if (right === "#") return [...levels, ...a.slice(i)].join("/");
    if (left === undefined || right === undefined) return left === right ? levels.join("/") : null;
    if (left !== right && left !== "+" && right !== "+") return null;
    levels.push(left === "+" ? right : left);
  }
}

/** Whether every topic name that `inner` matches is matched by `outer`. */
export function holdsFilter(outer: string, inner: string): boolean {
  return commonFilter(outer, inner) === inner;
}

function isWild(level: string): boolean {
  return level === "+" || level === "#";
}

/** `pattern` with the names of a client in place of levels that are `%c` or `%u`; null when it can match nothing of it. */
export function withNames(pattern: string, clientId: string, username: string | null): string | null {
  const levels = pattern.split("/");
  for (const [at, level] of levels.entries()) {
    if (level !== "%c" && level !== "%u") continue;
    const name = level === "%c" ? clientId : username;
    // A name that is several levels, or a wildcard, stands for none.
    if (!name || name === "+" || name === "#" || name.includes("/")) return null;
    levels[at] = name;
  }
  return levels.join("/");
}
