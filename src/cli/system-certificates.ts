/** The certificates of the CAs that the system trusts. Node 20 has its own list instead. */
import { readFile } from "node:fs/promises";
import * as tls from "node:tls";
import type { Environment } from "./options-file.ts";

/** Where Debian, Fedora, SUSE, Alpine and the BSDs keep them. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Newer versions of Node know where macOS and Windows keep theirs. */
type NewerTls = typeof tls & { readonly getCACertificates?: (kind: "system") => string[] };

/** The certificates as PEM, or null when this system's are not found. SSL_CERT_FILE names another file, as for OpenSSL. */
export async function systemCertificates({ SSL_CERT_FILE }: Environment): Promise<readonly string[] | null> {
  for (const file of SSL_CERT_FILE === undefined ? BUNDLES : [SSL_CERT_FILE]) {
    try {
      return [await readFile(file, "utf8")];
    } catch {
      // The next one.
    }
  }
  return (tls as NewerTls).getCACertificates?.("system") ?? null;
}
