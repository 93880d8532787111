// Lines and texts as users paste them, with the meaning that each must find first.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MeaningKey } from "./catalogue/meanings.ts";
import { explain } from "./explain.ts";
import { LogReader } from "./log-reader.ts";
import { placesOf, SOURCE_NAMES, sourceOf } from "./spaces.ts";

type Row = readonly [text: string, meaning: MeaningKey];

const MOSQUITTO_1_6: readonly Row[] = [
  ["1565619245: Socket error on client mqttjs_8b3a, disconnecting.", "closed-without-disconnect"],
  ["1565619245: Socket error on client <unknown>, disconnecting.", "closed-without-disconnect"],
  ["1565619245: Client sensor-12 has exceeded timeout, disconnecting.", "client-silent"],
  ["1565619245: Client sensor-12 already connected, closing old connection.", "session-taken-over"],
  ["1565619245: Client ha-bridge disconnected due to protocol error.", "protocol-error"],
  ["1565619245: Client <unknown> disconnected due to protocol error.", "not-mqtt"],
  ["1565619245: Client x disconnected, not authorised.", "not-authorised"],
  ["1565619245: Sending CONNACK to x (0, 5)", "not-authorised"],
  ["1565619245: Sending CONNACK to x (0, 2)", "identifier-refused"],
  ["1565619245: Sending CONNACK to <unknown> (0, 1)", "protocol-version-refused"],
  ["1565619245: OpenSSL Error: error:1408F10B:SSL routines:ssl3_get_record:wrong version number", "plain-on-tls-port"],
  [
    "1565619245: OpenSSL Error: error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca",
    "client-certificate-unknown",
  ],
  [
    "1565619245: OpenSSL Error: error:140760FC:SSL routines:SSL23_GET_CLIENT_HELLO:unknown protocol",
    "plain-on-tls-port",
  ],
  [
    "1565619245: OpenSSL Error: error:1417C0C7:SSL routines:tls_process_client_certificate:peer did not return a certificate",
    "client-certificate-missing",
  ],
  ["1565619245: Error: Address already in use", "address-in-use"],
  ["1565619245: Error: Unable to open log file /var/log/mosquitto/mosquitto.log for writing.", "permission-denied"],
  ["1565619245: Warning: Error resolving bridge address: Name or service not known.", "bridge-down"],
  ["1565619245: Outgoing messages are being dropped for client hass.", "messages-dropped"],
  ["Error: Unable to open config file mosquitto.conf.", "file-missing"],
  ['Error: Unknown configuration variable "allow_anonymus".', "configuration-error"],
  ["Error found at /etc/mosquitto/mosquitto.conf:12.", "configuration-error"],
  ["1565619245: Error: Websockets support not available.", "websockets-missing"],
  ["1565619245: Error: Server certificate/key are inconsistent.", "key-mismatch"],
  [
    '1565619245: Error: Unable to load server certificate "/etc/mosquitto/certs/server.crt". Check certfile.',
    "key-file-unreadable",
  ],
  ["1565619245: Error: Unable to restore persistent database. Unrecognised file format.", "database-damaged"],
];

