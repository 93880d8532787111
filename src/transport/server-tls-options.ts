/** What TLS on a listener is done with: mosquitto's options, typed. */

/** A certificate of the server. */
export interface ServerCertificate {
  /** PEM: the certificate, those between it and its CA behind it. */
  readonly certFile: string;
  /** PEM: its private key. */
  readonly keyFile: string;
  readonly passphrase?: string | undefined;
  /** The name that it is for, as "example.org" or "*.example.org"; unset: those that it has. */
  readonly serverName?: string | undefined;
}

/** Keys that both sides know (PSK). */
export interface PskOptions {
  /** Told to clients, to help them choose an identity. */
  readonly hint: string;
  /** The key of an identity; null: there is none. */
  keyOf(identity: string): Uint8Array | null;
}

/** How a listener speaks TLS. */
export interface ServerTlsOptions {
  /** The first is for clients that ask for no name, or for one that no other has (SNI); empty only with `psk`. */
  readonly certificates: readonly ServerCertificate[];
  /** CAs that clients' certificates are trusted by: a file of PEM. */
  readonly caFile?: string | undefined;
  /** The same: a folder of such files, ending in .pem, .crt or as `openssl rehash` names them. */
  readonly caPath?: string | undefined;
  /** Certificates that were taken back: a file of PEM. A client whose CA has no list in force there is refused. */
  readonly crlFile?: string | undefined;
  /** Whether a client must have a certificate. */
  readonly requireCertificate?: boolean | undefined;
  /** Takes clients' certificates that are not in force yet, or not any more: for devices and brokers whose clocks are wrong. */
  readonly ignoreCertificateDates?: boolean | undefined;
  /** TLSv1.2 unless set. */
  readonly minimumVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Of TLS 1.2, in OpenSSL's words. */
  readonly ciphers?: string | undefined;
  /** Of TLS 1.3, in OpenSSL's words. */
  readonly ciphersTls13?: string | undefined;
  /** Parameters of Diffie-Hellman: a file of PEM; OpenSSL's own unless set. */
  readonly dhParameterFile?: string | undefined;
  /** Protocols of which a client that offers any must offer one (ALPN); unset: ignored, as mosquitto does. */
  readonly alpnProtocols?: readonly string[] | undefined;
  readonly psk?: PskOptions | undefined;
  /** Where each connection's secrets go, a line at a time, for Wireshark. */
  readonly onKeyLog?: ((line: Uint8Array) => void) | undefined;
}
