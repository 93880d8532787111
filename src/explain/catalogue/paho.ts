/** Numbers of the Paho libraries for Python, C, JavaScript and Java. */
import type { Code } from "../code.ts";

/** Paho for Python: as mosq_err_t to 14, then its own. */
export const PAHO_PYTHON_CODES: readonly Code[] = [
  { code: -1, name: "MQTT_ERR_AGAIN", meaning: "connect-pending" },
  { code: 0, name: "MQTT_ERR_SUCCESS", says: "No error.", meaning: "success" },
  {
    code: 1,
    name: "MQTT_ERR_NOMEM",
    says: "Out of memory.",
    meaning: "connection-lost",
    note: {
      en: "Versions before 1.6 gave 1 to on_disconnect for every unexpected end.",
      zh: "1.6 之前的版本，任何意外断开时 on_disconnect 都给 1。",
    },
  },
  { code: 2, name: "MQTT_ERR_PROTOCOL", meaning: "protocol-error" },
  { code: 3, name: "MQTT_ERR_INVAL", meaning: "invalid-argument" },
  { code: 4, name: "MQTT_ERR_NO_CONN", meaning: "not-connected" },
  { code: 5, name: "MQTT_ERR_CONN_REFUSED", meaning: "connection-refused" },
  { code: 6, name: "MQTT_ERR_NOT_FOUND", meaning: "packet-id-unknown" },
  { code: 7, name: "MQTT_ERR_CONN_LOST", meaning: "connection-lost" },
  { code: 8, name: "MQTT_ERR_TLS", meaning: "tls-failed" },
  { code: 9, name: "MQTT_ERR_PAYLOAD_SIZE", meaning: "payload-too-large" },
  { code: 10, name: "MQTT_ERR_NOT_SUPPORTED", meaning: "not-supported" },
  { code: 11, name: "MQTT_ERR_AUTH", meaning: "authentication-failed" },
  { code: 12, name: "MQTT_ERR_ACL_DENIED", meaning: "acl-denied" },
  { code: 13, name: "MQTT_ERR_UNKNOWN", meaning: "exact-reason-unknown" },
  { code: 14, name: "MQTT_ERR_ERRNO", meaning: "system-call-failed" },
  {
    code: 15,
    name: "MQTT_ERR_QUEUE_SIZE",
    says: "Message queue full.",
    meaning: "messages-dropped",
    note: {
      en: "The client's own queue is full: max_queued_messages_set.",
      zh: "客户端自己的队列已满：见 max_queued_messages_set。",
    },
  },
  {
    code: 16,
    name: "MQTT_ERR_KEEPALIVE",
    says: "Client or broker did not communicate in the keepalive interval.",
    meaning: "keep-alive-timeout",
  },
];

