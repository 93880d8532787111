/** TLS at a listener: handshakes, whom they prove, and other certificates without a connection being lost. */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureContext, type Server, type TLSSocket } from "node:tls";
import type { AgreedCipher, PeerIdentity } from "../core/index.ts";
import type { EndReason } from "../protocol/index.ts";
import { leadsToAuthority, sentWith } from "./certificate-path.ts";
import { peerCertificate } from "./peer-certificate.ts";
import { revocationFault } from "./revocation-list.ts";
import { readServerTlsFiles, type ServerTlsFiles, stampOf } from "./server-tls-files.ts";
import type { ServerTlsOptions } from "./server-tls-options.ts";
import { endWithAlert, serverTrafficSecret } from "./tls-alert.ts";
import { certificateAlert, certificateRefusal, opensslWords } from "./tls-words.ts";

/** Why a handshake came to nothing. */
export interface TlsRefusal {
  readonly reason: EndReason;
  readonly message: string;
}

/** Who waits for a handshake. */
export interface HandshakeOwner {
  secured(socket: TLSSocket, peer: PeerIdentity): void;
  refused(refusal: TlsRefusal): void;
}

/** What OpenSSL finds when only the dates of a certificate are wrong, and perhaps more: it tells the last only. */
const DATE_FAULTS = ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"];

/**
 * A TLSSocket of a server, with what Node's types do not tell: the socket below it, without which no address has the failure, and whether
 * Node ends the connection by itself when it dislikes the certificate, and then without an alert.
 */
type ServerSideSocket = TLSSocket & { readonly _parent?: Socket; _rejectUnauthorized?: boolean };

/** The TLS of one listener. It listens nowhere: sockets are given to it. */
export class ServerTls {
  readonly #options: ServerTlsOptions;
  readonly #server: Server;
  #files: ServerTlsFiles;
  #seenStamp: string;
  readonly #owners: Map<Socket, HandshakeOwner> = new Map();
  /** What clients called themselves; whether they know the key is not proven before the end of the handshake. */
  readonly #pskIdentities: WeakMap<TLSSocket, string> = new WeakMap();
  /** Of clients of TLS 1.3 whose certificate is to be judged here. */
  readonly #secrets: WeakMap<TLSSocket, Buffer> = new WeakMap();

