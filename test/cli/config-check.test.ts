// `lacewing config check`: each danger is told of once, with its place, and nothing is said where nothing is wrong.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { testWithPeers } from "../support/peers.ts";
import { Certificates } from "../transport/certificates.ts";
import { runTool } from "./tool-run.ts";

interface Line {
  readonly kind: string;
  readonly level?: string;
  readonly text?: string;
  readonly place?: string | null;
  readonly name?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly contents?: readonly string[];
  readonly errors?: number;
}

// Where root runs these tests the files are root's alone. The user that a broker of root becomes has a test of its own, in leaving-root.test.ts.
process.env.PUID = "0";

const HASH = "$7$101$c2FsdHNhbHRzYWx0$";
const USERS = `ann:${HASH}${Buffer.alloc(64, 1).toString("base64")}\n`;

/** Runs the command on a file with `lines`, in a folder with `files`; `{}` in the lines is the folder. */
async function check(
  context: TestContext,
  lines: string,
  files: Readonly<Record<string, string>> = {},
  options: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly lines: readonly Line[]; readonly folder: string }> {
  const folder = temporaryFolder(context, files);
  for (const name of Object.keys(files)) chmodSync(join(folder, name), name.startsWith("open") ? 0o644 : 0o600);
  return { ...(await checkIn(folder, lines, options)), folder };
}

async function checkIn(folder: string, lines: string, options: readonly string[] = []) {
  const path = join(folder, "mosquitto.conf");
  writeFileSync(path, `${lines.replaceAll("{}", folder)}\n`);
  const { code, out, errors } = await runTool("config", ["check", path, "--json", ...options]);
  assert.equal(errors, "");
  const found = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  return { code, lines: found };
}

function findings(lines: readonly Line[]): readonly string[] {
  return lines.filter(({ kind }) => kind === "finding").map(({ level, text }) => `${level}: ${text}`);
}

const MOUNTED = "password_file {}/users\nlog_dest stderr\n";

const BRIDGE = "connection far\naddress far.example\n";

/** What is in the file, which files there are, and what must be found: nothing more and nothing less. */
const SITUATIONS: Readonly<
  Record<string, readonly [lines: string, files: Readonly<Record<string, string>>, found: readonly RegExp[]]>
