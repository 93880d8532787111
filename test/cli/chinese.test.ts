// With --lang zh nothing of what Lacewing itself says is left in English. What mosquitto's tools say is theirs, and stays as it is.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { MqttClient } from "../../src/client/index.ts";
import { DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import { CaptureWriter } from "../../src/observe/index.ts";
import { NO_SECURITY } from "../../src/security/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bytesOfHex } from "../support/hex.ts";
import { type CommandName, runTool } from "./tool-run.ts";

/** Words that an English sentence has, and neither a name of MQTT nor a command. */
const ENGLISH = /\b(?:the|is|are|was|not|has|have|that|which|must|than|and|for|from|with|its|nobody|no|after|there)\b/i;
/** Commands, quoted words, specifications and lines of mosquitto. */
const NOT_OURS =
  /Not\s+authorized|lacewing [a-z-]+[^，。；：\n]*|“[^”]*”|"[^"]*"|'[^']*'|\[(?:5\.0|3\.1\.1|RFC|mosquitto)[^\]]*\]|^(?:Error: |Connection error: |Unable to connect).*$|^ {4}(?:检查|参考)[^\n]*$/gm;

let broker: Server;
let folder: string;
const ports = { open: 0, guarded: 0 };

before(async (context) => {
  folder = temporaryFolder(context as TestContext, { acl: "topic write $CONTROL/lacewing/v1\n" });
  const place = { host: "127.0.0.1", port: 0, allowAnonymous: true };
  const guarded = listenerOf({ ...place, security: { ...NO_SECURITY, aclFile: join(folder, "acl") } });
  broker = await startServer({ ...DEFAULT_CONFIG, listeners: [listenerOf(place), guarded] }, () => {});
  [ports.open = 0, ports.guarded = 0] = broker.listeners.map(({ port }) => port);
});
after(() => broker.close());

function to(listener: keyof typeof ports = "open"): string[] {
  return ["-h", "127.0.0.1", "-p", String(ports[listener]), "--lang", "zh"];
}

async function inChinese(
  tool: CommandName,
  args: readonly string[],
  expected: RegExp,
  input: string = "",
): Promise<string> {
  const { out, errors } = await runTool(tool, [...args, ...(args.includes("--lang") ? [] : ["--lang", "zh"])], input);
  const said = out + errors;
  assert.match(said, expected);
  for (const line of said.replaceAll(NOT_OURS, "").split("\n"))
    assert.doesNotMatch(line, ENGLISH, `${tool} ${args.join(" ")}: ${line}\n${said}`);
  return said;
}

/** Breaks a rule under the name "rogue". */
async function breakRule(): Promise<void> {
  const socket = connect(ports.open, "127.0.0.1").on("error", () => {});
  socket.write(bytesOfHex("101100044d51545404020000000572 6f677565".replaceAll(" ", "")));
  await once(socket, "data");
  socket.resume().write(bytesOfHex("300400012378"));
  await once(socket, "close");
}

test("why", async () => {
  await breakRule();
  await inChinese("why", ["rogue", ...to()], /PUBLISH: 主题名含有 “#”（第 1 个字符）；通配符只能用在主题过滤器中/);
  await inChinese("why", ["nobody", ...to()], /没有客户端 'nobody' 的记录/);
  await inChinese("why", ["rogue", "-h", "127.0.0.1", "-p", "1"], /该端口没有程序在监听（127\.0\.0\.1，端口 1）/);
});

test("why-not, clients and top", async () => {
  const client = new MqttClient(`mqtt://127.0.0.1:${ports.open}`, { clientId: "c1", reconnect: false });
  await client.connected;
  await inChinese("why-not", ["--topic", "t", "--to", "c1", ...to()], /它没有任何订阅/);
  await inChinese("clients", to(), /客户端 +地址[\s\S]*2 个在线，0 个离线。/);
  await inChinese("top", [...to(), "--times", "1", "--every", "1"], /报文\/秒[\s\S]*客户端 +地址/);
  await client.disconnect();
});

test("a client that may only ask", async () => {
  await inChinese("clients", to("guarded"), /topic readwrite \$CONTROL\/lacewing\/#/);
});

test("record, and a file that is there", async () => {
  const path = join(folder, "there.pcapng");
  await inChinese(
    "record",
    ["rogue", "--pcap", path, "--for", "1s", ...to()],
    /rogue 目前不在线，正在等待。\n.*个报文：时间到。/,
  );
  await inChinese("record", ["rogue", "--pcap", path, "--for", "1s", ...to()], /文件已存在，请换一个名字/);
  assert.ok(readFileSync(path).length > 0);
});

test("replay", async () => {
  const parts: Buffer[] = [];
  const writer = new CaptureWriter((bytes) => parts.push(Buffer.from(bytes)), "test");
  const connection = { remoteAddress: "10.0.0.7:50000", number: 1 };
  writer.open(connection, 1e12, "x");
  writer.data(1, "received", Buffer.from(bytesOfHex("100d00044d51545404020000000161")), 1e12);
  writer.data(1, "sent", Buffer.from(bytesOfHex("20020000")), 1e12);
  writer.data(1, "received", Buffer.from(bytesOfHex("300400012378")), 1e12);
  const path = join(folder, "broken.pcapng");
  writeFileSync(path, Buffer.concat(parts));
  await inChinese("replay", [path], /客户端违反了规则：PUBLISH: 主题名含有 “#”/);
  const empty: Buffer[] = [];
  new CaptureWriter((bytes) => empty.push(Buffer.from(bytes)), "test");
  writeFileSync(path, Buffer.concat(empty));
  await inChinese("replay", [path], /无法判断：/);
  writeFileSync(path, "GIF89a, which no capture begins with");
  await inChinese("replay", [path], /读不了：这不是抓包文件/);
  await inChinese("replay", [join(folder, "nowhere")], /读不了：.*（ENOENT）/);
});

test("explain: our own log lines", async () => {
  const line =
    '1767225600: Client a [127.0.0.1:1]: Topic Name invalid: PUBLISH: topic name contains "#" at 1; wildcards belong in topic filters [5.0 MQTT-3.3.2-2].';
  await inChinese("explain", [line], /规则 PUBLISH: 主题名含有/);
});

test("set-up errors", async () => {
  const pub = ["-t", "t", "-m", "x", ...to(), "--cafile", join(folder, "nowhere")];
  await inChinese("pub", pub, /文件 .*nowhere 读不了（ENOENT）。/);
  const old = ["-t", "t", "-m", "x", ...to(), "--cafile", join(folder, "acl"), "--tls-version", "tlsv1.1"];
  await inChinese("pub", old, /只能是 tlsv1\.2 或 tlsv1\.3，更旧的版本已不安全。/);
});

test("doctor", async () => {
  await inChinese("doctor", ["127.0.0.1:1"], /结论：该端口没有程序在监听/);
  await inChinese("doctor", [`127.0.0.1:${ports.guarded}`, "--timeout", "1"], /topic readwrite lacewing\/doctor\/#/);
});
