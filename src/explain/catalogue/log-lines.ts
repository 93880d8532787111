/**
 * Lines of mosquitto's broker (1.6, 2.0, 2.1), of ours, and of clients. Groups of a pattern become facts of the explanation and
 * fill the placeholders of its commands. Patterns are searched in one line without its time; none repeats a group that repeats.
 */
import type { Space } from "../code.ts";
import type { MeaningKey } from "./meanings.ts";
import { REASONS } from "./reason-codes.ts";

/** One kind of line. */
export interface LinePattern {
  readonly pattern: RegExp;
  /** Null for a line that is no problem. */
  readonly meaning: MeaningKey | null;
  /** Where the number in the group "code" is looked up; what is found there goes before `meaning`. */
  readonly code?: { readonly space: Space; readonly packet?: string };
  /** Whether the next line says the end that this one gives the rule of, as our broker does: they are one problem. */
  readonly isDetail?: true;
}

const CLIENT = String.raw`[Cc]lient (?<client>\S{1,200}?)(?: \[(?<address>[^\]]{1,80})\])?`;

function client(rest: string): RegExp {
  return new RegExp(`${CLIENT}:? ${rest}`);
}

/** Names of reason codes that our broker writes with the rule that was broken. */
const OUR_DETAILS: readonly (readonly [name: string, meaning: MeaningKey])[] = REASONS.filter(
  ({ code, on }) =>
    code !== null && code >= 0x80 && on?.some((packet) => packet === "DISCONNECT" || packet === "CONNACK"),
).map(({ name, meaning }) => [name, meaning]);

/** What a client prints when a CONNACK of 5.0 refuses it. */
const CONNACK_NAMES: readonly (readonly [name: string, meaning: MeaningKey])[] = REASONS.filter(
  ({ code, on }) => code !== null && code >= 0x80 && on?.includes("CONNACK") === true,
).map(({ name, meaning }) => [name, meaning]);

const CODE = String.raw`(?<code>0x[0-9a-fA-F]{1,2}|\d{1,3})`;