const MOSQUITTO_2_0: readonly Row[] = [
  [
    "1627552973: Starting in local only mode. Connections will only be possible from clients running on this machine.",
    "local-only",
  ],
  ["1627552973: Client abc closed its connection.", "closed-without-disconnect"],
  ["1627552973: Client <unknown> closed its connection.", "closed-without-disconnect"],
  ["1627552973: Client abc has exceeded timeout, disconnecting.", "client-silent"],
  ["1627552973: Client abc already connected, closing old connection.", "session-taken-over"],
  ["1627552973: Client <unknown> disconnected, not authorised.", "not-authorised"],
  ["1627552973: Client abc disconnected: Protocol error.", "protocol-error"],
  ["1627552973: Client abc disconnected due to malformed packet.", "malformed-packet"],
  ["1627552973: Client abc disconnected due to oversize packet.", "packet-too-large"],
  ["1627552973: Client abc disconnected due to out of memory.", "out-of-memory"],
  ["1627552973: Client abc has been disconnected by administrative action.", "administrative-action"],
  ["1627552973: Bad client abc sending multiple CONNECT messages.", "protocol-error"],
  ['1627552973: Invalid protocol "MQIsdq" in CONNECT from 10.0.0.7.', "not-mqtt"],
  ["1627552973: Invalid protocol version 6 in CONNECT from 10.0.0.7.", "protocol-version-refused"],
  ["1627552973: Client connection from 10.0.0.7 denied: max_connections exceeded.", "too-many-connections"],
  ["1627552973: Outgoing messages are being dropped for client slow-one.", "messages-dropped"],
  ["1627552973: Denied PUBLISH from abc (d0, q1, r0, m3, 'secret/door', ... (2 bytes))", "acl-denied"],
  ["1627552973: Sending CONNACK to abc (0, 135)", "not-authorised"],
  ["1627552973: Sending CONNACK to abc (0, 133)", "identifier-refused"],
  ["1627552973: Sending CONNACK to abc (0, 132)", "protocol-version-refused"],
  ["1627552973: Sending PUBACK to abc (m4, rc135)", "acl-denied"],
  ["1627552973: Sending PUBREC to abc (m4, rc151)", "quota-exceeded"],
  ["1627552973: Sending PUBREL to abc (m4, rc146)", "packet-id-unknown"],
  ["1627552973: OpenSSL Error[0]: error:0A00010B:SSL routines::wrong version number", "plain-on-tls-port"],
  ["1627552973: OpenSSL Error[0]: error:0A000418:SSL routines::tlsv1 alert unknown ca", "client-certificate-unknown"],
  [
    "1627552973: OpenSSL Error[0]: error:0A000412:SSL routines::sslv3 alert bad certificate",
    "peer-refused-certificate",
  ],
  [
    "1627552973: OpenSSL Error[0]: error:0A000416:SSL routines::sslv3 alert certificate unknown",
    "peer-refused-certificate",
  ],
  [
    "1627552973: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate",
    "client-certificate-missing",
  ],
  [
    "1627552973: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed",
    "client-certificate-refused",
  ],
  ["1627552973: OpenSSL Error[0]: error:0A0000C1:SSL routines::no shared cipher", "no-shared-cipher"],
  ["1627552973: OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading", "tls-closed"],
  ["1627552973: OpenSSL Error[0]: error:0A000102:SSL routines::unsupported protocol", "tls-version"],
  ["1627552973: OpenSSL Error[0]: error:0A00009C:SSL routines::http request", "plain-on-tls-port"],
  [
    "1627552973: Warning: File /mosquitto/config/pwfile has world readable permissions. Future versions will refuse to load this file.",
    "file-permissions-loose",
  ],
  ['1627552973: Error: Unable to open pwfile "/etc/mosquitto/passwd".', "permission-denied"],
  ["1627552973: password-file: Error: Unable to decode line in password file '/etc/passwd'.", "rules-file-broken"],
  ["1627552973: password-file: Error: Duplicate user 'ann' in password file '/etc/passwd'.", "rules-file-broken"],
  ["Error: Invalid line in password file /etc/passwd:3: the user name is empty.", "rules-file-broken"],
  ['1627552973: Error: Invalid ACL topic "a#" in acl_file "/etc/rules".', "rules-file-broken"],
  ['Error: Invalid topic access type "raed" in acl_file /etc/rules:2: access "raed" is none.', "rules-file-broken"],
  ['1627552973: Error: Unable to load CA certificates. Check cafile "/etc/mosquitto/ca.crt".', "key-file-unreadable"],
  [
    '1627552973: Unable to accept new connection, system socket count has been exceeded. Try increasing "ulimit -n" or equivalent.',
    "open-file-limit",
  ],
  ["2021-07-29T12:02:53: Error: Cannot assign requested address", "address-not-available"],
  ["2021-07-29T12:02:53+0800: Client abc has exceeded timeout, disconnecting.", "client-silent"],
  [
    "Jul 29 12:02:53 gateway mosquitto[812]: 1627552973: Socket error on client x, disconnecting.",
    "closed-without-disconnect",
  ],
  ["Jul  9 12:02:53 gateway mosquitto[812]: Error: Address already in use", "address-in-use"],
  ["mosquitto_1  | 1627552973: Client abc already connected, closing old connection.", "session-taken-over"],
  ["1627552973: Warning: Received PUBREC from abc for an unknown packet identifier 7.", "packet-id-unknown"],
  ['1627552973: Error: Unable to load plugin "/usr/lib/x.so".', "plugin-failed"],
  [
    "1627552973: Error saving in-memory database, unable to open /mosquitto/data/mosquitto.db.new for writing.",
    "permission-denied",
  ],
];

