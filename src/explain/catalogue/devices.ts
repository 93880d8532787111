/** Numbers of libraries on devices: PubSubClient of Arduino, ESP-TLS of ESP-IDF, Mbed TLS. */
import type { Code } from "../code.ts";

/** What state() of PubSubClient returns. */
export const PUBSUBCLIENT_CODES: readonly Code[] = [
  { code: -4, name: "MQTT_CONNECTION_TIMEOUT", meaning: "connack-timeout" },
  { code: -3, name: "MQTT_CONNECTION_LOST", meaning: "connection-lost" },
  {
    code: -2,
    name: "MQTT_CONNECT_FAILED",
    meaning: "connect-failed",
  },
  { code: -1, name: "MQTT_DISCONNECTED", meaning: "not-connected" },
  { code: 0, name: "MQTT_CONNECTED", meaning: "accepted" },
  { code: 1, name: "MQTT_CONNECT_BAD_PROTOCOL", meaning: "protocol-version-refused" },
  { code: 2, name: "MQTT_CONNECT_BAD_CLIENT_ID", meaning: "identifier-refused" },
  { code: 3, name: "MQTT_CONNECT_UNAVAILABLE", meaning: "server-unavailable" },
  { code: 4, name: "MQTT_CONNECT_BAD_CREDENTIALS", meaning: "bad-credentials" },
  { code: 5, name: "MQTT_CONNECT_UNAUTHORIZED", meaning: "not-authorised" },
];

/** ESP-TLS of ESP-IDF. */
export const ESP_CODES: readonly Code[] = [
  { code: 0x8001, name: "ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME", meaning: "name-unknown" },
  { code: 0x8002, name: "ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET", meaning: "open-file-limit" },
  { code: 0x8003, name: "ESP_ERR_ESP_TLS_UNSUPPORTED_PROTOCOL_FAMILY", meaning: "not-supported" },
  { code: 0x8004, name: "ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST", meaning: "connect-failed" },
  { code: 0x8005, name: "ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED", meaning: "system-call-failed" },
  { code: 0x8006, name: "ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT", meaning: "no-answer" },
  { code: 0x8008, name: "ESP_ERR_ESP_TLS_TCP_CLOSED_FIN", meaning: "connection-lost" },
  { code: 0x801a, name: "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED", meaning: "tls-failed" },
];

/** Mbed TLS; written as negative hexadecimal numbers. */
export const MBEDTLS_CODES: readonly Code[] = [
  { code: -0x0042, name: "MBEDTLS_ERR_NET_SOCKET_FAILED", meaning: "open-file-limit" },
  { code: -0x0044, name: "MBEDTLS_ERR_NET_CONNECT_FAILED", meaning: "connect-failed" },
  { code: -0x004c, name: "MBEDTLS_ERR_NET_RECV_FAILED", meaning: "connection-reset" },
  { code: -0x004e, name: "MBEDTLS_ERR_NET_SEND_FAILED", meaning: "write-after-close" },
  { code: -0x0050, name: "MBEDTLS_ERR_NET_CONN_RESET", meaning: "connection-reset" },
  { code: -0x0052, name: "MBEDTLS_ERR_NET_UNKNOWN_HOST", meaning: "name-unknown" },
  { code: -0x1080, name: "MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT", meaning: "key-file-unreadable" },
  { code: -0x2180, name: "MBEDTLS_ERR_X509_INVALID_FORMAT", meaning: "key-file-unreadable" },
  { code: -0x2700, name: "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED", meaning: "certificate-verify-failed" },
  { code: -0x3000, name: "MBEDTLS_ERR_X509_FATAL_ERROR", meaning: "certificate-damaged" },
  { code: -0x6800, name: "MBEDTLS_ERR_SSL_TIMEOUT", meaning: "no-answer" },
  { code: -0x7200, name: "MBEDTLS_ERR_SSL_INVALID_RECORD", meaning: "not-tls" },
  { code: -0x7280, name: "MBEDTLS_ERR_SSL_CONN_EOF", meaning: "tls-closed" },
  { code: -0x7780, name: "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE", meaning: "peer-refused-certificate" },
  { code: -0x7880, name: "MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY", meaning: "tls-closed" },
  { code: -0x7f00, name: "MBEDTLS_ERR_SSL_ALLOC_FAILED", meaning: "out-of-memory" },
];
