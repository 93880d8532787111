/** The time and program at the start of log lines: mosquitto's epoch stamps, ISO times, syslog and journald, docker compose. */

/** A line without what stands before its message. */
export interface StampedLine {
  readonly message: string;
  /** Milliseconds since 1970 where the stamp says it in full; null for none, and for syslog's, which has no year. */
  readonly timeMs: number | null;
  /** The stamp as it stands there; null for none. */
  readonly stamp: string | null;
}

const CONTAINER = /^[\w.-]{1,80} {1,20}\| /;
const SYSLOG = /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) [\w.-]{1,255} [\w./@-]{1,80}(?:\[\d{1,10}\])?: /;
const EPOCH = /^(\d{9,11})(?:\.\d{1,9})?: /;
const ISO =
  /^\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?\]?:? {0,3}(?:[\w./@-]{1,80}\[\d{1,10}\]: )?/;

/** Takes the time, host and program off the start of `line`. */
export function withoutStamp(line: string): StampedLine {
  let rest = line.replace(CONTAINER, "");
  let stamp: string | null = null;
  let timeMs: number | null = null;
  const syslog = SYSLOG.exec(rest);
  if (syslog !== null) {
    stamp = syslog[1] ?? null;
    rest = rest.slice(syslog[0].length);
  }
  const epoch = EPOCH.exec(rest);
  if (epoch !== null) {
    stamp = epoch[1] ?? null;
    timeMs = Number(epoch[1]) * 1000;
    rest = rest.slice(epoch[0].length);
  } else {
    const iso = ISO.exec(rest);
    if (iso !== null) {
      stamp = iso[0].trim().replace(/:$/, "");
      timeMs = isoTime(iso);
      rest = rest.slice(iso[0].length);
    }
  }
  return { message: rest, timeMs, stamp };
}

/** A time without a zone is taken as UTC: which one was meant cannot be known here. */
function isoTime([, date = "", time = "", , zone = "Z"]: RegExpExecArray): number | null {
  const offset = zone === "UTC" ? "Z" : zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  const milliseconds = Date.parse(`${date}T${time}${offset}`);
  return Number.isNaN(milliseconds) ? null : milliseconds;
}
