/** TLS of a listener in the words of the transport. */
import type { ServerTlsOptions } from "../transport/index.ts";
import type { ListenerConfig } from "./listener-config.ts";

/**
 * What the transport is told; null: the listener is without TLS.
 * @param keyOf the pre-shared key of an identity
 */
export function serverTlsOptions(
  { tls, psk }: Pick<ListenerConfig, "tls" | "psk">,
  keyOf: (identity: string) => Uint8Array | null = () => null,
): ServerTlsOptions | null {
  if (tls === null && psk === null) return null;
  const keys = psk === null ? undefined : { hint: psk.hint, keyOf };
  if (tls === null)
    return { certificates: [], ciphers: psk?.ciphers ?? undefined, minimumVersion: psk?.minimumVersion, psk: keys };
  const { certFile, keyFile, sniCertificates } = tls;
  return {
    certificates: [{ certFile, keyFile }, ...sniCertificates],
    caFile: tls.caFile ?? undefined,
    caPath: tls.caPath ?? undefined,
    crlFile: tls.crlFile ?? undefined,
    requireCertificate: tls.requireCertificate,
    ignoreCertificateDates: tls.ignoreClientCertificateDates,
    minimumVersion: tls.minimumVersion,
    ciphers: tls.ciphers ?? undefined,
    ciphersTls13: tls.ciphersTls13 ?? undefined,
    alpnProtocols: tls.alpn,
    psk: keys,
  };
}
