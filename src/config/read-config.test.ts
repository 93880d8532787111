import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError, type Problem } from "./problem.ts";
import { type ReadConfig, readConfig } from "./read-config.ts";

const folder = mkdtempSync(join(tmpdir(), "lacewing-config-"));
after(() => rmSync(folder, { recursive: true }));

function fileOf(text: string, name: string = "mosquitto.conf"): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function read(text: string, ports: readonly number[] = []): ReadConfig {
  return readConfig({ file: fileOf(text), ports });
}

function problemsOf(run: () => unknown): readonly Problem[] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return assert.fail("nothing was wrong");
}

/** The problems as "LINE TEXT". */
function complaints(text: string): string[] {
  return problemsOf(() => read(text)).map(
    ({ place, text: said }) => `${/:(\d+)$/.exec(place ?? "")?.[1] ?? "-"} ${said}`,
  );
}

const BEFORE_BRIDGE = [
  "bridge_attempt_unsubscribe true",
  "bridge_cafile string",
  "bridge_alpn string",
  "bridge_ciphers string",
  "bridge_ciphers_tls1.3 string",
  "bridge_bind_address string",
  "bridge_capath string",
  "bridge_certfile string",
  "bridge_identity string",
  "bridge_insecure true",
  "bridge_require_ocsp true",
  "bridge_max_packet_size 1000",
  "bridge_max_topic_alias 1000",
  "bridge_outgoing_retain false",
  "bridge_keyfile string",
  "bridge_protocol_version mqttv50",
  "bridge_psk string",
  "bridge_receive_maximum 10",
  "bridge_reload_type lazy",
  "bridge_session_expiry_interval 10000",
  "bridge_tcp_keepalive 10 10 10",
  "bridge_tcp_user_timeout 10000",
  "bridge_tls_version tlsv1.3",
  "address localhost",
  "addresses localhost",
  "local_clientid str",
  "local_password str",
  "local_username str",
  "notifications true",
  "notifications_local_only true",
  "notification_topic true",
  "password pw",
  "remote_password pw",
  "remote_clientid id",
  "restart_timeout 10",
  "round_robin true",
  "start_type lazy",
  "threshold 10",
  "idle_timeout 10",
  "keepalive_interval 10",
  "topic topic/10",
  "try_private true",
  "username un",
  "cleansession true",
] as const;

for (const line of BEFORE_BRIDGE) {
  test(`${line}: needs a bridge before it`, () => {
    const [name] = line.split(" ");
    assert.deepEqual(complaints(line), [`1 Error: The '${name}' option requires a bridge to be defined first.`]);
  });
}

for (const name of [
  "mount_point",
  "cafile",
  "tls_version",
  "accept_protocol_versions",
  "max_topic_alias",
  "max_topic_alias_broker",
  "listener_allow_anonymous",
  "listener_auto_id_prefix",
  "enable_proxy_protocol",
  "proxy_protocol_v2_require_tls",
  "websockets_origin",
  "http_dir",
  "disable_client_cert_date_checks",
]) {
  test(`${name}: needs a listener before it`, () => {
    const [said] = complaints(`${name} x`);
    assert.ok(said?.startsWith(`1 Error: The '${name}' option requires a listener to be defined first.`), said);
  });
}

