/** The way of a bridge to one address of the other broker. Its files are read for each connection, so that renewed ones are used at once. */
import { readdir, readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { DEFAULT_CIPHERS, rootCertificates } from "node:tls";
import type { BridgeAddress, BridgeConfig, BridgeTlsConfig } from "../config/index.ts";
import {
  type Connector,
  type Dialer,
  SocketConnector,
  TcpDialer,
  TlsDialer,
  type TlsOptions,
  TransportError,
} from "../transport/index.ts";

/** How long a connection may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;
/** Where systems keep the CAs that they trust, in the order of looking. */
const SYSTEM_CA_FILES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/** The way to `address`. */
export function bridgeConnector(address: BridgeAddress, config: BridgeConfig): Connector {
  const { host, port } = address;
  const { tls, psk, bindAddress } = config;
  const plain = new TcpDialer({ host, port, bindAddress: bindAddress ?? undefined });
  const isPlain = tls === null && psk === null;
  return new SocketConnector(new BridgeDialer(plain, isPlain ? null : host, config), CONNECT_TIMEOUT_MS);
}

class BridgeDialer implements Dialer {
  readonly #plain: Dialer;
  /** The name that the other broker must prove; null: without TLS. */
  readonly #tlsHost: string | null;
  readonly #config: BridgeConfig;

  constructor(plain: Dialer, tlsHost: string | null, config: BridgeConfig) {
    this.#plain = plain;
    this.#tlsHost = tlsHost;
    this.#config = config;
  }

  get address(): string {
    return this.#plain.address;
  }

  async dial(signal: AbortSignal): Promise<Socket> {
    const { tcpKeepAlive, tls, psk } = this.#config;
    const dialer =
      this.#tlsHost === null ? this.#plain : new TlsDialer(this.#plain, this.#tlsHost, await tlsOf(tls, psk));
    const socket = await dialer.dial(signal);
    if (tcpKeepAlive !== null) socket.setKeepAlive(true, tcpKeepAlive.idleSeconds * 1000);
    return socket;
  }
}

async function tlsOf(tls: BridgeTlsConfig | null, psk: BridgeConfig["psk"]): Promise<TlsOptions> {
  if (psk !== null)
    return { psk: { identity: psk.identity, key: Buffer.from(psk.key, "hex") }, ...(tls !== null && versionOf(tls)) };
  if (tls === null) return {};
  // Fail closed: who asks for it must not get a connection without it.
  if (tls.requireOcsp)
    throw new TransportError(
      "tls",
      "bridge_require_ocsp is set, and answers of OCSP cannot be verified here; use a short-lived certificate",
      null,
    );
  const { certFile, keyFile, alpn, isInsecure, ciphers, ciphersTls13 } = tls;
  return {
    ca: await authoritiesOf(tls),
    ...versionOf(tls),
    ...(certFile !== null && { certFile }),
    ...(keyFile !== null && { keyFile }),
    ...((ciphers !== null || ciphersTls13 !== null) && { ciphers: cipherListOf(ciphers, ciphersTls13) }),
    ...(alpn !== null && { alpnProtocols: [alpn] }),
    // Who signed the certificate is looked at all the same.
    anyServerName: isInsecure,
  };
}

function versionOf({ version }: BridgeTlsConfig): Pick<TlsOptions, "minimumVersion"> {
  return version === null ? {} : { minimumVersion: version };
}

/** Both kinds in one list, as Node takes it; a kind that is not there would switch its version of TLS off. */
function cipherListOf(ciphers: string | null, ciphersTls13: string | null): string {
  const usual = DEFAULT_CIPHERS.split(":");
  const usual13 = usual.filter((name) => name.startsWith("TLS_"));
  const usual12 = usual.filter((name) => !name.startsWith("TLS_"));
  return [ciphersTls13 ?? usual13.join(":"), ciphers ?? usual12.join(":")].join(":");
}

/** PEM of all CAs that are trusted. */
async function authoritiesOf({ caFile, caPath, useSystemCas }: BridgeTlsConfig): Promise<readonly string[]> {
  const paths = [
    ...(caFile === null ? [] : [caFile]),
    ...(caPath === null ? [] : (await readdir(caPath)).sort().map((name) => join(caPath, name))),
  ];
  const own = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return useSystemCas ? [...own, ...(await systemAuthorities())] : own;
}

async function systemAuthorities(): Promise<readonly string[]> {
  // Who sets it means it: another file would trust others.
  const named = process.env.SSL_CERT_FILE;
  if (named !== undefined && named !== "") return [await readFile(named, "utf8")];
  for (const path of SYSTEM_CA_FILES) {
    try {
      return [await readFile(path, "utf8")];
    } catch {
      // The next one, then.
    }
  }
  return rootCertificates;
}