const MOSQUITTO_2_0_11: readonly Row[] = [
  [
    "1795584548: Client connection from 127.0.0.1 failed: error:0A00010B:SSL routines::wrong version number.",
    "plain-on-tls-port",
  ],
  [
    '1795584568: Error: Unable to load server key file "/etc/x.key". Check keyfile.\n1795584568: OpenSSL Error[0]: error:05800074:x509 certificate routines::key values mismatch',
    "key-mismatch",
  ],
];

const MOSQUITTO_2_0_MORE: readonly Row[] = [
  ["1627552973: Client abc been disconnected by administrative action.", "administrative-action"],
  [
    "1627552973: Client abc disconnected due to using not allowed feature (QoS too high, retain not supported, or bad AUTH method).",
    "not-supported",
  ],
  ["1627552973: Client abc disconnected due to oversize payload.", "packet-too-large"],
  ["1627552973: Client abc disconnected: Connection timed out.", "client-silent"],
  ["1627552973: Bad socket read/write on client abc: A TLS error occurred.", "tls-failed"],
  ["1627552973: Bad socket read/write on client abc: Access denied by ACL.", "acl-denied"],
  ["1627552973: Client connection from 10.0.0.7 denied access by tcpd.", "denied-by-tcpd"],
  ['1627552973: Error: Unable to load certificate revocation file "/etc/crl.pem". Check crlfile.', "crl-problem"],
  ['1627552973: Error: Unable to set TLS ciphers. Check cipher list "NOTHING".', "tls-configuration"],
  ['1627552973: Error: Unsupported tls_version "tlsv1.1".', "tls-configuration"],
];

const MOSQUITTO_2_1: readonly Row[] = [
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: connection closed by client.", "closed-without-disconnect"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: exceeded timeout.", "client-silent"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: malformed packet.", "malformed-packet"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: protocol error.", "protocol-error"],
  ["1767225600: Client <unknown> [10.1.2.3:50122] disconnected: protocol error.", "not-mqtt"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: not authorised.", "not-authorised"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: bad username or password.", "not-authorised"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: oversize packet.", "packet-too-large"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: oversize payload.", "packet-too-large"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: administrative action.", "administrative-action"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: receive maximum exceeded.", "receive-maximum"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: implementation specific error.", "implementation-specific"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: client identifier not valid.", "identifier-refused"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: server unavailable.", "server-unavailable"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: server busy.", "server-busy"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: client banned.", "banned"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: bad authentication method.", "authentication-method-refused"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: quota exceeded.", "quota-exceeded"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: Connection reset by peer.", "connection-reset"],
  ["1767225600: Client abc [10.1.2.3:50122] disconnected: Broken pipe.", "write-after-close"],
];

const OURS: readonly Row[] = [
  ["1767225600: Client abc [127.0.0.1:50122] disconnected: session taken over.", "session-taken-over"],
  [
    "1767225600: Client abc [127.0.0.1:50122] disconnected: no complete CONNECT within the connect timeout.",
    "connect-incomplete",
  ],
  ["1767225600: Client abc [127.0.0.1:50122] disconnected: topic alias invalid.", "topic-alias"],
  [
    "1767225600: Client abc [127.0.0.1:50122] disconnected: nothing could be written to the client for too long.",
    "write-stalled",
  ],
  ["1767225600: Client abc [127.0.0.1:50122] disconnected: network error.", "connection-reset"],
  ["1767225600: abc may not subscribe to secret/#: Not authorized.", "subscription-refused"],
  [
    "1767225600: HTTP request from 192.0.2.7:40112 is refused: GET /api/v1/systree: 401, no user is named.",
    "http-request-refused",
  ],
  [
    "1767225600: Client abc [192.0.2.7:4000] may not ask $CONTROL/broker/v1: no rule says who may, and it is not on this machine.",
    "control-request-refused",
  ],
  [
    "1767225600: Outgoing messages are being dropped for client abc: the session's queue holds max_queued_messages.",
    "messages-dropped",
  ],
  [
    "1767225600: The store does not take changes (Error: ENOSPC: no space left on device); nothing is acknowledged that it must keep.",
    "store-fails",
  ],
  ["1767225600: Nobody could say whether abc may connect: Error: timeout.", "server-unavailable"],
  ["1767225600: Connection from 10.0.0.9 rejected, corrupt PROXY header.", "proxy-header"],
  ["1767225600: Connection rejected, corrupt PROXY header. From 10.0.0.9:4711: it is cut.", "proxy-header"],
  ["Cannot listen on port 1883: EADDRINUSE", "address-in-use"],
  [
    "1767225600: Client <unknown> [127.0.0.1:1]: Malformed Packet: the first byte is that of a TLS handshake, but this listener speaks plain MQTT.",
    "not-mqtt",
  ],
  [
    "1767225600: Client a [127.0.0.1:1]: Topic Name invalid: PUBLISH: topic name contains # at 1.",
    "topic-name-invalid",
  ],
  ["1767225600: Client h [127.0.0.1:1] is refused: it names no user, and allow_anonymous is false.", "not-authorised"],
  [
    "1767225600: Nobody may connect to 0.0.0.0:1883: nothing says which users may, and allow_anonymous is not true (on the command line: --allow-anonymous).",
    "not-authorised",
  ],
  ["receive-maximum-exceeded", "receive-maximum"],
  ["queue-bytes-full", "messages-dropped"],
  ["lookup-failed", "name-unknown"],
];

