/**
 * The line under an error: what it means, which option to look at, and where to read more. What it means comes from the catalogue of
 * errors, which is loaded only now; what this command line has to do with it is added here.
 */
import { type ClientError, ConnectionError } from "../client/index.ts";
import type { Explanation, Language, MeaningKey, Space, Text } from "../explain/index.ts";
import type { ReasonPacket, Version } from "../protocol/index.ts";
import type { ServerArguments } from "./options/server-options.ts";

/** Where the tool wanted to connect to. */
export interface Target extends ServerArguments {
  readonly version: Version;
  readonly language: Language;
}

/** Where the catalogue has an error. */
interface Place {
  readonly space: Space;
  readonly code: number | string;
  readonly packet?: ReasonPacket;
}

/** Options to look at, by the catalogue's key. */
const OPTIONS: Readonly<Record<string, string>> = {
  "protocol-version-refused": "-V",
  "identifier-refused": "-i",
  "not-authorised": "-u and -P",
  "bad-credentials": "-u and -P",
  "authentication-method-refused": "-D connect authentication-method",
  "topic-name-invalid": "--will-topic",
  "packet-too-large": "--will-payload",
  "payload-format": "-D will payload-format-indicator",
  "retain-refused": "--will-retain",
  "qos-refused": "--will-qos",
  "use-another-server": "-h",
  "name-unknown": "-h",
  "name-service-down": "-h",
  "srv-lookup-failed": "-S",
  "host-unreachable": "-h",
  "nothing-listens": "-h and -p",
  "no-answer": "-h and -p",
  "address-not-available": "-A",
  "file-missing": "--unix",
  "proxy-refused": "--proxy",
  "websocket-failed": "-p and --ws-path",
  "self-signed": "--cafile",
  "root-untrusted": "--cafile",
  "chain-incomplete": "--cafile",
  "issuer-missing": "--cafile",
  "certificate-name": "-h",
  "client-certificate-missing": "--cert and --key",
  "client-certificate-unknown": "--cert",
  "peer-refused-certificate": "--cert",
  "key-mismatch": "--cert and --key",
  "key-file-unreadable": "--cert and --key",
  "key-passphrase": "--key",
  "psk-identity": "--psk-identity",
  "psk-key": "--psk",
  "not-tls": "-p",
  "tls-closed": "-p",
  "tls-version": "--tls-version",
  "tls-configuration": "--ciphers and --tls-version",
  "no-shared-cipher": "--cert and --ciphers",
  alpn: "--tls-alpn",
};

/** What the end of a connection means: a line for the user. */
export async function adviceOf(error: ClientError, target: Target): Promise<string> {
  const explanation = await explanationFor(error, target);
  if (explanation === null) return `${capital(plainReason(error.message))}.`;
  const { key, title } = explanation;
  const facts = factsOf(key, error, target, (await import("../explain/index.ts")).ruleText);
  const options = OPTIONS[key];
  const line = options === undefined ? LINE : LINE_WITH_OPTIONS;
  return filled(line[target.language], {
    title: capital(title),
    facts,
    options: options?.replaceAll(" and ", AND[target.language]) ?? "",
    key,
  });
}

/** What a code in the answer to a request means: a line for the user, or null when there is no more to say. */
export async function reasonAdvice(
  code: number,
  packet: ReasonPacket,
  { version, language }: Pick<Target, "version" | "language">,
): Promise<string | null> {
  const { explanationOf } = await import("../explain/index.ts");
  const isOld = version !== 5 && packet === "SUBACK";
  const explanation = explanationOf(isOld ? { space: "suback", code } : { space: "reason", code, packet }, language);
  if (explanation === null) return null;
  return filled(LINE[language], { title: capital(explanation.title), facts: "", key: explanation.key });
}

const LINE: Text = {
  en: "{title}{facts}. More: lacewing explain {key}",
  zh: "{title}{facts}。详见：lacewing explain {key}",
};
const LINE_WITH_OPTIONS: Text = {
  en: "{title}{facts}: see {options}. More: lacewing explain {key}",
  zh: "{title}{facts}：请检查 {options}。详见：lacewing explain {key}",
};

/** Between two options. */
const AND: Text = { en: " and ", zh: " 和 " };

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
}

async function explanationFor(error: ClientError, target: Target): Promise<Explanation | null> {
  const { explained, explanationOf } = await import("../explain/index.ts");
  const key = meaningHere(error, target);
  if (key !== null) return explained(key, target.language);
  for (const place of placesOf(error, target)) {
    const explanation = explanationOf(place, target.language);
    if (explanation !== null) return explanation;
  }
  return null;
}

/** What these alerts mean when a key takes the place of certificates. */
const PSK_MEANINGS: Readonly<Record<string, MeaningKey>> = {
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "psk-identity",
  ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC: "psk-key",
  ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER: "psk-key",
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: "psk-key",
};

/** The meaning of an error that means something else elsewhere. */
function meaningHere({ code, errno }: ClientError, { tls, webSocketPath }: Target): MeaningKey | null {
  if (code === "tls-failed") {
    // Without TLS that would be a connection that was lost.
    if (errno === "ECONNRESET") return "tls-closed";
    return (tls?.psk == null ? undefined : PSK_MEANINGS[errno ?? ""]) ?? null;
  }
  return code === "network-error" && errno === null && webSocketPath !== null ? "websocket-failed" : null;
}

