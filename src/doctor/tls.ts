/** TLS with a broker: version, cipher, the whole chain with its dates and names, what is wrong with it, and the client certificate. */
import { isIP } from "node:net";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { explain, type MeaningKey, type Text } from "../explain/index.ts";
import { TlsDialer } from "../transport/index.ts";
import { dateText, type TimeFacts } from "./clock.ts";
import { type Finding, msText } from "./diagnosis.ts";
import {
  anonymousConnect,
  httpDateOf,
  isSaidInTls,
  replyOn,
  type Speaker,
  speakerOf,
  upgradeRequest,
} from "./greeting.ts";
import { codeOf } from "./network.ts";
import { ownCertificateLine, ownCertificateOf, ownRefused, wantsAnother } from "./own-certificate.ts";
import type { Target } from "./target.ts";

/** What TLS showed, beside the finding. */
export interface TlsFinding extends Finding {
  /** Of the broker's own certificate; null when none was seen. */
  readonly certificate: TimeFacts["certificate"];
  /** Whether it failed for the dates of a certificate. */
  readonly isAboutDates: boolean;
  /** Whether the other side speaks TLS for certain. */
  readonly isTls: boolean;
  /** What spoke inside TLS; null when that was not seen. */
  readonly speaker: Speaker | null;
  /** What the server's HTTP says of the time, where it speaks any. */
  readonly httpDateMs: number | null;
}

const DATES: ReadonlySet<string> = new Set([
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CRL_NOT_YET_VALID",
  "CRL_HAS_EXPIRED",
]);

/** Shakes hands, looks at everything, and says an anonymous CONNECT to see whether the broker keeps the connection. */
export async function checkTls(target: Target): Promise<TlsFinding> {
  const { dialer, host, tls, timeoutMs } = target;
  const startedMs = performance.now();
  let socket: TLSSocket;
  try {
    // Whatever is wrong with the certificate, it is to be seen whole.
    const lax = new TlsDialer(dialer, host, { ...tls, insecure: true });
    socket = (await lax.dial(AbortSignal.timeout(timeoutMs))) as TLSSocket;
  } catch (error) {
    return failedHandshake(error, target);
  }
  const took = msText(performance.now() - startedMs);
  const chain = chainOf(socket.getPeerCertificate(true));
  const problem = socket.authorized || tls?.psk !== undefined ? null : String(socket.authorizationError);
  const cipher = `${socket.getProtocol()}, ${socket.getCipher().name}`;
  const sent =
    target.webSocketPath === null ? anonymousConnect(target.clientId) : upgradeRequest(host, target.webSocketPath);
  const reply = await replyOn(socket, sent, timeoutMs);
  const own = await ownCertificateOf(target);
  const facts = {
    certificate: validityOf(chain[0]),
    isAboutDates: problem !== null && DATES.has(problem),
    isTls: true,
    speaker: speakerOf(reply),
    httpDateMs: httpDateOf(reply),
    details: [
      `${cipher} (${took})`,
      ...chain.flatMap(certificateLines),
      ...(own === null ? [] : [ownCertificateLine(own)]),
    ],
  };
  if (problem !== null) return { ...facts, ...certificateProblem(problem, host, tls?.insecure === true, chain[0]) };
  if (reply.error !== null && /ALERT|SSL/.test(reply.error)) return { ...facts, ...clientRefused(reply.error) };
  if (own !== null && reply.end === "closed" && (await wantsAnother(target)))
    return { ...facts, ...ownRefused(own, Date.now()) };
  const summary = { en: `${cipher}, the certificate is good (${took})`, zh: `${cipher}，证书有效（${took}）` };
  return { layer: "tls", state: "passed", summary, ...facts };
}

