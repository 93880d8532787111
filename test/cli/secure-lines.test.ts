// Our tools and mosquitto's beside each other over TLS, PSK, unix sockets and proxies, at mosquitto's broker.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { fixture, socksFront } from "../client/fronts.ts";
import { startMosquitto } from "../peers/mosquitto-process.ts";
import type { CommandLine } from "./command-lines.ts";
import { compareWithMosquitto } from "./comparison.ts";
import { SECURE_LINES } from "./secure-lines.ts";

/** What the words in braces stand for. */
const words = new Map<string, string>();
const ends: (() => void | Promise<void>)[] = [];

function tls(certificate: string, ...more: string[]): readonly string[] {
  const files = { cafile: "ca.pem", certfile: certificate, keyfile: "leaf.key" };
  return [
    "allow_anonymous true",
    ...Object.entries(files).map(([option, name]) => `${option} ${fixture(name)}`),
    ...more,
  ];
}

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-secure-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  words.set("folder", folder).set("files", fixture("."));
  writeFiles(folder);
  const broker = await startMosquitto(
    {
      tls: tls("server.pem"),
      misnamed: tls("misnamed.pem"),
      expired: tls("expired.pem"),
      mutual: tls("server.pem", "require_certificate true"),
      old: tls("server.pem", "require_certificate true", "tls_version tlsv1.2"),
      psk: ["allow_anonymous true", "psk_hint hint", `psk_file ${join(folder, "psk")}`],
      websocket: ["allow_anonymous true", "protocol websockets"],
    },
    [`listener 0 ${join(folder, "socket")}`, "allow_anonymous true"],
  );
  ends.unshift(broker.stop);
  const ports = { plain: broker.port, ...broker.ports };
  for (const [name, port] of Object.entries(ports)) words.set(name, String(port));
  const context = { after: (end: () => void) => ends.unshift(end) };
  for (let reply = 0; reply <= 8; reply++) {
    words.set(`proxy${reply}`, String((await socksFront(context, broker.port, null, reply)).port));
  }
  words.set("proxyToTls", String((await socksFront(context, broker.ports.tls, null)).port));
  words.set("login", String((await socksFront(context, broker.port, "secret")).port));
  for (const status of [2, 3, 4, 5, 6])
    words.set(`login${status}`, String((await socksFront(context, broker.port, "secret", status)).port));
});
after(async () => {
  for (const end of ends) await end();
});

function writeFiles(folder: string): void {
  writeFileSync(join(folder, "psk"), "device:00112233aabb\n");
  mkdirSync(join(folder, "capath"));
  copyFileSync(fixture("ca.pem"), join(folder, "capath/ca.crt"));
  // The name that `openssl rehash` gives it.
  symlinkSync("ca.crt", join(folder, "capath/a9dfb41d.0"));
  mkdirSync(join(folder, "config"));
  const lines = [`--cafile ${fixture("ca.pem")}`, "# A comment", "-t from/file", "--will-topic will/from a file"];
  for (const name of ["mosquitto_pub", "mosquitto_sub"]) {
    writeFileSync(join(folder, "config", name), `${lines.join("\n")}\n`);
  }
  writeFileSync(join(folder, "config/mosquitto_rr"), `${lines.join("\n")}\n-e from/file\n`);
}

function filled(text: string): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => words.get(name)!);
}

function completed({ args }: CommandLine): string[] {
  return ["-h", "localhost", "-i", "S", ...args.map(filled)];
}

compareWithMosquitto(SECURE_LINES, completed, filled);
