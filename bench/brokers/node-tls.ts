// What Node's TLS costs by itself: a bare tls.createServer that answers every packet with a CONNACK, on one thread or on two that take
// connections from the same socket. No broker in Node can open more connections than these; ADR 0015 reads them.
import { fileURLToPath } from "node:url";
import type { BrokerKind } from "./broker.ts";
import { CERTIFICATE } from "./certificate.ts";

const SERVER = fileURLToPath(new URL("./node-tls-server.js", import.meta.url));

function nodeTls(name: string, threads: number): BrokerKind {
  return {
    name,
    versions: [4],
    settings: ["tls"],
    scenarios: /^tls-connects$/,
    find: () => process.versions.node,
    command: (port) => [process.execPath, SERVER, `${port}`, CERTIFICATE.certFile, CERTIFICATE.keyFile, `${threads}`],
  };
}

export const NODE_TLS: readonly BrokerKind[] = [nodeTls("node-tls", 1), nodeTls("node-tls-2-threads", 2)];
