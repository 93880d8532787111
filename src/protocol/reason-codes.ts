/**
 * The reason codes of MQTT 5.0 [5.0 §2.4] as one table: their names, the packets that may carry each, and the CONNACK
 * return code that says the same to a client of MQTT 3.1 or 3.1.1 [3.1.1 §3.2.2.3]. Texts for people live in `explain`.
 */

/** One row for each pair of code and meaning; 0x00 has three meanings, told apart by the packet. */
export const REASON_CODES = [
  {
    code: 0x00,
    key: "Success",
    name: "Success",
    on: ["CONNACK", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "UNSUBACK", "AUTH"],
    v311: 0,
  },
  { code: 0x00, key: "NormalDisconnection", name: "Normal disconnection", on: ["DISCONNECT"], v311: null },
  { code: 0x00, key: "GrantedQos0", name: "Granted QoS 0", on: ["SUBACK"], v311: null },
  { code: 0x01, key: "GrantedQos1", name: "Granted QoS 1", on: ["SUBACK"], v311: null },
  { code: 0x02, key: "GrantedQos2", name: "Granted QoS 2", on: ["SUBACK"], v311: null },
  { code: 0x04, key: "DisconnectWithWill", name: "Disconnect with Will Message", on: ["DISCONNECT"], v311: null },
  { code: 0x10, key: "NoMatchingSubscribers", name: "No matching subscribers", on: ["PUBACK", "PUBREC"], v311: null },
  { code: 0x11, key: "NoSubscriptionExisted", name: "No subscription existed", on: ["UNSUBACK"], v311: null },
  { code: 0x18, key: "ContinueAuthentication", name: "Continue authentication", on: ["AUTH"], v311: null },
  { code: 0x19, key: "ReAuthenticate", name: "Re-authenticate", on: ["AUTH"], v311: null },
  {
    code: 0x80,
    key: "UnspecifiedError",
    name: "Unspecified error",
    on: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "UNSUBACK", "DISCONNECT"],
    v311: 3,
  },
  { code: 0x81, key: "MalformedPacket", name: "Malformed Packet", on: ["CONNACK", "DISCONNECT"], v311: null },
  { code: 0x82, key: "ProtocolError", name: "Protocol Error", on: ["CONNACK", "DISCONNECT"], v311: null },
  {
    code: 0x83,
    key: "ImplementationSpecificError",
    name: "Implementation specific error",
    on: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "UNSUBACK", "DISCONNECT"],
    v311: 3,
  },
  { code: 0x84, key: "UnsupportedProtocolVersion", name: "Unsupported Protocol Version", on: ["CONNACK"], v311: 1 },
  { code: 0x85, key: "ClientIdentifierNotValid", name: "Client Identifier not valid", on: ["CONNACK"], v311: 2 },
  { code: 0x86, key: "BadUserNameOrPassword", name: "Bad User Name or Password", on: ["CONNACK"], v311: 4 },
  {
    code: 0x87,
    key: "NotAuthorized",
    name: "Not authorized",
    on: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "UNSUBACK", "DISCONNECT"],
    v311: 5,
  },
  { code: 0x88, key: "ServerUnavailable", name: "Server unavailable", on: ["CONNACK"], v311: 3 },
  { code: 0x89, key: "ServerBusy", name: "Server busy", on: ["CONNACK", "DISCONNECT"], v311: 3 },
  { code: 0x8a, key: "Banned", name: "Banned", on: ["CONNACK"], v311: 5 },
  { code: 0x8b, key: "ServerShuttingDown", name: "Server shutting down", on: ["DISCONNECT"], v311: null },
  {
    code: 0x8c,
    key: "BadAuthenticationMethod",
    name: "Bad authentication method",
    on: ["CONNACK", "DISCONNECT"],
    v311: null,
  },
  { code: 0x8d, key: "KeepAliveTimeout", name: "Keep Alive timeout", on: ["DISCONNECT"], v311: null },
  { code: 0x8e, key: "SessionTakenOver", name: "Session taken over", on: ["DISCONNECT"], v311: null },
  {
    code: 0x8f,
    key: "TopicFilterInvalid",
    name: "Topic Filter invalid",
    on: ["SUBACK", "UNSUBACK", "DISCONNECT"],
    v311: null,
  },
  {
    code: 0x90,
    key: "TopicNameInvalid",
    name: "Topic Name invalid",
    on: ["CONNACK", "PUBACK", "PUBREC", "DISCONNECT"],
    v311: null,
  },
  {
    code: 0x91,
    key: "PacketIdentifierInUse",
    name: "Packet Identifier in use",
    on: ["PUBACK", "PUBREC", "SUBACK", "UNSUBACK"],
    v311: null,
  },
  {
    code: 0x92,
    key: "PacketIdentifierNotFound",
    name: "Packet Identifier not found",
    on: ["PUBREL", "PUBCOMP"],
    v311: null,
  },
  { code: 0x93, key: "ReceiveMaximumExceeded", name: "Receive Maximum exceeded", on: ["DISCONNECT"], v311: null },
  { code: 0x94, key: "TopicAliasInvalid", name: "Topic Alias invalid", on: ["DISCONNECT"], v311: null },
  // §2.4 has it on PUBACK and PUBREC, the tables of those two packets have not; mosquitto sends it there.
  {
    code: 0x95,
    key: "PacketTooLarge",
    name: "Packet too large",
    on: ["CONNACK", "PUBACK", "PUBREC", "DISCONNECT"],
    v311: null,
  },
  { code: 0x96, key: "MessageRateTooHigh", name: "Message rate too high", on: ["DISCONNECT"], v311: null },
  {
    code: 0x97,
    key: "QuotaExceeded",
    name: "Quota exceeded",
    on: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "DISCONNECT"],
    v311: 3,
  },
  { code: 0x98, key: "AdministrativeAction", name: "Administrative action", on: ["DISCONNECT"], v311: null },
  {
    code: 0x99,
    key: "PayloadFormatInvalid",
    name: "Payload format invalid",
    on: ["CONNACK", "PUBACK", "PUBREC", "DISCONNECT"],
    v311: null,
  },
  { code: 0x9a, key: "RetainNotSupported", name: "Retain not supported", on: ["CONNACK", "DISCONNECT"], v311: null },
  { code: 0x9b, key: "QosNotSupported", name: "QoS not supported", on: ["CONNACK", "DISCONNECT"], v311: null },
  { code: 0x9c, key: "UseAnotherServer", name: "Use another server", on: ["CONNACK", "DISCONNECT"], v311: 3 },
  { code: 0x9d, key: "ServerMoved", name: "Server moved", on: ["CONNACK", "DISCONNECT"], v311: 3 },
  {
    code: 0x9e,
    key: "SharedSubscriptionsNotSupported",
    name: "Shared Subscriptions not supported",
    on: ["SUBACK", "DISCONNECT"],
    v311: null,
  },
  {
    code: 0x9f,
    key: "ConnectionRateExceeded",
    name: "Connection rate exceeded",
    on: ["CONNACK", "DISCONNECT"],
    v311: 3,
  },
  { code: 0xa0, key: "MaximumConnectTime", name: "Maximum connect time", on: ["DISCONNECT"], v311: null },
  {
    code: 0xa1,
    key: "SubscriptionIdentifiersNotSupported",
    name: "Subscription Identifiers not supported",
    on: ["SUBACK", "DISCONNECT"],
    v311: null,
  },
  {
    code: 0xa2,
    key: "WildcardSubscriptionsNotSupported",
    name: "Wildcard Subscriptions not supported",
    on: ["SUBACK", "DISCONNECT"],
    v311: null,
  },
] as const;

