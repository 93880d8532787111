/** What works on an open connection: PINGREQ, messages at each QoS and back, a session that is resumed, retained messages. */
import { explanationOf, type MeaningKey, type Text } from "../explain/index.ts";
import { type Connack, encodeUtf8, type Properties, publishOf, type Qos, type Version } from "../protocol/index.ts";
import { connectOf } from "./connecting.ts";
import { Conversation, ConversationError } from "./conversation.ts";
import { type Finding, type Layer, msText } from "./diagnosis.ts";
import type { Target } from "./target.ts";

/** QoS 1 first: only an acknowledgement can say that a message is refused. */
const ORDER = [1, 0, 2] as const;

/** Messages sent at each QoS. */
const MESSAGES = 5;

/** How a connection was opened. */
export interface Opened {
  readonly conversation: Conversation;
  readonly connack: Connack;
}

/** Opens a connection for further checks. */
export function openAgain(
  target: Target,
  version: Version,
  changes: Parameters<typeof connectOf>[2] = {},
): Promise<Opened> {
  return Conversation.open(target.connector, connectOf(target, version, changes), target.timeoutMs);
}

/** PINGREQ is answered, also after an idle time. */
export async function checkKeepAlive({ conversation }: Opened, { idleMs }: Target): Promise<Finding> {
  const idleSeconds = idleMs / 1000;
  const startedMs = performance.now();
  try {
    if (idleMs > 0) await conversation.idle(idleMs);
    const sentMs = performance.now();
    conversation.send({ type: "PINGREQ" });
    const { atMs } = await conversation.expect("PINGRESP");
    const took = msText(atMs - sentMs);
    const after =
      idleMs > 0
        ? { en: ` after ${idleSeconds} s of silence`, zh: `（空闲 ${idleSeconds} 秒之后）` }
        : { en: "", zh: "" };
    const summary = { en: `PINGREQ is answered in ${took}${after.en}`, zh: `PINGREQ 在 ${took} 内得到应答${after.zh}` };
    return { layer: "keep-alive", state: "passed", summary };
  } catch (error) {
    const goneMs = performance.now() - startedMs;
    const seconds = (goneMs / 1000).toFixed(goneMs < 10_000 ? 1 : 0);
    const isIdle = idleMs > 0;
    const summary = {
      en: isIdle
        ? `the connection was gone after ${seconds} s of silence`
        : `PINGREQ was not answered: ${messageOf(error)}`,
      zh: isIdle ? `空闲 ${seconds} 秒后连接已断开` : `PINGREQ 没有应答：${messageOf(error)}`,
    };
    return { layer: "keep-alive", state: "failed", summary, meaning: isIdle ? "idle-limit" : "keep-alive-timeout" };
  }
}

/** Subscribes to a topic of its own and sends messages at each QoS to itself. */
export async function checkRoundTrip({ conversation, connack }: Opened, target: Target): Promise<Finding> {
  const topic = `${target.topic}/round-trip`;
  const details: Text[] = [];
  const maximumQos = connack.properties.maximumQos ?? 2;
  try {
    const refusal = await subscribe(conversation, topic, 2);
    if (refusal !== null) {
      const what = `SUBSCRIBE ${topic}`;
      return { ...refusedFinding("round-trip", "SUBACK", refusal, what, details), fix: grantFix(target, "subscribe") };
    }
    for (const qos of ORDER) {
      if (qos > maximumQos) {
        details.push({ en: `QoS ${qos}: not supported by the broker`, zh: `QoS ${qos}：服务器不支持` });
        continue;
      }
      const outcome = await roundTrips(conversation, topic, qos);
      if (typeof outcome === "number") {
        const what = `PUBLISH ${topic}`;
        const finding = refusedFinding("round-trip", qos === 1 ? "PUBACK" : "PUBREC", outcome, what, details);
        return finding.meaning === "acl-denied" ? { ...finding, fix: grantFix(target, "publish") } : finding;
      }
      details.push({ en: `QoS ${qos}: ${outcome.en}`, zh: `QoS ${qos}：${outcome.zh}` });
    }
    const summary = { en: `messages come back on ${topic}`, zh: `消息在 ${topic} 上往返正常` };
    return { layer: "round-trip", state: "passed", summary, details: details.sort((a, b) => (a.en < b.en ? -1 : 1)) };
  } catch (error) {
    const isSilence = error instanceof ConversationError && error.kind === "silence";
    const summary = {
      en: `no message came back on ${topic}: ${messageOf(error)}`,
      zh: `${topic} 上没有收到消息：${messageOf(error)}`,
    };
    return {
      layer: "round-trip",
      state: "failed",
      summary,
      details,
      meaning: isSilence ? "nothing-arrives" : "connection-lost",
      ...(isSilence ? { cause: 1, fix: grantFix(target, "publish") } : { cause: 4 }),
    };
  }
}

