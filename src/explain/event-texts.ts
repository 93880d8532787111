/**
 * What happened, in words: why a connection ended, what several of them have in common, what stops a message. Facts go in, one or two
 * sentences come out, in each language.
 */
import type { MissKind } from "../core/index.ts";
import type { DropReason, EndReason } from "../protocol/index.ts";
import { END_REASONS } from "../protocol/index.ts";
import type { Language, Text } from "./entry.ts";
import { explanationOf } from "./explain.ts";
import { ruleText } from "./rule-texts.ts";

/** The end of a connection, as it was recorded. */
export interface EndFacts {
  readonly reason: EndReason;
  /** The rule that was broken, when one was. */
  readonly detail: string | null;
  readonly keepAliveSeconds: number;
  /** From the client's last packet to the end. */
  readonly silentSeconds: number;
  readonly takenOverBy: string | null;
  /** What was denied last, and how long before the end, in milliseconds. */
  readonly denied: { readonly topic: string; readonly beforeMs: number } | null;
  /** The last packet and how long before the end it passed, in milliseconds. */
  readonly last: { readonly by: "client" | "broker"; readonly packet: string; readonly beforeMs: number } | null;
}

/** A denial so short before the end explains it. */
const AT_ONCE_MS = 1000;

/** Why a connection ended: the rule, with the numbers. */
export function endText(facts: EndFacts, language: Language): string {
  return sentenceOf(facts)[language];
}

function sentenceOf(facts: EndFacts): Text {
  const { reason, detail, keepAliveSeconds, silentSeconds, takenOverBy } = facts;
  switch (reason) {
    case "client-disconnected":
      return {
        en: `the client said goodbye (DISCONNECT)${detail === null ? "" : `: ${detail}`}`,
        zh: `客户端主动断开（DISCONNECT）${detail === null ? "" : `：${ruleText(detail, "zh")}`}`,
      };
    case "disconnected-with-will":
      return {
        en: "the client said goodbye and asked for its will to be published (DISCONNECT 0x04)",
        zh: "客户端主动断开，并要求发布遗嘱（DISCONNECT 0x04）",
      };
    case "keep-alive-timeout": {
      const [allowed, silent] = [shown(keepAliveSeconds * 1.5), shown(silentSeconds)];
      return {
        en: `no packet for ${silent} s; keep-alive ${keepAliveSeconds} s allows ${allowed} s`,
        zh: `${silent} 秒没有收到任何报文；keep-alive ${keepAliveSeconds} 秒最多允许 ${allowed} 秒`,
      };
    }
    case "session-taken-over": {
      const where =
        takenOverBy === null ? { en: "", zh: "" } : { en: ` from ${takenOverBy}`, zh: `（${takenOverBy}）` };
      return {
        en: `the same client identifier connected again${where.en}`,
        zh: `同一个客户端标识符再次连接${where.zh}`,
      };
    }
    case "connection-closed":
      return closedText(facts);
    case "network-error":
      return {
        en: `the network failed${afterText(facts).en}; the client did not say goodbye`,
        zh: `网络出错${afterText(facts).zh}；客户端没有发送 DISCONNECT`,
      };
    default: {
      const text = END_REASONS[reason].log;
      if (detail !== null) return { en: detail, zh: ruleText(detail, "zh") };
      return { en: text, zh: explanationOf({ space: "end", code: reason }, "zh")?.title ?? text };
    }
  }
}

function closedText(facts: EndFacts): Text {
  const { denied } = facts;
  if (denied !== null && denied.beforeMs <= AT_ONCE_MS) {
    const ms = Math.round(denied.beforeMs);
    return {
      en: `the client closed the connection ${ms} ms after something that the rules denied: ${denied.topic}`,
      zh: `在规则拒绝 ${denied.topic} 之后 ${ms} 毫秒，客户端关闭了连接`,
    };
  }
  return {
    en: `the client's side closed the connection without a DISCONNECT${afterText(facts).en}`,
    zh: `客户端一侧没有发送 DISCONNECT 就关闭了连接${afterText(facts).zh}`,
  };
}

function afterText({ last }: EndFacts): Text {
  if (last === null) return { en: "", zh: "" };
  const time = durationText(last.beforeMs / 1000);
  const who = last.by === "client" ? { en: "the client's", zh: "客户端的" } : { en: "the broker's", zh: "服务器的" };
  return { en: `, ${time.en} after ${who.en} ${last.packet}`, zh: `（在${who.zh} ${last.packet} 之后 ${time.zh}）` };
}

