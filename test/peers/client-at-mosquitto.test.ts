// The client library at Eclipse mosquitto: what it does at our broker it does there.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fixture } from "../client/fronts.ts";
import { declareNetworkScenarios, PSK } from "../client/network-suite.ts";
import { declareScenarios } from "../client/scenario-suite.ts";
import { testWithPeers } from "../support/peers.ts";
import { runProgram } from "../support/program.ts";
import { startMosquitto } from "./mosquitto-process.ts";

const folder = mkdtempSync(join(tmpdir(), "lacewing-mosquitto-"));
const [passwords, keys] = [join(folder, "passwords"), join(folder, "keys")];

function tls(name: string, ...more: readonly string[]): readonly string[] {
  const files = [`certfile ${fixture(name)}`, `keyfile ${fixture("leaf.key")}`, `cafile ${fixture("ca.pem")}`];
  return [...files, "allow_anonymous true", ...more];
}

async function start() {
  writeFileSync(passwords, "");
  writeFileSync(keys, `device:${PSK}\n`);
  await runProgram("mosquitto_passwd", ["-b", passwords, "device", "se cret"]).catch(() => {});
  return startMosquitto({
    password: [`password_file ${passwords}`, "allow_anonymous false"],
    tls: tls("server.pem"),
    tlsFuture: tls("future.pem"),
    tlsExpired: tls("expired.pem"),
    tlsMisnamed: tls("misnamed.pem"),
    tlsClient: tls("server.pem", "require_certificate true"),
    tlsPsk: ["psk_hint lacewing", `psk_file ${keys}`, "use_identity_as_username true", "allow_anonymous true"],
    webSocket: ["protocol websockets", "allow_anonymous true"],
  });
}

const started = start();
after(async () => {
  await (await started).stop();
  rmSync(folder, { recursive: true, force: true });
});

declareScenarios(
  async () => `mqtt://127.0.0.1:${(await started).port}`,
  (name, run) => testWithPeers(name, ["mosquitto"], run),
);
declareNetworkScenarios(
  async () => ({ ...(await started).ports, plain: (await started).port, overruns: true }),
  (name, run) => testWithPeers(name, ["mosquitto", "mosquitto_passwd"], run),
);