  private constructor(options: ServerTlsOptions, files: ServerTlsFiles, handshakeTimeoutMs: number) {
    const { requireCertificate = false, ignoreCertificateDates = false, psk, alpnProtocols, onKeyLog } = options;
    this.#options = options;
    this.#files = files;
    this.#seenStamp = files.stamp;
    this.#server = createServer({
      ...files.contextOptions,
      requestCert: requireCertificate,
      // OpenSSL then tells a client that has none at all; of those that have a bad one it only says so afterwards.
      rejectUnauthorized: requireCertificate && !ignoreCertificateDates,
      handshakeTimeout: handshakeTimeoutMs,
      noDelay: true,
      // It costs each handshake a detour, which one certificate alone need not take.
      ...(options.certificates.length > 1 && {
        SNICallback: (name: string, answer: (error: null, context?: SecureContext) => void) =>
          answer(null, this.#contextFor(name)),
      }),
      ...(alpnProtocols !== undefined && alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] }),
      ...(psk !== undefined && {
        pskIdentityHint: psk.hint,
        pskCallback: (socket: TLSSocket, identity: string) => this.#keyOf(socket, identity),
      }),
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
    if (onKeyLog !== undefined) this.#server.on("keylog", onKeyLog);
    if (requireCertificate) this.#server.on("keylog", (line, socket) => this.#judgeHere(line, socket));
  }

  /**
   * Reads the files.
   * @throws TransportError that says which option is wrong, and why
   */
  static async open(options: ServerTlsOptions, handshakeTimeoutMs: number): Promise<ServerTls> {
    return new ServerTls(options, await readServerTlsFiles(options), handshakeTimeoutMs);
  }

  /** The server's own certificates. */
  get certificates(): readonly X509Certificate[] {
    return this.#files.certificates;
  }

  /**
   * Reads the files again, and returns what has them used for the connections to come.
   * @throws TransportError when one cannot be used
   */
  async prepareReload(): Promise<() => void> {
    const files = await readServerTlsFiles(this.#options);
    return () => {
      this.#server.setSecureContext(files.contextOptions);
      this.#files = files;
      this.#seenStamp = files.stamp;
    };
  }

  /** Whether a file has changed since it was read or this was asked last. */
  async hasChanged(): Promise<boolean> {
    const stamp = await stampOf(this.#options);
    const hasChanged = stamp !== this.#seenStamp;
    this.#seenStamp = stamp;
    return hasChanged;
  }

  /** Begins a handshake on `socket`, which may have read something already that is given back to it. */
  begin(socket: Socket, owner: HandshakeOwner): void {
    this.#owners.set(socket, owner);
    this.#server.emit("connection", socket);
  }

  #contextFor(name: string): SecureContext | undefined {
    return this.#files.named.find((each) => each.isFor(name))?.context;
  }

  #keyOf(socket: TLSSocket, identity: string): Buffer | null {
    const key = this.#options.psk?.keyOf(identity) ?? null;
    if (key === null) return null;
    this.#pskIdentities.set(socket, identity);
    return Buffer.from(key);
  }

  /** Has Node leave the judgement of a certificate to us, where we can tell the client of it. */
  #judgeHere(line: Buffer, socket: ServerSideSocket): void {
    const secret = serverTrafficSecret(line);
    if (secret === null) return;
    this.#secrets.set(socket, secret);
    socket._rejectUnauthorized = false;
  }

  #takeOwner(socket: ServerSideSocket): HandshakeOwner | null {
    const below = socket._parent;
    const owner = below === undefined ? undefined : this.#owners.get(below);
    if (below === undefined || owner === undefined) return null;
    this.#owners.delete(below);
    return owner;
  }

  #secured(socket: TLSSocket): void {
    const owner = this.#takeOwner(socket);
    if (owner === null) {
      socket.destroy();
      return;
    }
    const pskIdentity = this.#pskIdentities.get(socket) ?? null;
    if (pskIdentity !== null || this.#options.requireCertificate !== true) {
      owner.secured(socket, { isEncrypted: true, certificate: null, pskIdentity, cipher: cipherOf(socket) });
      return;
    }
    const certificate = socket.getPeerX509Certificate();
    const fault = certificate === undefined ? "NO_CERTIFICATE" : this.#faultOf(socket, certificate);
    if (certificate === undefined || fault !== null) {
      this.#refuse(socket, fault ?? "NO_CERTIFICATE");
      owner.refused(certificateRefusal(fault ?? "NO_CERTIFICATE"));
      return;
    }
    this.#secrets.delete(socket);
    owner.secured(socket, {
      isEncrypted: true,
      certificate: peerCertificate(certificate),
      pskIdentity: null,
      cipher: cipherOf(socket),
    });
  }

  #refuse(socket: ServerSideSocket, fault: string): void {
    const secret = this.#secrets.get(socket);
    const below = socket._parent;
    if (secret === undefined || below === undefined) socket.destroy();
    else endWithAlert(socket, below, secret, certificateAlert(fault));
  }

  /** What speaks against the client's certificate, in Node's words for it; null: nothing. */
  #faultOf(socket: TLSSocket, certificate: X509Certificate): string | null {
    const { authorities, revocationLists } = this.#files;
    const { ignoreCertificateDates = false } = this.#options;
    const nowMs = Date.now();
    if (!socket.authorized) {
      const fault = String(socket.authorizationError);
      if (!ignoreCertificateDates || !DATE_FAULTS.includes(fault)) return fault;
      if (!leadsToAuthority(certificate, sentWith(certificate), authorities)) return "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
    } else if (!ignoreCertificateDates && Date.parse(certificate.validTo) < nowMs) {
      // A session that is resumed was judged when it began.
      return "CERT_HAS_EXPIRED";
    }
    return revocationLists === null ? null : revocationFault(certificate.raw, revocationLists, nowMs);
  }

  #failed(error: Error, socket: TLSSocket): void {
    const owner = this.#takeOwner(socket);
    // After a time-out Node leaves that to us.
    socket.destroy();
    if (owner === null) return;
    const fault = socket.authorizationError as unknown;
    owner.refused(
      fault === null || fault === undefined
        ? { reason: "tls-failed", message: opensslWords(error) }
        : certificateRefusal(String(fault)),
    );
  }
}

function cipherOf(socket: TLSSocket): AgreedCipher {
  return { version: socket.getProtocol() ?? "TLS", name: socket.getCipher().name, isProxys: false };
}