/** A pattern in the connections of one client; `observe/patterns.ts` finds them. */
export type PatternFacts =
  | { readonly kind: "regular-length" | "regular-silence"; readonly seconds: number; readonly times: number }
  | { readonly kind: "identifier-fight"; readonly addresses: readonly string[]; readonly times: number }
  | {
      readonly kind: "same-last-packet";
      readonly packet: string;
      readonly by: "client" | "broker";
      readonly times: number;
    }
  | { readonly kind: "no-back-off"; readonly times: number; readonly medianPauseMs: number }
  | { readonly kind: "lost-with-others"; readonly all: number; readonly sameNetwork: number }
  | { readonly kind: "refused-again"; readonly reason: EndReason; readonly times: number };

/** What a pattern shows and what to do. */
export function patternText(facts: PatternFacts, language: Language): string {
  return patternSentences(facts)[language];
}

function patternSentences(facts: PatternFacts): Text {
  switch (facts.kind) {
    case "regular-silence": {
      const { seconds, times } = facts;
      return {
        en: `${times} connections ended when nothing had passed for ${shown(seconds)} s. A NAT, firewall or load balancer on the way forgets idle connections: a keep-alive below ${shown(seconds)} s keeps them.`,
        zh: `${times} 次连接都在静默 ${shown(seconds)} 秒后断开。路径上的 NAT、防火墙或负载均衡会丢弃空闲连接：把 keep-alive 设到 ${shown(seconds)} 秒以下。`,
      };
    }
    case "regular-length": {
      const { seconds, times } = facts;
      return {
        en: `${times} connections lasted ${shown(seconds)} s each. Something ends them by the clock: a proxy's time limit, a token that expires, or a timer or watchdog in the device.`,
        zh: `${times} 次连接都持续了 ${shown(seconds)} 秒。有东西按时间断开它们：代理的时限、过期的令牌，或设备里的定时器或看门狗。`,
      };
    }
    case "identifier-fight": {
      const where = facts.addresses.join(", ");
      return {
        en: `${facts.times} takeovers: more than one client uses this client identifier (${where}), and each throws the other out. Give each its own.`,
        zh: `被接管 ${facts.times} 次：不止一个客户端在用这个标识符（${where}），互相踢下线。请给每个客户端不同的标识符。`,
      };
    }
    case "same-last-packet": {
      const { packet, by, times } = facts;
      return {
        en: `The last ${times} connections ended right after the ${by}'s ${packet}. Look at what the client does with it.`,
        zh: `最近 ${times} 次连接都在${by === "client" ? "客户端" : "服务器"}的 ${packet} 之后立即断开。请检查客户端如何处理它。`,
      };
    }
    case "no-back-off": {
      const pause = durationText(facts.medianPauseMs / 1000);
      return {
        en: `It comes back after ${pause.en} each time (${facts.times} times): let it wait longer after each failure.`,
        zh: `每次断开 ${pause.zh} 后就重连（${facts.times} 次）：每次失败后应等待更久。`,
      };
    }
    case "lost-with-others": {
      const { all, sameNetwork } = facts;
      const near =
        sameNetwork * 2 > all
          ? {
              en: "Most are in the same network: its uplink or access point failed.",
              zh: "多数在同一网络：可能是它的上行链路或接入点故障。",
            }
          : {
              en: "They are in several networks: look at the broker's own network and at what it was doing then.",
              zh: "它们分布在不同网络：请检查服务器自身的网络和当时的负载。",
            };
      return {
        en: `${all} other clients fell silent within the same minute, ${sameNetwork} of them in the same network. ${near.en}`,
        zh: `同一分钟内还有 ${all} 个客户端失去联系，其中 ${sameNetwork} 个在同一网络。${near.zh}`,
      };
    }
    case "refused-again": {
      const { log } = END_REASONS[facts.reason];
      const title = explanationOf({ space: "end", code: facts.reason }, "zh")?.title ?? log;
      return {
        en: `Refused ${facts.times} times in a row for the same reason (${log}): it tries on, but nothing will change by that.`,
        zh: `连续 ${facts.times} 次因同一原因被拒绝（${title}）：继续重试不会有变化。`,
      };
    }
  }
}

