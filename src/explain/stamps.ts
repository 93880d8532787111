/** The time and program at the start of log lines: mosquitto's epoch stamps, ISO times, syslog and journald, docker compose. */

/** A line without what stands before its message. */
export interface StampedLine {
  readonly message: string;
  /** Milliseconds since 1970 where the stamp says it in full; null for none, and for syslog's, which has no year. */
  readonly timeMs: number | null;
  /** The stamp as it stands there; null for none. */
  readonly stamp: string | null;
}

const HOST_AND_PROGRAM = String.raw`(?:(?:[\w.-]{1,255} )?[\w./@-]{1,80}\[\d{1,10}\]: )?`;

const CONTAINER = /^[\w.-]{1,80} {1,20}\| /;
const SYSLOG = /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) [\w.-]{1,255} [\w./@-]{1,80}(?:\[\d{1,10}\])?: /;
const EPOCH = /^(\d{9,11})(?:\.\d{1,9})?: /;
const ISO = new RegExp(
  String.raw`^\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d{1,9})? ?(Z|UTC|[+-]\d\d:?\d\d)?\]?:? {0,3}${HOST_AND_PROGRAM}`,
);

/** Stamps that can stand behind each other, as journald's before mosquitto's own. */
const MOST_STAMPS = 3;

/** Takes the time, host and program off the start of `line`. */
export function withoutStamp(line: string): StampedLine {
  let stamped: StampedLine = { message: line.replace(CONTAINER, ""), timeMs: null, stamp: null };
  for (let count = 0; count < MOST_STAMPS; count++) {
    const next = withoutOne(stamped);
    if (next === null) break;
    stamped = next;
  }
  return stamped;
}

/** Without its first stamp; null when there is none. The last time that is told in full counts. */
function withoutOne({ message, timeMs }: StampedLine): StampedLine | null {
  const syslog = SYSLOG.exec(message);
  if (syslog !== null) return { message: message.slice(syslog[0].length), timeMs, stamp: syslog[1] ?? "" };
  const epoch = EPOCH.exec(message);
  if (epoch !== null) {
    const [whole, seconds = ""] = epoch;
    return { message: message.slice(whole.length), timeMs: Number(seconds) * 1000, stamp: seconds };
  }
  const iso = ISO.exec(message);
  if (iso === null) return null;
  const [whole, date = "", time = "", zone] = iso;
  return {
    message: message.slice(whole.length),
    timeMs: isoTime(date, time, zone) ?? timeMs,
    stamp: `${date} ${time}`,
  };
}

/** A time without a zone is taken as UTC: which one was meant cannot be known here. */
function isoTime(date: string, time: string, zone: string = "Z"): number | null {
  const offset = zone === "UTC" ? "Z" : zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  const milliseconds = Date.parse(`${date}T${time}${offset}`);
  return Number.isNaN(milliseconds) ? null : milliseconds;
}