/** Paho for C. */
export const PAHO_C_CODES: readonly Code[] = [
  { code: 0, name: "MQTTCLIENT_SUCCESS", meaning: "success", aliases: ["MQTTASYNC_SUCCESS"] },
  {
    code: -1,
    name: "MQTTCLIENT_FAILURE",
    meaning: "connect-failed",
    aliases: ["MQTTASYNC_FAILURE"],
    note: {
      en: "Hides refused, blocked and TLS failures alike: the trace (MQTT_C_CLIENT_TRACE=ON) says more.",
      zh: "拒绝、阻断、TLS 失败都归为它；打开跟踪（MQTT_C_CLIENT_TRACE=ON）可看到详情。",
    },
  },
  { code: -2, name: "MQTTCLIENT_PERSISTENCE_ERROR", meaning: "disk-full", aliases: ["MQTTASYNC_PERSISTENCE_ERROR"] },
  { code: -3, name: "MQTTCLIENT_DISCONNECTED", meaning: "not-connected", aliases: ["MQTTASYNC_DISCONNECTED"] },
  {
    code: -4,
    name: "MQTTCLIENT_MAX_MESSAGES_INFLIGHT",
    meaning: "receive-maximum",
    aliases: ["MQTTASYNC_MAX_MESSAGES_INFLIGHT"],
  },
  { code: -5, name: "MQTTCLIENT_BAD_UTF8_STRING", meaning: "malformed-utf8", aliases: ["MQTTASYNC_BAD_UTF8_STRING"] },
  { code: -6, name: "MQTTCLIENT_NULL_PARAMETER", meaning: "invalid-argument", aliases: ["MQTTASYNC_NULL_PARAMETER"] },
  {
    code: -7,
    name: "MQTTCLIENT_TOPICNAME_TRUNCATED",
    meaning: "topic-name-invalid",
    aliases: ["MQTTASYNC_TOPICNAME_TRUNCATED"],
  },
  { code: -8, name: "MQTTCLIENT_BAD_STRUCTURE", meaning: "invalid-argument", aliases: ["MQTTASYNC_BAD_STRUCTURE"] },
  { code: -9, name: "MQTTCLIENT_BAD_QOS", meaning: "invalid-argument", aliases: ["MQTTASYNC_BAD_QOS"] },
  {
    code: -10,
    name: "MQTTCLIENT_SSL_NOT_SUPPORTED",
    meaning: "not-supported",
    note: {
      en: "In MQTTAsync -10 is MQTTASYNC_NO_MORE_MSGIDS: no packet identifier is free.",
      zh: "在 MQTTAsync 中 -10 是 MQTTASYNC_NO_MORE_MSGIDS：没有空闲的报文标识符。",
    },
  },
  { code: -11, name: "MQTTCLIENT_BAD_MQTT_VERSION", meaning: "protocol-version-refused" },
  { code: -12, name: "MQTTASYNC_MAX_BUFFERED_MESSAGES", meaning: "messages-dropped" },
  { code: -13, name: "MQTTASYNC_SSL_NOT_SUPPORTED", meaning: "not-supported" },
  { code: -14, name: "MQTTCLIENT_BAD_PROTOCOL", meaning: "address-invalid", aliases: ["MQTTASYNC_BAD_PROTOCOL"] },
  {
    code: -15,
    name: "MQTTCLIENT_BAD_MQTT_OPTION",
    meaning: "invalid-argument",
    aliases: ["MQTTASYNC_BAD_MQTT_OPTION"],
  },
  {
    code: -16,
    name: "MQTTCLIENT_WRONG_MQTT_VERSION",
    meaning: "protocol-version-refused",
    aliases: ["MQTTASYNC_WRONG_MQTT_VERSION"],
  },
  {
    code: -17,
    name: "MQTTCLIENT_0_LEN_WILL_TOPIC",
    meaning: "topic-name-invalid",
    aliases: ["MQTTASYNC_0_LEN_WILL_TOPIC"],
  },
];

/** Paho for JavaScript in browsers: AMQJS and five digits. */
export const PAHO_JS_CODES: readonly Code[] = [
  { code: 0, name: "AMQJS0000I", says: "OK.", meaning: "success", aliases: ["AMQJSC0000I"] },
  { code: 1, name: "AMQJS0001E", says: "Connect timed out.", meaning: "connack-timeout", aliases: ["AMQJSC0001E"] },
  { code: 2, name: "AMQJS0002E", says: "Subscribe timed out.", meaning: "timed-out" },
  { code: 3, name: "AMQJS0003E", says: "Unsubscribe timed out.", meaning: "timed-out" },
  { code: 4, name: "AMQJS0004E", says: "Ping timed out.", meaning: "keep-alive-timeout" },
  { code: 5, name: "AMQJS0005E", says: "Internal error.", meaning: "exact-reason-unknown" },
  { code: 6, name: "AMQJS0006E", says: "Bad Connack return code", meaning: "connection-refused" },
  { code: 7, name: "AMQJS0007E", says: "Socket error", meaning: "websocket-failed" },
  { code: 8, name: "AMQJS0008I", says: "Socket closed.", meaning: "connection-lost" },
  { code: 9, name: "AMQJS0009E", says: "Malformed UTF data", meaning: "malformed-utf8" },
  { code: 10, name: "AMQJS0010E", says: "is not supported by this browser", meaning: "not-supported" },
  { code: 11, name: "AMQJS0011E", says: "Invalid state", meaning: "not-connected" },
  { code: 12, name: "AMQJS0012E", says: "Invalid type", meaning: "invalid-argument" },
  { code: 13, name: "AMQJS0013E", says: "Invalid argument", meaning: "invalid-argument" },
  { code: 14, name: "AMQJS0014E", says: "Unsupported operation", meaning: "not-supported" },
  { code: 15, name: "AMQJS0015E", says: "Invalid data in local storage", meaning: "database-damaged" },
  { code: 16, name: "AMQJS0016E", says: "Invalid MQTT message type", meaning: "malformed-packet" },
  { code: 17, name: "AMQJS0017E", says: "Malformed Unicode string", meaning: "malformed-utf8" },
  { code: 18, name: "AMQJS0018E", says: "Message buffer is full", meaning: "messages-dropped" },
];

