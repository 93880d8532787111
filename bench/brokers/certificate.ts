// The certificate of brokers that listen by TLS: P-256, as new ones should be, and valid for tests only.
import { join } from "node:path";
import { ROOT } from "../root.ts";

export const CERTIFICATE: { readonly certFile: string; readonly keyFile: string } = {
  certFile: join(ROOT, "test/fixtures/tls/server.pem"),
  keyFile: join(ROOT, "test/fixtures/tls/leaf.key"),
};
