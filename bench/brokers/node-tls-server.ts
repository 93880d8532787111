// A process that answers every packet with a CONNACK, by TLS: node node-tls-server.js PORT CERTFILE KEYFILE THREADS. It is no broker.
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";

/** What another thread needs to take connections from the same socket. */
interface Door {
  readonly descriptor: number;
  readonly certFile: string;
  readonly keyFile: string;
}

const CONNACK = Buffer.from("20020000", "hex");

function serverOf(certFile: string, keyFile: string): Server {
  const tls = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
    socket.on("error", () => socket.destroy()).on("data", () => socket.write(CONNACK));
  });
  tls.on("tlsClientError", (_, socket) => socket.destroy());
  return createServer({ noDelay: true }, (socket) => tls.emit("connection", socket));
}

if (isMainThread) {
  const [port, certFile = "", keyFile = "", threads] = process.argv.slice(2);
  const server = serverOf(certFile, keyFile).listen(Number(port), "127.0.0.1", () => {
    // Node tells no descriptor in public.
    const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd: number } };
    const door: Door = { descriptor: handle?.fd ?? -1, certFile, keyFile };
    for (let i = 1; i < Number(threads); i++) new Worker(fileURLToPath(import.meta.url), { workerData: door });
  });
  process.once("SIGTERM", () => process.exit(0));
} else {
  const { descriptor, certFile, keyFile } = workerData as Door;
  serverOf(certFile, keyFile).listen({ fd: descriptor });
}
