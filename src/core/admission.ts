/**
 * Who may come in now: limits of an Entrance on how fast connections come, by all of them and from one address, and the time for
 * which an address is not listened to after failed log-ins. What is remembered is bounded, however many addresses there are.
 */
import type { Entrance } from "./entrance.ts";
import type { BrokerOptions } from "./options.ts";
import { dueWith, waitMs } from "./rate.ts";

/** Addresses remembered for each of both; beyond them the one that was longest ago is forgotten. */
const MOST_ADDRESSES = 50_000;
/** Longest time for which an address is not listened to, and after which its failures are forgotten, in milliseconds. */
const LONGEST_BACK_OFF_MS = 3_600_000;

/** From the opening of a connection that is not taken to its CONNECT, which is answered, in milliseconds. */
const REFUSED_CONNECT_TIMEOUT_MS = 1000;

/** The time for a CONNECT, in milliseconds. @param isRefused whatever it says */
export function connectTimeoutOf(
  { connectTimeoutMs }: Pick<BrokerOptions, "connectTimeoutMs">,
  isRefused: boolean,
): number {
  return isRefused ? Math.min(connectTimeoutMs, REFUSED_CONNECT_TIMEOUT_MS) : connectTimeoutMs;
}

interface Failures {
  count: number;
  lastMs: number;
  /** Until when nobody from there is listened to. */
  untilMs: number;
}

/** What is known of those who come. Times are on the monotonic clock. */
export class Admission {
  readonly #due: Map<string, number> = new Map();
  readonly #dueFrom: Map<string, number> = new Map();
  readonly #failuresFrom: Map<string, Failures> = new Map();

  /** Takes one connection from `remoteAddress` into account. Returns what it exceeds, as a sentence; null: nothing. */
  rateRefusal(entrance: Entrance, remoteAddress: string, nowMs: number): string | null {
    const { name, maximumConnectRate: most, maximumConnectRatePerAddress: mostFrom } = entrance;
    const network = mostFrom > 0 ? networkOf(remoteAddress) : null;
    if (network !== null) {
      const key = `${name} ${network}`;
      const due = dueWith(this.#dueFrom.get(key) ?? 0, nowMs, 1, mostFrom);
      if (waitMs(due, nowMs) > 0) return `at most ${mostFrom} connections a second are taken from one address here`;
      remember(this.#dueFrom, key, due);
    }
    if (most > 0) {
      const due = dueWith(this.#due.get(name) ?? 0, nowMs, 1, most);
      if (waitMs(due, nowMs) > 0) return `at most ${most} connections a second are taken here`;
      this.#due.set(name, due);
    }
    return null;
  }

  /** A log-in from `remoteAddress` has failed. A success elsewhere forgives nothing: one known password would allow to guess others. */
  loginFailed({ maximumLoginFailures, loginBackOffMs }: Entrance, remoteAddress: string, nowMs: number): void {
    const network = maximumLoginFailures > 0 ? networkOf(remoteAddress) : null;
    if (network === null) return;
    const known = this.#failuresFrom.get(network);
    const isFresh = known === undefined || nowMs - known.lastMs > LONGEST_BACK_OFF_MS;
    const failures = isFresh ? { count: 0, lastMs: nowMs, untilMs: 0 } : known;
    failures.count++;
    failures.lastMs = nowMs;
    const beyond = failures.count - maximumLoginFailures;
    if (beyond >= 0) failures.untilMs = nowMs + Math.min(loginBackOffMs * 2 ** beyond, LONGEST_BACK_OFF_MS);
    remember(this.#failuresFrom, network, failures);
  }

  /** How long nobody from `remoteAddress` is listened to, as too many log-ins have failed; 0: not at all. */
  backOffMs({ maximumLoginFailures }: Entrance, remoteAddress: string, nowMs: number): number {
    if (maximumLoginFailures === 0 || this.#failuresFrom.size === 0) return 0;
    const network = networkOf(remoteAddress);
    const untilMs = network === null ? 0 : (this.#failuresFrom.get(network)?.untilMs ?? 0);
    return Math.max(0, untilMs - nowMs);
  }
}

/** The latest are last in a Map, so that the first one is longest ago. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST_ADDRESSES) return;
  const first = map.keys().next();
  if (first.done !== true) map.delete(first.value);
}

/**
 * What counts as one address in "ADDRESS:PORT": of IPv4 the address, of IPv6 its first 64 bits, as whoever has one of these has all of
 * them; null: a unix socket, behind which anybody may be.
 */
export function networkOf(remoteAddress: string): string | null {
  if (remoteAddress.startsWith("/")) return null;
  const address = remoteAddress.slice(0, remoteAddress.lastIndexOf(":"));
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(":")) return mapped ?? address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill("0");
  return `${[...groups, ...missing, ...rest].slice(0, 4).join(":")}::/64`;
}
