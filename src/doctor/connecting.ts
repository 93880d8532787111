/** CONNECT in each version, what the broker supports and limits, and whether it lets this user in. */
import { explanationOf, type MeaningKey, type Text } from "../explain/index.ts";
import {
  type Connack,
  type Connect,
  NO_PROPERTIES,
  type Properties,
  reasonCodeName,
  type Version,
} from "../protocol/index.ts";
import { Conversation, ConversationError } from "./conversation.ts";
import { type Finding, msText } from "./diagnosis.ts";
import { codeOf } from "./network.ts";
import type { Target } from "./target.ts";

/** What one version of MQTT came to. */
export interface VersionResult {
  readonly version: Version;
  /** Null when none came. */
  readonly connack: Connack | null;
  readonly error: ConversationError | null;
  readonly tookMs: number;
}

/** The CONNECT of an examination. */
export function connectOf(target: Target, version: Version, changes: Partial<Connect> = {}): Connect {
  const { clientId, keepAliveSeconds, will, username, password } = target;
  return {
    type: "CONNECT",
    version,
    bridge: false,
    cleanStart: true,
    keepAliveSeconds,
    clientId,
    will,
    username,
    password,
    properties: NO_PROPERTIES,
    ...changes,
  };
}

const VERSION_NAMES: Readonly<Record<Version, string>> = { 3: "3.1", 4: "3.1.1", 5: "5.0" };
const VERSION_OPTIONS: Readonly<Record<Version, string>> = { 3: "-V 31", 4: "-V 311", 5: "-V 5" };

/** Connects in each version, one after the other. */
export async function tryVersions(target: Target): Promise<VersionResult[]> {
  const results: VersionResult[] = [];
  for (const version of target.versions) {
    const startedMs = performance.now();
    const tookMs = (): number => performance.now() - startedMs;
    try {
      const opened = await Conversation.open(target.connector, connectOf(target, version), target.timeoutMs);
      results.push({ version, connack: opened.connack, error: null, tookMs: tookMs() });
      opened.conversation.end();
    } catch (error) {
      if (!(error instanceof ConversationError)) throw error;
      results.push({ version, connack: null, error, tookMs: tookMs() });
    }
  }
  return results;
}

/** When no version that was asked for is taken: what comes of the others; else nothing. */
export async function tryOtherVersions(target: Target, results: readonly VersionResult[]): Promise<VersionResult[]> {
  if (!results.every(isUnsupported)) return [];
  const others = ([5, 4, 3] as const).filter((version) => !target.versions.includes(version));
  return tryVersions({ ...target, versions: others });
}

/** The version to go on with: the preferred one of those that let the client in. */
export function acceptedVersion(results: readonly VersionResult[]): VersionResult | null {
  return results.find(({ connack }) => connack?.reasonCode === 0) ?? null;
}

function isUnsupported({ version, connack }: VersionResult): boolean {
  return connack !== null && (connack.reasonCode === 0x84 || (version !== 5 && connack.reasonCode === 1));
}

function isSpoken(result: VersionResult): boolean {
  return result.connack !== null && !isUnsupported(result);
}

const CREDENTIAL_CODES: ReadonlySet<number> = new Set([4, 5, 0x86, 0x87, 0x8c]);

function isAboutCredentials({ connack }: VersionResult): boolean {
  return connack !== null && CREDENTIAL_CODES.has(connack.reasonCode);
}

function resultText({ version, connack, error, tookMs }: VersionResult): Text {
  const name = `MQTT ${VERSION_NAMES[version]}`;
  if (connack === null) {
    const { message } = error ?? { message: "?" };
    return { en: `${name}: ${message}`, zh: `${name}：${message}` };
  }
  const { reasonCode } = connack;
  const took = msText(tookMs);
  if (reasonCode === 0) return { en: `${name}: accepted in ${took}`, zh: `${name}：${took} 内接受` };
  const says = version === 5 ? ` (${reasonCodeName(reasonCode, "CONNACK")})` : "";
  return { en: `${name}: refused with ${reasonCode}${says}`, zh: `${name}：被拒绝，${reasonCode}${says}` };
}

/**
 * CONNECT and its answers, apart from whether the user was let in.
 * @param others of versions that were not asked for
 */
export function connectFinding(results: readonly VersionResult[], others: readonly VersionResult[]): Finding {
  const details = results.map(resultText);
  const answered = results.find(({ connack }) => connack !== null && !isUnsupported({ ...results[0]!, connack }));
  const accepted = acceptedVersion(results);
  const spoken = results.filter(isSpoken);
  const versions = spoken.map(({ version }) => VERSION_NAMES[version]).join(", ");
  if (accepted !== null || results.some(isAboutCredentials)) {
    const limits = limitLines(spoken.find(({ version }) => version === 5)?.connack?.properties ?? NO_PROPERTIES);
    const summary = { en: `the broker speaks MQTT ${versions}`, zh: `服务器支持 MQTT ${versions}` };
    return { layer: "connect", state: "passed", summary, details: [...details, ...limits] };
  }
  const refused = answered ?? results.find(({ connack }) => connack !== null);
  if (refused?.connack != null) {
    const finding = refusedFinding(refused, refused.connack, [...details, ...others.map(resultText)]);
    return withOtherVersion(finding, others);
  }
  return lostFinding(results, details);
}

