/** Opens TLS connections over another kind of connection. */
import { readFile } from "node:fs/promises";
import { isIP, type Socket } from "node:net";
import type { ConnectionOptions, SecureVersion, TLSSocket } from "node:tls";
import { type Dialer, untilReady } from "./dialer.ts";
import { TransportError } from "./transport-error.ts";

/** A certificate or key as PEM. */
export type Pem = string | Uint8Array;

/** What TLS is done with. Files are read for each connection, so that a renewed certificate is used at once. */
export interface TlsOptions {
  /** Certificates of the CAs that are trusted, instead of those that come with Node. */
  readonly ca?: Pem | readonly Pem[];
  readonly caFile?: string;
  /** Our own certificate, with those between it and its CA behind it. */
  readonly cert?: Pem;
  readonly certFile?: string;
  /** The private key of `cert`. */
  readonly key?: Pem;
  readonly keyFile?: string;
  readonly passphrase?: string;
  /** Revocation lists. */
  readonly crl?: Pem;
  readonly crlFile?: string;
  /** The name that the server is asked for (SNI) and must prove; its host. */
  readonly serverName?: string;
  /** Protocols to offer, as `mqtt` (ALPN). */
  readonly alpnProtocols?: readonly string[];
  /** Whether anybody's certificate will do. Then TLS protects against nobody in between. */
  readonly insecure?: boolean;
  /** Whether the name in the certificate does not matter; who signed it still does. */
  readonly anyServerName?: boolean;
  readonly minimumVersion?: SecureVersion;
  readonly maximumVersion?: SecureVersion;
  /** In OpenSSL's words. */
  readonly ciphers?: string;
  /** A key that both sides know, instead of certificates. */
  readonly psk?: { readonly identity: string; readonly key: Uint8Array };
  /** Where each connection's secrets go, a line at a time, for Wireshark. */
  readonly onKeyLog?: (line: Uint8Array) => void;
}

/** TLS over another connection. */
export class TlsDialer implements Dialer {
  readonly address: string;
  readonly #below: Dialer;
  readonly #host: string;
  readonly #options: TlsOptions;
  /** Of the last connection: the next one is made with less work. */
  #session: Buffer | undefined;

  /**
   * @param below the way to the server
   * @param host its name or address
   */
  constructor(below: Dialer, host: string, options: TlsOptions = {}) {
    this.address = below.address;
    this.#below = below;
    this.#host = host;
    this.#options = options;
  }

  async dial(signal: AbortSignal): Promise<Socket> {
    // Only who needs it loads it: it takes a tenth of the start of a small program.
    const { connect } = await import("node:tls");
    const options = await this.#connectionOptions();
    const below = await this.#below.dial(signal);
    try {
      const socket = connect({ ...options, socket: below });
      this.#listen(socket);
      return await untilReady(socket, "secureConnect", signal);
    } catch (error) {
      below.destroy();
      if (signal.aborted) throw error;
      this.#session = undefined;
      throw new TransportError("tls", `TLS with ${this.address} failed: ${(error as Error).message}`, error);
    }
  }

  #listen(socket: TLSSocket): void {
    const { onKeyLog } = this.#options;
    socket.on("session", (session) => {
      this.#session = session;
    });
    if (onKeyLog !== undefined) socket.on("keylog", onKeyLog);
  }

  async #connectionOptions(): Promise<ConnectionOptions> {
    const { serverName, insecure = false, alpnProtocols, minimumVersion, maximumVersion, passphrase } = this.#options;
    const { psk, ciphers, anyServerName = false } = this.#options;
    const name = serverName ?? this.#host;
    return {
      ...(await this.#files()),
      host: name,
      // An address is no name that could be asked for.
      ...(isIP(name) === 0 && name !== "" && { servername: name }),
      rejectUnauthorized: !insecure,
      ...(anyServerName && { checkServerIdentity: () => undefined }),
      ...(alpnProtocols !== undefined && { ALPNProtocols: [...alpnProtocols] }),
      ...(minimumVersion !== undefined && { minVersion: minimumVersion }),
      ...(maximumVersion !== undefined && { maxVersion: maximumVersion }),
      ...(passphrase !== undefined && { passphrase }),
      ...(ciphers !== undefined && { ciphers }),
      ...(this.#session !== undefined && { session: this.#session }),
      ...(psk !== undefined && pskOptions(psk, ciphers)),
    };
  }

  async #files(): Promise<ConnectionOptions> {
    const { ca, caFile, cert, certFile, key, keyFile, crl, crlFile } = this.#options;
    const [caText, certText, keyText, crlText] = await Promise.all([
      ca ?? contents(caFile),
      cert ?? contents(certFile),
      key ?? contents(keyFile),
      crl ?? contents(crlFile),
    ]);
    return {
      ...(caText !== undefined && { ca: Array.isArray(caText) ? caText.map(text) : text(caText as Pem) }),
      ...(certText !== undefined && { cert: text(certText) }),
      ...(keyText !== undefined && { key: text(keyText) }),
      ...(crlText !== undefined && { crl: text(crlText) }),
    };
  }
}

async function contents(file: string | undefined): Promise<Uint8Array | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw new TransportError("tls", `${file} cannot be read: ${(error as Error).message}`, error);
  }
}

function text(pem: Pem): string {
  return typeof pem === "string" ? pem : Buffer.from(pem).toString();
}

function pskOptions(psk: { readonly identity: string; readonly key: Uint8Array }, ciphers: string | undefined) {
  return {
    pskCallback: () => ({ identity: psk.identity, psk: psk.key }),
    // There is no certificate that could bear a name.
    checkServerIdentity: () => undefined,
    ciphers: ciphers ?? "PSK",
  };
}
