/** Reads the PROXY header of a connection before anything else is read from it. */
import type { Socket } from "node:net";
import { type PeerIdentity, UNKNOWN_PEER } from "../core/index.ts";
import type { EndReason } from "../protocol/index.ts";
import { formatPeer } from "./listener.ts";
import type { ProxyOptions } from "./listener-options.ts";
import { Patience } from "./patience.ts";
import { type ProxyHeader, parseProxyHeader } from "./proxy-header.ts";
import type { LinkFacts } from "./tcp-link.ts";

/** How long a proxy that only speaks for itself may take to say something of MQTT, in milliseconds. */
const LOCAL_SILENCE_MS = 1000;

/** Who waits for a header. */
export interface ProxyOwner {
  /** What is known of the client now; what came behind the header has been given back to the socket. */
  told(facts: LinkFacts): void;
  /** `message` null: the reason says it all. */
  refused(remoteAddress: string, reason: EndReason, message: string | null): void;
  /** The proxy only looked whether somebody is there, and has said nothing more: a health check. */
  left(): void;
}

/**
 * Reads the header.
 * @param facts of the proxy's own connection
 * @param timeoutMs for the whole header, in milliseconds
 */
export function readProxyHeader(
  socket: Socket,
  facts: LinkFacts,
  options: ProxyOptions,
  timeoutMs: number,
  owner: ProxyOwner,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  let isLocal = false;
  const stop = (): void => {
    patience.cancel();
    socket.off("readable", read).off("end", ended).off("error", ended).off("close", ended);
  };
  const left = (): void => {
    stop();
    socket.on("error", ignore).destroy();
    owner.left();
  };
  const refuse = (remoteAddress: string, reason: EndReason, message: string | null): void => {
    stop();
    socket.on("error", ignore).destroy();
    owner.refused(remoteAddress, reason, message);
  };
  const corrupt = (why: string): void => refuse(facts.remoteAddress, "proxy-header-corrupt", why);
  const ended = (): void => {
    if (bytes.length > 0 && !isLocal) corrupt("it is cut");
    else left();
  };
  const read = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    let header: ProxyHeader | null;
    try {
      header = parseProxyHeader(bytes, options.version);
    } catch (error) {
      return corrupt((error as Error).message);
    }
    if (header === null) return;
    if (header.isLocal && bytes.length === header.length) {
      if (isLocal) return;
      isLocal = true;
      patience.cancel();
      patience = new Patience(Math.min(timeoutMs, LOCAL_SILENCE_MS), left);
      return;
    }
    const client = clientFacts(header, facts);
    if (options.requireTls === true && !header.isTls) return refuse(client.remoteAddress, "proxy-without-tls", null);
    if (options.requireCertificate === true && !header.hasCertificate)
      return refuse(client.remoteAddress, "proxy-without-certificate", null);
    stop();
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    owner.told(client);
  };
  let patience = new Patience(timeoutMs, () => corrupt("no whole header within the connect timeout"));
  socket.on("readable", read).on("end", ended).on("error", ended).on("close", ended);
}

function clientFacts(header: ProxyHeader, facts: LinkFacts): LinkFacts {
  const { source, isTls, hasCertificate, commonName, cipher } = header;
  const peer: PeerIdentity = isTls
    ? {
        isEncrypted: true,
        certificate: hasCertificate ? proxiedCertificate(commonName) : null,
        pskIdentity: null,
        cipher: cipher === null ? null : { ...cipher, isProxys: true },
      }
    : UNKNOWN_PEER;
  const remoteAddress = source === null ? facts.remoteAddress : formatPeer(source.address, source.port);
  return { ...facts, remoteAddress, peer };
}

/** The proxy has seen the certificate, and tells of it only its CN. */
function proxiedCertificate(commonName: string | null): PeerIdentity["certificate"] {
  const subject = commonName === null ? "" : `CN=${commonName}`;
  const endsAtMs = Number.POSITIVE_INFINITY;
  return { subject, commonName, issuer: "", serialNumber: "", fingerprint: "", endsAtMs };
}

function ignore(): void {}
