/** Subscriptions and rights: granted, refused, silent. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type SubscribingKey =
  | "acl-denied"
  | "granted"
  | "no-local"
  | "no-subscribers"
  | "no-subscription-existed"
  | "nothing-arrives"
  | "subscription-exists"
  | "subscription-kind-refused"
  | "subscription-refused";

/** The meanings. */
export const SUBSCRIBING: Meanings<SubscribingKey> = {
  granted: {
    title: { en: "the subscription is granted, with this QoS as its maximum", zh: "订阅成功，这是授予的最大 QoS" },
    means: {
      en: "This is a QoS and not an error. It may be lower than asked for. Messages then come with at most this QoS.",
      zh: "这是 QoS，不是错误。它可能低于请求的值，之后的消息最多以这个 QoS 投递。",
    },
    causes: [
      {
        why: { en: "lower than asked for: the broker's max_qos", zh: "低于请求值：服务器的 max_qos" },
        run: "lacewing sub -h BROKER -t FILTER -q 2 -d",
        see: { en: "the number in SUBACK", zh: "SUBACK 中的数字" },
        fix: { en: "raise max_qos, or live with it", zh: "提高 max_qos，或接受现状" },
      },
    ],
    afterwards: {
      en: "libmosquitto's on_subscribe gives the mid of the SUBSCRIBE and the list granted_qos, one number for each filter; 128 and above are refusals.",
      zh: "libmosquitto 的 on_subscribe 给出 SUBSCRIBE 的 mid 和 granted_qos 列表，每个过滤器一个数；128 及以上是拒绝。",
    },
    read: ["[5.0 §3.9.3]", "mosquitto.h, mosquitto_subscribe_callback_set"],
  },
  "no-subscribers": {
    title: { en: "nobody has subscribed to that topic", zh: "没有匹配的订阅者" },
    means: {
      en: "The broker took the message and found no one to give it to. For the sender this is success.",
      zh: "服务器收下了消息，但没有人订阅。对发送方而言这是成功。",
    },
    causes: [
      {
        why: {
          en: 'topic and filter differ: a leading "/", letter case, one level more',
          zh: "主题与过滤器不一致：开头的 “/”、大小写、多一级",
        },
        run: "lacewing sub -h BROKER -t '#' -v",
        see: { en: "the topic as it really arrives", zh: "实际到达的主题" },
        fix: { en: "make them equal", zh: "改成一致" },
      },
      {
        why: { en: "the subscriber is offline and has a clean session", zh: "订阅者离线且使用 clean session" },
        run: "journalctl -u mosquitto -n 200",
        see: { en: '"c1" in its "New client connected" line', zh: "“New client connected” 行里的 c1" },
        fix: { en: "a persistent session (-c -i NAME)", zh: "使用持久会话（-c -i NAME）" },
      },
    ],
    read: ["[5.0 §3.4.2.1]"],
  },
  "no-subscription-existed": {
    title: { en: "there was no such subscription to remove", zh: "要取消的订阅不存在" },
    means: { en: "Harmless: what was to be removed is not there.", zh: "无害：要删除的订阅本来就没有。" },
    causes: [
      {
        why: {
          en: "the session was lost in between, or the filter is written differently",
          zh: "会话已丢失，或过滤器写法不同",
        },
        see: { en: "session present in CONNACK", zh: "CONNACK 中的 session present" },
        fix: { en: "nothing, or use the very same filter", zh: "忽略，或使用完全相同的过滤器" },
      },
    ],
    read: ["[5.0 §3.11.3]"],
  },
  "nothing-arrives": {
    title: { en: "subscribed, and nothing arrives", zh: "订阅成功但收不到消息" },
    means: {
      en: "The subscription is there, and no message reaches it. Most often the topic differs or the rules withhold it silently. A Lacewing broker tells which: lacewing why-not -h BROKER -t TOPIC --to CLIENT_ID.",
      zh: "订阅存在，但收不到消息。最常见的是主题不一致，或 ACL 静默拦截。Lacewing 服务器会说明是哪一种：lacewing why-not -h BROKER -t TOPIC --to CLIENT_ID。",
    },
    causes: [
      {
        why: {
          en: 'topic and filter differ: a leading "/", letter case, number of levels',
          zh: "主题与过滤器不一致：开头的 “/”、大小写、级数",
        },
        run: "lacewing sub -h BROKER -t '#' -v",
        see: { en: "whether and under which topic it arrives", zh: "消息是否到达，主题到底是什么" },
        fix: {
          en: 'make them equal; "#" does not match topics that begin with "$"',
          zh: "改成一致；“#” 不匹配以 “$” 开头的主题",
        },
      },
      {
        why: { en: "the ACL lets the client subscribe, and withholds the messages", zh: "ACL 允许订阅，但不投递消息" },
        run: "lacewing sub -h BROKER -u USER -P PASSWORD -t TOPIC -d",
        see: { en: "whether another user receives the same message", zh: "换一个用户是否能收到" },
        fix: { en: 'add "topic read TOPIC" for this user', zh: "给该用户加 “topic read TOPIC”" },
      },
      {
        why: {
          en: "after a reconnect the session was not resumed, and nobody subscribed again",
          zh: "重连后会话没有恢复，也没有重新订阅",
        },
        see: {
          en: 'session present in CONNACK ("Sending CONNACK to X (0, 0)" means no)',
          zh: "CONNACK 的 session present(“Sending CONNACK to X (0, 0)” 表示没有)",
        },
        fix: { en: "subscribe in on_connect", zh: "在 on_connect 中订阅" },
      },
      {
        why: {
          en: "a retained message is expected that was not retained, or QoS 0 while offline",
          zh: "以为有保留消息但其实没有；或离线期间的 QoS 0 消息",
        },
        run: "lacewing sub -h BROKER -t TOPIC -W 2 -F '%r %t %p'",
        see: { en: "1 in the first column: it is retained", zh: "第一列为 1 表示是保留消息" },
        fix: {
          en: "publish with -r, or with QoS 1 to a persistent session",
          zh: "发布时加 -r，或对持久会话使用 QoS 1",
        },
      },
      {
        why: { en: "two brokers: the publisher uses another one", zh: "其实有两个服务器，发布者连的是另一个" },
        run: "ss -ltnp",
        see: { en: "more than one program on MQTT ports", zh: "是否有多个程序占用 MQTT 端口" },
        fix: { en: "connect both to the same one", zh: "让双方连到同一个" },
      },
    ],
    read: ["[5.0 §4.7]"],
  },
  "subscription-exists": {
    title: { en: "the subscription was there already", zh: "订阅已存在" },
    means: { en: "Normal after a resumed session.", zh: "恢复会话后重新订阅属正常现象。" },
    causes: [],
    read: ["[5.0 MQTT-3.8.4-3]"],
  },
  "subscription-kind-refused": {
    title: { en: "the broker does not have this kind of subscription", zh: "服务器不支持这种订阅" },
    means: {
      en: "Shared subscriptions, subscription identifiers or wildcards are not available there.",
      zh: "该服务器不支持共享订阅、订阅标识符或通配符。",
    },
    causes: [
      {
        why: { en: "the broker's configuration or kind", zh: "服务器的配置或类型所限" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what it supports", zh: "它支持哪些功能" },
        fix: {
          en: "a plain filter, without the identifier, wildcard or $share",
          zh: "使用普通过滤器，不带标识符、通配符或 $share",
        },
      },
    ],
    read: ["[5.0 §3.2.2.3]"],
  },
  "subscription-refused": {
    title: { en: "the broker refused the subscription", zh: "订阅被拒绝" },
    means: {
      en: "SUBACK has 128 or more in the place of the granted QoS. Many libraries report this as success.",
      zh: "SUBACK 中授予 QoS 的位置是 128 或更大的值。很多库会把它当成成功。",
    },
    causes: [
      {
        why: { en: "the rules of the broker", zh: "服务器权限规则" },
        run: "lacewing sub -h BROKER -V 5 -u USER -P PASSWORD -t FILTER -d",
        see: { en: "the reason code in SUBACK", zh: "SUBACK 中的原因码" },
        fix: { en: "grant the filter, or subscribe to a narrower one", zh: "授权该过滤器，或订阅更窄的主题" },
      },
      {
        why: {
          en: 'the filter itself is not legal: "#" not last, "+" not alone in its level',
          zh: "过滤器不合法：“#” 不在最后，“+” 没有独占一级",
        },
        see: { en: "the filter", zh: "检查过滤器" },
        fix: { en: "a/b/# and a/+/c are legal", zh: "合法的写法如 a/b/# 和 a/+/c" },
      },
    ],
    read: ["[3.1.1 §3.9.3]"],
  },
  "no-local": {
    title: { en: "a client does not get its own message back", zh: "客户端不会收到自己发布的消息" },
    means: {
      en: "It subscribed with no local, and published the message itself.",
      zh: "订阅时设置了 no local，而消息是它自己发布的。",
    },
    causes: [],
    read: ["[5.0 MQTT-3.8.3-3]"],
  },
  "acl-denied": {
    title: { en: "the broker's rules do not allow this topic", zh: "ACL 规则不允许该主题" },
    means: {
      en: "The client is connected, and may not publish or subscribe to this topic.",
      zh: "客户端已连接，但无权发布或订阅该主题。",
    },
    causes: [
      {
        why: { en: "no line of the ACL file matches user and topic", zh: "ACL 文件中没有匹配该用户和主题的行" },
        run: "grep -n -E '^(user|topic|pattern)' /etc/mosquitto/aclfile",
        see: {
          en: 'the lines below "user" of this client; letter case and leading "/" count',
          zh: "该用户 user 行之下的规则；区分大小写，开头的 “/” 也算",
        },
        fix: {
          en: 'add "topic readwrite TOPIC" below the user, and reload (SIGHUP)',
          zh: "在该用户下加 “topic readwrite TOPIC”，并重新加载（SIGHUP）",
        },
      },
      {
        why: { en: "a pattern with %u, and the client has no user name", zh: "规则用了 %u，而客户端没有用户名" },
        run: "journalctl -u mosquitto -n 200",
        see: { en: "u'...' in its \"New client connected\" line", zh: "“New client connected” 行里是否有 u'...'" },
        fix: { en: "connect with a user name, or use %c", zh: "使用用户名连接，或改用 %c" },
      },
      {
        why: { en: "dynamic security: no role of the client allows it", zh: "dynsec：客户端的角色不允许" },
        run: "mosquitto_ctrl dynsec getClient USER",
        see: { en: "its roles; then getRole for each", zh: "它的角色；再逐个 getRole" },
        fix: {
          en: "mosquitto_ctrl dynsec addRoleACL ROLE publishClientSend TOPIC allow 5",
          zh: "mosquitto_ctrl dynsec addRoleACL ROLE publishClientSend TOPIC allow 5",
        },
      },
    ],
    afterwards: {
      en: "A 5.0 publisher gets 135 in PUBACK or PUBREC; a 3.1.1 publisher gets a normal PUBACK and the message is gone. mosquitto's ACL file refuses no SUBSCRIBE: it withholds the messages.",
      zh: "5.0 发布者在 PUBACK/PUBREC 中收到 135；3.1.1 发布者收到正常的 PUBACK，但消息已丢弃。mosquitto 的 acl_file 不会拒绝订阅，只是不投递消息。",
    },
    read: ["mosquitto.conf(5), acl_file"],
  },
};
