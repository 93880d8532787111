/** Reason codes of MQTT 5.0: what each means, by the packet where that differs. Numbers, names and packets are protocol's. */
import { REASON_CODES, type ReasonPacket } from "../../protocol/index.ts";
import type { Code } from "../code.ts";
import type { MeaningKey } from "./meanings.ts";

type ReasonName = (typeof REASON_CODES)[number]["key"];

const MEANING: Readonly<Record<ReasonName, MeaningKey>> = {
  Success: "success",
  NormalDisconnection: "disconnected",
  GrantedQos0: "granted",
  GrantedQos1: "granted",
  GrantedQos2: "granted",
  DisconnectWithWill: "disconnected",
  NoMatchingSubscribers: "no-subscribers",
  NoSubscriptionExisted: "no-subscription-existed",
  ContinueAuthentication: "authentication-continues",
  ReAuthenticate: "authentication-continues",
  UnspecifiedError: "exact-reason-unknown",
  MalformedPacket: "malformed-packet",
  ProtocolError: "protocol-error",
  ImplementationSpecificError: "implementation-specific",
  UnsupportedProtocolVersion: "protocol-version-refused",
  ClientIdentifierNotValid: "identifier-refused",
  BadUserNameOrPassword: "bad-credentials",
  NotAuthorized: "not-authorised",
  ServerUnavailable: "server-unavailable",
  ServerBusy: "server-busy",
  Banned: "banned",
  ServerShuttingDown: "server-shutting-down",
  BadAuthenticationMethod: "authentication-method-refused",
  KeepAliveTimeout: "client-silent",
  SessionTakenOver: "session-taken-over",
  TopicFilterInvalid: "topic-filter-invalid",
  TopicNameInvalid: "topic-name-invalid",
  PacketIdentifierInUse: "packet-id-in-use",
  PacketIdentifierNotFound: "packet-id-unknown",
  ReceiveMaximumExceeded: "receive-maximum",
  TopicAliasInvalid: "topic-alias",
  PacketTooLarge: "packet-too-large",
  MessageRateTooHigh: "message-rate",
  QuotaExceeded: "quota-exceeded",
  AdministrativeAction: "administrative-action",
  PayloadFormatInvalid: "payload-format",
  RetainNotSupported: "retain-refused",
  QosNotSupported: "qos-refused",
  UseAnotherServer: "use-another-server",
  ServerMoved: "use-another-server",
  SharedSubscriptionsNotSupported: "subscription-kind-refused",
  ConnectionRateExceeded: "connection-rate",
  MaximumConnectTime: "maximum-connect-time",
  SubscriptionIdentifiersNotSupported: "subscription-kind-refused",
  WildcardSubscriptionsNotSupported: "subscription-kind-refused",
};

/** Where a packet gives a code another meaning: being let in is one thing, being allowed a topic another. */
const BY_PACKET: Readonly<Partial<Record<ReasonName, Readonly<Partial<Record<ReasonPacket, MeaningKey>>>>>> = {
  Success: { CONNACK: "accepted" },
  NotAuthorized: {
    PUBACK: "acl-denied",
    PUBREC: "acl-denied",
    SUBACK: "subscription-refused",
    UNSUBACK: "unsubscribe-refused",
  },
  QuotaExceeded: { CONNACK: "too-many-connections" },
};

/** One row for each code and meaning. */
export const REASONS: readonly Code[] = REASON_CODES.flatMap((row) => {
  const byMeaning = new Map<MeaningKey, ReasonPacket[]>();
  for (const packet of row.on) {
    const meaning = BY_PACKET[row.key]?.[packet] ?? MEANING[row.key];
    byMeaning.set(meaning, [...(byMeaning.get(meaning) ?? []), packet]);
  }
  return [...byMeaning].map(([meaning, on]) => ({
    code: row.code,
    name: row.name,
    says: row.name,
    meaning,
    on,
    aliases: [row.key],
  }));
});