const CLIENTS: readonly Row[] = [
  ["Connection Refused: not authorised.", "not-authorised"],
  ["Connection error: Connection Refused: bad user name or password.", "bad-credentials"],
  ["Connection error: Connection Refused: unacceptable protocol version.", "protocol-version-refused"],
  ["Connection error: Connection Refused: identifier rejected.", "identifier-refused"],
  ["Connection error: Connection Refused: broker unavailable.", "server-unavailable"],
  ["Connection error: Not authorized", "not-authorised"],
  [
    "Connection error: Unsupported Protocol Version. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.",
    "protocol-version-refused",
  ],
  ["Error: The connection was refused.", "connection-refused"],
  ["Error: The connection was lost.", "connection-lost"],
  ["Error: A TLS error occurred.", "tls-failed"],
  ["Error: A network protocol error occurred when communicating with the broker.", "protocol-error"],
  ["Error: The client is not currently connected.", "not-connected"],
  ["Error: Connection refused", "nothing-listens"],
  ["Error: No route to host", "host-unreachable"],
  ["Error: Network is unreachable", "no-network"],
  ["Error: Connection timed out", "no-answer"],
  ["Unable to connect (Lookup error.).", "name-unknown"],
  ["Unable to connect (A TLS error occurred.).", "tls-failed"],
  ["Unable to connect (Connection refused).", "nothing-listens"],
  [
    "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed\nUnable to connect (A TLS error occurred.).",
    "certificate-verify-failed",
  ],
  ["Error: host name verification failed.", "certificate-name"],
  ["All subscription requests were denied.", "subscription-refused"],
  ["Subscribed (mid: 1): 128", "subscription-refused"],
  ["Subscribed (mid: 1): 2, 135", "subscription-refused"],
  ["Subscribed (mid: 1): 1", "granted"],
  ["Warning: Publish 3 failed: Not authorized.", "acl-denied"],
  ["Client const.net.cn received CONNACK (5)", "not-authorised"],
  ["Client const.net.cn received CONNACK (135)", "not-authorised"],
  ["Client const.net.cn sending PUBLISH (d0, q2, r0, m1, 'command///req/reqid-7', ... (29 bytes))", "publish-trace"],
  ["Client const.net.cn received PUBREC (Mid: 1)", "publish-trace"],
  ["Client const.net.cn received PUBCOMP (Mid: 1, RC:0)", "publish-trace"],
  ["Client x received PUBACK (Mid: 1, RC:135)", "acl-denied"],
  ["Client x received PUBACK (Mid: 1, RC:16)", "no-subscribers"],
  ["Client x received PUBREC (Mid: 9, RC:151)", "quota-exceeded"],
  ["Received DISCONNECT (142)", "session-taken-over"],
  ["Received DISCONNECT (141)", "client-silent"],
  ["Received DISCONNECT (139)", "server-shutting-down"],
  ['Error: Unable to load client key file "client.key".', "key-file-unreadable"],
  ["Error: Client certificate/key are inconsistent.", "key-mismatch"],
  ["OCSP: no response", "ocsp"],
  [
    "OpenSSL Error[0]: error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed\nError: A TLS error occurred.",
    "certificate-verify-failed",
  ],
  ["OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed", "certificate-verify-failed"],
  ["OpenSSL Error[0]: error:0A00010B:SSL routines::wrong version number", "not-tls"],
  ["OpenSSL Error[0]: error:0A00045C:SSL routines::tlsv13 alert certificate required", "client-certificate-missing"],
  ["OpenSSL Error[0]: error:0A000410:SSL routines::sslv3 alert handshake failure", "no-shared-cipher"],
  ["OpenSSL Error[0]: error:0A00045B:SSL routines::tlsv1 alert unknown psk identity", "psk-identity"],
  ["OpenSSL Error[0]: error:0A00042E:SSL routines::tlsv1 alert protocol version", "tls-version"],
  ["verify error:num=19:self-signed certificate in certificate chain", "root-untrusted"],
  ["verify error:num=10:certificate has expired", "certificate-expired"],
  ["Verify return code: 21 (unable to verify the first certificate)", "chain-incomplete"],
  ["error:0B080074:x509 certificate routines:X509_check_private_key:key values mismatch", "key-mismatch"],
  ["error:0909006C:PEM routines:get_name:no start line", "key-file-unreadable"],
];

