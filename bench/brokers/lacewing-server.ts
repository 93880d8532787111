// A process that is our broker with a listener: node lacewing-server.js PORT tls|websocket CERTFILE KEYFILE, or PORT unrecorded, which
// keeps no trail of packets.
import { DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import { startServer } from "../../src/server/index.ts";

const [port, way, certFile = "", keyFile = ""] = process.argv.slice(2);
const listener = listenerOf({
  host: "127.0.0.1",
  port: Number(port),
  allowAnonymous: true,
  protocol: way === "websocket" ? "websockets" : "mqtt",
  tls:
    way === "tls"
      ? {
          ...{ certFile, keyFile, caFile: null, caPath: null, crlFile: null },
          ...{ minimumVersion: "TLSv1.2", ciphers: null, ciphersTls13: null },
          ...{ requireCertificate: false, ignoreClientCertificateDates: false, sniCertificates: [], alpn: [] },
        }
      : null,
});
// As for the others: no bound of the messages in flight and in queues.
const broker = {
  ...DEFAULT_CONFIG.broker,
  maximumInflightMessages: 0,
  receiveMaximum: 65_535,
  maximumQueuedMessages: 0,
  trailEntries: way === "unrecorded" ? 0 : DEFAULT_CONFIG.broker.trailEntries,
};
await startServer({ ...DEFAULT_CONFIG, listeners: [listener], broker }, (text) => process.stderr.write(text));
process.once("SIGTERM", () => process.exit(0));
