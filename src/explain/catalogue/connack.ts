/** Return codes of CONNACK and SUBACK in MQTT 3.1 and 3.1.1. */
import type { Code } from "../code.ts";

/** CONNACK [3.1.1 §3.2.2.3]. */
export const CONNACK_CODES: readonly Code[] = [
  { code: 0, name: "Connection Accepted", says: "Connection Accepted.", meaning: "accepted" },
  {
    code: 1,
    name: "unacceptable protocol version",
    says: "Connection Refused: unacceptable protocol version.",
    meaning: "protocol-version-refused",
  },
  {
    code: 2,
    name: "identifier rejected",
    says: "Connection Refused: identifier rejected.",
    meaning: "identifier-refused",
  },
  {
    code: 3,
    name: "server unavailable",
    says: "Connection Refused: broker unavailable.",
    meaning: "server-unavailable",
    aliases: ["broker unavailable"],
  },
  {
    code: 4,
    name: "bad user name or password",
    says: "Connection Refused: bad user name or password.",
    meaning: "bad-credentials",
  },
  {
    code: 5,
    name: "not authorised",
    says: "Connection Refused: not authorised.",
    meaning: "not-authorised",
    aliases: ["not authorized", "Connection refused: Not authorized"],
  },
];

/** SUBACK [3.1.1 §3.9.3]. */
export const SUBACK_CODES: readonly Code[] = [
  { code: 0, name: "Maximum QoS 0", meaning: "granted" },
  { code: 1, name: "Maximum QoS 1", meaning: "granted" },
  { code: 2, name: "Maximum QoS 2", meaning: "granted" },
  { code: 128, name: "Failure", meaning: "subscription-refused" },
];
