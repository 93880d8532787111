/** libmosquitto's numbers for what went wrong, as a table: MOSQ_ERR_* of mosquitto.h with our own words for them. */
import { reasonCodeName } from "../protocol/index.ts";

/** One row: the number, its name in mosquitto.h without MOSQ_ERR_, and what it says. */
interface RcRow {
  readonly rc: number;
  readonly name: string;
  readonly text: string;
  /** Which version of mosquitto has it, when not both 2.0 and 2.1 do. */
  readonly only?: "2.0" | "2.1";
}

/** The numbers. 28, 29 and 30 of 2.0 are 154, 148 and 152 in 2.1, where reason codes of MQTT 5.0 are numbers of errors too. */
export const MOSQ_ERRORS = [
  { rc: -6, name: "QUOTA_EXCEEDED", text: "a quota is used up", only: "2.1" },
  { rc: -5, name: "AUTH_DELAYED", text: "the answer to the authentication comes later", only: "2.1" },
  { rc: -4, name: "AUTH_CONTINUE", text: "the authentication needs another step" },
  { rc: -3, name: "NO_SUBSCRIBERS", text: "nobody has subscribed to that topic" },
  { rc: -2, name: "SUB_EXISTS", text: "the subscription was there already" },
  { rc: -1, name: "CONN_PENDING", text: "the connection is still being made" },
  { rc: 0, name: "SUCCESS", text: "no error" },
  { rc: 1, name: "NOMEM", text: "no memory, or as much waits as may" },
  { rc: 2, name: "PROTOCOL", text: "what the other side sent is not allowed in MQTT" },
  { rc: 3, name: "INVAL", text: "an argument is not allowed" },
  { rc: 4, name: "NO_CONN", text: "there is no connection now" },
  { rc: 5, name: "CONN_REFUSED", text: "the server refused the connection" },
  { rc: 6, name: "NOT_FOUND", text: "a message or identifier is not known" },
  { rc: 7, name: "CONN_LOST", text: "the other side closed the connection without saying why" },
  { rc: 8, name: "TLS", text: "TLS failed: handshake or certificate" },
  { rc: 9, name: "PAYLOAD_SIZE", text: "the payload is too large" },
  { rc: 10, name: "NOT_SUPPORTED", text: "not supported here or by the server" },
  { rc: 11, name: "AUTH", text: "the authentication failed" },
  { rc: 12, name: "ACL_DENIED", text: "not allowed by the server's rules" },
  { rc: 13, name: "UNKNOWN", text: "an error without a number of its own" },
  { rc: 14, name: "ERRNO", text: "the operating system failed; its own code says more" },
  { rc: 15, name: "EAI", text: "the server's name has no address" },
  { rc: 16, name: "PROXY", text: "the proxy failed or refused" },
  { rc: 17, name: "PLUGIN_DEFER", text: "the plugin has no opinion" },
  { rc: 18, name: "MALFORMED_UTF8", text: "a text is not well-formed UTF-8" },
  { rc: 19, name: "KEEPALIVE", text: "the server did not answer within the keep-alive" },
  { rc: 20, name: "LOOKUP", text: "no SRV record was found" },
  { rc: 21, name: "MALFORMED_PACKET", text: "a packet could not be decoded" },
  { rc: 22, name: "DUPLICATE_PROPERTY", text: "a property is there twice" },
  { rc: 23, name: "TLS_HANDSHAKE", text: "the TLS handshake is not finished" },
  { rc: 24, name: "QOS_NOT_SUPPORTED", text: "the server does not take this QoS" },
  { rc: 25, name: "OVERSIZE_PACKET", text: "the packet is larger than the other side takes" },
  { rc: 26, name: "OCSP", text: "the certificate's OCSP status is missing or bad" },
  { rc: 27, name: "TIMEOUT", text: "the time ran out" },
  { rc: 28, name: "RETAIN_NOT_SUPPORTED", text: "the server keeps no retained messages", only: "2.0" },
  { rc: 29, name: "TOPIC_ALIAS_INVALID", text: "a topic alias is not allowed", only: "2.0" },
  { rc: 30, name: "ADMINISTRATIVE_ACTION", text: "an operator ended the connection", only: "2.0" },
  { rc: 31, name: "ALREADY_EXISTS", text: "it is there already" },
  { rc: 32, name: "PLUGIN_IGNORE", text: "the plugin is to be passed over", only: "2.1" },
  { rc: 33, name: "HTTP_BAD_ORIGIN", text: "the page's origin may not use this WebSocket", only: "2.1" },
  { rc: 148, name: "TOPIC_ALIAS_INVALID", text: "a topic alias is not allowed", only: "2.1" },
  { rc: 152, name: "ADMINISTRATIVE_ACTION", text: "an operator ended the connection", only: "2.1" },
  { rc: 154, name: "RETAIN_NOT_SUPPORTED", text: "the server keeps no retained messages", only: "2.1" },
] as const;

MOSQ_ERRORS satisfies readonly RcRow[];

type Row = (typeof MOSQ_ERRORS)[number];

/** The row whose number counts. */
type RowOf<Name> = Extract<Exclude<Row, { readonly only: "2.0" }>, { readonly name: Name }>;

/** libmosquitto's name of an error, without MOSQ_ERR_. */
export type MosqErrorName = Row["name"];

/** The numbers by name, as in `MOSQ_ERR.KEEPALIVE`; where 2.0 and 2.1 differ, those of 2.1. */
export const MOSQ_ERR: { readonly [Name in MosqErrorName]: RowOf<Name>["rc"] } = Object.fromEntries(
  MOSQ_ERRORS.map(({ name, rc }) => [name, rc]),
) as {
  readonly [Name in MosqErrorName]: RowOf<Name>["rc"];
};

/** What a number says, in a few words; numbers from 128 are reason codes of MQTT 5.0. */
export function strerror(rc: number): string {
  const row = MOSQ_ERRORS.find((candidate) => candidate.rc === rc);
  if (row !== undefined) return row.text;
  const name = reasonCodeName(rc);
  return rc < 128 || name.startsWith("0x") ? `unknown error ${rc}` : name.toLowerCase();
}
