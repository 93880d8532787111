/** A listener's settings in the words of the transport. */
import { type ListenerConfig, serverTlsOptions } from "../config/index.ts";
import type { PskKeys } from "../security/index.ts";
import { formatAddress, type ListenerOptions, type ListenTarget } from "../transport/index.ts";
import type { KeyLog } from "./key-log.ts";

/** The keys of a listener with `psk_hint`, which a reload replaces. */
export interface PskHolder {
  keys: PskKeys;
}

/** @param onKeyLog gets the secrets of TLS; null: nobody does */
export function listenerOptions(config: ListenerConfig, psk: PskHolder, onKeyLog: KeyLog | null): ListenerOptions {
  const { protocol, webSocket, proxyProtocol, proxyRequiresTls: requireTls } = config;
  const { origins, httpDir: httpFolder, maximumHeaderBytes } = webSocket;
  const tls = serverTlsOptions(config, (name) => psk.keys.get(name) ?? null);
  return {
    target: targetOf(config),
    tls: tls === null || onKeyLog === null ? tls : { ...tls, onKeyLog },
    proxy:
      proxyProtocol === 0
        ? null
        : { version: proxyProtocol, requireTls, requireCertificate: config.proxyRequiresCertificate },
    webSocket: protocol === "websockets" ? { origins, httpFolder, maximumHeaderBytes } : null,
  };
}

/** Where a listener is to be. */
export function targetOf({ unixPath, host, port, socketDomain, bindInterface }: ListenerConfig): ListenTarget {
  if (unixPath !== null) return { kind: "unix", path: unixPath };
  return { kind: "network", host, port, family: socketDomain ?? undefined, interfaceName: bindInterface ?? undefined };
}

/** Where a listener is, as messages show it. */
export function placeOf({ unixPath, host }: ListenerConfig, port: number): string {
  return unixPath ?? formatAddress(host ?? "::", port);
}
