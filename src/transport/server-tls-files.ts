/** The files that TLS on a listener needs: read, checked one by one so that a message names the one that is wrong, and made ready. */
import { constants, createPrivateKey, X509Certificate } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, type SecureContextOptions } from "node:tls";
import { type RevocationList, readRevocationLists } from "./revocation-list.ts";
import type { ServerCertificate, ServerTlsOptions } from "./server-tls-options.ts";
import { TransportError } from "./transport-error.ts";

/** A certificate that clients get who ask for one of its names. */
export interface NamedContext {
  readonly context: SecureContext;
  isFor(serverName: string): boolean;
}

/** What was read. */
export interface ServerTlsFiles {
  /** For those who ask for no name that another certificate has. */
  readonly contextOptions: SecureContextOptions;
  /** The certificates, each with the names that it is for. */
  readonly named: readonly NamedContext[];
  /** Whom clients' certificates are trusted by. */
  readonly authorities: readonly X509Certificate[];
  /** null: none are asked for. */
  readonly revocationLists: readonly RevocationList[] | null;
  /** The server's own certificates, as in the options. */
  readonly certificates: readonly X509Certificate[];
  /** What tells whether a file has changed since. */
  readonly stamp: string;
}

/** Files of a folder of CAs: PEM by name, or as "openssl rehash" names them. */
const AUTHORITY_FILE = /\.(pem|crt|cer)$|^[0-9a-f]{8}\.\d+$/;

/** Suites of TLS 1.3, in OpenSSL's default order. */
const TLS13_CIPHERS = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";

/** All that TLS 1.3 has [RFC 8446 §B.4]. */
const ALL_TLS13_CIPHERS: readonly string[] = [
  ...TLS13_CIPHERS.split(":"),
  "TLS_AES_128_CCM_SHA256",
  "TLS_AES_128_CCM_8_SHA256",
];

/** With pre-shared keys alone. */
const PSK_CIPHERS = "PSK:!eNULL:!aNULL";

/**
 * Reads all.
 * @throws TransportError that says which option is wrong, and why
 */
export async function readServerTlsFiles(options: ServerTlsOptions): Promise<ServerTlsFiles> {
  const stamp = await stampOf(options);
  const pairs = await Promise.all(options.certificates.map(readPair));
  const authorities = await readAuthorities(options);
  const shared = await sharedOptions(options, authorities);
  const { crlFile } = options;
  const contexts = pairs.map(({ cert, key, certificate, passphrase, serverName }) => {
    const contextOptions = { ...shared, cert, key, ...(passphrase !== undefined && { passphrase }) };
    const isFor = (name: string): boolean =>
      serverName === undefined ? certificate.checkHost(name) !== undefined : matchesName(serverName, name);
    return { contextOptions, isFor, context: contextOf(contextOptions, options) };
  });
  if (contexts.length === 0 && options.psk === undefined)
    throw new TransportError("tls", "TLS needs certfile and keyfile, or psk_hint.");
  if (contexts.length === 0) contextOf(shared, options);
  return {
    contextOptions: contexts[0]?.contextOptions ?? shared,
    named: contexts,
    authorities,
    revocationLists:
      crlFile === undefined ? null : readRevocationLists(await text(crlFile, crlWords(crlFile)), authorities, crlFile),
    certificates: pairs.map(({ certificate }) => certificate),
    stamp,
  };
}

/** Whether `wanted` is `name`, whose first label may be "*". */
function matchesName(name: string, wanted: string): boolean {
  const asked = wanted.toLowerCase();
  if (!name.startsWith("*.")) return asked === name.toLowerCase();
  return asked.slice(asked.indexOf(".")) === name.slice(1).toLowerCase() && asked.indexOf(".") > 0;
}

async function readPair({ certFile, keyFile, passphrase, serverName }: ServerCertificate) {
  const certWords = `Unable to load server certificate "${certFile}". Check certfile`;
  const keyWords = `Unable to load server key file "${keyFile}". Check keyfile`;
  const cert = await text(certFile, certWords);
  const key = await text(keyFile, keyWords);
  const certificate = attempt(certWords, () => new X509Certificate(cert));
  const privateKey = attempt(keyWords, () =>
    createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) }),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TransportError(
      "tls",
      `Server certificate/key are inconsistent: "${keyFile}" is not the key of "${certFile}".`,
    );
  }
  return { cert, key, certificate, passphrase, serverName };
}