const NODE: readonly Row[] = [
  ["Error: connect ECONNREFUSED 127.0.0.1:1883", "nothing-listens"],
  ["Error: connect ETIMEDOUT 203.0.113.7:8883", "no-answer"],
  ["Error: connect EHOSTUNREACH 192.168.1.9:1883", "host-unreachable"],
  ["Error: connect ENETUNREACH 192.0.2.1:1883 - Local (0.0.0.0:0)", "no-network"],
  ["Error: getaddrinfo ENOTFOUND broker.exampel.com", "name-unknown"],
  ["Error: getaddrinfo EAI_AGAIN broker", "name-service-down"],
  ["Error: read ECONNRESET", "connection-reset"],
  ["Error: write EPIPE", "write-after-close"],
  ["Error: listen EADDRINUSE: address already in use :::1883", "address-in-use"],
  ["Error: self-signed certificate in certificate chain\n  code: 'SELF_SIGNED_CERT_IN_CHAIN'", "root-untrusted"],
  ["Error: self signed certificate", "self-signed"],
  ["Error: unable to verify the first certificate", "chain-incomplete"],
  ["Error: certificate has expired", "certificate-expired"],
  ["Error: certificate is not yet valid", "certificate-not-yet-valid"],
  [
    "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 10.0.0.5 is not in the cert's list: ",
    "certificate-name",
  ],
  ["Error: Client network socket disconnected before secure TLS connection was established", "tls-closed"],
  [
    "write EPROTO 139912:error:1408F10B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl/record/ssl3_record.c:332:",
    "not-tls",
  ],
  ["Error: connack timeout", "connack-timeout"],
  ["Error: Keepalive timeout", "keep-alive-timeout"],
  ["Error: client disconnecting", "not-connected"],
  ["Error: Connection refused: Not authorized", "not-authorised"],
  ["Error: Connection refused: Bad username or password", "bad-credentials"],
  ["Error: write after end", "write-after-close"],
  ["Error: Unexpected server response: 404", "websocket-failed"],
  ["WebSocket connection to 'ws://localhost:1883/' failed", "websocket-failed"],
  ["code: 'ERR_OSSL_PEM_NO_START_LINE'", "key-file-unreadable"],
  ["code: 'DEPTH_ZERO_SELF_SIGNED_CERT'", "self-signed"],
];