> = {
  "nothing set": ["", {}, []],
  "anonymous for the network": [
    "listener 1883\nallow_anonymous true\nmax_keepalive 3600",
    {},
    [/^warning: Everybody who reaches \*:1883 comes in without a password and may read and write everything/],
  ],
  "anonymous for the network, with rules": [
    "listener 1883\nallow_anonymous true\nacl_file {}/rules\nmax_keepalive 3600",
    { rules: "topic read a/#\n" },
    [/^warning: Everybody who reaches \*:1883 comes in without a password: allow_anonymous/],
  ],
  "anonymous for this machine": ["listener 1883 127.0.0.1\nallow_anonymous true", {}, []],
  "passwords without TLS": [
    `listener 1883\n${MOUNTED}max_keepalive 3600`,
    { users: USERS },
    [/^warning: Passwords for \*:1883 travel readable/],
  ],
  "passwords on a unix socket": [`listener 0 {}/socket\n${MOUNTED}`, { users: USERS }, []],
  "passwords behind a proxy": [
    `listener 1883\nenable_proxy_protocol 2\n${MOUNTED}max_keepalive 3600`,
    { users: USERS },
    [],
  ],
  "nobody can connect": [
    "listener 1883\nmax_keepalive 3600",
    {},
    [/^warning: Nobody can connect to \*:1883: allow_anonymous is false, and there are no users/],
  ],
  "a name in quotation marks": [
    'listener 1883 127.0.0.1\npassword_file "{}/users"',
    { users: USERS },
    [/^error: .*there is no such file; quotation marks are taken for a part of the name, leave them out/],
  ],
  "folders that are not there": [
    "listener 1883 127.0.0.1\nallow_anonymous true\nlog_dest file {}/nowhere/log\npid_file {}/none/pid",
    {},
    [
      /^warning: There is no folder .*\/nowhere for .*\/nowhere\/log: without it the broker does not start/,
      /^warning: There is no folder .*\/none for .*\/none\/pid: without it this file is not written/,
    ],
  ],
  "no keep-alive asked for": [
    "listener 1883\nenable_proxy_protocol 1\npassword_file {}/users",
    { users: USERS },
    [/^note: Clients may connect without keep-alive/],
  ],
  "too short a keep-alive": ["max_keepalive 30", {}, [/^warning: max_keepalive 30 refuses clients of 3\.1/]],
  "a file of passwords that all may read": [
    "listener 1883 127.0.0.1\npassword_file {}/open-users",
    { "open-users": USERS },
    [/^warning: Everybody on this machine may read the file of users .*open-users/],
  ],
  "empty files": [
    "listener 1883 127.0.0.1\npassword_file {}/users\nacl_file {}/rules",
    { users: "# nobody\n", rules: "" },
    [
      /^warning: password_file .*users is empty: nobody is known by it/,
      /^warning: acl_file .*rules is empty: it allows nothing/,
    ],
  ],
  "broken files": [
    "listener 1883 127.0.0.1\npassword_file {}/users\nacl_file {}/rules\nallow_anonymous true",
    { users: "ann:secret\n", rules: "tpoic a\n" },
    [
      /^error: password_file: .*users:1: the password of user ann is not hashed/,
      /^error: acl_file: Invalid line in acl_file .*rules:1: "tpoic" is none of/,
    ],
  ],
  "a file that is not there": [
    "listener 1883 127.0.0.1\nplugin mosquitto_password_file.so\nplugin_opt_password_file {}/absent",
    {},
    [/^error: plugin \(password file\): .*absent: cannot be read: there is no such file/],
  ],
  "broken dynamic security": [
    "listener 1883 127.0.0.1\nplugin mosquitto_dynamic_security.so\nplugin_opt_config_file {}/dynsec.json",
    { "dynsec.json": "{" },
    [/^error: plugin \(dynamic security\): .*dynsec\.json: is not valid JSON/],
  ],
  "dynamic security that the first start makes": [
    "listener 1883 127.0.0.1\nplugin mosquitto_dynamic_security.so\nplugin_opt_config_file {}/dynsec.json",
    {},
    [/^warning: .*dynsec\.json is not there: the first start makes it/],
  ],
  "a module that is not there": [
    "listener 1883 127.0.0.1\nplugin {}/absent.mjs",
    {},
    [/^error: plugin: .*absent\.mjs: cannot be read/],
  ],
  "settings without effect": [
    "persistence_location {}/data\nretry_interval 5\npsk_file {}/keys",
    { keys: "ann:00ff\n" },
    [
      /^warning: The 'retry_interval' option is no longer available/,
      /^note: psk_file does nothing for 127\.0\.0\.1:1883/,
      /^note: psk_file does nothing for ::1:1883/,
      /^note: persistence_location does nothing: persistence is false/,
    ],
  ],
  "what needs thought": [
    "enable_control_api true\nuser root\nlistener 0 127.0.0.1\nallow_anonymous true\nlistener 8080 127.0.0.1\nprotocol http_api\nallow_anonymous true",
    {},
    [
      /^warning: "listener 0 127\.0\.0\.1" is a unix socket of the name 127\.0\.0\.1\. Give a port/,
      /^warning: user root: started as root, the broker stays root/,
      /^note: enable_control_api answers only clients on this machine where no rules say who may ask/,
    ],
  ],
  "an HTTP API that everybody reaches": [
    "listener 8080\nprotocol http_api\nallow_anonymous true",
    {},
    [
      /^warning: Everybody who reaches \*:8080 comes in without a password and may read what it tells of the broker/,
      /^note: Clients may connect without keep-alive/,
    ],
  ],
  "a folder of pages that is not there": [
    "listener 8080 127.0.0.1\nprotocol http_api\nallow_anonymous true\nhttp_dir {}/none",
    {},
    [/^error: http_dir .*none: ENOENT/],
  ],
  "queues without a bound": ["max_queued_messages 0", {}, [/^warning: The queues of clients that are away have no/]],
  "a bridge as it should be": [
    `${BRIDGE}bridge_cafile {}/ca\ntopic a/# out 1`,
    { ca: "" },
    [/^note: What waits for bridge far ends with this process: persistence is false/],
  ],
  "a bridge that everybody on the way reads": [
    `${BRIDGE}remote_username u\nremote_password secret\ntopic a/# out 0`,
    {},
    [
      /^warning: The password of bridge far travels readable to far\.example:1883: it has no TLS/,
      /^warning: Everybody on this machine may read the password of bridge far in .*mosquitto\.conf/,
    ],
  ],
  "a bridge without TLS and without a password": [
    `${BRIDGE}topic a/# out 0`,
    {},
    [/^note: What crosses bridge far travels readable/],
  ],
  "a bridge that trusts too many, with files that all may read or nobody has": [
    `${BRIDGE}bridge_cafile {}/none\nbridge_insecure true\nbridge_certfile {}/open.crt\nbridge_keyfile {}/open.key\nbridge_require_ocsp true\ntopic a/# out 0`,
    { "open.crt": "no PEM", "open.key": "key" },
    [
      /^warning: Bridge 'far' using insecure mode: whoever has a certificate of its CA is taken for the other broker/,
      /^warning: Bridge far will not connect: bridge_require_ocsp is true/,
      /^warning: Everybody on this machine may read the private key .*open\.key/,
      /^warning: Bridge far will not connect: .*open\.crt has no certificate in PEM/,
      /^warning: Bridge far will not connect: .*none cannot be read \(ENOENT\)/,
    ],
  ],
  "a bridge that loses messages and sends them in rings": [
    "connection near\naddress localhost\ncleansession true\ntopic # both 1\nbridge_tcp_user_timeout 5\nbridge_tcp_keepalive 1 2 3",
    {},
    [
      /^warning: Bridge near has everything cross both ways: before MQTT 5\.0/,
      /^warning: What bridge near is to bring is lost .* cleansession is true/,
      /^warning: What the other broker has for bridge near is lost .* cleansession is true/,
      /^note: bridge_tcp_user_timeout has no effect/,
      /^note: bridge_tcp_keepalive sets the idle time of 1 s only/,
    ],
  ],
  "a bridge of 5.0 whose session ends with the link": [
    "persistence true\nconnection near\naddress 127.0.0.1\nbridge_protocol_version mqttv50\ntopic # both 1",
    {},
    [/^warning: What the other broker has for bridge near is lost .*bridge_session_expiry_interval/],
  ],
  "no log": ["log_dest none", {}, [/^note: Nothing is logged/]],
};