/** The patterns; the first that fits counts. */
export const LINE_PATTERNS: readonly LinePattern[] = [
  // Our broker's lines before those of an end.
  {
    pattern: client(
      '[A-Z][A-Za-z ]{3,40}: (?<rule>(?:the first (?:packet is not CONNECT|byte is that of a TLS)|Invalid protocol ").{0,300})',
    ),
    meaning: "not-mqtt",
    isDetail: true,
  },
  {
    pattern: /^Client (?<client>\S{1,200}) \[(?<address>[^\]]{1,80})\] is refused: (?<rule>.{1,300})/,
    meaning: "not-authorised",
    isDetail: true,
  },
  ...OUR_DETAILS.map(([name, meaning]) => ({
    pattern: new RegExp(`^Client (?<client>\\S{1,200}) \\[(?<address>[^\\]]{1,80})\\]: ${name}: (?<rule>.{1,300})`),
    meaning,
    isDetail: true as const,
  })),
  {
    pattern: /^OpenSSL Error\[0\]: .{0,80}certificate verify failed: (?<rule>.{1,100}) \[(?<address>[^\]]{1,80})\]$/,
    meaning: "client-certificate-refused",
  },
  { pattern: /^Nobody may connect to (?<address>\S{1,80}): /, meaning: "not-authorised" },
  // Why a client of the broker went.
  { pattern: client("already connected, closing old connection"), meaning: "session-taken-over", isDetail: true },
  { pattern: client("(?:has exceeded timeout|disconnected: (?:client )?exceeded timeout)"), meaning: "client-silent" },
  { pattern: client("disconnected: (?:keep alive timeout|Keep Alive timeout)"), meaning: "client-silent" },
  { pattern: client("disconnected: no complete CONNECT"), meaning: "connect-incomplete" },
  {
    pattern: client("(?:closed its connection|disconnected: connection closed by client)"),
    meaning: "closed-without-disconnect",
  },
  { pattern: /Socket error on client (?<client>\S{1,200}), disconnecting/, meaning: "closed-without-disconnect" },
  {
    pattern:
      /[Cc]lient <unknown>(?: \[(?<address>[^\]]{1,80})\])? disconnected(?: due to|:) (?:protocol error|malformed packet)/i,
    meaning: "not-mqtt",
  },
  { pattern: client("disconnected(?: due to|:) protocol error"), meaning: "protocol-error" },
  { pattern: client("disconnected(?: due to|:) malformed packet"), meaning: "malformed-packet" },
  {
    pattern: client("disconnected[,:] (?:not authori[sz]ed|bad username or password)"),
    meaning: "not-authorised",
  },
  { pattern: client("disconnected(?:,|:| due to) oversize pa(?:cket|yload)"), meaning: "packet-too-large" },
  { pattern: client("disconnected(?:,|:| due to) (?:out of memory)"), meaning: "out-of-memory" },
  { pattern: client("disconnected: administrative action"), meaning: "administrative-action" },
  { pattern: client("disconnected(?: due to|:) receive maximum exceeded"), meaning: "receive-maximum" },
  { pattern: client("disconnected: implementation specific error"), meaning: "implementation-specific" },
  { pattern: client("disconnected: client identifier not valid"), meaning: "identifier-refused" },
  { pattern: client("disconnected(?:,|:) server unavailable"), meaning: "server-unavailable" },
  { pattern: client("disconnected(?:,|:) server busy"), meaning: "server-busy" },
  { pattern: client("disconnected: client banned"), meaning: "banned" },
  { pattern: client("disconnected: bad authentication method"), meaning: "authentication-method-refused" },
  { pattern: client("disconnected: quota exceeded"), meaning: "quota-exceeded" },
  { pattern: client("disconnected: session taken over"), meaning: "session-taken-over" },
  { pattern: client("disconnected: server shutting down"), meaning: "server-shutting-down" },
  { pattern: client("disconnected: nothing could be written"), meaning: "write-stalled" },
  { pattern: client("disconnected: topic alias invalid"), meaning: "topic-alias" },
  { pattern: client("disconnected: QoS not supported"), meaning: "qos-refused" },
  { pattern: client("disconnected: retain not supported"), meaning: "retain-refused" },
  { pattern: client("disconnected: unsupported protocol version"), meaning: "protocol-version-refused" },
  { pattern: client("disconnected: network error"), meaning: "connection-reset" },
  { pattern: client("disconnected: (?<system>Connection reset by peer)"), meaning: "connection-reset" },
  { pattern: client("disconnected: (?<system>Broken pipe)"), meaning: "write-after-close" },
  { pattern: client("disconnected: (?<system>Connection timed out|No route to host)"), meaning: "client-silent" },
  { pattern: client("(?:has )?been disconnected by administrative action"), meaning: "administrative-action" },
  { pattern: client("disconnected(?: by client| by server)?(?: with will)?[.]?$"), meaning: null },
  { pattern: client("disconnected: bad socket read"), meaning: "tls-failed" },
  { pattern: client("disconnected: its certificate was refused"), meaning: "client-certificate-refused" },
  {
    pattern: client("disconnected: (?:it asked for no WebSocket|WebSocket protocol error)"),
    meaning: "websocket-failed",
  },
  { pattern: client("disconnected: non-matching http origin"), meaning: "origin-refused" },
  {
    pattern: /Connection (?:from (?<address>\S{1,80}) )?rejected, (?:corrupt PROXY|client did not)/,
    meaning: "proxy-header",
  },
  { pattern: client("disconnected due to using not allowed feature"), meaning: "not-supported" },
  { pattern: /Client connection from (?<address>\S{1,80}) denied access by tcpd/, meaning: "denied-by-tcpd" },
  // What the broker refuses or drops.
  { pattern: /Outgoing messages are being dropped for client (?<client>[^\s.]{1,200})/, meaning: "messages-dropped" },
  {
    pattern: /Connection rejected from (?<client>\S{1,200})[.,].{0,60}[Mm]aximum (?:connections|clients)/,
    meaning: "too-many-connections",
  },
  {
    pattern:
      /(?:Client connection from (?<address>\S{1,80})|Connection from (?<peer>\S{1,80})) denied: max_connections exceeded/,
    meaning: "too-many-connections",
  },
  {
    pattern: /Client connection from (?<address>\S{1,80}) denied: connection rate exceeded/,
    meaning: "connection-rate",
  },
  { pattern: client("is slowed: it sends more"), meaning: "message-rate" },
  { pattern: /Invalid protocol "(?<protocol>[^"]{0,80})" in CONNECT from (?<address>\S{1,80})/, meaning: "not-mqtt" },
  {
    pattern: /Invalid protocol version (?<version>\d{1,3}) in CONNECT from (?<address>\S{1,80})/,
    meaning: "protocol-version-refused",
  },
  { pattern: /Bad client (?<client>\S{1,200}) sending multiple CONNECT/, meaning: "protocol-error" },
  { pattern: /Protocol error from (?<client>\S{1,200})[:.] /, meaning: "protocol-error" },
  {
    pattern: /Received (?<packet>[A-Z]{4,11}) from (?<client>\S{1,200}).{0,40}(?:bad|invalid) (?:reason|flags)/i,
    meaning: "protocol-error",
  },
  {
    pattern:
      /Denied (?:PUBLISH from|delivery to) (?<client>\S{1,200}) \(d\d, q\d, r\d, m\d{1,5}, '(?<topic>[^']{0,500})'/,
    meaning: "acl-denied",
  },
  {
    pattern: /Client (?<client>\S{1,200}) subscribes to (?<topic>.{1,500}), which its rules let nothing through for/,
    meaning: "acl-denied",
  },
  { pattern: client("may not ask (?<topic>\\$CONTROL/\\S{1,100}): "), meaning: "control-request-refused" },
  {
    pattern: /HTTP request from (?<address>\S{1,80}) is refused: (?<rule>.{1,300})/,
    meaning: "http-request-refused",
  },
  { pattern: /^(?<client>\S{1,200}) may not subscribe to (?<topic>.{1,500}): /, meaning: "subscription-refused" },
  { pattern: /^(?<client>\S{1,200}) (?:128|135) (?<topic>\S{1,500})$/, meaning: "subscription-refused" },
  { pattern: /Dropped too large (?:PUBLISH|message|packet) from (?<client>\S{1,200})/, meaning: "packet-too-large" },
  { pattern: /Dropping too large outgoing PUBLISH \((?<bytes>\d{1,12}) bytes\)/, meaning: "packet-too-large" },
  {
    pattern: /(?:Invalid|Illegal|Bad) subscription string from (?<address>\S{1,80})/i,
    meaning: "topic-filter-invalid",
  },
  { pattern: /(?:Invalid|Illegal|Bad) unsubscription string/i, meaning: "topic-filter-invalid" },
  { pattern: /Empty subscription string from (?<client>\S{1,200})/, meaning: "topic-filter-invalid" },
  {
    pattern: /Received PUBREC from (?<client>\S{1,200}) for an unknown packet identifier (?<id>\d{1,5})/,
    meaning: "packet-id-unknown",
  },
  { pattern: /Nobody could say whether (?<client>\S{1,200}) may connect/, meaning: "server-unavailable" },
  { pattern: /The store does not take changes \((?<system>.{1,300})\)/, meaning: "store-fails" },
  {
    pattern:
      /Error: .{0,60}possible (?:TLS|SSL) (?:connection|client hello)|TLS (?:client hello|handshake) (?:on|to) (?:a )?(?:plain|non-TLS)/i,
    meaning: "not-mqtt",
  },
  // Starting, files, configuration.
  { pattern: /Starting in local only mode/, meaning: "local-only" },
  { pattern: /Address (?:already )?in use|EADDRINUSE|another program has the port/, meaning: "address-in-use" },
  {
    pattern: /Error: Cannot assign requested address|EADDRNOTAVAIL|this machine does not have that address/,
    meaning: "address-not-available",
  },
  { pattern: /Unable to create socket.{0,80}(?<system>Too many open files)/, meaning: "open-file-limit" },
  { pattern: /Unable to accept new connection, system socket count has been exceeded/, meaning: "open-file-limit" },
  { pattern: /Unknown configuration variable "?(?<option>[^".\s]{1,80})/, meaning: "configuration-error" },
  { pattern: /(?:Error found at|Error at) (?<file>[^\s:]{1,300}):(?<line>\d{1,7})/, meaning: "configuration-error" },
  {
    pattern: /Error: (?:Duplicate|Empty|Invalid) (?<option>'?[\w -]{1,60}'?) (?:value )?in (?:the )?config/i,
    meaning: "configuration-error",
  },
  { pattern: /Error: The .{1,80} option (?:should|is|requires|can)/, meaning: "configuration-error" },
  { pattern: /Error: Unable to open config(?:uration)? file "?(?<file>[^"\s]{1,300})/, meaning: "file-missing" },
  { pattern: /Error: Unable to open include_dir '?(?<file>[^'\s]{1,300})/, meaning: "file-missing" },
  { pattern: /Unable to open log file (?<file>\S{1,300}) for writing/, meaning: "permission-denied" },
  { pattern: /Unable to open pid file|Unable to write pid file/i, meaning: "permission-denied" },
  {
    pattern: /Error: Unable to open (?:pwfile|password file|acl_file|psk_file|PSK file) "?(?<file>[^"\s]{1,300})/,
    meaning: "permission-denied",
  },
  {
    pattern:
      /(?:Unable to decode line|Invalid line|Empty username|Duplicate user '.{1,100}') in password file '?(?<file>[^'\s:]{1,300})/,
    meaning: "rules-file-broken",
  },
  {
    pattern:
      /(?:Invalid line|Empty topic|Missing username|Invalid topic access type ".{1,100}"|Invalid ACL topic ".{1,200}") in acl_file "?(?<file>[^"\s:]{1,300})/,
    meaning: "rules-file-broken",
  },
  {
    pattern:
      /Error: Unable to (?:load CA certificates|load server certificate|load client certificate|load (?:client|server) key file)[^"]{0,40}"(?<file>[^"]{1,300})"/,
    meaning: "key-file-unreadable",
  },
  { pattern: /(?:Server|Client) certificate\/key are inconsistent/, meaning: "key-mismatch" },
  {
    pattern: /File (?<file>\S{1,300}) (?:has world readable|owner is not|group is not|is not owned)/,
    meaning: "file-permissions-loose",
  },
  { pattern: /(?<file>\S{1,300}) has world readable permissions/, meaning: "file-permissions-loose" },
  { pattern: /(?:is not readable|not readable) - check permissions/, meaning: "file-missing" },
  {
    pattern:
      /Error: (?:Unable to restore persistent database|Corrupt persistent database|Unsupported persistent database)|Unrecognised file format/,
    meaning: "database-damaged",
  },
  {
    pattern:
      /Error (?:saving|writing) (?:in-memory|persist)[^.]{0,60}|Error saving .{0,20}database, unable to open (?<file>\S{1,300})/i,
    meaning: "permission-denied",
  },
  {
    pattern:
      /Error writing to (?:dynamic security|config)|Error saving dynamic security|Unable to (?:open|write).{0,40}dynamic.security/i,
    meaning: "permission-denied",
  },
  { pattern: /Error: Unable to load (?:auth )?plugin "?(?<file>[^".]{1,300})/, meaning: "plugin-failed" },
  {
    pattern: /(?:Load|Plugin|libwebsockets).{0,60}(?:not compiled|not available|support (?:is )?not)/i,
    meaning: "websockets-missing",
  },
  { pattern: /Error: Websockets support not (?:available|enabled)/i, meaning: "websockets-missing" },
  { pattern: /Warning: Mosquitto should not be run as root/, meaning: null },
  { pattern: /Error: Out of memory|Out of memory[.]?$/, meaning: "out-of-memory" },
  { pattern: /No space left on device/, meaning: "disk-full" },
  { pattern: /Unable to load certificate revocation file "(?<file>[^"]{1,300})"/, meaning: "crl-problem" },
  {
    pattern: /Unable to set TLS (?:1\.3 )?cipher|Unsupported tls_version|Unable to create TLS context/,
    meaning: "tls-configuration",
  },
  // Bridges.
  {
    pattern: /(?:Error creating bridge|Warning: Error resolving bridge address|Connecting bridge .{1,200} failed)/,
    meaning: "bridge-down",
  },
  { pattern: /Connection Refused: (?<refusal>unacceptable protocol version)/, meaning: "protocol-version-refused" },
  { pattern: /Connection Refused: (?<refusal>identifier rejected)/, meaning: "identifier-refused" },
  { pattern: /Connection Refused: (?<refusal>broker unavailable|server unavailable)/, meaning: "server-unavailable" },
  { pattern: /connection refused: (?<refusal>bad user ?name or password)/i, meaning: "bad-credentials" },
  { pattern: /[Cc]onnection [Rr]efused: (?<refusal>not authori[sz]ed)/, meaning: "not-authorised" },
  // The trace of clients and broker.
  {
    pattern: new RegExp(String.raw`received CONNACK \((?:\d, ?)?${CODE}\)`),
    meaning: null,
    code: { space: "connack" },
  },
  {
    pattern: new RegExp(String.raw`Sending CONNACK to (?<client>\S{1,200}) \(\d, ${CODE}\)`),
    meaning: null,
    code: { space: "connack" },
  },
  ...(["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"] as const).map((packet) => ({
    pattern: new RegExp(`${packet} .{0,220}\\b(?:RC:|rc)${CODE}\\)`),
    meaning: "publish-trace" as const,
    code: { space: "reason" as const, packet },
  })),
  { pattern: /Warning: Publish (?<id>\d{1,5}) failed: (?<refusal>.{1,80})/, meaning: "acl-denied" },
  {
    pattern: new RegExp(String.raw`(?:Received DISCONNECT|received DISCONNECT) \(${CODE}\)`),
    meaning: "disconnected",
    code: { space: "reason", packet: "DISCONNECT" },
  },
  {
    pattern: /Subscribed \(mid: \d{1,5}\): (?<granted>(?:\d{1,3}, ?){0,20}(?:128|135|143|151|158|161|162))/,
    meaning: "subscription-refused",
  },
  { pattern: /All subscription requests were denied/, meaning: "subscription-refused" },
  { pattern: /Subscribed \(mid: \d{1,5}\)/, meaning: "granted" },
  {
    pattern:
      /(?:[Ss]ending|[Rr]eceived) (?:PUBLISH|PUBACK|PUBREC|PUBREL|PUBCOMP|CONNECT|SUBSCRIBE|SUBACK|UNSUBSCRIBE|UNSUBACK|PINGREQ|PINGRESP|DISCONNECT|CONNACK|AUTH)\b/,
    meaning: "publish-trace",
  },
  // Clients: the tools, Node.js, Python, devices.
  { pattern: /^Error: Protocol error$/, meaning: "tls-ended-late" },
  ...CONNACK_NAMES.map(([name, meaning]) => ({ pattern: new RegExp(`^Connection error: ${name}`), meaning })),
  { pattern: /Error: host name verification failed/, meaning: "certificate-name" },
  { pattern: /OCSP: /, meaning: "ocsp" },
  { pattern: /Unable to connect \(Lookup error/, meaning: "name-unknown" },
  { pattern: /(?:Keepalive timeout|MQTT_KEEPALIVE_TIMEOUT|no PING_RESP|No PING_RESP)/i, meaning: "keep-alive-timeout" },
  { pattern: /connack timeout/i, meaning: "connack-timeout" },
  { pattern: /client disconnecting\b/i, meaning: "not-connected" },
  { pattern: /Client network socket disconnected before secure TLS connection/, meaning: "tls-closed" },
  { pattern: /getaddrinfo (?:ENOTFOUND|failed)(?: (?<host>[\w.-]{1,253}))?/, meaning: "name-unknown" },
  { pattern: /getaddrinfo EAI_AGAIN(?: (?<host>[\w.-]{1,253}))?/, meaning: "name-service-down" },
  { pattern: /connect ECONNREFUSED (?<host>[\w.:-]{1,253}):(?<port>\d{1,5})/, meaning: "nothing-listens" },
  { pattern: /connect ETIMEDOUT (?<host>[\w.:-]{1,253}):(?<port>\d{1,5})/, meaning: "no-answer" },
  { pattern: /connect EHOSTUNREACH (?<host>[\w.:-]{1,253}):(?<port>\d{1,5})/, meaning: "host-unreachable" },
  { pattern: /connect ENETUNREACH (?<host>[\w.:-]{1,253}):(?<port>\d{1,5})/, meaning: "no-network" },
  { pattern: /listen EADDRINUSE[^\n]{0,40}?(?<host>[\w.:-]{0,253}):(?<port>\d{1,5})/, meaning: "address-in-use" },
  { pattern: /bind(?:\(\))?:? EADDRINUSE/, meaning: "address-in-use" },
  { pattern: /IP: (?<address>[\w.:]{1,60}) is not in the cert's list/, meaning: "certificate-name" },
  {
    pattern: /Host: (?<host>[\w.-]{1,253})[.] is not (?:in the cert's altnames|cert's CN)/,
    meaning: "certificate-name",
  },
  { pattern: /Hostname\/IP does not match certificate's altnames/, meaning: "certificate-name" },
  { pattern: /certificate is not valid for '(?<host>[^']{1,253})'/, meaning: "certificate-name" },
  {
    pattern:
      /Unexpected server response: (?<status>\d{3})|WebSocket handshake error|WebSocket connection to '(?<url>[^']{1,300})' failed/,
    meaning: "websocket-failed",
  },
  { pattern: /mixed content/i, meaning: "websocket-failed" },
  { pattern: /(?:timed out|Timed out) waiting for a response from the server/, meaning: "keep-alive-timeout" },
  {
    pattern: /\bselect\(\) timeout\b|esp-tls: Failed to open new connection in specified timeout/,
    meaning: "no-answer",
  },
  { pattern: /esp-tls: couldn't get hostname for :(?<host>[\w.-]{1,253})/, meaning: "name-unknown" },
  {
    pattern: /MQTT_CLIENT: (?:No PING_RESP|Error network response|mqtt_message_receive.{0,40}returned)/i,
    meaning: "connection-lost",
  },
  { pattern: /MQTT_CLIENT: Connection refused, not authorized/i, meaning: "not-authorised" },
  { pattern: /MQTT_CLIENT: Connection refused, bad username or password/i, meaning: "bad-credentials" },
  { pattern: /socket\.timeout|TimeoutError: (?:\[Errno 110\]|timed out)/, meaning: "no-answer" },
  { pattern: /socket\.gaierror: \[Errno -2\]/, meaning: "name-unknown" },
  { pattern: /socket\.gaierror: \[Errno -3\]/, meaning: "name-service-down" },
  { pattern: /ssl\.SSLCertVerificationError.{0,80}IP address mismatch/, meaning: "certificate-name" },
  // Lines that are no problem.
  { pattern: /^(?:mosquitto|lacewing) version \S{1,40} (?:starting|running|terminating)/i, meaning: null },
  { pattern: /New (?:bridge )?(?:client|connection)(?: connected)?(?: from|:)/, meaning: null },
  { pattern: /(?:Client|Connection from) \S{1,200} negotiated \S{1,40} cipher \S/, meaning: null },
  {
    pattern:
      /^(?:Opening (?:ipv4|ipv6|websockets|unix) |Config loaded|Using default config|Loading |Saving |No will message|Will message|Reloading|Restored |Bridge |Connecting bridge|\t| {1,8}\S{1,200} \(QoS|plugin|Plugin|ACL )/i,
    meaning: null,
  },
];