/** Reason codes of MqttException in Paho for Java and Android. */
export const PAHO_JAVA_CODES: readonly Code[] = [
  { code: 0, name: "REASON_CODE_CLIENT_EXCEPTION", meaning: "system-call-failed" },
  { code: 1, name: "REASON_CODE_INVALID_PROTOCOL_VERSION", meaning: "protocol-version-refused" },
  { code: 2, name: "REASON_CODE_INVALID_CLIENT_ID", meaning: "identifier-refused" },
  { code: 3, name: "REASON_CODE_BROKER_UNAVAILABLE", meaning: "server-unavailable" },
  { code: 4, name: "REASON_CODE_FAILED_AUTHENTICATION", meaning: "bad-credentials" },
  { code: 5, name: "REASON_CODE_NOT_AUTHORIZED", meaning: "not-authorised" },
  { code: 6, name: "REASON_CODE_UNEXPECTED_ERROR", meaning: "exact-reason-unknown" },
  { code: 128, name: "REASON_CODE_SUBSCRIBE_FAILED", meaning: "subscription-refused" },
  {
    code: 32000,
    name: "REASON_CODE_CLIENT_TIMEOUT",
    says: "Timed out waiting for a response from the server",
    meaning: "keep-alive-timeout",
  },
  { code: 32001, name: "REASON_CODE_NO_MESSAGE_IDS_AVAILABLE", meaning: "packet-id-in-use" },
  { code: 32002, name: "REASON_CODE_WRITE_TIMEOUT", meaning: "write-stalled" },
  { code: 32100, name: "REASON_CODE_CLIENT_CONNECTED", says: "Client is connected", meaning: "invalid-argument" },
  {
    code: 32101,
    name: "REASON_CODE_CLIENT_ALREADY_DISCONNECTED",
    says: "Client is disconnected",
    meaning: "not-connected",
  },
  { code: 32102, name: "REASON_CODE_CLIENT_DISCONNECTING", meaning: "not-connected" },
  {
    code: 32103,
    name: "REASON_CODE_SERVER_CONNECT_ERROR",
    says: "Unable to connect to server",
    meaning: "connect-failed",
  },
  { code: 32104, name: "REASON_CODE_CLIENT_NOT_CONNECTED", says: "Client is not connected", meaning: "not-connected" },
  { code: 32105, name: "REASON_CODE_SOCKET_FACTORY_MISMATCH", meaning: "address-invalid" },
  { code: 32106, name: "REASON_CODE_SSL_CONFIG_ERROR", meaning: "tls-configuration" },
  { code: 32107, name: "REASON_CODE_CLIENT_DISCONNECT_PROHIBITED", meaning: "invalid-argument" },
  { code: 32108, name: "REASON_CODE_INVALID_MESSAGE", meaning: "malformed-packet" },
  { code: 32109, name: "REASON_CODE_CONNECTION_LOST", says: "Connection lost", meaning: "connection-lost" },
  {
    code: 32110,
    name: "REASON_CODE_CONNECT_IN_PROGRESS",
    says: "Connect already in progress",
    meaning: "connect-pending",
  },
  { code: 32111, name: "REASON_CODE_CLIENT_CLOSED", says: "Client is closed", meaning: "not-connected" },
  { code: 32201, name: "REASON_CODE_TOKEN_INUSE", meaning: "packet-id-in-use" },
  { code: 32202, name: "REASON_CODE_MAX_INFLIGHT", says: "Too many publishes in progress", meaning: "receive-maximum" },
];