for (const [name, [lines, files, expected]] of Object.entries(SITUATIONS)) {
  test(`config check: ${name}`, async (context) => {
    const { code, lines: printed } = await check(context, lines, files);
    const found = findings(printed);
    assert.equal(found.length, expected.length, found.join("\n"));
    for (const [at, pattern] of expected.entries()) assert.match(found[at]!, pattern);
    assert.equal(code, expected.some(({ source }) => source.startsWith("^error")) ? 1 : 0);
  });
}

const FAR = "20990101000000Z";

/** Kinds of server certificates, more lines, and what must be found of them. */
const TLS_SITUATIONS: Readonly<
  Record<string, readonly [names: string | undefined, until: string, lines: string, found: readonly RegExp[]]>
> = {
  good: ["DNS:broker.example.org", FAR, "", []],
  ended: ["DNS:broker.example.org", "20200601000000Z", "", [/^warning: The certificate .* has ended on 2020-06-01/]],
  "without a name": [undefined, FAR, "", [/^warning: The certificate .* has no name in subjectAltName/]],
  "only for this machine": [
    "DNS:localhost",
    FAR,
    "",
    [/^warning: The certificate .* is only for this machine \(DNS:localhost\), but/],
  ],
  "for another server name": [
    "DNS:broker.example.org",
    FAR,
    'lacewing_sni_certificate other.example.org "{}/server.pem" "{}/server.key"',
    [/^warning: The certificate .* is not for other\.example\.org/],
  ],
  "a list that has ended": [
    "DNS:broker.example.org",
    FAR,
    "cafile {}/cas.pem\ncrlfile {}/old.crl\nrequire_certificate true",
    [/^warning: A list in .*old\.crl has ended on 2020-02-01/],
  ],
};

testWithPeers("config check of certificates", ["openssl"], async (context) => {
  const folder = temporaryFolder(context);
  const certificates = new Certificates(folder);
  certificates.make("other");
  certificates.revoke("old.crl", [], "signing", 0);
  const listener = "listener 8883\nallow_anonymous false\npassword_file {}/users\nmax_keepalive 3600\n";
  const pair = "certfile {}/server.pem\nkeyfile {}/server.key\n";
  writeFileSync(join(folder, "users"), USERS, { mode: 0o600 });
  const made = async (names: string | undefined, until: string, lines: string): Promise<readonly string[]> => {
    certificates.make("server", { usage: "serverAuth", from: "20200101000000Z", until, ...(names && { names }) });
    for (const key of ["server.key", "other.key"]) chmodSync(join(folder, key), 0o600);
    return findings((await checkIn(folder, listener + lines)).lines);
  };
  for (const [name, [names, until, lines, expected]] of Object.entries(TLS_SITUATIONS)) {
    await context.test(name, async () => {
      const found = await made(names, until, pair + lines);
      assert.equal(found.length, expected.length, found.join("\n"));
      for (const [at, pattern] of expected.entries()) assert.match(found[at]!, pattern);
    });
  }
  await context.test("ends soon", async () => {
    const soon = new Date(Date.now() + 10.5 * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, "");
    const [found, ...more] = await made("DNS:broker.example.org", soon, pair);
    assert.match(found!, /^warning: The certificate .* ends on .*, in 10 days/);
    assert.deepEqual(more, []);
  });
  await context.test("another's key, which everybody may read", async () => {
    await made("DNS:broker.example.org", FAR, pair);
    chmodSync(join(folder, "other.key"), 0o644);
    const lines = `${listener}certfile {}/server.pem\nkeyfile {}/other.key`;
    const { code, lines: printed } = await checkIn(folder, lines);
    const found = findings(printed);
    assert.equal(code, 1);
    assert.match(found[0]!, /^error: Server certificate\/key are inconsistent: .*other\.key/);
    assert.match(found[1]!, /^warning: Everybody on this machine may read the private key .*other\.key/);
  });
});