/** How to let this user do what the check does. Messages go both ways, so that one rule must allow both. */
function grantFix({ topic, username }: Target, what: "publish" | "subscribe"): Text {
  // The last level is this run's own.
  const filter = `${topic.replace(/^(lacewing\/doctor)\/[^/]+$/, "$1")}/#`;
  const who = username ?? "";
  const below = {
    en: who === "" ? "before the first user of the acl_file" : `below "user ${who}" of the acl_file`,
    zh: who === "" ? "在 acl_file 第一个 user 之前" : `在 acl_file 的 “user ${who}” 之下`,
  };
  if (what === "subscribe")
    return {
      en: `grant ${filter}, with dynamic security by: mosquitto_ctrl dynsec addRoleACL ROLE subscribePattern ${filter} allow; or check where it may subscribe: --topic TOPIC`,
      zh: `授予 ${filter} 的订阅权限，使用动态安全时：mosquitto_ctrl dynsec addRoleACL ROLE subscribePattern ${filter} allow；或用 --topic TOPIC 检查有权限的主题`,
    };
  return {
    en: `add "topic readwrite ${filter}" ${below.en} and reload (SIGHUP); or check where it may write and read: --topic TOPIC`,
    zh: `${below.zh}加一行 “topic readwrite ${filter}” 并重新加载（SIGHUP）；或用 --topic TOPIC 检查可读写的主题`,
  };
}

async function subscribe(conversation: Conversation, topicFilter: string, qos: Qos): Promise<number | null> {
  const request = {
    topicFilter,
    qos,
    noLocal: false,
    retainAsPublished: conversation.version === 5,
    retainHandling: 0,
  } as const;
  conversation.send({ type: "SUBSCRIBE", packetId: 1, subscriptions: [request], properties: {} });
  const { packet } = await conversation.expect("SUBACK");
  const [code = 0x80] = packet.reasonCodes;
  return code >= 0x80 ? code : null;
}

/** Latencies in words, or the code that a message was refused with. */
async function roundTrips(conversation: Conversation, topic: string, qos: Qos): Promise<Text | number> {
  const tookMs: number[] = [];
  for (let index = 0; index < MESSAGES; index++) {
    const packetId = qos === 0 ? 0 : 100 + index;
    const sentMs = performance.now();
    conversation.send(
      publishOf({
        topicName: topic,
        payload: encodeUtf8(`${qos}.${index}`),
        qos,
        retain: false,
        dup: false,
        packetId,
        properties: {},
      }),
    );
    const refusal = await acknowledged(conversation, packetId, qos);
    if (refusal !== null) return refusal;
    const { atMs } = await conversation.message(topic);
    tookMs.push(atMs - sentMs);
  }
  const sorted = tookMs.sort((a, b) => a - b);
  const [median, slowest] = [sorted[Math.floor(sorted.length / 2)] ?? 0, sorted.at(-1) ?? 0].map(msText);
  return { en: `median ${median}, slowest ${slowest}`, zh: `中位数 ${median}，最慢 ${slowest}` };
}

/** Carries a message through its acknowledgements; the code of a refusal, or null. */
async function acknowledged(conversation: Conversation, packetId: number, qos: Qos): Promise<number | null> {
  const mine = (packet: { readonly packetId: number }): boolean => packet.packetId === packetId;
  if (qos === 0) return null;
  if (qos === 1) {
    const { packet } = await conversation.expect("PUBACK", mine);
    return packet.reasonCode >= 0x80 ? packet.reasonCode : null;
  }
  const { packet } = await conversation.expect("PUBREC", mine);
  if (packet.reasonCode >= 0x80) return packet.reasonCode;
  conversation.send({ type: "PUBREL", packetId, reasonCode: 0, properties: {} });
  await conversation.expect("PUBCOMP", mine);
  return null;
}