const DEVICES_AND_PAHO: readonly Row[] = [
  ["Attempting MQTT connection...failed, rc=-2 try again in 5 seconds", "connect-failed"],
  ["Attempting MQTT connection...failed, rc=-4 try again in 5 seconds", "connack-timeout"],
  ["Attempting MQTT connection...failed, rc=5 try again in 5 seconds", "not-authorised"],
  ["failed, rc=2 try again in 5 seconds", "identifier-refused"],
  [
    "E (12345) esp-tls: couldn't get hostname for :broker.local: getaddrinfo() returns 202, addrinfo=0x0",
    "name-unknown",
  ],
  ["E (12345) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x2700", "certificate-verify-failed"],
  ["E (2145) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x7780", "peer-refused-certificate"],
  ["E (9999) MQTT_CLIENT: No PING_RESP, disconnected", "keep-alive-timeout"],
  ["W (9999) MQTT_CLIENT: Connection refused, not authorized", "not-authorised"],
  ["Last error code reported from esp-tls: 0x8006", "no-answer"],
  ["socket.gaierror: [Errno -2] Name or service not known", "name-unknown"],
  ["socket.gaierror: [Errno -3] Temporary failure in name resolution", "name-service-down"],
  ["ConnectionRefusedError: [Errno 111] Connection refused", "nothing-listens"],
  ["OSError: [Errno 101] Network is unreachable", "no-network"],
  [
    "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid (_ssl.c:1007)",
    "certificate-not-yet-valid",
  ],
  [
    "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP address mismatch, certificate is not valid for '10.0.0.5'.",
    "certificate-name",
  ],
  ["AMQJS0004E Ping timed out.", "keep-alive-timeout"],
  ["AMQJS0008I Socket closed.", "connection-lost"],
  ["AMQJS0007E Socket error:undefined.", "websocket-failed"],
  ["Connection lost (32109) - java.io.EOFException", "connection-lost"],
  ["Unable to connect to server (32103) - java.net.ConnectException: Connection refused", "connect-failed"],
  ["Too many publishes in progress (32202)", "receive-maximum"],
  ["MQTTASYNC_DISCONNECTED", "not-connected"],
];

const WORDS: readonly Row[] = [
  ["on_disconnect callback rc = 19", "keep-alive-timeout"],
  ["mqtt disconnect rc = 19", "keep-alive-timeout"],
  ["执行mosquitto_loop_forever时，返回错误值8。", "tls-failed"],
  ["在运行程序时候，得到mosquitto_connect ret = 14", "system-call-failed"],
  ["subscribed but nothing arrives", "nothing-arrives"],
  ["订阅成功但收不到消息", "nothing-arrives"],
  ["心跳超时", "keep-alive-timeout"],
  ["网络不通", "no-network"],
  ["系统时间不对 证书", "certificate-not-yet-valid"],
  ["retained message will not go away", "retained-stays"],
  ["保留消息删不掉", "retained-stays"],
  ["messages lost after restart", "lost-over-restart"],
  ["disconnects after exactly 60 seconds", "idle-limit"],
  ["局域网连不上 只能本机连接", "local-only"],
  ["mid 是什么", "publish-trace"],
  ["为什么掉线", "connection-lost"],
  ["证书过期", "certificate-expired"],
  ["SSL", "tls-failed"],
  ["mosquitto.conf unknown option", "configuration-error"],
  ["端口被占用", "address-in-use"],
  ["cannot connect", "connect-failed"],
];

const TABLES = {
  MOSQUITTO_1_6,
  MOSQUITTO_2_0,
  MOSQUITTO_2_0_11,
  MOSQUITTO_2_0_MORE,
  MOSQUITTO_2_1,
  OURS,
  CLIENTS,
  NODE,
  DEVICES_AND_PAHO,
  WORDS,
};

for (const [name, rows] of Object.entries(TABLES))
  for (const [text, meaning] of rows)
    test(`${name}: ${text.slice(0, 110)}`, () => {
      const { explanations } = explain(text);
      assert.equal(explanations[0]?.key, meaning, explanations.map(({ key, space }) => `${space}:${key}`).join(" "));
    });

test("a number that nothing has is not known, whatever words share it", () => {
  assert.deepEqual(explain("1883"), { explanations: [], nearest: [] });
});

test("a number that the named place does not have is looked up elsewhere", () => {
  assert.equal(explain("19", { from: "connack" }).explanations[0]?.key, "keep-alive-timeout");
});

test("what --from is said to choose by is a source", () => {
  for (const { space } of explain("0").explanations) {
    const source = space === null ? null : sourceOf(space);
    assert.ok(source !== null && SOURCE_NAMES.includes(source), String(space));
    assert.ok(placesOf(source).some((place) => place.space === space));
  }
});

test("there are 150 lines and more", () => {
  assert.ok(Object.values(TABLES).flat().length >= 150);
});