for (const [text, said] of [
  ["unknown_option unknown", /Error: Unknown configuration variable 'unknown_option'\.$/],
  [
    "max_qeued_messages 5",
    /Unknown configuration variable 'max_qeued_messages'\. Did you mean 'max_queued_messages'\?/,
  ],
  ["user", /Error: Empty 'user' value in configuration\./],
  ["user  ", /Error: Empty 'user' value/],
  ["pid_file a\npid_file b", /^2 Error: Duplicate 'pid_file' value in configuration\./],
  ["memory_limit", /Error: Empty 'memory_limit' value/],
  ["memory_limit -1", /Error: Invalid 'memory_limit' value \(-1\)/],
  ["listener 1888\naccept_protocol_versions", /^2 Error: Empty 'accept_protocol_versions' value/],
  ["listener 1888\naccept_protocol_versions 4, 6", /Invalid 'accept_protocol_versions' value \(6\).*3, 4 and 5/],
  ["allow_anonymous", /Error: Empty 'allow_anonymous' value/],
  ["allow_anonymous falst", /Error: Invalid 'allow_anonymous' value \(falst\)\. Allowed is true or false\./],
  ["autosave_interval", /Error: Empty 'autosave_interval' value/],
  ["autosave_interval string", /Error: 'autosave_interval' value not a number\./],
  ["autosave_interval 08", /not a number/],
  ["listener", /Error: Empty 'listener port' value/],
  ["listener 70000", /Error: Invalid 'port' value \(70000\)/],
  ["listener 0", /Error: A listener with port 0 must provide a Unix socket path\. /],
  ["listener 1888 /run/a.sock", /write "listener 0 \/run\/a\.sock"/],
  [
    "listener 1888\nmount_point test/+/",
    /Error: Invalid 'mount_point' value \(test\/\+\/\)\. Does it contain a wildcard character\?/,
  ],
  ["listener 1888\nprotocol", /Error: Empty 'protocol' value/],
  [
    "listener 1888\nprotocol test",
    /Error: Invalid 'protocol' value \(test\)\. Allowed is mqtt, websockets or http_api\./,
  ],
  ["plugin_opt_inval string", /Error: The 'plugin_opt_inval' option requires plugin\/global_plugin\/plugin_load/],
  ["plugin a.mjs\nplugin_opt_ string", /Error: Invalid 'plugin_opt_' config option\./],
  ["plugin a.mjs\nplugin_opt_test", /Error: Empty 'test' value/],
  ["plugin c/auth_plugin.so", /Error: Unable to load plugin "c\/auth_plugin\.so".*compiled C.*dynamic security/],
  ["plugin go-auth.so", /password_file, acl_file and dynamic security are built in/],
  ["plugin lacewing_jwt", /Error: The plugin "lacewing_jwt" needs a key.*"plugin_opt_jwks_file FILE"/],
  ["plugin lacewing_http", /needs a URL: put "plugin_opt_url URL" below it/],
  [
    "plugin lacewing_http\nplugin_opt_url ftp://x",
    /Invalid 'plugin_opt_url' value 'ftp:\/\/x'\. Allowed is a URL of http or https\./,
  ],
  [
    "plugin lacewing_http\nplugin_opt_url http://x\nplugin_opt_timeout_ms 0",
    /Invalid 'plugin_opt_timeout_ms' value '0'\. Allowed is a whole number from 1 to 60000\./,
  ],
  ["plugin lacewing_scram", /put "plugin_opt_file FILE" below it/],
  ["plugin mosquitto_dynamic_security.so", /put "plugin_opt_config_file FILE" below it/],
  ["maximum_qos 3", /Error: 'max_qos' must be between 0 and 2 inclusive\./],
  ["maximum_qos -1", /Error: 'max_qos' must be between 0 and 2/],
  ["max_inflight_messages 65536", /Error: 'max_inflight_messages' must be <= 65535\./],
  ["max_keepalive 65536", /Error: Invalid 'max_keepalive' value \(65536\)/],
  ["max_packet_size 19", /Error: 'max_packet_size' must be >= 20\./],
  ["listener 1888\nmax_topic_alias 65536", /Error: Invalid 'max_topic_alias' value in configuration\./],
  ["websockets_headers_size -1", /Error: Packet buffer size must be between 0 and 65535 inclusive\./],
  ["sys_interval 65536", /Error: Invalid 'sys_interval' value \(65536\)/],
  ["retain_expiry_interval 0", /Error: retain_expiry_interval must be >= 1\./],
  ["persistent_client_expiration 14", /Error: Invalid 'persistent_client_expiration' duration/],
  ["persistent_client_expiration 0s", /with a unit/],
  ["log_dest nowhere", /Error: Invalid 'log_dest' value \(nowhere\)/],
  ["log_dest file", /Error: Empty "log_dest file" value/],
  ["log_dest file a\nlog_dest file b", /^2 Error: Duplicate "log_dest file" value/],
  ["log_type loud", /Error: Invalid 'log_type' value \(loud\)/],
  ["log_facility 8", /Error: Invalid 'log_facility' value \(8\)/],
  ["listener 1888\ncertfile", /Error: Empty 'certfile' value/],
  ["listener 1888\ncertfile a", /^1 Error: Both certfile and keyfile must be provided to enable a TLS listener\./],
  ["listener 1888\ncafile a", /Error: cafile specified without certfile and keyfile\./],
  [
    "listener 1888\npsk_hint a\ncertfile b",
    /^3 Error: Cannot use both certificate and psk encryption in a single listener\./,
  ],
  [
    "listener 1888\ncertfile a\nkeyfile b\ntls_version tlsv1.1",
    /Unsupported tls_version "tlsv1\.1"\. TLS 1\.1 is broken/,
  ],
  ["listener 1888\nrequire_certificate true", /nobody would be asked for a certificate/],
  ["listener 1888\ncertfile a\nkeyfile b\nrequire_certificate true", /require_certificate needs cafile or capath/],
  ["listener 1888\nuse_identity_as_username true", /use_identity_as_username needs TLS/],
  ["listener 1888\ntls_engine tpm2", /'tls_engine' option cannot be had here\. OpenSSL's engines/],
  ["listener 1888\nenable_proxy_protocol 3", /Error: enable_proxy_protocol must be 1 or 2\./],
  [
    "listener 1888\nenable_proxy_protocol 2\nuse_subject_as_username true",
    /cannot be used with `enable_proxy_protocol 2`/,
  ],
  ["listener 1888\nlistener 1888", /^2 Error: Two listeners on port 1888; the other one is at .*:1\./],
  ["max_connections 5\nlistener 1883", /Two listeners on port 1883/],
  [
    "acl_file a\nper_listener_settings true",
    /^2 Error: per_listener_settings must be set before any other security settings\./,
  ],
  [
    "per_listener_settings true\nacl_file a",
    /^2 Error: The 'acl_file' option requires a listener to be defined first\./,
  ],
  ["listener 1888\nplugin_use a", /Error: Plugin 'a' not previously loaded/],
  ["plugin_load a x.mjs\nplugin_load a y.mjs", /Error: Duplicate plugin name 'a'\./],
  ["connection", /Error: Empty 'connection' value/],
  ["connection a", /Error: Invalid bridge configuration: no remote addresses defined\..*no topics|no remote addresses/],
  ["connection a\naddress h\ntopic #\nconnection a", /^4 Error: Duplicate bridge name 'a'\./],
  ["connection a\naddress h:99999", /Error: Invalid bridge port value \(99999\)/],
  ["connection a\naddress h\ntopic # sideways", /Error: Invalid bridge topic direction 'sideways'/],
  ["connection a\naddress h\ntopic # out 3", /Error: Invalid bridge QoS level '3'/],
  ['connection a\naddress h\ntopic "" out 0 l/ ""', /Error: Invalid bridge remapping/],
  [
    "connection a\naddress h\ntopic #\nbridge_psk none",
    /Error: Invalid bridge configuration: missing bridge_identity\./,
  ],
  [
    "connection a\naddress h\ntopic #\nbridge_identity i\nbridge_psk 0x00ff",
    /^5 Error: Invalid 'bridge_psk' value\. Allowed is a key in hexadecimal/,
  ],
  ["connection a\naddress h\ntopic #\nrestart_timeout 30 10", /Error: backoff cap is lower than the base/],
  ["include_dir", /Error: Empty 'include_dir' value/],
  ["include_dir no-such-folder", /Error: Unable to open include_dir 'no-such-folder'\. It does not exist\./],
] as const) {
  test(`refused: ${text.replaceAll("\n", " / ")}`, () => {
    const all = complaints(text);
    assert.ok(
      all.some((line) => (said.source.startsWith("^") ? said.test(line) : said.test(line.replace(/^\S+ /, "")))),
      all.join("\n"),
    );
  });
}

test("everything that is wrong is told at once, with its line", () => {
  assert.deepEqual(
    complaints("max_qos 9\n\n# a comment\nno_such 1\nsys_interval x").map((line) => line.slice(0, 2)),
    ["1 ", "4 ", "5 "],
  );
});

test("an empty file: only this machine's clients, without names, on both versions of IP; mosquitto's bytes", () => {
  const { config } = read("");
  assert.deepEqual(
    config.listeners.map(({ host, port, allowAnonymous, isOptional }) => [host, port, allowAnonymous, isOptional]),
    [
      ["127.0.0.1", 1883, true, false],
      ["::1", 1883, true, true],
    ],
  );
  assert.equal(config.persistence.enabled, false);
  assert.equal(config.broker.reasonStrings, false);
});

test("-p counts only where the file has no listener, and says so", () => {
  const ports = read("max_queued_messages 5", [1888, 1889]).config.listeners.map(({ port }) => port);
  assert.deepEqual(ports, [1888, 1888, 1889, 1889]);
  const { config, notices } = read("listener 1887", [1888]);
  assert.deepEqual(
    config.listeners.map(({ port }) => port),
    [1887],
  );
  assert.match(notices.map(({ text }) => text).join("\n"), /-p 1888 is ignored/);
});

test("a listener: nobody without a name unless asked; options before the first one belong to the default listener", () => {
  const { config } = read(
    "max_qos 1\nlistener 1884 192.0.2.1\nallow_anonymous true\nlistener 0 /run/x.sock\nmax_connections 3",
  );
  const [first, second, third] = config.listeners;
  assert.deepEqual([first?.port, first?.entrance.maximumQos], [1883, 1]);
  assert.deepEqual([second?.host, second?.port, second?.allowAnonymous], ["192.0.2.1", 1884, true]);
  assert.deepEqual(
    [third?.unixPath, third?.entrance.maximumConnections, third?.entrance.name],
    ["/run/x.sock", 3, "/run/x.sock"],
  );
  assert.equal(read("listener 1884").config.listeners[0]?.allowAnonymous, false);
});

test("options of listeners without any listener are those of this machine's", () => {
  const { listeners } = read("max_qos 1\nuse_username_as_clientid true").config;
  assert.deepEqual(
    listeners.map(({ host, entrance }) => [host, entrance.maximumQos, entrance.usernameAsClientId]),
    [
      ["127.0.0.1", 1, true],
      ["::1", 1, true],
    ],
  );
});

test("per_listener_settings false: one security for all, with what listeners say themselves", () => {
  const { listeners } = read(
    "password_file p\nacl_file a\nauto_id_prefix x-\nlistener 1\nlistener_allow_anonymous true\nlistener 2\nlistener_auto_id_prefix y-",
  ).config;
  const [first, second] = listeners;
  assert.equal(first?.security, second?.security);
  assert.deepEqual([first?.security.passwordFile, first?.security.aclFile], ["p", "a"]);
  assert.deepEqual([first?.allowAnonymous, second?.allowAnonymous], [true, false]);
  assert.deepEqual([first?.entrance.autoIdPrefix, second?.entrance.autoIdPrefix], ["x-", "y-"]);
});

test("per_listener_settings true: each listener its own", () => {
  const { listeners } = read(
    "per_listener_settings true\nlistener 1\npassword_file p\nallow_zero_length_clientid false\nlistener 2\nallow_anonymous true",
  ).config;
  const [first, second] = listeners;
  assert.deepEqual([first?.security.passwordFile, second?.security.passwordFile], ["p", null]);
  assert.deepEqual([first?.allowAnonymous, second?.allowAnonymous], [false, true]);
  assert.deepEqual([first?.entrance.allowZeroLengthClientId, second?.entrance.allowZeroLengthClientId], [false, true]);
});

test("tokens, a web service and SCRAM are plugins of our own names", () => {
  const { config } = read(`plugin lacewing_jwt
plugin_opt_secret_file /s
plugin_opt_audience mqtt
plugin lacewing_http
plugin_opt_url https://users.example/check
plugin_opt_cache_seconds 0
plugin lacewing_scram
plugin_opt_file /v
`);
  assert.deepEqual(config.listeners[0]?.security.plugins, [
    {
      kind: "jwt",
      jwksFile: null,
      secretFile: "/s",
      publicKeyFile: null,
      issuer: null,
      audience: "mqtt",
      usernameClaim: "sub",
      leewaySeconds: 30,
    },
    { kind: "http", url: "https://users.example/check", timeoutMs: 5000, cacheSeconds: 0 },
    { kind: "scram", file: "/v" },
  ]);
});

test("mosquitto's Sparkplug plugin has birth certificates kept, wherever it is in use, and knows no users", () => {
  const path = "/usr/lib/mosquitto_sparkplug_aware.so";
  const isOn = (lines: string): boolean => read(lines).config.broker.keepsBirthCertificates;
  assert.deepEqual(
    [
      `plugin ${path}`,
      `global_plugin ${path}`,
      `plugin_load s ${path}`,
      `plugin_load s ${path}\nlistener 1\nplugin_use s`,
      "",
    ].map(isOn),
    [true, true, false, true, false],
  );
  assert.deepEqual(read(`listener 1\nplugin ${path}`).config.listeners[0]?.security.plugins, []);
});

test("mosquitto's plugins select what is built in; global ones come first, plugin_use adds to one listener", () => {
  const { config } = read(`global_plugin /usr/lib/mosquitto_dynamic_security.so
plugin_opt_config_file /var/lib/dynsec.json
plugin /usr/lib/x86_64-linux-gnu/mosquitto_acl_file.so
plugin_opt_acl_file /etc/acl
plugin_load own ./own.mjs
plugin_opt_key a value
listener 1
plugin_use own
auth_plugin_deny_special_chars false
listener 2
plugin mosquitto_persist_sqlite.so
plugin_opt_db_file /var/lib/mosquitto/mosquitto.sqlite3`);
  const kinds = config.listeners.map(({ security }) => security.plugins.map(({ kind }) => kind));
  assert.deepEqual(kinds, [
    ["dynamic-security", "acl-file", "module"],
    ["dynamic-security", "acl-file"],
  ]);
  const own = config.listeners[0]?.security.plugins[2];
  assert.ok(own?.kind === "module" && own.options.get("key") === "a value");
  assert.equal(config.listeners[0]?.security.denySpecialCharacters, false);
  assert.deepEqual([config.persistence.enabled, config.persistence.location], [true, "/var/lib/mosquitto"]);
});

test("TLS with certificates, or with keys", () => {
  const { listeners } = read(`listener 8883
cafile /ca
certfile /cert
keyfile /key
crlfile /crl
require_certificate 1
use_subject_as_username true
tls_version tlsv1.3
listener 8884
psk_hint hello
psk_file /keys
use_identity_as_username true
ciphers PSK`).config;
  const [first, second] = listeners;
  assert.deepEqual(
    [first?.tls?.caFile, first?.tls?.crlFile, first?.tls?.minimumVersion, first?.tls?.requireCertificate],
    ["/ca", "/crl", "TLSv1.3", true],
  );
  assert.equal(first?.entrance.identityAsUsername, "subject");
  assert.deepEqual(
    [second?.psk, second?.security.pskFile],
    [{ hint: "hello", ciphers: "PSK", minimumVersion: "TLSv1.2" }, "/keys"],
  );
  assert.equal(second?.entrance.identityAsUsername, "psk-identity");
});

test("certificates for other names, and protocols of TLS", () => {
  const pair = "listener 1\ncertfile c\nkeyfile k\n";
  const more =
    'lacewing_sni_certificate B.example.org "b c.crt" b.key\nlacewing_sni_certificate *.example.org w.crt w.key\n';
  const { tls } = read(`${pair}${more}lacewing_alpn mqtt\nlacewing_alpn x-mqtt`).config.listeners[0]!;
  assert.deepEqual(tls?.sniCertificates, [
    { serverName: "b.example.org", certFile: "b c.crt", keyFile: "b.key" },
    { serverName: "*.example.org", certFile: "w.crt", keyFile: "w.key" },
  ]);
  assert.deepEqual(tls?.alpn, ["mqtt", "x-mqtt"]);
  for (const [lines, words] of [
    [
      `${pair}lacewing_sni_certificate b.example.org b.crt`,
      /Invalid 'lacewing_sni_certificate' value \(b\.example\.org b\.crt\)/,
    ],
    [`${pair}lacewing_sni_certificate *.*.org b.crt b.key`, /\*\.\*\.org is no server name/],
    [
      "listener 1\nlacewing_sni_certificate b b.crt b.key",
      /needs certfile and keyfile, for clients that ask for no name/,
    ],
    ["listener 1\nlacewing_alpn mqtt", /lacewing_alpn needs certfile and keyfile/],
  ] as const)
    assert.match(problemsOf(() => read(lines))[0]!.text, words);
});

test("numbers as C reads them, words as mosquitto splits them", () => {
  const { config } = read(
    "max_queued_messages 0x10 ignored\nmax_inflight_messages 010\n  max_packet_size\t  5000\r\npid_file  /run/my broker.pid  ",
  );
  assert.equal(config.broker.maximumQueuedMessages, 16);
  assert.equal(config.broker.maximumInflightMessages, 8);
  assert.equal(config.broker.maximumPacketSize, 5000);
  assert.equal(config.process.pidFile, "/run/my broker.pid");
});

test("the log: destinations and types add up, none takes away", () => {
  const { log } = read(
    "log_dest stdout\nlog_dest file /var/log/a b.log\nlog_type error\nlog_type debug\nlog_facility 3",
  ).config;
  assert.deepEqual(log.destinations, [{ kind: "stdout" }, { kind: "file", path: "/var/log/a b.log" }]);
  assert.deepEqual([log.types, log.facility], [["error", "debug"], 3]);
  assert.deepEqual(read("log_dest stdout\nlog_dest none\nlog_type all\nlog_type none").config.log.destinations, []);
});

test("bridges, with prefixes, several addresses and a back-off", () => {
  const [bridge] = read(`connection one
addresses a:1884 [2001:db8::1]:1885 b
topic # both 2 local/ remote/
topic "with space/#" in
topic "" out 1 here there
bridge_cafile /ca
bridge_protocol_version mqttv50
restart_timeout 2 20 60
bridge_tcp_keepalive 60 10 3
keepalive_interval 1`).config.bridges;
  assert.deepEqual(bridge?.addresses, [
    { host: "a", port: 1884 },
    { host: "2001:db8::1", port: 1885 },
    { host: "b", port: 1883 },
  ]);
  assert.deepEqual(
    bridge?.topics.map(({ pattern, direction, qos, localPrefix, remotePrefix }) => [
      pattern,
      direction,
      qos,
      localPrefix,
      remotePrefix,
    ]),
    [
      ["#", "both", 2, "local/", "remote/"],
      ["with space/#", "in", 0, "", ""],
      ["", "out", 1, "here", "there"],
    ],
  );
  assert.deepEqual(bridge?.restartDelay, { kind: "jitter", baseSeconds: 2, capSeconds: 20, stableSeconds: 60 });
  assert.deepEqual([bridge?.version, bridge?.keepAliveSeconds, bridge?.tls?.caFile], [5, 5, "/ca"]);
});

test("include_dir: only .conf, in mosquitto's order, each beginning anew; not from an included file", () => {
  const one = join(folder, "one.d");
  mkdirSync(one);
  for (const name of ["b.conf", "A.conf", "01.conf", "a.conf", "B.conf", "00.conf", "not-this.txt"]) {
    writeFileSync(join(one, name), `websockets_headers_size ${name.charCodeAt(0)}\n`);
  }
  const { files, config } = read(`listener 1\ninclude_dir ${one}\nmax_qos 1`);
  assert.deepEqual(
    files.slice(1).map((path) => path.slice(one.length + 1)),
    ["00.conf", "01.conf", "A.conf", "a.conf", "B.conf", "b.conf"],
  );
  assert.equal(config.listeners[0]?.entrance.maximumQos, 1);
  assert.equal(config.listeners[0]?.webSocket.maximumHeaderBytes, "b".charCodeAt(0));
  writeFileSync(join(one, "c.conf"), `max_topic_alias 3\ninclude_dir ${one}\n`);
  const problems = problemsOf(() => read(`listener 1\ninclude_dir ${one}`));
  assert.deepEqual(
    problems.map(({ place }) => place),
    [`${join(one, "c.conf")}:1`, `${join(one, "c.conf")}:2`],
  );
  assert.match(problems[1]!.text, /The include_dir option is only valid in the main configuration file\./);
});

test("options without effect, deprecated ones and other surprises are told", () => {
  const said = read(
    "port 1884\nautosave_interval 5\nauto_id_prefix a\nretry_interval 5\ndhparamfile x\nmessage_size_limit 5\nlog_dest dlt",
  )
    .notices.map(({ type, text }) => `${type} ${text}`)
    .join("\n");
  for (const words of [
    /notice The 'port' option is now deprecated and will be removed in version 3\.0\. Please use 'listener' instead\./,
    /information Creating default listener due to 'port' option\./,
    /information The 'autosave_interval' option has no effect/,
    /notice The 'auto_id_prefix' option is now deprecated.*listener_auto_id_prefix/,
    /warning Warning: The 'retry_interval' option is no longer available\./,
    /warning Warning: dhparamfile is no longer required\./,
    /notice Note: It is recommended to replace `message_size_limit` with `max_packet_size`\./,
    /warning Warning: log_dest dlt does not exist here/,
  ])
    assert.match(said, words);
});

test("options from the command line come after the file; those of listeners are for all", () => {
  const file = fileOf("listener 1\nlistener 2\nmax_queued_messages 5");
  const lines = [
    { place: "--set", text: "max_qos 1" },
    { place: "--set", text: "max_queued_messages 7" },
    { place: "--set", text: "password_file p" },
  ];
  const { config } = readConfig({ file, lines });
  assert.deepEqual(
    config.listeners.map(({ entrance, security }) => [entrance.maximumQos, security.passwordFile]),
    [
      [1, "p"],
      [1, "p"],
    ],
  );
  assert.equal(config.broker.maximumQueuedMessages, 7);
  assert.equal(config.broker.reasonStrings, false);
  assert.equal(readConfig({ file: null }).config.broker.reasonStrings, true);
});

test("a file that is not there, is a folder, begins with a byte order mark", () => {
  assert.match(
    problemsOf(() => readConfig({ file: join(folder, "none") }))[0]!.text,
    /^Error: Unable to open config file '.*none'\.\nIt does not exist\.$/,
  );
  assert.match(problemsOf(() => readConfig({ file: folder }))[0]!.text, /^Error: Config file '.*' is a directory\./);
  assert.equal(read("\ufeffmax_queued_messages 3").config.broker.maximumQueuedMessages, 3);
});

test("the store's folder: beside others when the file is named", () => {
  assert.equal(read("persistence true").config.persistence.location, "data");
  assert.equal(read("persistence_location /var/lib/mosquitto/").config.persistence.location, "/var/lib/mosquitto/");
  assert.equal(
    read("persistence_location /v\npersistence_file one.db").config.persistence.location,
    "/v/one.db.lacewing",
  );
  const named = read("persistence_file one.db").config.persistence;
  assert.deepEqual([named.location, named.mosquittoFile, named.hasStandIn], ["one.db.lacewing", "one.db", true]);
  const file = fileOf("persistence_location /v");
  assert.equal(readConfig({ file, persistenceLocation: "/other" }).config.persistence.location, "/other");
});
