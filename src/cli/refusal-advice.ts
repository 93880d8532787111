/** What to do when a broker does not let a client in, by the code of its CONNACK. */
import type { Version } from "../protocol/index.ts";

const OTHER_VERSION = "The broker does not speak this version of MQTT: see -V.";
const IDENTIFIER = "The broker does not take this client identifier: see -i, and the broker's rules for identifiers.";
const NOT_READY = "The broker is there but takes nobody now: try again later, and read its log.";
const WRONG_PASSWORD = "The broker does not know this user name with this password: see -u and -P.";
const NO_ACCESS =
  "The broker lets this client in only with a right user name and password, or not at all: see -u and -P.";
const ELSEWHERE = "The broker sends its clients to another one: ask who runs it for the address.";

/** Before 5.0. */
const BY_RETURN_CODE: Readonly<Record<number, string>> = {
  1: OTHER_VERSION,
  2: IDENTIFIER,
  3: NOT_READY,
  4: WRONG_PASSWORD,
  5: NO_ACCESS,
};

/** From 5.0 on. */
const BY_REASON_CODE: Readonly<Record<number, string>> = {
  132: OTHER_VERSION,
  133: IDENTIFIER,
  134: WRONG_PASSWORD,
  135: NO_ACCESS,
  136: NOT_READY,
  137: "The broker has as much to do as it can: try again later.",
  138: "The broker has banned this client: ask who runs it.",
  140: "The broker does not know this way to authenticate: see -D connect authentication-method.",
  144: "The broker does not take the topic of the will: see --will-topic.",
  149: "The CONNECT is larger than the broker takes: is the will's payload too long?",
  151: "The broker has as many clients or connections as it may have: see its limits.",
  153: "The will's payload is not what -D will payload-format-indicator says.",
  154: "The broker retains no messages: leave out --will-retain.",
  155: "The broker does not take wills at this QoS: lower --will-qos.",
  156: ELSEWHERE,
  157: ELSEWHERE,
  159: "Too many connect at once for the broker: try again later.",
};

/** A line for the user, or null when there is nothing to say that the code does not. */
export function refusalAdvice(code: number, version: Version): string | null {
  return (version === 5 ? BY_REASON_CODE : BY_RETURN_CODE)[code] ?? null;
}
