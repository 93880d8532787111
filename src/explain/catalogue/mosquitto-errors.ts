/** mosq_err_t of libmosquitto 1.6, 2.0 and 2.1, with the texts of mosquitto_strerror. 28, 29 and 30 moved in 2.1. */
import type { Code } from "../code.ts";
import type { Text } from "../entry.ts";

const ENDS: Text = {
  en: "In libmosquitto this number ends loop_forever and loop_start: the program must begin again itself.",
  zh: "在 libmosquitto 中，这个错误会使 loop_forever / loop_start 结束，程序需要自己重新开始。",
};

const GOES_ON: Text = {
  en: "In libmosquitto this number does not end loop_forever: it goes on.",
  zh: "在 libmosquitto 中，这个错误不会使 loop_forever 结束，会继续运行。",
};

const MOVED: Text = {
  en: "mosquitto 2.1 gave this error another number.",
  zh: "mosquitto 2.1 给这个错误换了编号。",
};

const PLUGINS: Text = {
  en: "Programs do not see this; it is spoken between the broker and its plugins.",
  zh: "普通程序看不到它，只用于服务器和插件之间。",
};

const NOT_PAHO: Text = {
  en: "In Paho for Python this number means something else: see --from paho-python.",
  zh: "在 Paho Python 中这个数字的含义不同：见 --from paho-python。",
};