async function readAuthorities({ caFile, caPath }: ServerTlsOptions): Promise<readonly X509Certificate[]> {
  const found: X509Certificate[] = [];
  if (caFile !== undefined) {
    const words = `Unable to load CA certificates. Check cafile "${caFile}"`;
    found.push(...certificatesIn(await text(caFile, words), words));
  }
  if (caPath !== undefined) {
    const words = `Unable to load CA certificates. Check capath "${caPath}"`;
    const names = await attemptAsync(words, () => readdir(caPath));
    for (const name of names.filter((each) => AUTHORITY_FILE.test(each)).sort())
      found.push(...certificatesIn(await text(join(caPath, name), words), words));
    if (found.length === 0) throw new TransportError("tls", `${words}: there is no certificate in it.`);
  }
  // "openssl rehash" makes a second name for each file.
  return [...new Map(found.map((certificate) => [certificate.fingerprint256, certificate])).values()];
}

function certificatesIn(pem: string, words: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END (TRUSTED )?CERTIFICATE-----/g);
  if (blocks === null) throw new TransportError("tls", `${words}: there is no certificate in it.`);
  return attempt(words, () => blocks.map((block) => new X509Certificate(block)));
}

async function sharedOptions(
  options: ServerTlsOptions,
  authorities: readonly X509Certificate[],
): Promise<SecureContextOptions> {
  const { psk, ciphers, ciphersTls13, minimumVersion = "TLSv1.2", dhParameterFile } = options;
  checkTls13Ciphers(ciphersTls13);
  if (psk !== undefined && minimumVersion === "TLSv1.3")
    throw new TransportError("tls", "psk_hint needs TLS 1.2: set tls_version to tlsv1.2, or leave it out.");
  return {
    // Without any the CAs that come with Node would be trusted, and the certificates that they sell to everybody.
    ca: authorities.map(String),
    minVersion: minimumVersion,
    // Keys are negotiated in another way in 1.3, which Node does not offer; mosquitto does the same.
    maxVersion: psk === undefined ? "TLSv1.3" : "TLSv1.2",
    ciphers: `${ciphersTls13 ?? TLS13_CIPHERS}:${ciphers ?? usualCiphers(options)}`,
    dhparam:
      dhParameterFile === undefined
        ? "auto"
        : await text(dhParameterFile, `Unable to load dhparamfile "${dhParameterFile}". Check dhparamfile`),
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  };
}

/** Node leaves out what it does not know, and goes on with ciphers that nobody has asked for. */
function checkTls13Ciphers(names: string | undefined): void {
  const unknown = names?.split(":").find((name) => !ALL_TLS13_CIPHERS.includes(name));
  if (unknown === undefined) return;
  const allowed = ALL_TLS13_CIPHERS.join(", ");
  throw new TransportError(
    "tls",
    `Unable to set TLS 1.3 ciphers. Check ciphers_tls1.3 "${names}": there is no "${unknown}" among ${allowed}.`,
  );
}

/** What of the ciphers for TLS 1.2 is allowed when the options do not say. */
function usualCiphers({ psk, certificates }: ServerTlsOptions): string {
  if (certificates.length === 0) return PSK_CIPHERS;
  // Node's own: what it has for 1.3 has an option of its own here, and once PSK is excluded nothing brings it back.
  const names = DEFAULT_CIPHERS.split(":").filter((name) => !name.startsWith("TLS_"));
  return psk === undefined ? names.join(":") : [...names.filter((name) => name !== "!PSK"), "PSK"].join(":");
}

function contextOf(contextOptions: SecureContextOptions, { ciphers, ciphersTls13 }: ServerTlsOptions): SecureContext {
  return attempt(
    `Unable to set up TLS with ciphers "${ciphers ?? "(default)"}" and ciphers_tls1.3 "${ciphersTls13 ?? "(default)"}"`,
    () => createSecureContext(contextOptions),
  );
}

function crlWords(file: string): string {
  return `Unable to load certificate revocation file "${file}". Check crlfile`;
}

function text(file: string, words: string): Promise<string> {
  return attemptAsync(words, () => readFile(file, "utf8"));
}

function attempt<T>(words: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new TransportError("tls", `${words}: ${(error as Error).message}.`, error);
  }
}

async function attemptAsync<T>(words: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new TransportError("tls", `${words}: ${(error as Error).message}.`, error);
  }
}

/** Changes when one of the files does. */
export async function stampOf(options: ServerTlsOptions): Promise<string> {
  const { certificates, caFile, caPath, crlFile, dhParameterFile } = options;
  const files = certificates.flatMap(({ certFile, keyFile }) => [certFile, keyFile]);
  for (const file of [caFile, caPath, crlFile, dhParameterFile]) if (file !== undefined) files.push(file);
  const stamps = files.map(async (file) => {
    const found = await stat(file).catch(() => null);
    return found === null ? "gone" : `${found.ino}.${found.mtimeMs}.${found.size}`;
  });
  return (await Promise.all(stamps)).join(" ");
}
