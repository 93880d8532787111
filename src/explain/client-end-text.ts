/** How a client's connection ended, in words: facts of its flight recorder go in, lines come out, in each language. */
import type { EndReason } from "../protocol/index.ts";
import type { Language, Text } from "./entry.ts";
import { durationText } from "./event-texts.ts";
import { ruleText } from "./rule-texts.ts";

/** The end of a client's connection, as the client recorded it. */
export interface ClientEndFacts {
  readonly address: string;
  readonly endedBy: "client" | "server" | "network";
  readonly reason: EndReason;
  /** What the server or the system said, or the rule that was broken. */
  readonly detail: string;
  readonly keepAliveSeconds: number;
  readonly wasAccepted: boolean;
  /** From the beginning of the attempt to the end, in seconds. */
  readonly seconds: number;
  /** From the server's last packet to the end, in seconds; null: none came. */
  readonly silentSeconds: number | null;
  /** What passed last, oldest first. */
  readonly trail: readonly {
    readonly direction: "received" | "sent";
    /** As `PUBLISH q1`. */
    readonly packet: string;
    readonly count: number;
    readonly bytes: number;
    /** Before the end. */
    readonly beforeSeconds: number;
  }[];
}

/** Packets shown. */
const MOST_PACKETS = 8;

/** Lines that say who ended the connection, by which rule, and what passed before. */
export function clientEndLines(facts: ClientEndFacts, language: Language): readonly string[] {
  const lines = [sentenceOf(facts)[language]];
  const silence = silenceText(facts);
  if (silence !== null) lines.push(silence[language]);
  const shown = facts.trail.slice(-MOST_PACKETS);
  if (shown.length === 0) return lines;
  lines.push(HEAD[language]);
  for (const { direction, packet, count, bytes, beforeSeconds } of shown) {
    const times = count > 1 ? ` x ${count}` : "";
    lines.push(
      `  -${beforeSeconds.toFixed(3)} s  ${direction === "sent" ? "->" : "<-"} ${packet}${times} (${bytes} bytes)`,
    );
  }
  return lines;
}

const HEAD: Text = {
  en: "Last packets (-> to the server, <- from it), before the end:",
  zh: "结束之前最后的报文（-> 发往服务器，<- 来自服务器）：",
};

function sentenceOf(facts: ClientEndFacts): Text {
  const { address, wasAccepted, seconds } = facts;
  const lasted = durationText(seconds);
  const how = howOf(facts);
  return wasAccepted
    ? {
        en: `The connection to ${address} ended after ${lasted.en}: ${how.en}`,
        zh: `与 ${address} 的连接持续了 ${lasted.zh}：${how.zh}`,
      }
    : {
        en: `The attempt to connect to ${address} ended after ${lasted.en}: ${how.en}`,
        zh: `连接 ${address} 的尝试在 ${lasted.zh}后结束：${how.zh}`,
      };
}

function howOf({ endedBy, reason, detail, keepAliveSeconds }: ClientEndFacts): Text {
  switch (reason) {
    case "client-disconnected":
    case "disconnected-with-will":
      return { en: "this client said goodbye (DISCONNECT)", zh: "本客户端主动断开（DISCONNECT）" };
    case "keep-alive-timeout":
      if (endedBy === "server") break;
      return {
        en: `this client ended it, as PINGREQ had no answer within its keep-alive of ${keepAliveSeconds} s`,
        zh: `本客户端断开，因为 PINGREQ 在 keep-alive（${keepAliveSeconds} 秒）之内没有得到应答`,
      };
    case "connect-timeout":
      return {
        en: "this client ended it, as CONNECT had no answer in time",
        zh: "本客户端断开，因为 CONNECT 没有及时得到应答",
      };
    default:
  }
  switch (endedBy) {
    case "server":
      return { en: `the server's side ended it: ${detail}`, zh: `服务器一侧断开：${ruleText(detail, "zh")}` };
    case "client":
      return {
        en: `this client ended it, as the server broke a rule: ${detail}`,
        zh: `服务器违反协议，本客户端断开：${ruleText(detail, "zh")}`,
      };
    default:
      return { en: `the network failed: ${detail}`, zh: `网络出错：${detail}` };
  }
}

function silenceText({ silentSeconds, wasAccepted }: ClientEndFacts): Text | null {
  if (silentSeconds === null || !wasAccepted) return null;
  const time = durationText(silentSeconds);
  return {
    en: `The server's last packet came ${time.en} before the end.`,
    zh: `服务器的最后一个报文是在结束前 ${time.zh}收到的。`,
  };
}
