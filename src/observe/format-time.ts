/** Times as strftime of the C library writes them in the "C" locale, in this machine's time zone. */

/** A moment: milliseconds as a Date has them, and the nanoseconds of its second. */
export interface Moment {
  readonly date: Date;
  readonly nanoseconds: number;
}

/** Furthest that the clock of performance may be from the system's, in milliseconds. */
const MOST_DRIFT_MS = 2;

let originMs: number = performance.timeOrigin;

/** Now, as finely as this machine says. */
export function now(): Moment {
  const systemMs = Date.now();
  // The system's clock may be set; the other one only goes on.
  if (Math.abs(originMs + performance.now() - systemMs) > MOST_DRIFT_MS) originMs = systemMs - performance.now();
  const exactMs = originMs + performance.now();
  const seconds = Math.floor(exactMs / 1000);
  return { date: new Date(exactMs), nanoseconds: Math.min(999_999_999, Math.round((exactMs - seconds * 1000) * 1e6)) };
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

type Writer = (date: Date) => string;

const WRITERS: Readonly<Record<string, Writer>> = {
  a: (date) => DAYS[date.getDay()]!.slice(0, 3),
  A: (date) => DAYS[date.getDay()]!,
  b: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  B: (date) => MONTHS[date.getMonth()]!,
  c: (date) => written("a b e T Y", date),
  C: (date) => two(Math.floor(date.getFullYear() / 100)),
  d: (date) => two(date.getDate()),
  D: (date) => written("m/d/y", date),
  e: (date) => two(date.getDate(), " "),
  F: (date) => written("Y-m-d", date),
  g: (date) => two(isoWeek(date).year % 100),
  G: (date) => String(isoWeek(date).year),
  h: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  H: (date) => two(date.getHours()),
  I: (date) => two(hour12(date)),
  j: (date) => String(dayOfYear(date) + 1).padStart(3, "0"),
  k: (date) => two(date.getHours(), " "),
  l: (date) => two(hour12(date), " "),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  n: () => "\n",
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  P: (date) => (date.getHours() < 12 ? "am" : "pm"),
  r: (date) => written("I:M:S p", date),
  R: (date) => written("H:M", date),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  S: (date) => two(date.getSeconds()),
  t: () => "\t",
  T: (date) => written("H:M:S", date),
  u: (date) => String(date.getDay() || 7),
  U: (date) => two(Math.floor((dayOfYear(date) + 7 - date.getDay()) / 7)),
  V: (date) => two(isoWeek(date).week),
  w: (date) => String(date.getDay()),
  W: (date) => two(Math.floor((dayOfYear(date) + 7 - ((date.getDay() + 6) % 7)) / 7)),
  x: (date) => written("m/d/y", date),
  X: (date) => written("H:M:S", date),
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  z: (date) => offsetOf(date),
  Z: (date) => zoneOf(date),
  "%": () => "%",
};

/** What strftime makes of "%" and `letter`; N is the nanoseconds of the second, as in mosquitto_sub. */
export function formatTime(letter: string, { date, nanoseconds }: Moment): string {
  if (letter === "N") return String(nanoseconds).padStart(9, "0");
  const writer = Object.hasOwn(WRITERS, letter) ? WRITERS[letter] : undefined;
  return writer === undefined ? `%${letter}` : writer(date);
}

/** The letters of `pattern` written, all else as it stands. */
function written(pattern: string, date: Date): string {
  return pattern.replace(/[a-zA-Z]/g, (letter) => WRITERS[letter]!(date));
}

function two(value: number, pad = "0"): string {
  return String(value).padStart(2, pad);
}

function hour12(date: Date): number {
  return date.getHours() % 12 || 12;
}

const DAY_MS = 86_400_000;

/** From 0. */
function dayOfYear(date: Date): number {
  const year = date.getFullYear();
  return (Date.UTC(year, date.getMonth(), date.getDate()) - Date.UTC(year, 0, 1)) / DAY_MS;
}

/** The week that has the year's first Thursday is its first [ISO 8601]. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 3 - ((date.getDay() + 6) % 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

/** As +0100. */
function offsetOf(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

function zoneOf(date: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}
