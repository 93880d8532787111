/** Options of TLS on listeners, with certificates or with keys. */
import type { ListenerDraft } from "../draft.ts";
import type { SniCertificate } from "../listener-config.ts";
import { general, type Option, ofListener } from "../option.ts";
import { type FoundWhen, OptionError } from "../problem.ts";
import { FILE, FOLDER, SWITCH, text, type ValueKind } from "../values.ts";

const CIPHERS = text("names of ciphers with colons between them, as OpenSSL writes them");

const NOT_BOTH = "Error: Cannot use both certificate and psk encryption in a single listener.";

function withoutPsk({ tls }: ListenerDraft): void {
  if (tls.pskHint !== null) throw new OptionError(`${NOT_BOTH} Remove psk_hint, or make a listener of its own for it.`);
}

/** mosquitto's words; tlsv1.1 and older are refused here, as no OpenSSL of today speaks them by default. */
function tlsVersion(foundWhen: FoundWhen): ValueKind<"TLSv1.2" | "TLSv1.3"> {
  const form = "tlsv1.2 or tlsv1.3";
  return {
    form,
    read(name, rest) {
      const value = text(form).read(name, rest);
      if (value === "tlsv1.2") return "TLSv1.2";
      if (value === "tlsv1.3") return "TLSv1.3";
      const why = value === "tlsv1.1" ? " TLS 1.1 is broken and spoken no more." : "";
      throw new OptionError(`Error: Unsupported ${name} "${value}".${why} Allowed is ${form}.`, foundWhen);
    },
  };
}

/** Of a bridge. */
export const BRIDGE_TLS_VERSION: ValueKind<"TLSv1.2" | "TLSv1.3"> = tlsVersion("reading");

const SNI_FORM =
  'a server name and the files of its certificate and key, as in b.example.org b.crt b.key; paths with blanks in "..."';

/** A certificate for one more server name. */
const SNI_CERTIFICATE: ValueKind<SniCertificate> = {
  form: SNI_FORM,
  read(name, rest) {
    const words = [...rest.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
    const [serverName, certFile, keyFile] = words;
    if (words.length !== 3 || serverName === undefined || certFile === undefined || keyFile === undefined)
      throw new OptionError(`Error: Invalid '${name}' value (${rest.trim()}). Allowed is ${SNI_FORM}.`);
    if (!/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(serverName))
      throw new OptionError(`Error: Invalid '${name}' value: ${serverName} is no server name. Allowed is ${SNI_FORM}.`);
    return { serverName: serverName.toLowerCase(), certFile, keyFile };
  },
};

const ENGINES =
  "OpenSSL's engines cannot be used from Node. A key in a file, readable by the broker's user only, is what there is";

/** The rows. */
export const TLS_OPTIONS: readonly Option[] = [
  ofListener(
    "certfile",
    "listener-or-default",
    FILE,
    (listener, value) => {
      withoutPsk(listener);
      listener.tls.certFile = value;
    },
    {
      standing: "better",
      note: "Read again on SIGHUP and when the file changes; a broken new one leaves the old in force.",
    },
  ),
  ofListener(
    "keyfile",
    "listener-or-default",
    FILE,
    ({ tls }, value) => {
      tls.keyFile = value;
    },
    { standing: "better", note: "As `certfile`." },
  ),
  ofListener("cafile", "listener", FILE, (listener, value) => {
    withoutPsk(listener);
    listener.tls.caFile = value;
  }),
  ofListener("capath", "listener-or-default", FOLDER, ({ tls }, value) => {
    tls.caPath = value;
  }),
  ofListener("crlfile", "listener-or-default", FILE, ({ tls }, value) => {
    tls.crlFile = value;
  }),
  ofListener("ciphers", "listener-or-default", CIPHERS, ({ tls }, value) => {
    tls.ciphers = value;
  }),
  ofListener("ciphers_tls1.3", "listener-or-default", CIPHERS, ({ tls }, value) => {
    tls.ciphersTls13 = value;
  }),
  general(
    "dhparamfile",
    FILE,
    ({ notices }, _value, place) => {
      notices.push({ place, type: "warning", text: "Warning: dhparamfile is no longer required." });
    },
    { standing: "same", note: "Without effect, as in 2.1." },
  ),
  ofListener(
    "disable_client_cert_date_checks",
    "listener",
    SWITCH,
    ({ tls }, value) => {
      tls.ignoreClientCertificateDates = value;
    },
    { default: "false" },
  ),
  ofListener(
    "require_certificate",
    "listener-or-default",
    SWITCH,
    ({ tls }, value) => {
      tls.requireCertificate = value;
    },
    { default: "false" },
  ),
  ofListener(
    "tls_version",
    "listener",
    tlsVersion("listening"),
    ({ tls }, value) => {
      tls.version = value;
    },
    {
      default: "tlsv1.2",
      isUnique: true,
      standing: "different",
      note: "The oldest version that is spoken. tlsv1.1 is refused.",
    },
  ),
  ofListener(
    "use_identity_as_username",
    "listener-or-default",
    SWITCH,
    (listener, value) => {
      listener.useIdentity = value;
    },
    { default: "false" },
  ),
  ofListener(
    "use_subject_as_username",
    "listener-or-default",
    SWITCH,
    (listener, value) => {
      listener.useSubject = value;
    },
    { default: "false" },
  ),
  ofListener(
    "psk_hint",
    "listener-or-default",
    text("any text"),
    ({ tls }, value) => {
      tls.pskHint = value;
    },
    { isUnique: true },
  ),
  ofListener(
    "lacewing_sni_certificate",
    "listener-or-default",
    SNI_CERTIFICATE,
    ({ tls }, value) => {
      tls.sniCertificates.push(value);
    },
    {
      standing: "ours",
      note: "For clients that ask for that name (SNI), beside `certfile` for all others. `*.example.org` stands for one label. May be given several times.",
    },
  ),
  ofListener(
    "lacewing_alpn",
    "listener-or-default",
    text("the name of a protocol, as in mqtt"),
    ({ tls }, value) => {
      tls.alpn.push(value);
    },
    {
      standing: "ours",
      note: "A client that offers protocols (ALPN) must offer one of these. Without it they are not looked at, as in mosquitto. May be given several times.",
    },
  ),
  ...["tls_engine", "tls_engine_kpass_sha1"].map((name) =>
    ofListener(
      name,
      "listener-or-default",
      text("any text"),
      () => {
        throw new OptionError(`Error: The '${name}' option cannot be had here. ${ENGINES}.`);
      },
      { isUnique: true, standing: "not applicable", note: `${ENGINES}; refused.` },
    ),
  ),
  ofListener(
    "tls_keyform",
    "listener-or-default",
    text("pem"),
    (_listener, value) => {
      if (value !== "pem") throw new OptionError(`Error: The 'tls_keyform' option can only be pem here. ${ENGINES}.`);
    },
    { default: "pem", standing: "different", note: `${ENGINES}; \`engine\` is refused.` },
  ),
];
