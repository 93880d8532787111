/** Messages and subscriptions: refused, dropped, lowered, silent. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type DeliveringKey =
  | "bridge-down"
  | "bridge-loop"
  | "lost-over-restart"
  | "message-expired"
  | "message-rate"
  | "messages-dropped"
  | "offline-qos-0"
  | "packet-too-large"
  | "publish-denied-silently"
  | "publish-trace"
  | "qos-refused"
  | "quota-exceeded"
  | "receive-maximum"
  | "retain-refused"
  | "retained-stays"
  | "session-ended"
  | "timed-out";

/** The meanings. */
export const DELIVERING: Meanings<DeliveringKey> = {
  "qos-refused": {
    title: { en: "the broker does not take this QoS", zh: "服务器不支持这个 QoS" },
    means: {
      en: "The broker's maximum QoS is lower than that of the message or will.",
      zh: "服务器允许的最大 QoS 低于该消息或遗嘱的 QoS。",
    },
    causes: [
      {
        why: {
          en: "max_qos of the listener, or a cloud broker that knows QoS 0 and 1 only",
          zh: "listener 的 max_qos，或云服务只支持 QoS 0/1",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "maximum QoS among the limits", zh: "限制中的最大 QoS" },
        fix: { en: "publish with a lower QoS", zh: "降低 QoS" },
      },
    ],
    afterwards: { en: "A 3.1.1 client is closed without a word (7).", zh: "3.1.1 客户端会被直接断开（7）。" },
    read: ["[5.0 MQTT-3.2.2-11]"],
  },
  "retain-refused": {
    title: { en: "the broker keeps no retained messages", zh: "服务器不支持保留消息" },
    means: {
      en: "retain_available is false there; a message with retain is refused.",
      zh: "服务器设置了 retain_available false，带 retain 的消息会被拒绝。",
    },
    causes: [
      {
        why: { en: "the broker's configuration, or a limit of the cloud", zh: "服务器配置或云服务限制" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "whether retained messages are supported", zh: "是否支持保留消息" },
        fix: { en: "publish without -r", zh: "发布时不要 -r" },
      },
    ],
    read: ["[5.0 §3.2.2.3.5]"],
  },
  "packet-too-large": {
    title: { en: "the packet is larger than the other side takes", zh: "报文超过对方允许的大小" },
    means: {
      en: "The limit is the receiver's maximum packet size: 2,000,000 bytes by default in mosquitto 2.1 and in Lacewing, 256 MB before.",
      zh: "限制来自接收方的最大报文长度：mosquitto 2.1 和 Lacewing 默认 2,000,000 字节，之前的版本为 256 MB。",
    },
    causes: [
      {
        why: { en: "the payload is too long for the broker", zh: "载荷对服务器来说太大" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "maximum packet size among the limits", zh: "限制中的最大报文长度" },
        fix: { en: "raise max_packet_size, or split the message", zh: "增大 max_packet_size，或拆分消息" },
      },
      {
        why: {
          en: "the receiving client announced a smaller limit in its CONNECT",
          zh: "接收方客户端在 CONNECT 中声明了更小的限制",
        },
        see: { en: "its maximum packet size", zh: "它的最大报文长度" },
        fix: { en: "raise it in that client", zh: "在该客户端调大" },
      },
      {
        why: {
          en: "a small buffer of the device library: PubSubClient has 256 bytes by default",
          zh: "设备端库的缓冲区小：PubSubClient 默认 256 字节",
        },
        see: { en: "MQTT_MAX_PACKET_SIZE or setBufferSize", zh: "MQTT_MAX_PACKET_SIZE 或 setBufferSize" },
        fix: { en: "client.setBufferSize(1024)", zh: "client.setBufferSize(1024)" },
      },
    ],
    afterwards: {
      en: "A 3.1.1 client that sends too much is closed without a word; mosquitto_pub exits with 0 all the same at QoS 0.",
      zh: "3.1.1 客户端发送过大会被直接断开；QoS 0 时 mosquitto_pub 仍以 0 退出。",
    },
    read: ["[5.0 §3.2.2.3.6]", "mosquitto.conf(5), max_packet_size"],
  },
  "timed-out": {
    title: { en: "the time ran out", zh: "超时" },
    means: {
      en: "What was waited for did not come in time. In mosquitto_sub and mosquitto_rr it is -W: no, or too few, messages came.",
      zh: "等待的事情没有在规定时间内发生。对 mosquitto_sub/rr 来说是 -W 到时：没有消息，或消息不够。",
    },
    causes: [
      {
        why: { en: "nothing was published in that time", zh: "这段时间没有人发布" },
        run: "lacewing sub -h BROKER -t '#' -v -W 10",
        see: { en: "whether anything arrives at all", zh: "是否有任何消息" },
        fix: { en: "wait longer, or publish", zh: "延长等待，或发布消息" },
      },
      {
        why: { en: "the topic differs, or the ACL withholds the messages", zh: "主题不一致，或 ACL 不投递" },
        run: "lacewing sub -h BROKER -u USER -P PASSWORD -t TOPIC -d",
        see: { en: "SUBACK, and no PUBLISH after it", zh: "只有 SUBACK，没有 PUBLISH" },
        fix: { en: "compare topic and filter; grant read access", zh: "比较主题和过滤器；授予读权限" },
      },
    ],
    read: ["mosquitto_sub(1), -W"],
  },
  "messages-dropped": {
    title: { en: "messages are dropped for a client that is too slow", zh: "客户端太慢，消息被丢弃" },
    means: {
      en: "Its window of unacknowledged messages and its queue are full, so new messages for it are lost.",
      zh: "该客户端的在途窗口和队列都满了，新消息被丢弃。",
    },
    causes: [
      {
        why: {
          en: "the client acknowledges slowly: it works in its message callback, or its link is slow",
          zh: "客户端确认太慢：在消息回调中处理耗时工作，或链路慢",
        },
        run: "lacewing sub -h BROKER -t '$SYS/broker/publish/messages/dropped' -C 1",
        see: { en: "whether the number grows", zh: "该数字是否在增长" },
        fix: {
          en: "a faster consumer, QoS 0, or a shared subscription ($share/GROUP/TOPIC)",
          zh: "加快消费、改用 QoS 0，或使用共享订阅（$share/组/主题）",
        },
      },
      {
        why: { en: "the client is offline for longer than its queue lasts", zh: "客户端离线太久，队列放不下" },
        run: "grep -n -E 'max_queued|max_inflight' /etc/mosquitto/mosquitto.conf",
        see: { en: "the limits: 1000 messages by default", zh: "上限：默认 1000 条" },
        fix: {
          en: "raise max_queued_messages, and set max_queued_bytes",
          zh: "增大 max_queued_messages，并设置 max_queued_bytes",
        },
      },
    ],
    afterwards: {
      en: "mosquitto logs it once for each client until its queue is empty again.",
      zh: "mosquitto 对每个客户端只记录一次，直到队列清空。",
    },
    read: ["mosquitto.conf(5), max_queued_messages"],
  },
  "quota-exceeded": {
    title: { en: "a quota of the broker is used up", zh: "超出服务器配额" },
    means: {
      en: "A queue, a number of messages, of subscriptions or of clients has reached its limit.",
      zh: "队列、消息数、订阅数或客户端数达到上限。",
    },
    causes: [
      {
        why: { en: "every receiver's queue is full", zh: "接收者的队列已满" },
        run: "lacewing sub -h BROKER -t '$SYS/broker/#' -v -W 12",
        see: { en: "messages stored and dropped", zh: "存储和丢弃的消息数" },
        fix: {
          en: "see to the slow receivers; raise max_queued_messages",
          zh: "处理慢的接收者；增大 max_queued_messages",
        },
      },
      {
        why: {
          en: "mosquitto 2.0.21 with max_queued_messages 0 says it by mistake",
          zh: "mosquitto 2.0.21 在 max_queued_messages 为 0 时会误报",
        },
        run: "mosquitto -h",
        see: { en: "the version", zh: "版本号" },
        fix: { en: "upgrade", zh: "升级" },
      },
    ],
    read: ["[5.0 §3.4.2.1]"],
  },
  "receive-maximum": {
    title: { en: "more unacknowledged messages were sent than allowed", zh: "未确认消息数超过 Receive Maximum" },
    means: {
      en: "The receiver said how many QoS 1 and 2 messages may be under way, and the sender sent more.",
      zh: "接收方规定了同时在途的 QoS 1/2 消息数，发送方超过了。",
    },
    causes: [
      {
        why: { en: "the sender's library keeps no such window", zh: "发送方的库没有控制这个窗口" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "receive maximum among the limits", zh: "限制中的 receive maximum" },
        fix: {
          en: "wait for acknowledgements before sending more, or raise max_inflight_messages",
          zh: "等到确认后再发，或增大 max_inflight_messages",
        },
      },
    ],
    read: ["[5.0 MQTT-3.3.4-9]"],
  },
  "message-rate": {
    title: { en: "messages come too fast for the broker", zh: "发送速率过高" },
    means: { en: "A rate limit of the broker was exceeded.", zh: "超过了服务器的速率限制。" },
    causes: [
      {
        why: { en: "more messages per second than allowed", zh: "每秒消息数超过允许值" },
        see: { en: "the broker's or the cloud's limits", zh: "服务器或云服务的限制" },
        fix: { en: "send less often, or join values in one message", zh: "降低频率，或合并多个数值到一条消息" },
      },
    ],
    read: ["[5.0 §3.14.2.1]"],
  },
  "message-expired": {
    title: { en: "the message expired while it waited", zh: "消息在等待时过期" },
    means: {
      en: "Its Message Expiry Interval ended before it could be delivered.",
      zh: "在投递之前，消息的 Message Expiry Interval 已到。",
    },
    causes: [
      {
        why: {
          en: "the receiver was offline or slow for longer than the message lives",
          zh: "接收方离线或过慢，超过消息有效期",
        },
        see: {
          en: "the expiry that the publisher gives, against the offline time",
          zh: "发布者设置的有效期与离线时间比较",
        },
        fix: { en: "a longer expiry, if late is better than never", zh: "如果迟到也有意义，就设更长的有效期" },
      },
    ],
    read: ["[5.0 §3.3.2.3.3]"],
  },
  "offline-qos-0": {
    title: { en: "QoS 0 is not queued for a client that is offline", zh: "QoS 0 消息不会为离线客户端排队" },
    means: {
      en: "A message at QoS 0 reaches only those who are connected now.",
      zh: "QoS 0 消息只会送达当前在线的客户端。",
    },
    causes: [
      {
        why: { en: "the publisher or the subscription uses QoS 0", zh: "发布或订阅使用了 QoS 0" },
        run: "lacewing sub -h BROKER -t TOPIC -q 1 -F '%q %t'",
        see: { en: "the QoS that arrives: the lower of the two", zh: "到达时的 QoS：取两者中较低的" },
        fix: {
          en: "QoS 1 on both sides and a persistent session, or queue_qos0_messages true",
          zh: "两边都用 QoS 1 并使用持久会话，或设 queue_qos0_messages true",
        },
      },
    ],
    read: ["[5.0 §4.1]", "mosquitto.conf(5), queue_qos0_messages"],
  },
  "session-ended": {
    title: { en: "the session ended before the message could be delivered", zh: "消息投递前会话已结束" },
    means: {
      en: "The receiver's session expired or was replaced by a clean one, and its queue with it.",
      zh: "接收方的会话过期，或被新的 clean 会话取代，队列随之消失。",
    },
    causes: [
      {
        why: {
          en: "the session expiry interval is too short, or the client connects with clean start",
          zh: "会话过期时间太短，或客户端以 clean start 连接",
        },
        see: {
          en: "-c and -x of the client; persistent_client_expiration",
          zh: "客户端的 -c 和 -x；persistent_client_expiration",
        },
        fix: { en: "connect with -c and a longer -x", zh: "使用 -c 和更长的 -x" },
      },
    ],
    read: ["[5.0 §3.1.2.11.2]"],
  },
  "publish-denied-silently": {
    title: { en: "mosquitto_pub exits with 0, and the message is gone", zh: "mosquitto_pub 返回 0，但消息丢了" },
    means: {
      en: "Exit code 0 does not mean delivered: a 3.1.1 broker cannot refuse a message, so a denied or dropped one looks like success.",
      zh: "退出码 0 不等于送达：3.1.1 服务器无法拒绝单条消息，被拒或被丢弃的消息看起来也是成功。",
    },
    causes: [
      {
        why: { en: "the ACL denies the topic", zh: "ACL 不允许该主题" },
        run: "lacewing pub -h BROKER -V 5 -t TOPIC -m test -q 1 -d",
        see: { en: "PUBACK with RC:135 instead of RC:0", zh: "PUBACK 是否为 RC:135 而不是 RC:0" },
        fix: {
          en: "grant the topic; publish with -V 5 -q 1, so that a refusal is seen",
          zh: "授权该主题；用 -V 5 -q 1 发布，才能看到拒绝",
        },
      },
      {
        why: { en: "nobody has subscribed", zh: "没有订阅者" },
        run: "lacewing sub -h BROKER -t '#' -v",
        see: { en: "whether it arrives here", zh: "这里能否收到" },
        fix: { en: "subscribe first, or publish with -r", zh: "先订阅，或用 -r 发布" },
      },
      {
        why: { en: "QoS 0 and the program ended before the bytes had left", zh: "QoS 0，程序在数据发出前就退出了" },
        see: { en: "whether the program disconnects and waits", zh: "程序是否等待并正常断开" },
        fix: { en: "wait for on_publish, then disconnect", zh: "等 on_publish 之后再断开" },
      },
    ],
    read: ["mosquitto_pub(1)"],
  },
  "publish-trace": {
    title: { en: "a normal line of the trace", zh: "正常的调试输出" },
    means: {
      en: "PUBLISH (d0, q2, r0, m1, 'topic', ... (5 bytes)): d = sent again, q = QoS, r = retain, m = message id (mid), then topic and payload length. QoS 1 ends with PUBACK, QoS 2 goes PUBLISH, PUBREC, PUBREL, PUBCOMP. RC:0 is success.",
      zh: "PUBLISH (d0, q2, r0, m1, '主题', ... (5 bytes)):d = 重发标志，q = QoS，r = 保留，m = 消息 id(mid)，后面是主题和载荷长度。QoS 1 以 PUBACK 结束，QoS 2 依次为 PUBLISH、PUBREC、PUBREL、PUBCOMP。RC:0 表示成功。",
    },
    causes: [],
    afterwards: {
      en: "A mid exists at QoS 0 too, so that on_publish can name the message; there it only means that the bytes were handed over. At QoS 1 on_publish means PUBACK, at QoS 2 PUBCOMP.",
      zh: "QoS 0 也有 mid，便于在 on_publish 中识别消息，但只表示数据已交出；QoS 1 的 on_publish 表示收到 PUBACK，QoS 2 表示收到 PUBCOMP。",
    },
    read: ["[5.0 §4.3]", "mosquitto.h, mosquitto_publish"],
  },
  "lost-over-restart": {
    title: { en: "messages or subscriptions are lost over a restart", zh: "重启后消息或订阅丢失" },
    means: {
      en: "Something that should have been kept was never on the disk, or belongs to a session that is not resumed.",
      zh: "应该保留的内容没有写入磁盘，或属于没有恢复的会话。",
    },
    causes: [
      {
        why: {
          en: "persistence is off, or saves every 30 minutes only",
          zh: "persistence 未开启，或每 30 分钟才保存一次",
        },
        run: "grep -n -E 'persistence|autosave' /etc/mosquitto/mosquitto.conf",
        see: { en: "persistence true, and autosave_interval", zh: "persistence true 和 autosave_interval" },
        fix: {
          en: "switch it on and lower autosave_interval; Lacewing keeps every acknowledged message",
          zh: "开启并缩短 autosave_interval；Lacewing 会保住每条已确认的消息",
        },
      },
      {
        why: {
          en: "clean session, another client identifier at each start, or session expiry 0",
          zh: "clean session、每次启动 id 不同，或会话过期为 0",
        },
        run: "lacewing sub -h BROKER -i NAME -c -t TOPIC -q 1 -d",
        see: { en: "session present at the second connection", zh: "第二次连接是否 session present" },
        fix: { en: "a fixed identifier, -c, and -x for MQTT 5", zh: "固定 id，加 -c，MQTT 5 还要 -x" },
      },
    ],
    read: ["mosquitto.conf(5), persistence"],
  },
  "retained-stays": {
    title: { en: "a retained message does not go away", zh: "保留消息删不掉" },
    means: {
      en: "A retained message goes by publishing zero bytes with retain to the very same topic; and it comes back when somebody publishes it again.",
      zh: "删除方法是向完全相同的主题发布 0 字节且带 retain 的消息；如果有人再次发布，它又会出现。",
    },
    causes: [
      {
        why: {
          en: "cleared with a space as payload, without retain, or under another topic",
          zh: "用空格当载荷、没有 retain，或主题不同",
        },
        run: "lacewing pub -h BROKER -t TOPIC -r -n",
        see: { en: "whether it is gone for a new subscriber", zh: "新订阅者是否还能收到" },
        fix: { en: "this command is the right way", zh: "用这条命令即可" },
      },
      {
        why: { en: "the device writes it again", zh: "设备又写了一次" },
        run: "lacewing sub -h BROKER -t TOPIC -v",
        see: { en: "a new message", zh: "是否有新消息" },
        fix: { en: "stop the writer, then clear it", zh: "先停止写入者，再清除" },
      },
    ],
    read: ["[5.0 MQTT-3.3.1-6]"],
  },
  "bridge-down": {
    title: { en: "the bridge does not come up", zh: "桥接连不上" },
    means: {
      en: "This broker is a client of another one, and that connection fails.",
      zh: "本服务器作为客户端连接另一台服务器，但连接失败。",
    },
    causes: [
      {
        why: { en: "the name could not be looked up when the broker started", zh: "启动时解析不了域名" },
        run: "getent ahosts BROKER",
        see: { en: "an address", zh: "是否有地址" },
        fix: { en: "give an IP address, or start after the network is up", zh: "使用 IP，或等网络就绪后再启动" },
      },
      {
        why: { en: "user, password or certificate of the bridge", zh: "桥接的用户名、密码或证书" },
        run: "lacewing doctor mqtt://BROKER:PORT -u USER -P PASSWORD",
        see: { en: "which layer fails", zh: "哪一层失败" },
        fix: {
          en: "correct remote_username, remote_password, bridge_cafile",
          zh: "改正 remote_username、remote_password、bridge_cafile",
        },
      },
      {
        why: {
          en: "the other broker refuses mosquitto's private bridge protocol or its will",
          zh: "对方不支持 mosquitto 的私有桥接协议或通知消息",
        },
        run: "grep -n -E 'try_private|notifications|bridge_protocol_version' /etc/mosquitto/mosquitto.conf",
        see: { en: "whether try_private is on", zh: "try_private 是否打开" },
        fix: { en: "try_private false", zh: "设 try_private false" },
      },
    ],
    afterwards: { en: "mosquitto retries after restart_timeout.", zh: "mosquitto 按 restart_timeout 重试。" },
    read: ["mosquitto.conf(5), Configuring Bridges"],
  },
  "bridge-loop": {
    title: { en: "a bridge sends messages twice or for ever", zh: "桥接消息重复或无限循环" },
    means: {
      en: "What goes out comes back in, as both directions match the same topics.",
      zh: "发出去的消息又回来了，因为两个方向匹配了相同的主题。",
    },
    causes: [
      {
        why: {
          en: '"topic # both", or both brokers bridge to each other',
          zh: "使用了 “topic # both”，或两台互相桥接",
        },
        run: "grep -n -E '^(connection|topic|try_private)' /etc/mosquitto/mosquitto.conf",
        see: { en: "patterns that overlap", zh: "重叠的模式" },
        fix: { en: "one direction for each topic, or prefixes", zh: "每个主题只用一个方向，或加前缀" },
      },
    ],
    read: ["mosquitto.conf(5), topic"],
  },
};
