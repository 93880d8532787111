/** The client's own certificate: what is in it, and whether a broker that closes without a word does so for its sake. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Text } from "../explain/index.ts";
import { TlsDialer } from "../transport/index.ts";
import { dateText } from "./clock.ts";
import type { Finding } from "./diagnosis.ts";
import { anonymousConnect, ask } from "./greeting.ts";
import type { Target } from "./target.ts";

/** The certificate that the client gives; null when there is none, or none that can be read. */
export async function ownCertificateOf({ tls }: Target): Promise<X509Certificate | null> {
  const { cert, certFile } = tls ?? {};
  if (cert === undefined && certFile === undefined) return null;
  try {
    return new X509Certificate(cert ?? (await readFile(certFile!)));
  } catch {
    // TLS itself says what is wrong with it.
    return null;
  }
}

/** Who it is, who signed it, and its dates, as a line. */
export function ownCertificateLine(certificate: X509Certificate): Text {
  const [name, by] = [certificate.subject, certificate.issuer].map(commonName);
  const [from, to] = [certificate.validFrom, certificate.validTo].map((date) =>
    dateText(Date.parse(date)).slice(0, 10),
  );
  return {
    en: `client certificate: ${name}, issued by ${by}, ${from} to ${to}`,
    zh: `客户端证书：${name}，签发者 ${by}，${from} 至 ${to}`,
  };
}

function commonName(name: string): string {
  return /^CN=(.*)$/m.exec(name)?.[1] ?? name.replaceAll("\n", ", ");
}

/** Alerts of a broker that wants a certificate and gets none: of TLS 1.3, and of TLS 1.2. */
const WANTS_ONE = /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/;

/** Whether a broker that closed the connection without a word did so because of the client's certificate: it wants one, and not this one. */
export async function wantsAnother({ dialer, host, tls, clientId, timeoutMs }: Target): Promise<boolean> {
  const { cert, certFile, key, keyFile, ...others } = tls ?? {};
  const without = new TlsDialer(dialer, host, { ...others, insecure: true });
  const { error } = await ask(without, anonymousConnect(clientId), timeoutMs);
  return error !== null && WANTS_ONE.test(error);
}

/** The finding that it is so, with what this side can see of the cause. */
export function ownRefused(
  certificate: X509Certificate,
  nowMs: number,
): Pick<Finding, "layer" | "state" | "summary" | "meaning" | "cause"> {
  const [fromMs, toMs] = [certificate.validFrom, certificate.validTo].map((date) => Date.parse(date));
  const isOver = nowMs > (toMs ?? nowMs);
  const isEarly = nowMs < (fromMs ?? nowMs);
  const { en, zh } = isOver
    ? { en: ", which has expired", zh: "，它已过期" }
    : isEarly
      ? { en: ", which is not yet valid", zh: "，它尚未生效" }
      : { en: "", zh: "" };
  return {
    layer: "tls",
    state: "failed",
    summary: {
      en: `the broker wants a client certificate, and closes when it gets this one${en}`,
      zh: `服务器要求客户端证书，收到这张证书后就关闭了连接${zh}`,
    },
    meaning: "client-certificate-refused",
    // Its dates can be seen from here; which CAs the broker trusts cannot.
    cause: isOver || isEarly ? 0 : 1,
  };
}
