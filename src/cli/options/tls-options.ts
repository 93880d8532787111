/** The options of TLS, for every tool that is a client. */
import { CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";

/** The table. */
export const TLS_OPTIONS = {
  cafile: {
    group: "TLS",
    long: "cafile",
    type: "text",
    argument: "file",
    help: "Certificates of the CAs to trust, as PEM. Switches TLS on.",
  },
  capath: {
    group: "TLS",
    long: "capath",
    type: "text",
    argument: "directory",
    help: "Folder of such files. Switches TLS on.",
  },
  tlsUseOsCerts: {
    group: "TLS",
    long: "tls-use-os-certs",
    type: "flag",
    help: "Trust the CAs that this system trusts. Switches TLS on, as do mqtts://, wss:// and port 8883.",
  },
  cert: {
    group: "TLS",
    long: "cert",
    type: "text",
    argument: "file",
    help: "Our own certificate, as PEM, when the broker wants one. Needs --key.",
  },
  key: {
    group: "TLS",
    long: "key",
    type: "text",
    argument: "file",
    help: "Its private key, as PEM; for a locked one the pass phrase is asked on the terminal.",
  },
  insecure: {
    group: "TLS",
    long: "insecure",
    type: "flag",
    help: "Take any certificate of the broker. Whoever is in between can then read and change everything.",
  },
  tlsVersion: {
    group: "TLS",
    long: "tls-version",
    type: "text",
    argument: "version",
    default: "tlsv1.2",
    help: "tlsv1.2 for that or newer, or tlsv1.3.",
  },
  ciphers: {
    group: "TLS",
    long: "ciphers",
    type: "text",
    argument: "ciphers",
    help: "Ciphers to offer, in OpenSSL's words.",
  },
  tlsAlpn: {
    group: "TLS",
    long: "tls-alpn",
    type: "text",
    argument: "protocol",
    help: "Protocol to ask for on a port that has several, as mqtt.",
  },
  tlsKeylog: {
    group: "TLS",
    long: "tls-keylog",
    type: "text",
    argument: "file",
    help: "Append the connection's secrets to a file, for Wireshark.",
  },
  psk: {
    group: "TLS",
    long: "psk",
    type: "text",
    argument: "key",
    help: "Key in hexadecimal that the broker knows too, instead of certificates. Switches TLS on.",
  },
  pskIdentity: {
    group: "TLS",
    long: "psk-identity",
    type: "text",
    argument: "identity",
    help: "Whose key --psk is.",
  },
  noTls: {
    group: "TLS",
    long: "no-tls",
    type: "flag",
    help: "Leave TLS off, whatever an options file or the port says.",
  },
  keyform: {
    group: "Accepted for scripts",
    long: "keyform",
    type: "text",
    argument: "keyform",
    help: "pem; other kinds of keys are an error, as Node.js has none.",
  },
  tlsEngine: {
    group: "Accepted for scripts",
    long: "tls-engine",
    type: "text",
    argument: "engine_id",
    help: "An error, as Node.js has no engines of OpenSSL.",
  },
  tlsEngineKpassSha1: {
    group: "Accepted for scripts",
    long: "tls-engine-kpass-sha1",
    type: "text",
    argument: "kpass sha1",
    help: "As --tls-engine.",
  },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
TLS_OPTIONS satisfies OptionTable;

/** What TLS is to be done with; files and words are not looked at yet. */
export interface TlsArguments {
  readonly caFile: string | undefined;
  readonly caPath: string | undefined;
  readonly usesOsCertificates: boolean;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyForm: string | undefined;
  readonly engine: string | undefined;
  readonly isInsecure: boolean;
  readonly version: string;
  readonly ciphers: string | undefined;
  readonly alpn: string | undefined;
  readonly keyLogFile: string | undefined;
  readonly psk: { readonly key: string; readonly identity: string } | null;
}

/** Port of MQTT over TLS. */
const TLS_PORT = 8883;

/**
 * Reads what the options say together; null: no TLS.
 * @param port when one was given
 * @throws CommandLineError when they contradict each other
 */
export function tlsOf(parsed: ParsedOptions<typeof TLS_OPTIONS>, port: number | undefined): TlsArguments | null {
  const { cafile, capath, tlsUseOsCerts, cert, key, keyform, psk, pskIdentity } = parsed;
  if (parsed.noTls) return null;
  checkTls(parsed);
  const hasOwnTrust = cafile !== undefined || capath !== undefined || psk !== undefined;
  if (!(hasOwnTrust || tlsUseOsCerts || port === TLS_PORT || parsed.tlsEngine !== undefined)) return null;
  return {
    caFile: cafile,
    caPath: capath,
    usesOsCertificates: tlsUseOsCerts || !hasOwnTrust,
    certFile: cert,
    keyFile: key,
    keyForm: keyform,
    engine: parsed.tlsEngine,
    isInsecure: parsed.insecure,
    version: parsed.tlsVersion,
    ciphers: parsed.ciphers,
    alpn: parsed.tlsAlpn,
    keyLogFile: parsed.tlsKeylog,
    psk: psk === undefined ? null : { key: psk, identity: pskIdentity! },
  };
}

function checkTls(parsed: ParsedOptions<typeof TLS_OPTIONS>): void {
  const { cafile, capath, cert, key, keyform, psk, pskIdentity, tlsEngine, tlsEngineKpassSha1 } = parsed;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CommandLineError("Both certfile and keyfile must be provided if one of them is set.");
  }
  if (keyform !== undefined && key === undefined) {
    throw new CommandLineError("If keyform is set, keyfile must be also specified.");
  }
  if (tlsEngineKpassSha1 !== undefined && (keyform === undefined || tlsEngine === undefined)) {
    throw new CommandLineError("when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.");
  }
  if (psk === undefined) return;
  if (cafile !== undefined || capath !== undefined) {
    throw new CommandLineError("Only one of --psk or --cafile/--capath may be used at once.");
  }
  if (pskIdentity === undefined) throw new CommandLineError("--psk-identity required if --psk used.");
}