type Row = (typeof REASON_CODES)[number];

/** A reason code of MQTT 5.0, 0x00 to 0xA2. */
export type ReasonCode = Row["code"];

/** The packets that carry a reason code. */
export type ReasonPacket = Row["on"][number];

/** Reason codes by name, as in `ReasonCode.MalformedPacket`. */
export const ReasonCode: { readonly [R in Row as R["key"]]: R["code"] } = Object.fromEntries(
  REASON_CODES.map((row) => [row.key, row.code]),
) as { readonly [R in Row as R["key"]]: R["code"] };

const ALLOWED: ReadonlyMap<ReasonPacket, ReadonlySet<number>> = allowedByPacket();

function allowedByPacket(): Map<ReasonPacket, Set<number>> {
  const allowed = new Map<ReasonPacket, Set<number>>();
  for (const row of REASON_CODES) {
    for (const packet of row.on) {
      const codes = allowed.get(packet) ?? new Set<number>();
      allowed.set(packet, codes.add(row.code));
    }
  }
  return allowed;
}

/** Whether `packet` may carry `code` [5.0 §2.4]. */
export function isReasonCodeOn(packet: ReasonPacket, code: number): code is ReasonCode {
  return ALLOWED.get(packet)?.has(code) ?? false;
}

/** The specification's name of `code` in `packet`, or its number in hexadecimal when it has none there. */
export function reasonCodeName(code: number, packet?: ReasonPacket): string {
  const rows: readonly Row[] = REASON_CODES;
  const row = rows.find(
    (r) => r.code === code && (packet === undefined || (r.on as readonly string[]).includes(packet)),
  );
  return row?.name ?? `0x${code.toString(16).padStart(2, "0")}`;
}

/** What is said instead of a code that the packet at hand may not carry. */
const NEAREST: ReadonlyMap<number, ReasonCode> = new Map<number, ReasonCode>([
  [ReasonCode.UnsupportedProtocolVersion, ReasonCode.ProtocolError],
  [ReasonCode.BadUserNameOrPassword, ReasonCode.NotAuthorized],
  [ReasonCode.ServerUnavailable, ReasonCode.ServerBusy],
  [ReasonCode.Banned, ReasonCode.AdministrativeAction],
  [ReasonCode.ServerShuttingDown, ReasonCode.ServerUnavailable],
]);

/** `code` where `packet` may carry it, or else the nearest that it may: a reason can apply where the packet has no code for it. */
export function nearestReasonCode(packet: "CONNACK" | "DISCONNECT", code: ReasonCode): ReasonCode {
  return isReasonCodeOn(packet, code) ? code : (NEAREST.get(code) ?? ReasonCode.UnspecifiedError);
}

/** The reason code that says what a CONNACK return code of MQTT 3.1 and 3.1.1 does, 0 to 5 [3.1.1 §3.2.2.3]. */
export function reasonCodeOfReturnCode(returnCode: number): ReasonCode {
  return RETURN_CODES[returnCode] ?? ReasonCode.UnspecifiedError;
}

const RETURN_CODES: readonly ReasonCode[] = [
  ReasonCode.Success,
  ReasonCode.UnsupportedProtocolVersion,
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.ServerUnavailable,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
];

/** The CONNACK return code, 0 to 5, of MQTT 3.1 and 3.1.1 for `code`; null when those versions only close the connection. */
export function connackReturnCode(code: ReasonCode): number | null {
  return REASON_CODES.find((row) => row.code === code)?.v311 ?? null;
}