async function failedHandshake(error: unknown, target: Target): Promise<TlsFinding> {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = codeOf(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  const meaning: MeaningKey =
    explain(code).explanations[0]?.key ?? explain(message).explanations[0]?.key ?? "tls-failed";
  const isCut = code === "ECONNRESET";
  const summary = { en: `no handshake: ${code}`, zh: `握手失败：${code}` };
  const facts = { certificate: null, isAboutDates: false, speaker: null, httpDateMs: null };
  const own = await ownCertificateOf(target);
  const details = own === null ? [] : [ownCertificateLine(own)];
  if (own !== null && isCut && (await wantsAnother(target)))
    return { ...facts, details, isTls: true, ...ownRefused(own, Date.now()) };
  return {
    ...facts,
    details,
    layer: "tls",
    state: "failed",
    summary,
    meaning: isCut ? "tls-closed" : meaning,
    isTls: isSaidInTls(code),
  };
}

type Judged = Pick<Finding, "layer" | "state" | "summary" | "meaning" | "cause" | "fix">;

function certificateProblem(
  code: string,
  host: string,
  isAllowed: boolean,
  leaf: DetailedPeerCertificate | undefined,
): Judged {
  const [explanation] = explain(code).explanations;
  const meaning = explanation?.key ?? "certificate-verify-failed";
  const says = explanation?.says ?? code;
  const taken = isAllowed ? { en: ", and --insecure takes it", zh: "，但 --insecure 允许" } : { en: "", zh: "" };
  const state = isAllowed ? "warning" : "failed";
  if (meaning === "certificate-name") return { layer: "tls", state, meaning, ...nameProblem(code, host, leaf, taken) };
  if (meaning === "chain-incomplete") return { layer: "tls", state, meaning, ...issuerProblem(code, leaf, taken) };
  return {
    layer: "tls",
    state,
    summary: {
      en: `the broker's certificate is not good: ${says} (${code})${taken.en}`,
      zh: `服务器证书有问题：${says}（${code}）${taken.zh}`,
    },
    meaning,
  };
}

/** Which names the certificate has in the place of the one that was asked for. */
function nameProblem(
  code: string,
  host: string,
  leaf: DetailedPeerCertificate | undefined,
  taken: Text,
): Pick<Finding, "summary" | "fix"> {
  const names = leaf?.subjectaltname?.replaceAll(/(?:DNS|IP Address):/g, "") ?? nameOf(leaf?.subject);
  const [first = ""] = names.split(", ");
  const kind = isIP(host) === 0 ? "DNS" : "IP";
  return {
    summary: {
      en: `the broker's certificate is not good for '${host}': it is for ${names} (${code})${taken.en}`,
      zh: `服务器证书不是给 '${host}' 的，而是给 ${names} 的（${code}）${taken.zh}`,
    },
    fix: {
      en: `connect to ${first}, or issue it again with ${kind}:${host} in subjectAltName`,
      zh: `改用 ${first} 连接，或重新签发，在 subjectAltName 中加入 ${kind}:${host}`,
    },
  };
}

/** Who signed the one certificate that came: an intermediate that the broker keeps to itself, or a CA that was not given here. */
function issuerProblem(
  code: string,
  leaf: DetailedPeerCertificate | undefined,
  taken: Text,
): Pick<Finding, "summary" | "fix"> {
  const issuer = nameOf(leaf?.issuer);
  return {
    summary: {
      en: `the broker sends only its own certificate, signed by '${issuer}', which is not known here (${code})${taken.en}`,
      zh: `服务器只发送了自己的证书，签发者 '${issuer}' 在本机不被信任（${code}）${taken.zh}`,
    },
    fix: {
      en: `if '${issuer}' is an intermediate: certfile on the broker must have it behind the certificate (fullchain.pem); if it is your CA: --cafile with it`,
      zh: `如果 '${issuer}' 是中间证书：服务器的 certfile 要把它放在证书后面（fullchain.pem）；如果它是你的 CA：用 --cafile 指定它`,
    },
  };
}

/** Meanings whose first cause is for those who read them in a broker's log, and whose second is for the client. */
const FOR_LOG_READERS: ReadonlySet<MeaningKey> = new Set(["client-certificate-unknown", "peer-refused-certificate"]);

/** A server of TLS 1.3 refuses a client's certificate only after the handshake. */
function clientRefused(code: string): Judged {
  const meaning = explain(code).explanations[0]?.key ?? "client-certificate-missing";
  return {
    layer: "tls",
    state: "failed",
    summary: { en: `the broker ended TLS after the handshake: ${code}`, zh: `握手后被服务器中断：${code}` },
    meaning,
    ...(FOR_LOG_READERS.has(meaning) && { cause: 1 }),
  };
}

/** Longest chain that is shown. */
const MOST_CERTIFICATES = 8;

function chainOf(leaf: DetailedPeerCertificate | null): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = leaf ?? undefined;
  while (next?.fingerprint256 !== undefined && chain.length < MOST_CERTIFICATES) {
    chain.push(next);
    if (next.issuerCertificate === next || next.issuerCertificate?.fingerprint256 === next.fingerprint256) break;
    next = next.issuerCertificate;
  }
  return chain;
}

function validityOf(certificate: DetailedPeerCertificate | undefined): TimeFacts["certificate"] {
  if (certificate === undefined) return null;
  return { fromMs: Date.parse(certificate.valid_from), toMs: Date.parse(certificate.valid_to) };
}

function certificateLines(certificate: DetailedPeerCertificate, depth: number): Text[] {
  const { subject, issuer, subjectaltname, valid_from, valid_to, bits, asn1Curve } = certificate;
  const key = asn1Curve ?? (bits === undefined ? "?" : `${bits} bits`);
  const [from, to] = [valid_from, valid_to].map((date) => dateText(Date.parse(date)).slice(0, 10));
  const [name, by] = [nameOf(subject), nameOf(issuer)];
  const line = {
    en: `${depth}: ${name}, issued by ${by}, ${from} to ${to}, key ${key}`,
    zh: `${depth}：${name}，签发者 ${by}，${from} 至 ${to}，密钥 ${key}`,
  };
  if (depth > 0) return [line];
  return [line, { en: `   names: ${subjectaltname ?? "none"}`, zh: `   名字：${subjectaltname ?? "无"}` }];
}

function nameOf(name: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined): string {
  return String(name?.CN ?? name?.O ?? "?");
}