test("a log shows each problem once, with count, times and clients", () => {
  const reader = new LogReader();
  for (const line of [
    "1627552973: mosquitto version 2.0.11 starting",
    "1627552980: New client connected from 127.0.0.1:5555 as abc (p2, c1, k60).",
    "1627552980: Client abc negotiated TLSv1.3 cipher TLS_AES_256_GCM_SHA384",
    "1627552980: Connection from 192.0.2.1:5555 negotiated TLSv1.3 cipher TLS_AES_256_GCM_SHA384",
    "1627552990: Client abc already connected, closing old connection.",
    "1627552995: Client def already connected, closing old connection.",
    "1627553000: Client abc already connected, closing old connection.",
    "1627553001: OpenSSL Error[0]: error:0A00010B:SSL routines::wrong version number",
    "1627553001: Client <unknown> disconnected: Protocol error.",
    "1627553002: Sending PINGRESP to abc",
    "1627553002: Client abc disconnected.",
    "1627553003: Error: nobody has seen this one.",
  ])
    reader.add(line);
  const { problems, lines, unexplained } = reader.summary();
  assert.equal(lines, 12);
  assert.deepEqual(
    problems.map(({ explanation, count }) => [explanation.key, count]),
    [
      ["session-taken-over", 3],
      ["plain-on-tls-port", 1],
    ],
  );
  const [taken] = problems;
  assert.deepEqual([taken?.first?.text, taken?.last?.text], ["2021-07-29T10:03:10Z", "2021-07-29T10:03:20Z"]);
  assert.deepEqual([taken?.clients, taken?.clientCount], [["abc", "def"], 2]);
  assert.deepEqual(unexplained, [{ line: "Error: nobody has seen this one.", count: 1 }]);
});

/** The trace of a client, by what it prints. */
const TRACES: readonly (readonly [lines: string, meaning: MeaningKey])[] = [
  ["Client x sending CONNECT|Error: The connection was lost.", "port-closes"],
  ["Client x sending CONNECT|Client x sending CONNECT|Client x sending CONNECT", "port-closes"],
  [
    "Client x sending CONNECT|Client x received CONNACK (0)|Client x sending PINGREQ|Client x sending CONNECT|Client x sending CONNECT",
    "keep-alive-timeout",
  ],
  [
    "Client x sending CONNECT|Client x received CONNACK (0)|Client x sending PINGREQ|Client x received PINGRESP|Client x sending CONNECT|Client x sending CONNECT",
    "port-closes",
  ],
  ["Client x sending CONNECT|Error: Unknown error.", "connack-timeout"],
  ["Client x sending CONNECT|Client x received CONNACK (0)|Error: Unknown error.", "exact-reason-unknown"],
  [
    "Client x sending CONNECT|Error: A network protocol error occurred when communicating with the broker.",
    "port-not-mqtt",
  ],
  ["Client x sending CONNECT|Error: Protocol error", "tls-ended-late"],
  [
    "Client x sending CONNECT|Client x received CONNACK (0)|Client x sending PUBLISH (d0, q2, r0, m1, 't', ... (1 bytes))|Error: The connection was lost.",
    "publish-closes",
  ],
  ["Client x sending CONNECT|Client x received CONNACK (0)|Error: The connection was lost.", "connection-lost"],
  ["Client x sending CONNECT|Client x received CONNACK (135)|Connection error: Not authorized", "not-authorised"],
];

for (const [text, meaning] of TRACES)
  test(`where a trace stops: ${text}`, () => {
    const lines = text.split("|");
    const keys = explain(lines.join("\n")).explanations.map(({ key }) => key);
    assert.deepEqual(keys, [meaning]);
    const reader = new LogReader();
    for (const line of lines) reader.add(line);
    assert.deepEqual(new Set(reader.summary().problems.map(({ explanation }) => explanation.key)), new Set([meaning]));
  });

test("facts of a line fill the commands, and nothing that a shell would read", () => {
  const [first] = explain("Error: connect ECONNREFUSED broker.example.com:1884").explanations;
  assert.deepEqual(first?.facts, { host: "broker.example.com", port: "1884" });
  const [hostile] = explain('Error: Unable to load server certificate "/etc/$(reboot)"').explanations;
  assert.ok(hostile?.causes.every(({ run }) => run === null || !run.includes("reboot")));
});
