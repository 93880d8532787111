/** Puts a listener together: its TLS, names, and what may not stand beside each other. */
import type { Draft, ListenerDraft, TlsDraft } from "./draft.ts";
import type { ListenerConfig, PskConfig, TlsConfig } from "./listener-config.ts";

/** The listener without its security. */
export function finishTransport(draft: Draft, listener: ListenerDraft): ListenerConfig {
  const { settings, tls, origins, entrance } = listener;
  for (const text of contradictions(listener)) draft.problems.push({ place: settings.place, text });
  const { webSocket } = settings;
  return {
    ...settings,
    noDelay: draft.noDelay,
    tls: tlsOf(tls),
    psk: pskOf(tls),
    proxyRequiresCertificate: settings.proxyProtocol === 2 && tls.requireCertificate,
    webSocket: { ...webSocket, origins, maximumHeaderBytes: draft.headerBytes },
    entrance: { ...entrance, identityAsUsername: identityOf(listener) },
  };
}

function tlsOf(tls: TlsDraft): TlsConfig | null {
  const { certFile, keyFile, caFile, caPath, crlFile, ciphers, ciphersTls13, requireCertificate } = tls;
  if (certFile === null || keyFile === null) return null;
  const { ignoreClientCertificateDates, sniCertificates, alpn } = tls;
  return {
    ...{ certFile, keyFile, caFile, caPath, crlFile, ciphers, ciphersTls13, requireCertificate },
    ...{ ignoreClientCertificateDates, sniCertificates, alpn },
    minimumVersion: tls.version ?? "TLSv1.2",
  };
}

function pskOf({ pskHint, ciphers, version }: TlsDraft): PskConfig | null {
  return pskHint === null ? null : { hint: pskHint, ciphers, minimumVersion: version ?? "TLSv1.2" };
}

function identityOf({ useIdentity, useSubject, tls }: ListenerDraft): ListenerConfig["entrance"]["identityAsUsername"] {
  if (useIdentity) return tls.pskHint === null ? "common-name" : "psk-identity";
  return useSubject ? "subject" : null;
}

function* contradictions(listener: ListenerDraft): Iterable<string> {
  const { tls, settings } = listener;
  const { certFile, keyFile, caFile, caPath } = tls;
  const hasTls = certFile !== null && keyFile !== null;
  if ((certFile === null) !== (keyFile === null))
    yield "Error: Both certfile and keyfile must be provided to enable a TLS listener.";
  if (caFile !== null && certFile === null) yield "Error: cafile specified without certfile and keyfile.";
  if (caPath !== null && certFile === null) yield "Error: capath specified without certfile and keyfile.";
  if (hasTls && tls.pskHint !== null)
    yield "Error: Cannot use both certificate and psk encryption in a single listener. Make two of them.";
  yield* contradictionsOfProxy(listener, hasTls);
  yield* contradictionsOfCertificates(listener, hasTls);
  if (settings.proxyRequiresTls && settings.proxyProtocol !== 2)
    yield "Error: proxy_protocol_v2_require_tls needs 'enable_proxy_protocol 2', as only version 2 tells of TLS.";
}

function* contradictionsOfProxy({ settings, tls, useSubject }: ListenerDraft, hasTls: boolean): Iterable<string> {
  if (settings.proxyProtocol !== 2) return;
  if (useSubject)
    yield "Error: use_subject_as_username cannot be used with `enable_proxy_protocol 2`. It does not tell the subject.";
  if (hasTls || tls.certFile !== null || tls.keyFile !== null)
    yield "Error: certfile and keyfile cannot be used with `enable_proxy_protocol 2`. The proxy speaks TLS.";
}

/** What would leave a door open that the operator believes shut. */
function* contradictionsOfCertificates(listener: ListenerDraft, hasTls: boolean): Iterable<string> {
  const { tls, settings, useIdentity, useSubject } = listener;
  const isProxied = settings.proxyProtocol === 2;
  const { requireCertificate, caFile, caPath, crlFile } = tls;
  if (requireCertificate && !hasTls && !isProxied)
    yield "Error: require_certificate without certfile and keyfile: nobody would be asked for a certificate.";
  else if (requireCertificate && hasTls && caFile === null && caPath === null)
    yield "Error: require_certificate needs cafile or capath, which say whose certificates are trusted.";
  if (!hasTls && tls.sniCertificates.length > 0)
    yield "Error: lacewing_sni_certificate needs certfile and keyfile, for clients that ask for no name.";
  if (!hasTls && tls.alpn.length > 0) yield "Error: lacewing_alpn needs certfile and keyfile.";
  if (crlFile !== null && !hasTls)
    yield "Error: crlfile without certfile and keyfile: no certificate would be checked.";
  if ((useIdentity || useSubject) && !hasTls && !isProxied && tls.pskHint === null)
    yield `Error: ${useIdentity ? "use_identity_as_username" : "use_subject_as_username"} needs TLS: certfile and keyfile, or psk_hint.`;
}