/** The rows. */
export const MOSQUITTO_ERRORS: readonly Code[] = [
  { code: -6, name: "MOSQ_ERR_QUOTA_EXCEEDED", meaning: "quota-exceeded", only: "2.1", note: PLUGINS },
  { code: -5, name: "MOSQ_ERR_AUTH_DELAYED", meaning: "authentication-continues", only: "2.1", note: PLUGINS },
  {
    code: -4,
    name: "MOSQ_ERR_AUTH_CONTINUE",
    says: "Continue with authentication.",
    meaning: "authentication-continues",
  },
  { code: -3, name: "MOSQ_ERR_NO_SUBSCRIBERS", says: "No subscribers.", meaning: "no-subscribers" },
  { code: -2, name: "MOSQ_ERR_SUB_EXISTS", says: "Subscription already exists.", meaning: "subscription-exists" },
  { code: -1, name: "MOSQ_ERR_CONN_PENDING", says: "Connection pending.", meaning: "connect-pending" },
  { code: 0, name: "MOSQ_ERR_SUCCESS", says: "No error.", meaning: "success" },
  { code: 1, name: "MOSQ_ERR_NOMEM", says: "Out of memory.", meaning: "out-of-memory", note: ENDS },
  {
    code: 2,
    name: "MOSQ_ERR_PROTOCOL",
    says: "A network protocol error occurred when communicating with the broker.",
    meaning: "protocol-error",
    note: ENDS,
  },
  {
    code: 3,
    name: "MOSQ_ERR_INVAL",
    says: "Invalid function arguments provided.",
    meaning: "invalid-argument",
    note: ENDS,
  },
  {
    code: 4,
    name: "MOSQ_ERR_NO_CONN",
    says: "The client is not currently connected.",
    meaning: "not-connected",
    note: GOES_ON,
  },
  { code: 5, name: "MOSQ_ERR_CONN_REFUSED", says: "The connection was refused.", meaning: "connection-refused" },
  {
    code: 6,
    name: "MOSQ_ERR_NOT_FOUND",
    says: "Message not found (internal error).",
    meaning: "packet-id-unknown",
    note: ENDS,
  },
  { code: 7, name: "MOSQ_ERR_CONN_LOST", says: "The connection was lost.", meaning: "connection-lost" },
  { code: 8, name: "MOSQ_ERR_TLS", says: "A TLS error occurred.", meaning: "tls-failed" },
  { code: 9, name: "MOSQ_ERR_PAYLOAD_SIZE", says: "Payload too large.", meaning: "payload-too-large", note: ENDS },
  {
    code: 10,
    name: "MOSQ_ERR_NOT_SUPPORTED",
    says: "This feature is not supported.",
    meaning: "not-supported",
    note: ENDS,
  },
  { code: 11, name: "MOSQ_ERR_AUTH", says: "Authorisation failed.", meaning: "authentication-failed", note: ENDS },
  { code: 12, name: "MOSQ_ERR_ACL_DENIED", says: "Access denied by ACL.", meaning: "acl-denied", note: ENDS },
  { code: 13, name: "MOSQ_ERR_UNKNOWN", says: "Unknown error.", meaning: "exact-reason-unknown", note: ENDS },
  { code: 14, name: "MOSQ_ERR_ERRNO", meaning: "system-call-failed" },
  { code: 15, name: "MOSQ_ERR_EAI", says: "Lookup error.", meaning: "name-unknown", note: NOT_PAHO },
  { code: 16, name: "MOSQ_ERR_PROXY", says: "Proxy error.", meaning: "proxy-refused", note: NOT_PAHO },
  { code: 17, name: "MOSQ_ERR_PLUGIN_DEFER", meaning: "plugin-internal", note: PLUGINS },
  { code: 18, name: "MOSQ_ERR_MALFORMED_UTF8", says: "Malformed UTF-8", meaning: "malformed-utf8", note: GOES_ON },
  { code: 19, name: "MOSQ_ERR_KEEPALIVE", meaning: "keep-alive-timeout" },
  { code: 20, name: "MOSQ_ERR_LOOKUP", says: "Lookup error.", meaning: "srv-lookup-failed", note: GOES_ON },
  { code: 21, name: "MOSQ_ERR_MALFORMED_PACKET", says: "Malformed Packet", meaning: "malformed-packet", note: GOES_ON },
  {
    code: 22,
    name: "MOSQ_ERR_DUPLICATE_PROPERTY",
    says: "Duplicate property in property list",
    meaning: "duplicate-property",
    note: GOES_ON,
  },
  { code: 23, name: "MOSQ_ERR_TLS_HANDSHAKE", says: "TLS handshake failed.", meaning: "tls-failed" },
  {
    code: 24,
    name: "MOSQ_ERR_QOS_NOT_SUPPORTED",
    says: "Requested QoS not supported on server.",
    meaning: "qos-refused",
    note: GOES_ON,
  },
  {
    code: 25,
    name: "MOSQ_ERR_OVERSIZE_PACKET",
    says: "Packet larger than supported by the server.",
    meaning: "packet-too-large",
    note: GOES_ON,
  },
  { code: 26, name: "MOSQ_ERR_OCSP", says: "OCSP error.", meaning: "ocsp", note: GOES_ON },
  { code: 27, name: "MOSQ_ERR_TIMEOUT", says: "Timed out", meaning: "timed-out" },
  { code: 28, name: "MOSQ_ERR_RETAIN_NOT_SUPPORTED", meaning: "retain-refused", only: "2.0", note: MOVED },
  { code: 29, name: "MOSQ_ERR_TOPIC_ALIAS_INVALID", meaning: "topic-alias", only: "2.0", note: MOVED },
  { code: 30, name: "MOSQ_ERR_ADMINISTRATIVE_ACTION", meaning: "administrative-action", only: "2.0", note: MOVED },
  { code: 31, name: "MOSQ_ERR_ALREADY_EXISTS", meaning: "already-exists" },
  { code: 32, name: "MOSQ_ERR_PLUGIN_IGNORE", meaning: "plugin-internal", only: "2.1", note: PLUGINS },
  { code: 33, name: "MOSQ_ERR_HTTP_BAD_ORIGIN", meaning: "origin-refused", only: "2.1" },
  { code: 148, name: "MOSQ_ERR_TOPIC_ALIAS_INVALID", meaning: "topic-alias", only: "2.1" },
  { code: 152, name: "MOSQ_ERR_ADMINISTRATIVE_ACTION", meaning: "administrative-action", only: "2.1" },
  { code: 154, name: "MOSQ_ERR_RETAIN_NOT_SUPPORTED", meaning: "retain-refused", only: "2.1" },
];
