/** How connections end: lost, silent, taken over, sent away. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type LosingKey =
  | "administrative-action"
  | "client-silent"
  | "closed-without-disconnect"
  | "connection-lost"
  | "connection-reset"
  | "disconnected"
  | "idle-limit"
  | "keep-alive-timeout"
  | "maximum-connect-time"
  | "server-shutting-down"
  | "session-taken-over"
  | "use-another-server"
  | "write-after-close"
  | "write-stalled";

/** The meanings. */
export const LOSING: Meanings<LosingKey> = {
  "keep-alive-timeout": {
    title: {
      en: "the broker did not answer PINGREQ within the keep-alive",
      zh: "心跳超时：在 keepalive 时间内没有收到服务器的 PINGRESP",
    },
    means: {
      en: "The client sent PINGREQ and heard nothing for one keep-alive, so it gave the connection up. The network went silently, or somebody was too busy.",
      zh: "客户端发出 PINGREQ 后，一个 keepalive 周期内没有任何回应，于是放弃了连接。要么网络悄悄断了，要么有一方忙得顾不上。",
    },
    causes: [
      {
        why: {
          en: "the network went away without a word: Wi-Fi, mobile network, sleep, a pulled cable",
          zh: "网络无声中断：Wi-Fi、移动网络、休眠、网线松动",
        },
        run: "ping -c 20 BROKER",
        see: { en: "packet loss or long round trips", zh: "是否丢包、延迟是否很大" },
        fix: {
          en: "mend the link; the client reconnects by itself, so a single 19 is harmless",
          zh: "修复链路；客户端会自动重连，偶尔一次 19 无害",
        },
      },
      {
        why: {
          en: "the program blocked its own network loop, as with work inside on_message",
          zh: "程序自己阻塞了网络循环，例如在 on_message 里做耗时的事",
        },
        run: "top -b -n 1",
        see: {
          en: "whether the client is busy when it happens; time its callbacks",
          zh: "发生时客户端是否很忙；测一下各回调耗时",
        },
        fix: {
          en: "give the work to another thread; return from callbacks at once",
          zh: "把工作交给别的线程，回调立即返回",
        },
      },
      {
        why: {
          en: "a NAT or firewall forgot the idle connection before the keep-alive was over",
          zh: "NAT 或防火墙在 keepalive 到期前就清掉了空闲连接",
        },
        run: "lacewing doctor mqtt://BROKER:PORT --idle 90s",
        see: { en: "whether the connection survives the idle time", zh: "连接能否撑过空闲时间" },
        fix: { en: "a keep-alive of 30 s, below the limit", zh: "把 keepalive 设得更短，例如 30 秒" },
      },
      {
        why: { en: "the broker is frozen or overloaded", zh: "服务器卡死或过载" },
        run: "journalctl -u mosquitto -n 50",
        see: {
          en: '"has exceeded timeout" for many clients at one moment, or no lines at all',
          zh: '同一时刻大量 "has exceeded timeout"，或完全没有日志',
        },
        fix: { en: "mend the broker's machine: CPU, memory, disk", zh: "检查服务器的 CPU、内存、磁盘" },
      },
      {
        why: {
          en: "a keep-alive of a few seconds on a slow link, or a large message that takes longer",
          zh: "慢速链路上 keepalive 只有几秒，或一条大消息传输时间更长",
        },
        see: {
          en: 'keep-alive in CONNECT ("k60" in the broker\'s log)',
          zh: "CONNECT 中的 keepalive（服务器日志里的 “k60”）",
        },
        fix: { en: "use 30 to 60 s", zh: "设为 30–60 秒" },
      },
    ],
    afterwards: {
      en: "libmosquitto calls on_disconnect with 19; loop_forever and loop_start reconnect by themselves (on_connect with 0 follows). Subscribe in on_connect, or keep the session, or they are gone.",
      zh: "libmosquitto 以 19 调用 on_disconnect；loop_forever / loop_start 会自动重连（随后 on_connect 为 0）。请在 on_connect 里重新订阅，或使用持久会话，否则订阅会丢失。",
    },
    read: ["[5.0 §3.1.2.10]", "mosquitto.h, mosquitto_reconnect_delay_set"],
  },
  "client-silent": {
    title: {
      en: "the broker heard nothing from the client for one and a half keep-alives",
      zh: "服务器在 1.5 倍 keepalive 时间内没有收到该客户端任何数据",
    },
    means: {
      en: "The same as 19, seen by the broker: no packet came, not even PINGREQ, so it closed the connection.",
      zh: "与 19 相同，只是从服务器一侧看到的：客户端没有发来任何包，连 PINGREQ 也没有，服务器于是断开。",
    },
    causes: [
      {
        why: {
          en: "the client vanished: power, Wi-Fi, sleep, mobile network",
          zh: "客户端消失：断电、Wi-Fi、休眠、移动网络",
        },
        run: "ping -c 20 CLIENT",
        see: { en: "whether the device is there now", zh: "设备现在是否在线" },
        fix: {
          en: "nothing, when the device may sleep; else mend its network",
          zh: "若设备本来会休眠，无需处理；否则修复网络",
        },
      },
      {
        why: {
          en: "its program does not run the network loop often enough: delay() on Arduino, work in callbacks",
          zh: "程序没有及时执行网络循环：Arduino 的 delay()、回调中做耗时的事",
        },
        see: { en: "the longest time between two calls of loop()", zh: "两次 loop() 调用之间的最长间隔" },
        fix: { en: "call loop() often, use timers instead of delay()", zh: "频繁调用 loop()，用定时器代替 delay()" },
      },
      {
        why: {
          en: "the keep-alive is shorter than meant, for instance milliseconds taken for seconds",
          zh: "keepalive 比预想的短，例如把毫秒当成秒",
        },
        run: "journalctl -u mosquitto -n 200",
        see: {
          en: '"k" and a number in the client\'s "New client connected" line',
          zh: "“New client connected” 行里 k 后面的数字",
        },
        fix: { en: "set 30 to 60 seconds", zh: "设为 30–60 秒" },
      },
    ],
    afterwards: {
      en: 'The broker publishes the will. mosquitto says "has exceeded timeout, disconnecting" and sends 5.0 clients no reason; Lacewing tells them 141.',
      zh: "服务器会发布遗嘱消息。mosquitto 记录 “has exceeded timeout, disconnecting”，不给 5.0 客户端原因码；Lacewing 会发送 141。",
    },
    read: ["[5.0 MQTT-3.1.2-22]", "mosquitto.conf(5), max_keepalive"],
  },
  "connection-lost": {
    title: { en: "the other side closed the connection without saying why", zh: "连接被对方关闭，没有说明原因" },
    means: {
      en: "TCP was closed or reset with no DISCONNECT before. MQTT 3.1.1 has no way to give a reason, so every kind of offence looks like this.",
      zh: "TCP 被关闭或重置，之前没有 DISCONNECT。MQTT 3.1.1 无法告知原因，所以各种违规看起来都是这样。",
    },
    causes: [
      {
        why: { en: "another client connected with the same client identifier", zh: "另一个客户端用了相同的 client id" },
        run: "journalctl -u mosquitto -n 200",
        see: {
          en: '"already connected, closing old connection" for this identifier, from two addresses',
          zh: "该 id 的 “already connected, closing old connection”，来自两个地址",
        },
        fix: { en: "give each client an identifier of its own", zh: "每个客户端使用唯一的 id" },
      },
      {
        why: { en: "the broker was restarted or killed", zh: "服务器重启或被杀掉" },
        run: "systemctl status mosquitto",
        see: { en: "since when it runs", zh: "从什么时候开始运行" },
        fix: {
          en: "let the client reconnect; keep sessions and persistence on",
          zh: "让客户端自动重连；开启持久会话和 persistence",
        },
      },
      {
        why: { en: "the wrong kind of port: plain MQTT to a TLS port", zh: "端口类型不符：用明文连接了 TLS 端口" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "诊断结果里端口上是什么协议" },
        fix: { en: "use TLS (--cafile) or the plain port", zh: "启用 TLS(--cafile)，或改用明文端口" },
      },
      {
        why: {
          en: "TLS 1.3 with a client certificate that is missing, expired or unknown there: C clients see 7 and not 8",
          zh: "TLS 1.3 下客户端证书缺失、过期或不被信任：C 客户端看到的是 7 而不是 8",
        },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt --cert CLIENT.crt --key CLIENT.key",
        see: { en: "whether a client certificate is asked for and taken", zh: "是否要求客户端证书、是否被接受" },
        fix: { en: "give a certificate that the broker's cafile signs", zh: "提供由服务器 cafile 签发的证书" },
      },
      {
        why: {
          en: "the last packet broke a rule: ACL, QoS above max_qos, larger than max_packet_size",
          zh: "最后发出的包违反规则：ACL、QoS 超过 max_qos、超过 max_packet_size",
        },
        run: "lacewing pub -h BROKER -V 5 -t TOPIC -m test -q 1 -d",
        see: { en: "the reason code: MQTT 5 says it", zh: "MQTT 5 会给出原因码" },
        fix: { en: "mend what the reason code names", zh: "按原因码修正" },
      },
      {
        why: {
          en: "a NAT, proxy or load balancer ends idle connections, often after exactly 60 s",
          zh: "NAT、代理或负载均衡断开空闲连接，常常正好 60 秒",
        },
        run: "lacewing doctor mqtt://BROKER:PORT --idle 90s",
        see: { en: "after how long it is closed", zh: "多久之后被断开" },
        fix: { en: "a keep-alive below that", zh: "keepalive 设得比它短" },
      },
    ],
    afterwards: {
      en: "loop_forever and loop_start reconnect by themselves; mosquitto_sub too; mosquitto_pub ends with 7.",
      zh: "loop_forever / loop_start 和 mosquitto_sub 会自动重连；mosquitto_pub 以 7 退出。",
    },
    read: ["[5.0 §4.12]", "[3.1.1 §4.8]"],
  },
  "connection-reset": {
    title: { en: "the connection was reset", zh: "连接被重置" },
    means: {
      en: "The other side or something between threw the connection away, with data still unread.",
      zh: "对方或中间设备强行中断了连接，可能还有未读的数据。",
    },
    causes: [
      {
        why: {
          en: "the broker does not understand what was sent: TLS or HTTP to a plain port",
          zh: "服务器不认识发来的内容：向明文端口发送了 TLS 或 HTTP",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "端口上是什么协议" },
        fix: { en: "use the scheme that the port speaks", zh: "使用端口对应的协议" },
      },
      {
        why: { en: "the broker ended or was restarted", zh: "服务器退出或重启" },
        run: "systemctl status mosquitto",
        see: { en: "since when it runs", zh: "运行了多久" },
        fix: { en: "reconnect", zh: "重连即可" },
      },
      {
        why: { en: "a firewall or proxy in between", zh: "中间的防火墙或代理" },
        run: "tcpdump -ni any tcp port PORT",
        see: { en: "from which side the reset comes (flag R), and its TTL", zh: "RST（标志 R）从哪一侧来，TTL 是多少" },
        fix: { en: "allow the connection there", zh: "在该设备上放行" },
      },
    ],
    read: ["tcp(7)"],
  },
  "write-after-close": {
    title: { en: "something was written to a connection that had ended", zh: "向已结束的连接写数据" },
    means: {
      en: "This follows another error. The first one in the log is the one to explain.",
      zh: "这只是后续现象，应当解释日志里最先出现的那个错误。",
    },
    causes: [
      {
        why: {
          en: "the peer had closed before, and the program did not notice or did not care",
          zh: "对方早已关闭，程序没有发现或没有处理",
        },
        see: { en: "the first error or close before this line", zh: "这一行之前最早的错误或关闭" },
        fix: {
          en: "explain that one; stop writing when the connection ends",
          zh: "先解决那个错误；连接结束后停止写入",
        },
      },
    ],
    read: ["write(2), EPIPE"],
  },
  "closed-without-disconnect": {
    title: { en: "a client closed its connection without DISCONNECT", zh: "客户端没有发送 DISCONNECT 就关闭了连接" },
    means: {
      en: "The broker saw TCP end. It treats that as a failure and publishes the will.",
      zh: "服务器只看到 TCP 断开，按异常处理并发布遗嘱。",
    },
    causes: [
      {
        why: { en: "the program ended right after publishing, or was killed", zh: "程序发布完立刻退出，或被杀掉" },
        run: "lacewing pub -h BROKER -t TOPIC -m test -d",
        see: {
          en: '"sending DISCONNECT" as the last line: that is how it should end',
          zh: "最后一行应为 “sending DISCONNECT”",
        },
        fix: { en: "call disconnect and wait until it has left", zh: "调用 disconnect 并等待发送完成" },
      },
      {
        why: { en: "a crash, a deep sleep or a restart of the device", zh: "设备崩溃、深度睡眠或重启" },
        see: { en: "the device's own log, its reset reason", zh: "设备自己的日志和复位原因" },
        fix: { en: "disconnect before sleeping", zh: "睡眠前先断开" },
      },
      {
        why: {
          en: "the client gave up: it disliked the certificate or waited too long",
          zh: "客户端主动放弃：不信任证书，或等待超时",
        },
        run: "journalctl -u mosquitto -n 50",
        see: { en: 'how long after "New connection" it happens', zh: "距离 “New connection” 多久" },
        fix: { en: "look at the client's error", zh: "查看客户端侧的错误" },
      },
    ],
    afterwards: {
      en: 'mosquitto 1.x says "Socket error on client", 2.0 "closed its connection", 2.1 "connection closed by client".',
      zh: "mosquitto 1.x 记录 “Socket error on client”，2.0 为 “closed its connection”，2.1 为 “connection closed by client”。",
    },
    read: ["[5.0 §3.14]"],
  },
  "session-taken-over": {
    title: {
      en: "another connection uses the same client identifier",
      zh: "相同的 client id 在别处登录（会话被接管）",
    },
    means: {
      en: "A client identifier can be connected once. The newer connection stays; the older one was closed. Two clients that both reconnect throw each other out for ever.",
      zh: "同一 client id 只能有一个连接。新连接保留，旧连接被关闭。若两边都自动重连，就会无休止地互相踢下线。",
    },
    causes: [
      {
        why: {
          en: "two programs with one identifier: an old instance still runs, a copied configuration, two browser tabs, two replicas",
          zh: "两个程序用了同一个 id：旧实例没退出、复制的配置、两个浏览器标签页、多副本部署",
        },
        run: "journalctl -u mosquitto -n 200",
        see: {
          en: "lines of new connections with this identifier and different addresses",
          zh: "该 id 的 “New client connected from” 来自不同的地址",
        },
        fix: {
          en: "make identifiers unique, for instance with the device's serial number or MAC address",
          zh: "保证 id 唯一，例如加上设备序列号或 MAC 地址",
        },
      },
      {
        why: {
          en: "the client's own reconnect, while the broker still holds the half-open old connection",
          zh: "客户端自己重连，而服务器还保留着半开的旧连接",
        },
        see: { en: "the same address, once after each loss of network", zh: "地址相同，且每次断网后只出现一次" },
        fix: { en: "harmless", zh: "无害，不用处理" },
      },
      {
        why: {
          en: "the program calls connect or reconnect on a client that is connected",
          zh: "程序在已连接的客户端上又调用 connect / reconnect",
        },
        see: { en: "the same address and port close together in time", zh: "同一地址、时间非常接近" },
        fix: { en: "let the library reconnect, and do not do it too", zh: "交给库自动重连，不要自己再调一次" },
      },
    ],
    afterwards: {
      en: "5.0 clients get DISCONNECT 142; 3.1.1 clients only see the connection close (7). Do not reconnect at once after 142.",
      zh: "5.0 客户端收到 DISCONNECT 142；3.1.1 客户端只看到连接断开（7）。收到 142 后不要立即重连。",
    },
    read: ["[5.0 MQTT-3.1.4-3]"],
  },
  "idle-limit": {
    title: { en: "something on the way ends connections that are idle", zh: "链路上有设备会断开空闲连接" },
    means: {
      en: "The connection ends after the same time again and again, as 60 s or 5 min: a limit of a NAT, proxy or load balancer.",
      zh: "连接总在固定时间后断开，例如 60 秒或 5 分钟：这是 NAT、代理或负载均衡的空闲限制。",
    },
    causes: [
      {
        why: {
          en: "a proxy: nginx and AWS load balancers close after 60 s by default",
          zh: "代理：nginx 和 AWS 负载均衡默认 60 秒关闭",
        },
        run: "lacewing doctor mqtt://BROKER:PORT --idle 90s",
        see: { en: "after how many seconds it ends", zh: "多少秒后断开" },
        fix: {
          en: "a keep-alive of half that time, or raise proxy_timeout or proxy_read_timeout",
          zh: "keepalive 设为该时间的一半，或增大 proxy_timeout / proxy_read_timeout",
        },
      },
      {
        why: { en: "the NAT table of a mobile network or home router", zh: "移动网络或家用路由器的 NAT 表" },
        run: "lacewing doctor mqtt://BROKER:PORT --idle 300s",
        see: { en: "whether it ends from this network only", zh: "是否只有这个网络会断" },
        fix: { en: "a shorter keep-alive", zh: "缩短 keepalive" },
      },
    ],
    read: ["[5.0 §3.1.2.10]"],
  },
  "server-shutting-down": {
    title: { en: "the broker shuts down", zh: "服务器正在关闭" },
    means: { en: "The broker was stopped or restarted in good order.", zh: "服务器正常停止或重启。" },
    causes: [
      {
        why: { en: "an operator, an update or a restart", zh: "运维操作、升级或重启" },
        run: "systemctl status mosquitto",
        see: { en: "since when it runs", zh: "运行了多久" },
        fix: { en: "reconnect after a short, random delay", zh: "随机延迟后重连" },
      },
    ],
    read: ["[5.0 §3.14.2.1]"],
  },
  "administrative-action": {
    title: { en: "an operator or a change of rights ended the connection", zh: "被管理员断开，或权限变更导致断开" },
    means: {
      en: "Somebody meant it: the client was disabled, its rights changed, or it was kicked.",
      zh: "这是有意为之：客户端被禁用、权限被修改或被踢下线。",
    },
    causes: [
      {
        why: {
          en: "dynamic security: the client or its role was disabled or changed",
          zh: "dynsec：客户端或其角色被禁用或修改",
        },
        run: "mosquitto_ctrl dynsec getClient USER",
        see: { en: '"Disabled", and the roles', zh: "是否有 Disabled，以及它的角色" },
        fix: {
          en: "enable it: mosquitto_ctrl dynsec enableClient USER",
          zh: "重新启用：mosquitto_ctrl dynsec enableClient USER",
        },
      },
      {
        why: { en: "an operator of the broker", zh: "服务器管理员" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "what was done at that time", zh: "当时做了什么操作" },
        fix: { en: "ask who runs the broker", zh: "询问服务器管理员" },
      },
    ],
    read: ["mosquitto_ctrl_dynsec(1)"],
  },
  "maximum-connect-time": {
    title: { en: "the connection was allowed for a limited time, which is over", zh: "允许的连接时长已到" },
    means: {
      en: "The broker or the token limits how long one connection may last.",
      zh: "服务器或令牌限制了单次连接的时长。",
    },
    causes: [
      {
        why: { en: "the token (JWT) it connected with has expired", zh: "连接使用的令牌（JWT）过期" },
        run: "date -u",
        see: { en: 'the time, against "exp" in the token', zh: "与令牌里的 exp 比较" },
        fix: { en: "connect again with a new token", zh: "用新令牌重新连接" },
      },
    ],
    read: ["[5.0 §3.14.2.1]"],
  },
  "use-another-server": {
    title: { en: "the broker sends its clients to another one", zh: "服务器要求改连另一台" },
    means: {
      en: "The address is in the property Server Reference: for now (0x9C) or for good (0x9D).",
      zh: "新地址在 Server Reference 属性里：临时（0x9C）或永久（0x9D）。",
    },
    causes: [
      {
        why: { en: "the broker moved, or balances its load", zh: "服务器迁移，或负载均衡" },
        run: "lacewing pub -h BROKER -V 5 -t TOPIC -m test -d",
        see: { en: "the server reference in the answer", zh: "答复里的 server reference" },
        fix: {
          en: "connect to that address; few clients do it by themselves",
          zh: "改连该地址；大多数客户端不会自动跟随",
        },
      },
    ],
    read: ["[5.0 §4.11]"],
  },
  disconnected: {
    title: { en: "the connection was ended in good order", zh: "正常断开" },
    means: {
      en: "DISCONNECT was sent. In on_disconnect 0 means: the program itself called disconnect.",
      zh: "发送了 DISCONNECT。on_disconnect 为 0 表示程序自己调用了 disconnect。",
    },
    causes: [],
    afterwards: {
      en: "The broker throws the will away, except after 0x04; loop_forever ends and returns 0.",
      zh: "服务器丢弃遗嘱（0x04 除外）；loop_forever 结束并返回 0。",
    },
    read: ["[5.0 §3.14]"],
  },
  "write-stalled": {
    title: { en: "the other side does not read", zh: "对方一直不读取数据" },
    means: {
      en: "Data waited for the client too long without a byte leaving, so the broker gave it up.",
      zh: "待发数据积压过久，一个字节也发不出去，服务器因此断开它。",
    },
    causes: [
      {
        why: { en: "the client's program hangs while its connection stays open", zh: "客户端程序卡死，但连接仍然保持" },
        run: "ss -tnoi",
        see: { en: "a large Send-Q towards the client", zh: "发往该客户端的 Send-Q 很大" },
        fix: { en: "mend the client: it must read all the time", zh: "修复客户端：必须持续读取" },
      },
      {
        why: { en: "the network to it is gone", zh: "到客户端的网络已断" },
        run: "ping -c 5 CLIENT",
        see: { en: "no answer", zh: "没有应答" },
        fix: { en: "nothing; it reconnects", zh: "无需处理，它会重连" },
      },
    ],
    read: ["ss(8)"],
  },
};
