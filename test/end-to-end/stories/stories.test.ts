// The questions that Lacewing began with, asked of the real programs: what goes wrong is made to go wrong, and one command of
// ours says the cause and the fix. docs/stories.md tells them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { MOSQ_ERRORS, MqttClient } from "../../../src/client/index.ts";
import { runTool } from "../../cli/tool-run.ts";
import { type MosquittoProcess, startMosquitto } from "../../peers/mosquitto-process.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { findPeer, libfaketimePath, startPeer, testWithPeers } from "../../support/peers.ts";
import { runProgram } from "../../support/program.ts";
import { ROOT } from "../../support/repository.ts";
import { Certificates } from "../../transport/certificates.ts";

const MAIN = join(ROOT, "dist/cli/main.js");
let broker: MosquittoProcess<"lowQos">;

before(async () => {
  broker = await startMosquitto({ lowQos: ["allow_anonymous true", "max_qos 1"] });
});

after(() => broker.stop());

/** What `lacewing explain` says first, in English. */
async function explained(...args: readonly string[]): Promise<string> {
  const { code, out } = await runTool("explain", args);
  assert.equal(code, 0, out);
  return out;
}

/** A broker whose network dies without a word on the first connection: it takes PINGREQ and says nothing. */
async function startForgetfulBroker(context: TestContext): Promise<number> {
  let connections = 0;
  const server = createServer((socket) => {
    const isDead = ++connections === 1;
    socket
      .on("error", () => {})
      .on("data", ([first]: Uint8Array) => {
        if (first === 0x10) socket.write(Uint8Array.of(0x20, 2, 0, 0));
        else if (first === 0xc0 && !isDead) socket.write(Uint8Array.of(0xd0, 0));
      });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("1. on_disconnect says 19, then on_connect says 0", { timeout: 60_000 }, async (context) => {
  const port = await startForgetfulBroker(context);
  const seen: string[] = [];
  const client = new MqttClient(`mqtt://127.0.0.1:${port}`, { keepAliveSeconds: 1, reconnect: { minimumDelayMs: 10 } });
  await client.connected;
  client.onDisconnect = (rc) => seen.push(`on_disconnect callback rc = ${rc}`);
  await new Promise<void>((resolve) => {
    client.onConnect = (rc) => {
      seen.push(`on_connect callback rc = ${rc}`);
      if (rc === 0 && seen.length > 1) resolve();
    };
  });
  client.onDisconnect = null;
  await client.disconnect({ drainMs: 0 });
  assert.deepEqual(seen, ["on_disconnect callback rc = 19", "on_connect callback rc = 0"]);
  const out = await explained(seen[0]!);
  assert.match(out, /^19 MOSQ_ERR_KEEPALIVE/);
  assert.match(out, /1\. the network went away without a word/);
  assert.match(out, /the client reconnects by itself, so a single 19 is harmless/);
  assert.match(out, /loop_forever and loop_start reconnect by\s+themselves/);
});

testWithPeers(
  "2. mosquitto_loop_forever returns 8, and the clock says 2019",
  ["mosquitto", "mosquitto_pub", "openssl", "libfaketime"],
  async (context) => {
    const certificates = new Certificates(temporaryFolder(context));
    certificates.make("good", { names: "DNS:localhost,IP:127.0.0.1", usage: "serverAuth" });
    const path = (name: string): string => certificates.path(name);
    const tls = ["allow_anonymous true", `certfile ${path("good-chain.pem")}`, `keyfile ${path("good.key")}`];
    const secure = await startMosquitto({ tls });
    const env = {
      LD_PRELOAD: libfaketimePath(),
      FAKETIME: "@2019-12-06 08:59:02",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
    try {
      const place = ["-h", "localhost", "-p", String(secure.ports.tls), "--cafile", path("cas.pem")];
      const pub = await startPeer("mosquitto_pub", [...place, "-t", "t", "-m", "x", "-d"], { env }).end();
      // 1 when the handshake fails before mosquitto_connect has returned.
      assert.ok(pub.code === 8 || pub.code === 1, pub.out + pub.errors);
      assert.match(pub.errors + pub.out, /certificate verify failed/);
      const out = await explained(pub.out + pub.errors);
      assert.match(out, /1\. this machine's clock is wrong/);
      assert.match(
        out,
        /set the clock: timedatectl set-ntp true, or ntpdate pool\.ntp\.org; then start the program\s+again/,
      );
      assert.match(await explained("8", "--from", "loop"), /8 is final: mosquitto_loop_forever returns it/);
      const doctor = await runProgram(process.execPath, [MAIN, "doctor", ...place, "--lang", "en"], { env });
      assert.equal(doctor.code, 15, doctor.out);
      assert.match(doctor.out, /the clock says 2019-12-06 .* days behind/s);
    } finally {
      await secure.stop();
    }
  },
);

testWithPeers("3. the trace of a QoS 2 publish", ["mosquitto", "mosquitto_pub"], async () => {
  const args = ["-h", "127.0.0.1", "-p", String(broker.port), "-t", "command/req", "-m", "hello", "-q", "2", "-d"];
  const { out } = await startPeer("mosquitto_pub", args).end();
  for (const packet of ["sending PUBLISH", "received PUBREC", "sending PUBREL", "received PUBCOMP"])
    assert.match(out, new RegExp(packet));
  const said = await explained(out.split("\n").find((line) => line.includes("sending PUBLISH")) ?? "");
  assert.match(said, /d = sent again, q = QoS, r = retain, m = message\s+id \(mid\)/);
  assert.match(said, /QoS 2 goes\s+PUBLISH,\s+PUBREC,\s+PUBREL,\s+PUBCOMP/);
});

testWithPeers("4. a mid follows a message, at QoS 0 too", ["mosquitto"], async () => {
  const client = new MqttClient(`mqtt://127.0.0.1:${broker.port}`);
  await client.connected;
  const published: number[] = [];
  client.onPublish = (mid) => published.push(mid);
  const publication = client.publish("t", "x", { qos: 0 });
  await publication;
  await client.disconnect();
  assert.deepEqual(published, [publication.mid]);
  const said = await explained("what is mid");
  assert.match(said, /A mid exists at QoS 0 too, so that on_publish can name the message/);
});

testWithPeers("5. on_subscribe and the granted QoS", ["mosquitto", "mosquitto_sub"], async () => {
  const args = ["-h", "127.0.0.1", "-p", String(broker.ports.lowQos), "-t", "t", "-q", "2", "-d", "-E"];
  const { out } = await startPeer("mosquitto_sub", args).end();
  const line = /Subscribed \(mid: \d+\): \d+/.exec(out)?.[0];
  assert.equal(line, "Subscribed (mid: 1): 1");
  const said = await explained(line);
  assert.match(said, /This is a QoS and not an error\. It may be lower than asked for/);
  assert.match(said, /lower than asked for: the broker's max_qos/);
});

test("6. what each error number means", async () => {
  for (const { rc, name } of MOSQ_ERRORS) {
    const out = await explained(String(rc), "--from", "mosquitto");
    assert.ok(out.startsWith(`${rc} MOSQ_ERR_${name}, `), out.slice(0, 60));
    const chinese = (await runTool("explain", [String(rc), "--from", "mosquitto", "--lang", "zh"])).out;
    assert.match(chinese, /[\u4e00-\u9fff]/);
  }
});

const UNSHARE = ["--net", "--map-root-user"];
const hasNamespaces = spawnSync("unshare", [...UNSHARE, "true"], { timeout: 10_000 }).status === 0;
const hasPub = findPeer("mosquitto_pub") !== undefined;
const skip = hasNamespaces && hasPub ? false : "not allowed here: network namespaces";

test("7. mosquitto_connect returns 14: there is no network", { skip, timeout: 60_000 }, async () => {
  const inNowhere = (...command: string[]) => runProgram("unshare", [...UNSHARE, ...command]);
  const pub = await inNowhere("mosquitto_pub", "-h", "192.0.2.1", "-t", "t", "-m", "x");
  assert.match(pub.errors, /Error: Network is unreachable/);
  assert.match(await explained(pub.errors), /^101 ENETUNREACH[\s\S]*no interface has an address yet/);
  assert.match(
    await explained("得到mosquitto_connect ret = 14"),
    /^14 MOSQ_ERR_ERRNO[\s\S]*1\. no network: errno is ENETUNREACH \(101\)/,
  );
  const doctor = await inNowhere(process.execPath, MAIN, "doctor", "192.0.2.1", "--lang", "zh");
  assert.equal(doctor.code, 11);
  assert.match(doctor.out, /结论：网络不通/);
  assert.match(doctor.out, /处理：启用网卡/);
});
