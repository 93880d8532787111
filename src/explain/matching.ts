/** Finds what a pasted text or a line of a log is about: patterns of lines, OpenSSL's errors, names and numbers in it. */
import { LINE_PATTERNS } from "./catalogue/log-lines.ts";
import type { MeaningKey } from "./catalogue/meanings.ts";
import { type Found, placesOf, rowsAnywhere, rowsNamed, rowsOf, rowsSaying, type Source } from "./spaces.ts";

/** One thing that a text can be about. */
export interface Match {
  readonly meaning: MeaningKey;
  readonly found?: Found;
  readonly facts?: Readonly<Record<string, string>>;
}

/** What was found in a line. */
export interface LineMatch {
  /** The likeliest first; empty when nothing is known, or when the line is no problem. */
  readonly matches: readonly Match[];
  /** Whether the line is known to be no problem. */
  readonly isHarmless: boolean;
  /** Whether it only gives the rule of the end that the next line says. */
  readonly isDetail?: boolean;
}

/** Most characters of a line that are looked at. */
const MOST_CHARACTERS = 4096;

const HARMLESS: LineMatch = { matches: [], isHarmless: true };

/** What is known of a line beside its text. */
export interface LineOrigin {
  readonly source?: Source | undefined;
  /** Whether it began with a time: a broker's log does, what a client prints does not. */
  readonly isStamped?: boolean;
}

/** What `text`, one line without its time, is about. */
export function matchLine(text: string, { source, isStamped = false }: LineOrigin = {}): LineMatch {
  const line = text.slice(0, MOST_CHARACTERS);
  const tls = matchOpenSsl(line, source === "broker" || isStamped);
  if (tls.length > 0) return { matches: tls, isHarmless: false };
  const pattern = matchPattern(line);
  if (pattern !== null) return pattern;
  const matches = [...matchNames(line), ...matchSayings(line, source), ...matchNumbers(line, source)];
  return { matches: withoutTwins(matches), isHarmless: false };
}

function matchPattern(line: string): LineMatch | null {
  for (const { pattern, meaning, code, isDetail = false } of LINE_PATTERNS) {
    const match = pattern.exec(line);
    if (match === null) continue;
    const { code: number, ...facts } = factsOf(match.groups);
    if (code !== undefined && number !== undefined) {
      const found = rowsOfPacket(Number(number), code);
      if (Number(number) !== 0 && found !== undefined)
        return {
          matches: [{ meaning: found.row.meaning, found, facts }],
          isHarmless: Number(number) < 0x80 && code.space === "reason",
        };
    }
    return meaning === null ? HARMLESS : { matches: [{ meaning, facts }], isHarmless: isTrace(meaning), isDetail };
  }
  return null;
}

/** Lines of a trace mean something to who asks for one, and are no problem in a log. */
function isTrace(meaning: MeaningKey): boolean {
  return meaning === "publish-trace" || meaning === "granted";
}

type CodePlace = NonNullable<(typeof LINE_PATTERNS)[number]["code"]>;

/** From 128 on a CONNACK is one of 5.0. */
function rowsOfPacket(number: number, place: CodePlace): Found | undefined {
  if (place.space === "connack" && number >= 0x80) return rowsOf({ space: "reason", packet: "CONNACK" }, number)[0];
  return rowsOf(place, number)[0] ?? rowsOf({ space: place.space }, number)[0];
}

function factsOf(groups: Readonly<Record<string, string | undefined>> | undefined): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const [name, value] of Object.entries(groups ?? {}))
    if (value !== undefined && value !== "") facts[name] = value;
  return facts;
}