function placesOf(error: ClientError, { version, usesSrv }: Target): readonly Place[] {
  const { code, rc, errno } = error;
  const byNumber: Place = { space: "mosquitto", code: rc };
  switch (code) {
    case "connection-refused":
      return [
        version === 5
          ? { space: "reason", code: error.reasonCode!, packet: "CONNACK" }
          : { space: "connack", code: error.reasonCode! },
      ];
    case "disconnected-by-server":
      return [{ space: "reason", code: error.reasonCode!, packet: "DISCONNECT" }];
    case "lookup-failed":
      return usesSrv ? [{ space: "mosquitto", code: 20 }] : [{ space: "errno", code: errno ?? "ENOTFOUND" }, byNumber];
    case "tls-failed":
      return errno === null ? [byNumber] : [{ space: "tls", code: errno }, { space: "x509", code: errno }, byNumber];
    case "network-error":
      return errno === null ? [byNumber] : [{ space: "errno", code: errno }, byNumber];
    default:
      return [byNumber];
  }
}

/** What is known here and not to the catalogue, to stand behind its words. */
function factsOf(
  key: string,
  error: ClientError,
  target: Target,
  ruleText: (message: string, language: Language) => string,
): string {
  const { language, host } = target;
  if (key === "certificate-name") {
    const names = namesOf(error.cause);
    return language === "zh"
      ? `：它属于 ${names ?? "（无名称）"}，而不是 '${host}'`
      : `: it is for ${names ?? "nobody"}, and not for '${host}'`;
  }
  if (key === "name-unknown" && !target.usesSrv) return ` ('${host}')`;
  switch (error.code) {
    case "network-error":
      return language === "zh" ? `（${placeZh(target)}）` : ` (${placeOf(target)})`;
    case "lookup-failed":
    case "proxy-failed":
      return language === "zh" ? placeInErrorZh(error, host) : `: ${error.message}`;
    case "disconnected-by-server":
      return `: ${ruleText(error.message, language)}`;
    case "protocol-error":
      return `: ${ruleText(error.message, language)}${STOP[language]}${otherProtocol(target)[language]}`;
    case "connection-lost":
      return `${STOP[language]}${(wasLetIn(error) ? LOST_LATER : lossHint(target))[language]}`;
    case "tls-failed":
      return key === "tls-failed" ? `: ${plainReason(error.message)}` : "";
    default:
      return "";
  }
}

const STOP: Text = { en: ". ", zh: "。" };

/** Whether CONNACK had come: then the port is the right one. */
function wasLetIn(error: ClientError): boolean {
  return error instanceof ConnectionError && error.ending?.wasAccepted === true;
}

const LOST_LATER: Text = {
  en: "If it happens with every message, the broker does not take it: too large, its topic or its QoS. By -V 5 it can say which",
  zh: "如果每次发消息都这样，说明服务器不接受该消息：过大、主题或 QoS 不允许。用 -V 5 可以得到原因",
};

function lossHint(target: Target): Text {
  const { tls, hasUnusedCertificate } = target;
  if (hasUnusedCertificate) {
    return {
      en: "The client certificate was not used, as TLS is off: --cafile or --tls-use-os-certs switches it on",
      zh: "TLS 没有启用，客户端证书未被使用：用 --cafile 或 --tls-use-os-certs 启用 TLS",
    };
  }
  if (tls === null) return otherProtocol(target);
  return tls.certFile === undefined
    ? {
        en: "It may want a client certificate: see --cert and --key",
        zh: "对方可能要求客户端证书：请检查 --cert 和 --key",
      }
    : {
        en: "It may not take this client certificate: see --cert",
        zh: "对方可能不接受这个客户端证书：请检查 --cert",
      };
}

/** What goes wrong most when the other side does not speak MQTT. */
function otherProtocol({ unixPath, port, tls, webSocketPath }: Target): Text {
  if (unixPath !== null || tls !== null || webSocketPath !== null) {
    return { en: "Is it the right port?", zh: "端口是否正确？" };
  }
  return {
    en: `If port ${port} is for TLS, give --cafile; if it is for WebSockets, --ws`,
    zh: `如果端口 ${port} 用于 TLS，请给出 --cafile；如果用于 WebSocket，请给出 --ws`,
  };
}

/** Where a tool connects to, and from where if it was told. */
export function placeOf({ unixPath, bindAddress, host, port }: ServerArguments): string {
  const from = bindAddress === null ? "" : `from ${bindAddress} to `;
  return unixPath ?? `${from}${host}, port ${port}`;
}

function placeZh({ unixPath, bindAddress, host, port }: ServerArguments): string {
  const from = bindAddress === null ? "" : `从 ${bindAddress} 到 `;
  return unixPath ?? `${from}${host}，端口 ${port}`;
}

/** What a message has beside its words: the name that was looked up, the system's name of the error. */
function placeInErrorZh({ code, errno }: ClientError, host: string): string {
  const name = errno === null ? "" : `（${errno}）`;
  return code === "lookup-failed" ? `：${host}${name}` : name;
}

/** What OpenSSL says, without numbers and places in its sources. */
function plainReason(message: string): string {
  return /error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message;
}

/** Names that the certificate is for, as Node lists them. */
function namesOf(cause: unknown): string | null {
  const { subjectaltname, subject } =
    (cause as { readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } } })
      .cert ?? {};
  return subjectaltname?.replaceAll(/\b(DNS|IP Address):/g, "") ?? subject?.CN ?? null;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
