// lacewing doctor where there is no broker, or something else: the layer that it names, the cause, and what it does not print.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import { startServer } from "../../src/server/index.ts";
import { runTool } from "../cli/tool-run.ts";
import { MAIN } from "../peers/broker-process.ts";
import { runProgram } from "../support/program.ts";
import { type OtherServers, startOtherServers } from "./other-servers.ts";
import { type Expected, expectVerdict, reportOf } from "./report.ts";

let others: OtherServers;

before(async () => {
  others = await startOtherServers();
});
after(() => others.stop());

interface Row extends Expected {
  readonly what: string;
  readonly args: () => readonly string[];
}

const plain = (port: () => number) => (): string[] => [`mqtt://127.0.0.1:${port()}`];

const WITHOUT_BROKER: readonly Row[] = [
  {
    what: "an unknown name",
    args: () => ["no-such-host.invalid"],
    layer: "name",
    code: 10,
    meaning: "name-unknown",
    evidence: /no-such-host\.invalid/,
  },
  {
    what: "a refused port",
    args: plain(() => others.refused),
    layer: "port",
    code: 12,
    meaning: "nothing-listens",
    evidence: /ECONNREFUSED/,
    fix: /start it/,
  },
  {
    what: "a silent port",
    args: plain(() => others.silent),
    layer: "protocol",
    code: 13,
    meaning: "connack-timeout",
    evidence: /silent/,
    isSilent: true,
  },
  {
    what: "a port that closes",
    args: plain(() => others.closing),
    layer: "protocol",
    code: 13,
    meaning: "port-closes",
    evidence: /takes connections and closes them/,
  },
  {
    what: "a web server",
    args: plain(() => others.http),
    layer: "protocol",
    code: 13,
    meaning: "port-not-mqtt",
    evidence: /^HTTP answers, and MQTT was expected/,
  },
  {
    what: "a mail server",
    args: plain(() => others.greeting),
    layer: "protocol",
    code: 13,
    meaning: "port-not-mqtt",
    evidence: /not known here/,
  },
  {
    what: "TLS to a web server",
    args: () => [`mqtts://127.0.0.1:${others.http}`],
    layer: "protocol",
    code: 13,
    meaning: "not-tls",
    evidence: /HTTP answers, and TLS/,
  },
];

const MORE_WITHOUT_BROKER: readonly Row[] = [
  {
    what: "a broker that waits for a PROXY header",
    args: plain(() => others.proxied),
    layer: "protocol",
    code: 13,
    meaning: "proxy-header",
    evidence: /MQTT behind a PROXY header answers/,
  },
  {
    what: "what ends idle connections",
    args: () => [...plain(() => others.impatient)(), "-V", "311", "--idle", "2s"],
    layer: "keep-alive",
    code: 18,
    meaning: "idle-limit",
    evidence: /the connection was gone after 0\.[5-9] s of silence|after 1\.\d s of silence/,
    fix: /keep-alive of half that time/,
  },
];

const OTHER_WAYS: readonly Row[] = [
  {
    what: "a unix socket that is not there",
    args: () => ["--unix", "/nowhere/socket"],
    layer: "port",
    code: 12,
    meaning: "file-missing",
    evidence: /\/nowhere\/socket cannot be reached/,
  },
  {
    what: "a proxy that is not there",
    args: () => ["broker.example", "--proxy", `socks5h://127.0.0.1:${others.refused}`],
    layer: "port",
    code: 12,
    meaning: "nothing-listens",
    evidence: /ECONNREFUSED/,
    fix: /start the proxy 127\.0\.0\.1:\d+, or correct --proxy/,
  },
  {
    what: "a proxy that is a mail server",
    args: () => ["broker.example", "--proxy", `socks5h://127.0.0.1:${others.greeting}`],
    layer: "port",
    code: 12,
    meaning: "proxy-refused",
    evidence: /broker\.example/,
  },
];

for (const row of [...WITHOUT_BROKER, ...MORE_WITHOUT_BROKER, ...OTHER_WAYS])
  test(`doctor names ${row.what}`, { timeout: 60_000 }, () => expectVerdict(row.args(), row));

test("doctor finds nothing wrong with our own broker", { timeout: 60_000 }, async (context) => {
  const listeners = [listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous: true })];
  const server = await startServer({ ...DEFAULT_CONFIG, listeners }, () => {});
  context.after(() => server.close());
  const { code, verdict, layers } = await reportOf([`mqtt://127.0.0.1:${server.listeners[0]!.port}`]);
  assert.deepEqual([code, verdict], [0, null]);
  const connect = layers.find(({ layer }) => layer === "connect");
  assert.ok(connect?.details?.includes("maximum packet size: 2,000,000"), connect?.details?.join("\n"));
});

test("doctor says what is wrong with its arguments", async () => {
  for (const [args, line] of [
    [["--idle", "soon", "localhost"], /^Error: Invalid idle time given: soon; allowed is/],
    [["ftp://x"], /^Error: Unsupported URL scheme in 'ftp:\/\/x\/'/],
    [["mqtt://x:99999"], /^Error: Invalid port given: 99999/],
  ] as const) {
    const { code, errors } = await runTool("doctor", args);
    assert.equal(code, 1);
    assert.match(errors, line);
  }
});

test("doctor speaks Chinese", async () => {
  const { out } = await runTool("doctor", [`127.0.0.1:${others.refused}`], "", { LANG: "zh_CN.UTF-8" });
  assert.match(out, /FAIL {2}端口 +端口 \d+ 连不上（ECONNREFUSED）/);
  assert.match(out, /结论：该端口没有程序在监听/);
  assert.match(out, /未执行：端口上的协议/);
});

test("doctor ends, with its exit code, at a broker that answers CONNECT and PINGREQ only", async () => {
  const args = [MAIN, "doctor", `mqtt://127.0.0.1:${others.taciturn}`, "-V", "311", "--timeout", "1", "--json"];
  const { code, out } = await runProgram(process.execPath, args);
  assert.deepEqual([code, /SUBACK did not come within 1 s/.test(out)], [19, true], out);
});
