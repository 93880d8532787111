// The client library and our own broker, when the way is bad, secured or through others.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DEFAULT_CONFIG, type ListenerConfig, listenerOf, type TlsConfig } from "../../src/config/index.ts";
import { NO_SECURITY } from "../../src/security/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { fixture } from "./fronts.ts";
import { declareNetworkScenarios, type NetworkPorts, PSK } from "./network-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "lacewing-network-"));
const [passwords, keys] = [join(folder, "passwords"), join(folder, "keys")];
let server: Server | null = null;
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

function tls(name: string, requireCertificate: boolean = false): Partial<ListenerConfig> {
  const [certFile, keyFile, caFile] = [fixture(name), fixture("leaf.key"), fixture("ca.pem")];
  const unset = { caPath: null, crlFile: null, ciphers: null, ciphersTls13: null, sniCertificates: [], alpn: [] };
  const all: TlsConfig = {
    ...{ certFile, keyFile, caFile, requireCertificate, ...unset },
    ...{ minimumVersion: "TLSv1.2", ignoreClientCertificateDates: false },
  };
  return { tls: all };
}

/** What is special about each listener. */
const LISTENERS: Readonly<Record<keyof Omit<NetworkPorts, "overruns">, Partial<ListenerConfig>>> = {
  plain: {},
  password: { allowAnonymous: false, security: { ...NO_SECURITY, passwordFile: passwords } },
  tls: tls("server.pem"),
  tlsFuture: tls("future.pem"),
  tlsExpired: tls("expired.pem"),
  tlsMisnamed: tls("misnamed.pem"),
  tlsClient: tls("server.pem", true),
  tlsPsk: {
    psk: { hint: "lacewing", ciphers: null, minimumVersion: "TLSv1.2" },
    security: { ...NO_SECURITY, pskFile: keys },
  },
  webSocket: { protocol: "websockets" },
};

async function start(): Promise<NetworkPorts> {
  writeFileSync(passwords, "");
  writeFileSync(keys, `device:${PSK}\n`);
  const main = join(ROOT, "dist/cli/main.js");
  await runProgram(process.execPath, [main, "passwd", "-b", passwords, "device", "se cret"]);
  const listeners = Object.values(LISTENERS).map((special) =>
    listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous: true, ...special }),
  );
  server = await startServer({ ...DEFAULT_CONFIG, listeners }, () => {});
  const ports = server.listeners.map(({ port }) => port);
  return Object.fromEntries(Object.keys(LISTENERS).map((name, i) => [name, ports[i]])) as unknown as NetworkPorts;
}

const started = start();
declareNetworkScenarios(
  () => started,
  (name, run) => void test(name, { timeout: 30_000 }, run),
);