/** What stops a message, or nothing; `core/tracing.ts` finds it. */
export type DeliveryFacts =
  | { readonly kind: "sent" | "queued" | "publish-denied" | "control-topic" | "session-unknown" }
  | { readonly kind: "publish-invalid"; readonly message: string }
  | { readonly kind: "no-subscription-matches" }
  | { readonly kind: "shared-with"; readonly group: string; readonly clientId: string | null }
  | { readonly kind: "dropped"; readonly reason: DropReason };

/** What becomes of a message and what to do. */
export function deliveryText(facts: DeliveryFacts, language: Language): string {
  return deliverySentences(facts)[language];
}

function deliverySentences(facts: DeliveryFacts): Text {
  switch (facts.kind) {
    case "sent":
      return { en: "It would be sent to the client at once.", zh: "消息会立即发给该客户端。" };
    case "queued":
      return {
        en: "It would wait in the client's session and be sent when the client is there and can take it.",
        zh: "消息会在会话中排队，等客户端在线且能接收时发送。",
      };
    case "publish-denied":
      return {
        en: "The publisher may not publish to this topic. Give it write access in the broker's rules (acl_file, dynamic security).",
        zh: "发布者无权发布到这个主题。请在服务器规则（acl_file、动态安全）里给它写权限。",
      };
    case "control-topic":
      return {
        en: "Topics below $CONTROL/ are requests to the broker; no subscriber gets them.",
        zh: "$CONTROL/ 之下的主题是对服务器的请求；订阅者收不到。",
      };
    case "session-unknown":
      return {
        en: "No client of that identifier is connected, and none is remembered: it is away with a clean session, has expired, or never came.",
        zh: "没有这个标识符的客户端在线，也没有它的会话：它以 clean session 断开了、会话已过期，或从未连接过。",
      };
    case "publish-invalid":
      return {
        en: `Nobody can publish that: ${facts.message}.`,
        zh: `无法这样发布：${ruleText(facts.message, "zh")}。`,
      };
    case "no-subscription-matches":
      return {
        en: "None of the client's subscriptions matches the topic.",
        zh: "该客户端的订阅没有一个匹配这个主题。",
      };
    case "shared-with": {
      const { clientId, group } = facts;
      return clientId === null
        ? {
            en: `Nobody of the shared subscription ${group} can take it now.`,
            zh: `共享订阅 ${group} 的成员现在都不能接收。`,
          }
        : {
            en: `It would go to ${clientId}, whose turn it is: of a shared subscription (${group}) each message goes to one member.`,
            zh: `这次轮到 ${clientId}：共享订阅（${group}）的每条消息只发给一个成员。`,
          };
    }
    case "dropped":
      return DROPPED[facts.reason];
  }
}