/** When another version is taken, that is the cause, and what to do. */
function withOtherVersion(finding: Finding, others: readonly VersionResult[]): Finding {
  const version = others.find(isSpoken)?.version;
  if (version === undefined) return finding;
  const name = VERSION_NAMES[version];
  const { en, zh } = finding.summary;
  return {
    ...finding,
    summary: { en: `${en}, and takes MQTT ${name}`, zh: `${zh}，但接受 MQTT ${name}` },
    fix: { en: `use MQTT ${name}: ${VERSION_OPTIONS[version]}`, zh: `改用 MQTT ${name}：${VERSION_OPTIONS[version]}` },
  };
}

function refusedFinding(
  { version }: VersionResult,
  { reasonCode, properties }: Connack,
  details: readonly Text[],
): Finding {
  const space = version === 5 ? "reason" : "connack";
  const meaning: MeaningKey =
    explanationOf({ space, code: reasonCode, packet: "CONNACK" })?.key ?? "connection-refused";
  const reason = properties.reasonString === undefined ? "" : `: ${properties.reasonString}`;
  const summary = {
    en: `the broker refused with ${reasonCode}${reason}`,
    zh: `服务器拒绝，返回码 ${reasonCode}${reason}`,
  };
  return { layer: "connect", state: "failed", summary, details, meaning };
}

const ERROR_MEANINGS: Readonly<Record<ConversationError["kind"], MeaningKey>> = {
  silence: "connack-timeout",
  closed: "connection-lost",
  "not MQTT": "protocol-error",
  disconnected: "connection-lost",
};

function lostFinding(results: readonly VersionResult[], details: readonly Text[]): Finding {
  const error = results.find(({ error }) => error !== null)?.error ?? null;
  const code = error?.cause === undefined ? null : codeOf(error.cause);
  const known =
    code === null ? null : (explanationOf({ space: "errno", code }) ?? explanationOf({ space: "tls", code }));
  const meaning = known?.key ?? (error === null ? "connack-timeout" : ERROR_MEANINGS[error.kind]);
  const message = error?.message ?? "?";
  return {
    layer: "connect",
    state: "failed",
    summary: { en: `no CONNACK: ${message}`, zh: `没有收到 CONNACK：${message}` },
    details,
    meaning,
  };
}

/** Whether the user was let in. */
export function credentialsFinding(results: readonly VersionResult[], target: Target): Finding {
  const accepted = acceptedVersion(results);
  const who =
    target.username === null
      ? { en: "without a user name", zh: "不带用户名" }
      : { en: `as '${target.username}'`, zh: `用户 '${target.username}'` };
  if (accepted !== null) {
    const summary = { en: `let in ${who.en}`, zh: `${who.zh}登录成功` };
    return { layer: "credentials", state: "passed", summary };
  }
  const refused = results.find(isAboutCredentials);
  const code = refused?.connack?.reasonCode ?? 0;
  const space = refused?.version === 5 ? "reason" : "connack";
  const meaning = explanationOf({ space, code, packet: "CONNACK" })?.key ?? "not-authorised";
  return {
    layer: "credentials",
    state: "failed",
    summary: { en: `refused ${who.en}: ${code}`, zh: `${who.zh}被拒绝：${code}` },
    meaning,
    ...(target.username === null && meaning === "not-authorised" && { cause: 1 }),
  };
}

/** What the CONNACK of 5.0 says of limits and features, where it differs from "everything". */
function limitLines(properties: Properties): Text[] {
  const lines: Text[] = [];
  const limit = (en: string, zh: string, value: number | undefined): void => {
    if (value === undefined) return;
    const shown = value.toLocaleString("en");
    lines.push({ en: `${en}: ${shown}`, zh: `${zh}：${shown}` });
  };
  limit("maximum packet size", "最大报文长度", properties.maximumPacketSize);
  limit("receive maximum", "接收最大值（receive maximum）", properties.receiveMaximum);
  limit("topic alias maximum", "主题别名上限", properties.topicAliasMaximum);
  limit("maximum QoS", "最大 QoS", properties.maximumQos);
  limit("keep-alive set by the broker", "服务器指定的 keepalive", properties.serverKeepAliveSeconds);
  const missing = (isThere: boolean | undefined, en: string, zh: string): void => {
    if (isThere === false) lines.push({ en: `no ${en}`, zh: `不支持${zh}` });
  };
  missing(properties.retainAvailable, "retained messages", "保留消息");
  missing(properties.wildcardSubscriptionAvailable, "wildcards in subscriptions", "通配符订阅");
  missing(properties.sharedSubscriptionAvailable, "shared subscriptions", "共享订阅");
  missing(properties.subscriptionIdentifierAvailable, "subscription identifiers", "订阅标识符");
  return lines;
}