test("config check shows the settings in force, and for each listener its own", async (context) => {
  const lines = "per_listener_settings true\nlistener 1883 127.0.0.1\nallow_anonymous true\nmax_qos 1\nlistener 0 {}/s";
  const { lines: printed } = await check(context, `${lines}\nmax_connections 7`);
  const [first, second, broker] = printed;
  assert.deepEqual([first?.kind, first?.name, first?.settings?.max_qos], ["listener", "127.0.0.1:1883", 1]);
  assert.deepEqual([first?.settings?.allow_anonymous, second?.settings?.allow_anonymous], [true, false]);
  assert.deepEqual([second?.settings?.max_qos, second?.settings?.max_connections], [2, 7]);
  assert.deepEqual([broker?.kind, broker?.settings?.max_packet_size], ["broker", 2_000_000]);
});

test("config check for people: what is set, the default with --all, and what it comes to", async (context) => {
  const folder = temporaryFolder(context, { "a.conf": "listener 1883\nallow_anonymous true\n" });
  const path = join(folder, "a.conf");
  const { code, out } = await runTool("config", ["check", path]);
  assert.equal(code, 0);
  assert.match(out, /^Listener \*:1883 \(.*a\.conf:1\)$/m);
  assert.match(out, /^ {4}allow_anonymous +true +also who names no user$/m);
  assert.doesNotMatch(out, /max_qos/);
  assert.match(out, /^The broker would start with it: 0 errors, 1 warning, 1 note\.$/m);
  assert.match((await runTool("config", ["check", path, "--all"])).out, /^ {4}max_qos +2 +default$/m);
  assert.equal((await runTool("config", ["check", path, "--strict"])).code, 2);
});

test("config check of what cannot be read: all errors with their lines, and exit code 1", async (context) => {
  const { code, lines } = await check(context, "lisener 1883\nmax_qos 7");
  assert.equal(code, 1);
  assert.deepEqual(
    lines.filter(({ kind }) => kind === "finding").map(({ place }) => place?.replace(/.*mosquitto.conf/, "")),
    [":1", ":2"],
  );
  assert.match(findings(lines)[0]!, /^error: Unknown configuration variable 'lisener'\. Did you mean 'listener'\?/);
  const absent = await runTool("config", ["check", "/nowhere/mosquitto.conf"]);
  assert.equal(absent.code, 1);
  assert.match(absent.out, /Unable to open config file '\/nowhere\/mosquitto\.conf'\.\s+It does not exist/);
  const unknown = await runTool("config", ["chekc"]);
  assert.deepEqual([unknown.code, /Did you mean 'check'\?/.test(unknown.errors)], [1, true]);
});

test("config check shows what a bridge comes to, without its secrets", async (context) => {
  const lines =
    "connection far\naddress far.example:8883 other.example\nbridge_tls_use_os_certs true\nremote_username u\nremote_password secret\nstart_type lazy\ntopic a/# out 1 here/ there/\ntopic b in";
  const folder = temporaryFolder(context);
  const { lines: printed } = await checkIn(folder, lines, ["--all"]);
  const bridge = printed.find(({ kind }) => kind === "bridge");
  assert.equal(bridge?.place, `${join(folder, "mosquitto.conf")}:1`);
  const { settings = {} } = bridge;
  assert.deepEqual(settings.address, ["far.example:8883", "other.example:1883"]);
  assert.deepEqual(settings.topic, ["a/# out 1 here/ there/", "b in 0"]);
  assert.deepEqual(
    [settings.remote_password, settings.start_type, settings.threshold, settings.bridge_tls_use_os_certs],
    ["(set)", "lazy", 10, true],
  );
  const { out } = await runTool("config", ["check", join(folder, "mosquitto.conf")]);
  assert.match(out, /\nBridge far \(.*:1\)\n {2}The other broker\n {4}address .*the first one is the main one/);
  assert.match(out, /topic +a\/# out 1 here\/ there\/ +here\/a\/# -> there\/a\/#/);
  assert.match(out, /local_username +- +may publish and read everything here/);
  assert.doesNotMatch(out, /secret/);
});
