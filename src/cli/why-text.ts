/** The answer of `lacewing why` in words. */
import type { Requests } from "../admin/index.ts";
import {
  deliveryText,
  durationText,
  type EndFacts,
  endText,
  explanationOf,
  type Language,
  type PatternFacts,
  patternText,
} from "../explain/index.ts";
import { type ConnectionRecord, type Incident, type Pattern, patternsOf } from "../observe/index.ts";
import { packetName } from "../protocol/index.ts";
import { say } from "./language.ts";
import { dateText, trailText } from "./packet-text.ts";
import { counted } from "./quantities.ts";

const VERSIONS: Readonly<Record<number, string>> = { 3: "MQTT 3.1", 4: "MQTT 3.1.1", 5: "MQTT 5.0" };

/** Lines for a client of which something is known. */
export function whyLines(
  clientId: string,
  answer: Requests["why"]["answer"],
  limit: number,
  language: Language,
): readonly string[] {
  const { connections, losses } = answer;
  const shown = connections.slice(-limit);
  const lines: string[] = [];
  for (const record of shown) lines.push(...connectionLines(record, language), "");
  const last = shown.at(-1)!;
  if (last.trail.length > 0) {
    lines.push(
      say(language, "Last packets (<- from the client, -> to it):", "最后的报文（<- 来自客户端，-> 发往客户端）："),
    );
    for (const entry of last.trail.slice(-12)) lines.push(`  ${trailText(entry)}`);
    lines.push("");
  }
  lines.push(...meaningLines(last, language));
  const patterns = patternsOf(connections);
  if (patterns.length > 0) {
    lines.push(say(language, "What they have in common:", "共同点："));
    for (const pattern of patterns) lines.push(`  ${patternText(patternFacts(pattern), language)}`);
    lines.push("");
  }
  if (losses.length > 0) {
    lines.push(say(language, "Messages that did not reach it:", "没有送达的消息："));
    for (const loss of losses) lines.push(`  ${lossText(loss, language)}`);
    lines.push("");
  }
  const note = say(
    language,
    `The broker remembers since ${dateText(answer.sinceMs)}: ${counted(connections.length, "connection")} of ${clientId}.`,
    `服务器自 ${dateText(answer.sinceMs)} 起有记录；已知 ${clientId} 的 ${connections.length} 次连接。`,
  );
  return [...lines, note];
}

function connectionLines(record: ConnectionRecord, language: Language): readonly string[] {
  const { remoteAddress, version, keepAliveSeconds, username, openedMs, endedMs, wasAccepted } = record;
  const facts = [
    remoteAddress,
    VERSIONS[version] ?? say(language, "no CONNECT", "无 CONNECT"),
    `keep-alive ${keepAliveSeconds} s`,
    ...(username === null ? [] : [say(language, `user ${username}`, `用户 ${username}`)]),
  ];
  const lines = [`${dateText(openedMs)}  ${facts.join(", ")}`];
  if (endedMs === null) {
    lines.push(say(language, "  is connected now", "  目前在线"));
  } else {
    const lasted = durationText((endedMs - openedMs) / 1000)[language];
    const what = endText(endFactsOf(record), language);
    const verb = wasAccepted
      ? say(language, `ended after ${lasted}`, `持续 ${lasted}`)
      : say(language, `was refused after ${lasted}`, `${lasted}后被拒绝`);
    lines.push(`  ${verb}${say(language, ": ", "：")}${what}`);
  }
  for (const denied of record.denied) lines.push(`  ${lossText(denied, language)}`);
  return lines;
}

/** What the catalogue says of an end that nobody wished for. */
function meaningLines({ reason }: ConnectionRecord, language: Language): readonly string[] {
  const meaning = reason === null ? null : explanationOf({ space: "end", code: reason }, language);
  if (meaning === null || meaning.causes.length === 0) return [];
  const { title, means, causes, name } = meaning;
  const [cause] = causes;
  return [
    say(language, `What that means: ${title}.`, `这意味着：${title}。`),
    `  ${means}`,
    say(language, `  Likeliest: ${cause!.why}`, `  最可能：${cause!.why}`),
    say(language, `  Fix: ${cause!.fix}`, `  处理：${cause!.fix}`),
    say(language, `  More: lacewing explain ${name} --from broker`, `  详情：lacewing explain ${name} --from broker`),
    "",
  ];
}

function endFactsOf(record: ConnectionRecord): EndFacts {
  const { reason, detail, keepAliveSeconds, endedMs, lastReceivedMs, takenOverBy, denied, trail } = record;
  const last = trail.at(-1);
  const lastDenied = denied.at(-1);
  return {
    reason: reason!,
    detail,
    keepAliveSeconds,
    silentSeconds: (endedMs! - lastReceivedMs) / 1000,
    takenOverBy,
    denied: lastDenied === undefined ? null : { topic: lastDenied.topic, beforeMs: endedMs! - lastDenied.lastMs },
    last:
      last === undefined
        ? null
        : { by: byOf(last.direction), packet: packetName(last.firstByte), beforeMs: endedMs! - last.lastMs },
  };
}

function byOf(direction: "received" | "sent"): "client" | "broker" {
  return direction === "received" ? "client" : "broker";
}

function patternFacts(pattern: Pattern): PatternFacts {
  if (pattern.kind !== "same-last-packet") return pattern;
  const { kind, direction, firstByte, times } = pattern;
  return { kind, by: byOf(direction), packet: packetName(firstByte), times };
}

/** What was denied or lost, how often, and when last. */
export function lossText({ kind, topic, count, lastMs }: Incident, language: Language): string {
  const times = say(language, `${count} x, last ${dateText(lastMs)}`, `${count} 次，最近 ${dateText(lastMs)}`);
  if (kind === "subscribe-denied")
    return say(language, `SUBSCRIBE to ${topic} was refused (${times})`, `订阅 ${topic} 被拒绝（${times}）`);
  if (kind === "publish-denied")
    return say(language, `PUBLISH to ${topic} was denied (${times})`, `发布到 ${topic} 被拒绝（${times}）`);
  return `${topic} (${times}): ${deliveryText({ kind: "dropped", reason: kind }, language)}`;
}