/** Why one message did not reach one Session, and what to do. */
const DROPPED: Readonly<Record<DropReason, Text>> = {
  "no-subscription-matches": {
    en: "No subscription matches the topic.",
    zh: "没有订阅匹配这个主题。",
  },
  "publish-denied": {
    en: "The publisher may not publish to this topic: see the broker's rules.",
    zh: "发布者无权发布到这个主题：请查看服务器规则。",
  },
  "receive-denied": {
    en: "The client may not read this topic, although it was allowed to subscribe: give it read access in the broker's rules.",
    zh: "该客户端无权读取这个主题，尽管订阅被接受了：请在服务器规则里给它读权限。",
  },
  "source-denied": {
    en: "Whoever published the retained message has lost the right to since (check_retain_source). Give it back in the broker's rules, publish the message anew, or set check_retain_source false.",
    zh: "发布这条保留消息的客户端后来失去了发布权限（check_retain_source）。请在服务器规则里恢复权限、重新发布该消息，或设置 check_retain_source false。",
  },
  "no-local": {
    en: "The client published it itself and subscribed with No Local, which keeps its own messages from it.",
    zh: "消息是它自己发布的，而它以 No Local 订阅，收不到自己的消息。",
  },
  "session-offline": {
    en: "The client is away, and QoS 0 does not wait for it (nor does anything, if its session ends with the connection). Publish and subscribe with QoS 1, with a client identifier and a session that lasts (-c, or a session expiry).",
    zh: "客户端不在线，QoS 0 不会为它保留（若会话随连接结束，则什么都不保留）。请用 QoS 1 发布和订阅，并使用固定标识符和持久会话（-c 或 session expiry）。",
  },
  "receiver-slow": {
    en: "The client reads more slowly than messages come; QoS 0 is dropped for it. Subscribe with QoS 1, or to less.",
    zh: "客户端读取速度跟不上；QoS 0 的消息被丢弃。请用 QoS 1 订阅，或减少订阅量。",
  },
  "queue-full": {
    en: "The session's queue is full (max_queued_messages). The client has been away or busy for too long, or the bound is too low.",
    zh: "会话队列已满（max_queued_messages）。客户端离线或忙碌太久，或上限太低。",
  },
  "queue-bytes-full": {
    en: "The session's queue holds as many bytes as it may (max_queued_bytes).",
    zh: "会话队列的字节数已达上限（max_queued_bytes）。",
  },
  "message-expired": {
    en: "The message expired before it could be sent (Message Expiry Interval).",
    zh: "消息在发送前已过期（Message Expiry Interval）。",
  },
  "outside-mount-point": {
    en: "The client's listener has a mount_point, and the topic is not below it: it sees nothing else.",
    zh: "该客户端所在的监听器设置了 mount_point，而主题不在其下：它看不到别的主题。",
  },
  "payload-too-large": {
    en: "The payload is larger than message_size_limit. Send less at once, or raise the limit.",
    zh: "消息内容超过 message_size_limit。请减小消息，或提高上限。",
  },
  "memory-limit": {
    en: "The broker holds as much for its clients as memory_limit allows. Clients that are away or slow fill it; raise the limit or bound their queues.",
    zh: "服务器为客户端保存的数据已达 memory_limit。离线或缓慢的客户端占满了它；请提高上限，或限制它们的队列。",
  },
  "too-large-for-receiver": {
    en: "The packet is larger than the client takes (Maximum Packet Size in its CONNECT).",
    zh: "报文超过客户端的接收上限（CONNECT 中的 Maximum Packet Size）。",
  },
  "store-damaged": {
    en: "Its record on the disk was damaged and has been set aside: see lacewing store check.",
    zh: "它在磁盘上的记录已损坏并被隔离：请运行 lacewing store check。",
  },
  "session-ended": {
    en: "The session ended before the message could be delivered.",
    zh: "会话在消息送达之前结束了。",
  },
  "bridge-loop": {
    en: "A bridge brought a message that had been here before, or that has crossed 16 bridges: bridges form a ring.",
    zh: "桥接带来了一条曾经到过这里、或已经过 16 个桥接的消息：桥接形成了环路。",
  },
};

const NEAR_MISSES: Readonly<Record<MissKind, Text>> = {
  "letter-case": {
    en: "upper and lower case differ, and topics are case-sensitive",
    zh: "大小写不同，而主题区分大小写",
  },
  "leading-slash": { en: 'one begins with "/", which is a level of its own', zh: "其中一个以 “/” 开头，这算单独一级" },
  "trailing-slash": { en: 'one ends with "/", which is a level of its own', zh: "其中一个以 “/” 结尾，这算单独一级" },
  "white-space": { en: "white space differs", zh: "空白字符不同" },
  "name-deeper": {
    en: 'the topic has more levels; a "#" at the end would take them',
    zh: "主题层级更多；末尾加 “#” 才能匹配",
  },
  "filter-deeper": { en: "the filter has more levels than the topic", zh: "过滤器的层级比主题多" },
  "dollar-topic": { en: 'wildcards do not take topics that begin with "$"', zh: "通配符不匹配以 “$” 开头的主题" },
  spelling: { en: "one level is spelled differently", zh: "有一级拼写不同" },
};

/** How a filter and a topic differ. */
export function nearMissText(kind: MissKind, language: Language): string {
  return NEAR_MISSES[kind][language];
}

function shown(seconds: number): string {
  return seconds >= 10 ? String(Math.round(seconds * 10) / 10) : String(Math.round(seconds * 100) / 100);
}

/** A length of time in words. */
export function durationText(seconds: number): Text {
  if (seconds < 1) {
    const ms = Math.max(0, Math.round(seconds * 1000));
    return { en: `${ms} ms`, zh: `${ms} 毫秒` };
  }
  if (seconds < 120) return { en: `${shown(seconds)} s`, zh: `${shown(seconds)} 秒` };
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return { en: `${minutes} min`, zh: `${minutes} 分钟` };
  const hours = Math.round(minutes / 60);
  if (hours < 48) return { en: `${hours} h`, zh: `${hours} 小时` };
  const days = Math.round(hours / 24);
  return { en: `${days} days`, zh: `${days} 天` };
}