/** As error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed, and without the function in OpenSSL 3. */
const OPENSSL = /error:([0-9A-Fa-f]{8}):([^:]{0,80}):([^:]{0,120}):([^:\n]{1,160})/;
/** The number alone, as it is searched for. */
const OPENSSL_NUMBER = /^\s*(0A[0-9A-F]{6}|14[0-9A-F]{6})(?:\s|$)/i;
/** OpenSSL's number of the library SSL. */
const SSL_LIBRARY = 20;
const VERIFY = /verify error:num=(\d{1,3})|Verify return code: (\d{1,3}) \((?!ok)/;

function matchOpenSsl(line: string, isBroker: boolean): Match[] {
  const verify = VERIFY.exec(line);
  if (verify !== null) return matchesOf(rowsOf({ space: "x509" }, Number(verify[1] ?? verify[2])));
  const match = OPENSSL.exec(line);
  const hexadecimal = match?.[1] ?? OPENSSL_NUMBER.exec(line)?.[1];
  if (hexadecimal === undefined) return [];
  const reason = match?.[4] ?? "";
  const number = Number.parseInt(hexadecimal, 16);
  const byNumber = reasonsOf(number).flatMap((code) => rowsOf({ space: "tls" }, code));
  // Its words go first: numbers of other libraries than SSL are not in the table.
  const rows = [...rowsSaying(reason).filter(({ space }) => space === "tls"), ...byNumber];
  return matchesOf(rows).flatMap((found) => bothSides(found, isBroker || /OpenSSL Error: /.test(line)));
}

/** From OpenSSL 3 on the library is in bits 23 to 30, before in bits 24 to 31 with the function between. */
function reasonsOf(number: number): number[] {
  if (((number >>> 23) & 0xff) === SSL_LIBRARY) return [number & 0x7f_ffff];
  return number >>> 24 === SSL_LIBRARY ? [number & 0xfff] : [];
}

/**
 * In a broker's log "wrong version number" means that somebody came without TLS, in a client's that the port has none; and a certificate
 * that could not be verified is the client's there, and the broker's here.
 */
function bothSides(match: Match, isBroker: boolean): Match[] {
  if (match.meaning === "certificate-verify-failed" && isBroker)
    return [{ ...match, meaning: "client-certificate-refused" }];
  if (match.meaning !== "not-tls") return [match];
  const broker: Match = { ...match, meaning: "plain-on-tls-port" };
  return isBroker ? [broker, match] : [match, broker];
}

/** Words that are names of errors in programs and logs. */
const NAMES =
  /\b(?:E[A-Z][A-Z0-9]{2,19}|EAI_[A-Z]{4,10}|[A-Z][A-Z0-9]{1,20}(?:_[A-Z0-9]{1,24}){1,8}|AMQJSC?\d{4,7}[EI])\b/g;
/** Most names that are looked at. */
const MOST_NAMES = 32;

function matchNames(line: string): Match[] {
  const names = [...new Set(line.match(NAMES) ?? [])].slice(0, MOST_NAMES);
  return names.flatMap((name) => matchesOf(rowsNamed(name).slice(0, 2)));
}

function matchSayings(line: string, source: Source | undefined): Match[] {
  const rows = rowsSaying(line);
  const fitting =
    source === undefined ? [] : rows.filter(({ space }) => placesOf(source).some((place) => place.space === space));
  return matchesOf(fitting.length > 0 ? fitting : rows);
}

/** A number with a word before it that says that it is one of an error. */
const NUMBER =
  /(?:\b(?:rc|ret|returned|result|error|errno|err|status|state|code|reason)\b|esp-tls:|返回|错误|代码|退出码|状态)[^\d\n-]{0,24}(-?0x[0-9a-fA-F]{1,4}|-?\d{1,5})\b/i;

const CONTEXTS: readonly (readonly [RegExp, Source])[] = [
  [/on_?disconnect|disconnect(?:ed)?\b|断开/i, "on_disconnect"],
  [/on_?connect\b|connack/i, "on_connect"],
  [/on_?subscribe|suback/i, "suback"],
  [/puback/i, "puback"],
  [/exit|退出/i, "exit"],
  [/mosquitto_\w{1,40}|loop_forever|MOSQ/i, "mosquitto"],
  [/pubsubclient|failed, ?rc=/i, "pubsubclient"],
  [/errno|OSError/i, "errno"],
  [/mbedtls|esp-tls|ESP/, "esp32"],
];

function matchNumbers(line: string, source: Source | undefined): Match[] {
  const text = NUMBER.exec(line)?.[1];
  if (text === undefined) return [];
  const from = source ?? CONTEXTS.find(([pattern]) => pattern.test(line))?.[1];
  return matchNumber(text, from);
}

/** What a number means, written as people write numbers; the likeliest first. */
export function matchNumber(text: string, source?: Source): Match[] {
  const isHexadecimal = /^-?0x/i.test(text);
  const sign = text.startsWith("-") ? -1 : 1;
  const number = sign * Number(text.replace(/^[-+]/, ""));
  if (!Number.isSafeInteger(number)) return [];
  const rows =
    source === undefined
      ? rowsAnywhere(number, isHexadecimal)
      : placesOf(source).flatMap((place) => rowsOf(place, number));
  return withoutTwins(matchesOf(rows));
}

/** The rows as matches. */
export function matchesOf(rows: readonly Found[]): Match[] {
  return rows.map((found) => ({ meaning: found.row.meaning, found }));
}

/** A line whose meaning is known, as that of a problem. */
export function matchOf(meaning: MeaningKey): LineMatch {
  return { matches: [{ meaning }], isHarmless: false };
}

/** Each meaning of each space once. */
function withoutTwins(matches: readonly Match[]): Match[] {
  const seen = new Set<string>();
  return matches.filter(({ meaning, found }) => {
    const key = `${meaning} ${found?.space ?? ""}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