function refusedFinding(layer: Layer, packet: string, code: number, what: string, details: readonly Text[]): Finding {
  const found = explanationOf({ space: "reason", code, packet });
  // Before 5.0 0x80 is all that a SUBACK can say, and rules are the usual reason.
  const meaning: MeaningKey = code === 0x80 ? "subscription-refused" : (found?.key ?? "acl-denied");
  const summary = {
    en: `${what} was refused with ${code}${found === null ? "" : ` (${found.name})`}`,
    zh: `${what} 被拒绝：${code}${found === null ? "" : `（${found.name}）`}`,
  };
  return { layer, state: "failed", summary, details, meaning };
}

/** A session that outlives its connection, for so many seconds at most. */
const SESSION_SECONDS = 60;

/** A session is kept and resumed; it is removed again. */
export async function checkSession(target: Target, version: Version): Promise<Finding> {
  const properties: Properties = version === 5 ? { sessionExpirySeconds: SESSION_SECONDS } : {};
  const topic = `${target.topic}/session`;
  try {
    const { conversation } = await openAgain(target, version, { cleanStart: version === 5, properties });
    const refusal = await subscribe(conversation, topic, 1).finally(() => conversation.end());
    const second = await openAgain(target, version, { cleanStart: false, properties });
    const isKept = second.connack.sessionPresent;
    second.conversation.end();
    if (isKept && refusal === null)
      return {
        layer: "session",
        state: "passed",
        summary: { en: "a session is kept and resumed", zh: "会话可以保留并恢复" },
      };
    return {
      layer: "session",
      state: "warning",
      summary: { en: "the broker did not keep the session", zh: "服务器没有保留会话" },
      meaning: "lost-over-restart",
      cause: 1,
    };
  } catch (error) {
    const summary = {
      en: `a session could not be resumed: ${messageOf(error)}`,
      zh: `会话无法恢复：${messageOf(error)}`,
    };
    return { layer: "session", state: "failed", summary, meaning: "connection-lost" };
  }
}

/** A retained message is kept for who subscribes later; it is removed again. */
export async function checkRetained({ conversation, connack }: Opened, target: Target): Promise<Finding> {
  const topic = `${target.topic}/retained`;
  if (connack.properties.retainAvailable === false) {
    const summary = { en: "the broker says that it keeps none", zh: "服务器声明不支持保留消息" };
    return { layer: "retained", state: "warning", summary, meaning: "retain-refused" };
  }
  try {
    const refusal = await publishRetained(conversation, topic, "kept");
    if (refusal !== null) return refusedFinding("retained", "PUBACK", refusal, `PUBLISH ${topic}`, []);
    await subscribe(conversation, topic, 1);
    const { packet } = await conversation.message(topic);
    const summary = { en: "kept for who subscribes later", zh: "后来的订阅者可以收到保留消息" };
    return { layer: "retained", state: packet.retain ? "passed" : "warning", summary };
  } catch (error) {
    const summary = {
      en: `a retained message did not come: ${messageOf(error)}`,
      zh: `没有收到保留消息：${messageOf(error)}`,
    };
    return { layer: "retained", state: "failed", summary, meaning: "nothing-arrives", cause: 1 };
  }
}

async function publishRetained(conversation: Conversation, topicName: string, text: string): Promise<number | null> {
  const packetId = 200 + text.length;
  conversation.send(
    publishOf({ topicName, payload: encodeUtf8(text), qos: 1, retain: true, dup: false, packetId, properties: {} }),
  );
  return acknowledged(conversation, packetId, 1);
}

/** Takes away what was left at the broker: the retained message and the session. */
export async function cleanUp(target: Target, version: Version): Promise<Finding> {
  try {
    const { conversation } = await openAgain(target, version);
    // Also when no answer comes: an open connection would keep the doctor from ending.
    await publishRetained(conversation, `${target.topic}/retained`, "").finally(() => conversation.end());
    return {
      layer: "clean-up",
      state: "passed",
      summary: { en: "nothing is left at the broker", zh: "服务器上没有留下任何东西" },
    };
  } catch (error) {
    const summary = {
      en: `${target.topic}/retained and the session ${target.clientId} may be left: ${messageOf(error)}`,
      zh: `可能残留 ${target.topic}/retained 和会话 ${target.clientId}：${messageOf(error)}`,
    };
    return { layer: "clean-up", state: "warning", summary };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
