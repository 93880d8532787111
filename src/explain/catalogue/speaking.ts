/** Mistakes of the protocol and of arguments. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type SpeakingKey =
  | "already-exists"
  | "duplicate-property"
  | "exact-reason-unknown"
  | "implementation-specific"
  | "invalid-argument"
  | "malformed-packet"
  | "malformed-utf8"
  | "not-mqtt"
  | "not-supported"
  | "packet-id-in-use"
  | "packet-id-unknown"
  | "payload-format"
  | "payload-too-large"
  | "plugin-internal"
  | "protocol-error"
  | "success"
  | "topic-alias"
  | "topic-filter-invalid"
  | "topic-name-invalid"
  | "unsubscribe-refused"
  | "wrong-usage";

/** The meanings. */
export const SPEAKING: Meanings<SpeakingKey> = {
  success: {
    title: { en: "no error", zh: "没有错误" },
    means: { en: "All is well.", zh: "一切正常。" },
    causes: [],
    afterwards: {
      en: 'Of a process this means "handed over" and not "delivered": a broker of 3.1.1 cannot refuse a message.',
      zh: "作为进程退出码只表示“已交出”，不表示“已送达”：3.1.1 服务器无法拒绝消息。",
    },
    read: ["mosquitto.h"],
  },
  "protocol-error": {
    title: { en: "what was sent is not allowed in MQTT", zh: "协议错误：收到了不符合 MQTT 的内容" },
    means: {
      en: "The bytes could be read, and break a rule. libmosquitto also returns this for every refusal of MQTT 5, a wrong password included.",
      zh: "数据可以解析，但违反了规则。另外，libmosquitto 对 MQTT 5 的任何拒绝（包括密码错误）都返回它。",
    },
    causes: [
      {
        why: {
          en: "MQTT 5: the broker refused, for instance the password",
          zh: "MQTT 5：服务器拒绝连接，例如密码错误",
        },
        run: "lacewing sub -h BROKER -V 5 -u USER -P PASSWORD -t TOPIC -d",
        see: { en: "the reason code in the CONNACK line", zh: "CONNACK 行里的原因码" },
        fix: {
          en: "explain that code: lacewing explain 135 --from connack",
          zh: "解释该码：lacewing explain 135 --from connack",
        },
      },
      {
        why: {
          en: "the port speaks something else: TLS, HTTP or WebSocket",
          zh: "端口不是普通 MQTT，而是 TLS、HTTP 或 WebSocket",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "端口上是什么协议" },
        fix: { en: "match scheme and port", zh: "让协议与端口一致" },
      },
      {
        why: {
          en: 'a bug of the client: packet identifier 0, wrong flags, a second CONNECT, "$share" with no local',
          zh: "客户端缺陷：报文标识符为 0、标志错误、重复 CONNECT、“$share” 与 no local 同用",
        },
        run: "tcpdump -ni any -X tcp port PORT",
        see: { en: "the last packet before the end", zh: "断开前的最后一个包" },
        fix: { en: "upgrade or mend the client", zh: "升级或修复客户端" },
      },
      {
        why: { en: "the broker knows another version of MQTT only", zh: "服务器只支持其他 MQTT 版本" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "which versions it takes", zh: "支持哪些版本" },
        fix: { en: "-V 311 or -V 5", zh: "使用 -V 311 或 -V 5" },
      },
    ],
    read: ["[5.0 §4.13]"],
  },
  "not-mqtt": {
    title: { en: "the first bytes are not a CONNECT", zh: "第一个数据包不是 MQTT CONNECT" },
    means: {
      en: "Something connected to the MQTT port and spoke something else: TLS, HTTP, WebSocket, a scanner.",
      zh: "有程序连到 MQTT 端口，但说的不是 MQTT：可能是 TLS、HTTP、WebSocket 或端口扫描。",
    },
    causes: [
      {
        why: {
          en: "a TLS client on the plain port: its first bytes are 16 03",
          zh: "TLS 客户端连到了明文端口：开头字节是 16 03",
        },
        run: "tcpdump -ni any -X tcp port PORT",
        see: {
          en: "16 03 = TLS, 47 45 54 = HTTP GET, 50 52 4f 58 59 = PROXY protocol",
          zh: "16 03 = TLS,47 45 54 = HTTP GET,50 52 4f 58 59 = PROXY 协议",
        },
        fix: { en: "send TLS clients to the TLS listener (8883)", zh: "让 TLS 客户端连接 TLS 端口（8883）" },
      },
      {
        why: {
          en: "a web browser or WebSocket client on the plain port",
          zh: "浏览器或 WebSocket 客户端连到了明文端口",
        },
        run: "curl -v http://BROKER:PORT/",
        see: { en: "no HTTP answer: the port speaks MQTT", zh: "没有 HTTP 应答：说明该端口是 MQTT" },
        fix: { en: 'use a listener with "protocol websockets"', zh: "使用 protocol websockets 的 listener" },
      },
      {
        why: { en: "a load balancer that sends the PROXY protocol", zh: "负载均衡发送了 PROXY 协议头" },
        run: "tcpdump -ni any -A tcp port PORT",
        see: { en: '"PROXY TCP4" at the start', zh: "开头是否为 “PROXY TCP4”" },
        fix: {
          en: "enable_proxy_protocol on the listener, or switch it off there",
          zh: "在 listener 上设 enable_proxy_protocol，或在负载均衡上关闭",
        },
      },
    ],
    read: ["[5.0 MQTT-3.1.0-1]"],
  },
  "malformed-packet": {
    title: { en: "a packet could not be decoded", zh: "报文无法解析" },
    means: {
      en: "The bytes are no MQTT packet: a wrong length, a text that is no UTF-8, a property that does not exist.",
      zh: "字节不是合法的 MQTT 报文：长度错误、非 UTF-8 文本、不存在的属性等。",
    },
    causes: [
      {
        why: {
          en: "not MQTT at all, or another version than CONNECT said",
          zh: "根本不是 MQTT，或版本与 CONNECT 不一致",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "端口上是什么协议" },
        fix: { en: "match scheme, port and version", zh: "让协议、端口、版本一致" },
      },
      {
        why: {
          en: "two threads write to one connection, so that packets mix",
          zh: "两个线程同时写同一连接，报文混在一起",
        },
        run: "tcpdump -ni any -X tcp port PORT",
        see: { en: "where the packet goes wrong", zh: "报文从哪里开始出错" },
        fix: {
          en: "one writer for each connection; the library's own publish is safe",
          zh: "每个连接只有一个写入者；使用库提供的 publish",
        },
      },
    ],
    read: ["[5.0 §4.13.1]"],
  },
  "duplicate-property": {
    title: { en: "a property is in the packet twice", zh: "同一属性出现两次" },
    means: {
      en: "MQTT 5 allows most properties once in a packet.",
      zh: "MQTT 5 中大多数属性在一个报文里只能出现一次。",
    },
    causes: [
      {
        why: { en: "the program adds it twice, as with -D given twice", zh: "程序添加了两次，例如重复使用 -D" },
        see: { en: "where properties are added", zh: "检查添加属性的代码" },
        fix: { en: "add it once", zh: "只添加一次" },
      },
    ],
    read: ["[5.0 §2.2.2.2]"],
  },
  "malformed-utf8": {
    title: { en: "a text is not well-formed UTF-8", zh: "文本不是合法的 UTF-8" },
    means: {
      en: "Topics, client identifiers and user names must be UTF-8 without NUL.",
      zh: "主题、client id、用户名必须是不含 NUL 的 UTF-8。",
    },
    causes: [
      {
        why: {
          en: "text in another encoding (GBK, Latin-1), or binary data in a topic or name",
          zh: "使用了其他编码（GBK、Latin-1），或在主题、名字里放了二进制数据",
        },
        run: "locale charmap",
        see: { en: "UTF-8", zh: "是否为 UTF-8" },
        fix: { en: "convert to UTF-8; binary data belongs in the payload", zh: "转换为 UTF-8；二进制数据放在载荷里" },
      },
    ],
    read: ["[5.0 §1.5.4]"],
  },
  "topic-filter-invalid": {
    title: { en: "the topic filter is not legal", zh: "主题过滤器不合法" },
    means: {
      en: '"#" stands alone in the last level, "+" alone in a level; $share needs a group and a filter.',
      zh: "“#” 只能单独放在最后一级，“+” 必须独占一级；$share 需要组名和过滤器。",
    },
    causes: [
      {
        why: { en: "a misplaced wildcard, as in a/b# or a/+b", zh: "通配符位置不对，如 a/b#、a/+b" },
        see: { en: "the filter", zh: "检查过滤器" },
        fix: { en: "a/b/#, a/+/c, $share/GROUP/a/b", zh: "正确写法：a/b/#、a/+/c、$share/组/a/b" },
      },
      {
        why: { en: "empty, or with a wildcard in the group of $share", zh: "为空，或 $share 的组名里有通配符" },
        see: { en: "the filter", zh: "检查过滤器" },
        fix: { en: "give a legal filter", zh: "使用合法的过滤器" },
      },
    ],
    read: ["[5.0 §4.7]"],
  },
  "topic-name-invalid": {
    title: { en: "the topic of a message is not legal", zh: "主题名不合法" },
    means: {
      en: "A message goes to one topic: no wildcard, not empty, not one that the broker keeps for itself.",
      zh: "发布只能针对一个具体主题：不能有通配符、不能为空、不能是服务器保留的主题。",
    },
    causes: [
      {
        why: { en: '"#" or "+" in the topic of a publish or will', zh: "发布或遗嘱的主题里有 “#” 或 “+”" },
        see: { en: "the topic", zh: "检查主题" },
        fix: { en: "publish to each topic by itself", zh: "逐个主题发布" },
      },
      {
        why: { en: "a topic that begins with $SYS", zh: "以 $SYS 开头的主题" },
        see: { en: "the topic", zh: "检查主题" },
        fix: { en: "choose another", zh: "换一个主题" },
      },
    ],
    read: ["[5.0 MQTT-3.3.2-2]"],
  },
  "topic-alias": {
    title: { en: "a topic alias is not allowed", zh: "主题别名不合法" },
    means: {
      en: "The alias is 0, above the other side's maximum, or not known on this connection.",
      zh: "别名为 0、超过对方上限，或在本连接中未定义。",
    },
    causes: [
      {
        why: {
          en: "aliases kept over a reconnect: each connection begins without any",
          zh: "重连后仍使用旧别名：每个连接都从零开始",
        },
        see: { en: "whether it happens at the first publish after a reconnect", zh: "是否在重连后第一次发布时出现" },
        fix: { en: "send the topic once with the alias on each connection", zh: "每次连接都先用完整主题建立别名" },
      },
      {
        why: { en: "the maximum of CONNACK is ignored", zh: "没有遵守 CONNACK 中的上限" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "topic alias maximum among the limits", zh: "限制中的 topic alias maximum" },
        fix: { en: "honour it", zh: "遵守上限" },
      },
    ],
    read: ["[5.0 §3.3.2.3.4]"],
  },
  "packet-id-in-use": {
    title: { en: "the packet identifier is still in use", zh: "报文标识符仍被占用" },
    means: {
      en: "A new request used an identifier whose old request was not answered yet.",
      zh: "新请求使用了尚未确认的旧请求的标识符。",
    },
    causes: [
      {
        why: {
          en: "the client reuses identifiers too early, or lost its state while the broker kept the session",
          zh: "客户端过早重用标识符，或丢失了状态而服务器仍保留会话",
        },
        see: { en: "whether it happens after a restart of the client", zh: "是否在客户端重启后出现" },
        fix: {
          en: "keep the client's store, or connect once with clean start",
          zh: "保存客户端状态，或用 clean start 连接一次",
        },
      },
    ],
    read: ["[5.0 MQTT-2.2.1-4]"],
  },
  "packet-id-unknown": {
    title: { en: "a message or identifier is not known", zh: "找不到该消息或标识符" },
    means: {
      en: "An acknowledgement came for a message that this side does not know: one side lost its state. Harmless once.",
      zh: "收到确认，但本端不记得这条消息：一方丢失了状态。偶尔一次无害。",
    },
    causes: [
      {
        why: { en: "a restart without persistence on one side", zh: "一方重启且没有持久化" },
        run: "grep -n persistence /etc/mosquitto/mosquitto.conf",
        see: { en: "persistence true", zh: "persistence 是否为 true" },
        fix: { en: "keep sessions on both sides, or on none", zh: "两端都持久化，或都不持久化" },
      },
    ],
    read: ["[5.0 §4.3.3]"],
  },
  "payload-format": {
    title: { en: "the payload is not what it says it is", zh: "载荷格式与声明不符" },
    means: {
      en: "The Payload Format Indicator says UTF-8 and the payload is none; or a schema check of the broker failed.",
      zh: "Payload Format Indicator 声明为 UTF-8，但载荷不是；或服务器的格式校验没有通过。",
    },
    causes: [
      {
        why: { en: "binary data sent as text", zh: "把二进制数据当成文本发送" },
        see: { en: "the payload and the indicator", zh: "检查载荷和标志" },
        fix: { en: "leave the indicator out, or encode as UTF-8", zh: "去掉该标志，或转为 UTF-8" },
      },
    ],
    read: ["[5.0 §3.3.2.3.2]"],
  },
  "payload-too-large": {
    title: { en: "the payload is too large", zh: "载荷过大" },
    means: {
      en: "MQTT carries at most 268,435,455 bytes in a packet, and brokers often less.",
      zh: "MQTT 单个报文最多 268,435,455 字节，服务器通常限制得更小。",
    },
    causes: [
      {
        why: { en: "a large file in one message", zh: "把大文件放在一条消息里" },
        run: "ls -l FILE",
        see: { en: "its size", zh: "文件大小" },
        fix: { en: "split it, or send a link to it", zh: "拆分，或只发送下载链接" },
      },
    ],
    read: ["[5.0 §2.1.4]", "mosquitto.conf(5), message_size_limit"],
  },
  "invalid-argument": {
    title: { en: "an argument is not allowed", zh: "参数不合法" },
    means: {
      en: "A call was made with a value, or at a time, that it does not take. Nothing was sent.",
      zh: "调用时传入了不允许的值，或调用时机不对。没有发送任何数据。",
    },
    causes: [
      {
        why: {
          en: 'an empty topic, a wildcard in a topic to publish to, a misplaced "#" or "+"',
          zh: "主题为空、发布主题含通配符、“#” 或 “+” 位置不对",
        },
        see: { en: "the topic", zh: "检查主题" },
        fix: { en: "correct it", zh: "改正" },
      },
      {
        why: {
          en: "the wrong time: will_set or tls_set after connect, loop_start twice",
          zh: "时机不对：connect 之后才 will_set / tls_set，或重复 loop_start",
        },
        see: { en: "the order of calls", zh: "检查调用顺序" },
        fix: { en: "new, set everything, connect, loop", zh: "先 new，设置好一切，再 connect，最后 loop" },
      },
      {
        why: {
          en: "a keep-alive below 5 s, a port out of range, a null pointer",
          zh: "keepalive 小于 5 秒、端口越界、空指针",
        },
        see: { en: "the other arguments", zh: "检查其余参数" },
        fix: { en: "correct it", zh: "改正" },
      },
    ],
    read: ["mosquitto.h"],
  },
  "not-supported": {
    title: { en: "not supported here or by the broker", zh: "不支持该功能" },
    means: {
      en: "The library was built without it, or the broker said in CONNACK that it does not do it.",
      zh: "库编译时没有启用该功能，或服务器在 CONNACK 中声明不支持。",
    },
    causes: [
      {
        why: { en: "libmosquitto without TLS, SRV or threads", zh: "libmosquitto 没有编译 TLS、SRV 或线程支持" },
        run: "ldd /usr/bin/mosquitto_pub",
        see: { en: "libssl in the list: TLS is there", zh: "列表中有 libssl 则支持 TLS" },
        fix: { en: "install a build that has it", zh: "安装带该功能的版本" },
      },
      {
        why: {
          en: "the broker has no retained messages, no shared subscriptions, a lower QoS",
          zh: "服务器不支持保留消息、共享订阅，或 QoS 较低",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what it supports", zh: "支持哪些功能" },
        fix: { en: "ask for less", zh: "降低要求" },
      },
    ],
    read: ["[5.0 §3.2.2.3]"],
  },
  "exact-reason-unknown": {
    title: { en: "an error without a better word", zh: "未说明的错误" },
    means: {
      en: 'Nobody said more. mosquitto 2.0 prints "Unknown error" also when a reason code of MQTT 5 lies behind, as for a publish denied by ACL.',
      zh: "没有更多说明。mosquitto 2.0 有时把 MQTT 5 原因码也打印成 “Unknown error”，例如被 ACL 拒绝的发布。",
    },
    causes: [
      {
        why: { en: "the broker or a plugin of it failed", zh: "服务器或其插件出错" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "what it logged at the same moment", zh: "同一时刻的日志" },
        fix: { en: "mend what it names", zh: "按日志修复" },
      },
      {
        why: { en: "a reason code of MQTT 5 that the program does not print", zh: "程序没有打印 MQTT 5 的原因码" },
        run: "lacewing pub -h BROKER -V 5 -t TOPIC -m test -q 1 -d",
        see: { en: "RC: and a number", zh: "RC：后面的数字" },
        fix: { en: "explain that number", zh: "解释这个数字" },
      },
    ],
    read: ["[5.0 §2.4]"],
  },
  "implementation-specific": {
    title: { en: "the broker refused by a rule of its own", zh: "服务器按自己的规则拒绝" },
    means: { en: "Valid MQTT, not accepted by this broker.", zh: "报文合法，但该服务器不接受。" },
    causes: [
      {
        why: { en: "a policy of the broker or cloud", zh: "服务器或云平台的策略" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "its log, or the reason string in the packet", zh: "服务器日志，或报文里的 reason string" },
        fix: { en: "ask who runs the broker", zh: "询问管理员" },
      },
    ],
    read: ["[5.0 §2.4]"],
  },
  "already-exists": {
    title: { en: "it is there already", zh: "已经存在" },
    means: {
      en: "A client, group or role of dynamic security, or a plugin, was to be made a second time.",
      zh: "dynsec 的客户端、组、角色或插件已存在。",
    },
    causes: [
      {
        why: { en: "created before", zh: "之前已创建" },
        run: "mosquitto_ctrl dynsec listClients",
        see: { en: "the name", zh: "是否有这个名字" },
        fix: { en: "modify it instead", zh: "改为修改" },
      },
    ],
    read: ["mosquitto_ctrl_dynsec(1)"],
  },
  "plugin-internal": {
    title: { en: "an answer between mosquitto and its plugins", zh: "mosquitto 与插件之间的内部值" },
    means: {
      en: "A plugin has no opinion or wants to be passed over. If all plugins say so, the client is denied.",
      zh: "插件不表态或要求跳过。如果所有插件都如此，客户端会被拒绝。",
    },
    causes: [
      {
        why: { en: "no plugin decides", zh: "没有插件作出决定" },
        run: "grep -n -E 'plugin' /etc/mosquitto/mosquitto.conf",
        see: { en: "which plugins are loaded", zh: "加载了哪些插件" },
        fix: { en: "add one that decides, or a password file", zh: "增加能决定的插件，或使用密码文件" },
      },
    ],
    read: ["mosquitto_plugin.h"],
  },
  "unsubscribe-refused": {
    title: { en: "the broker refused to remove the subscription", zh: "取消订阅被拒绝" },
    means: { en: "UNSUBACK has a reason code of 128 or more.", zh: "UNSUBACK 的原因码为 128 或更大。" },
    causes: [
      {
        why: { en: "the rules of the broker", zh: "服务器规则" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "what it logged", zh: "服务器日志" },
        fix: { en: "explain the reason code", zh: "解释该原因码" },
      },
    ],
    read: ["[5.0 §3.11.3]"],
  },
  "wrong-usage": {
    title: {
      en: "the tool could not begin: arguments, name, or connection refused",
      zh: "工具没能开始：参数错误、解析失败或连接被拒",
    },
    means: {
      en: "mosquitto's tools end with 1 for all of these; the line before says which.",
      zh: "mosquitto 工具对这些情况都以 1 退出；前一行输出说明是哪一种。",
    },
    causes: [
      {
        why: { en: "an unknown option, or one without its value", zh: "未知选项，或缺少参数值" },
        run: "lacewing pub --help",
        see: { en: "the options", zh: "可用的选项" },
        fix: { en: "correct it", zh: "改正" },
      },
      {
        why: { en: "no address for the name, nothing listens, no route", zh: "解析不到地址、没有监听、没有路由" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "which layer fails first", zh: "最先失败的层" },
        fix: { en: "mend that one", zh: "修复那一层" },
      },
    ],
    read: ["mosquitto_pub(1)"],
  },
};
