/** What users say when they have no number: words, in both languages, that lead to a meaning beside those of its own texts. */
import type { Text } from "../entry.ts";
import type { MeaningKey } from "./meanings.ts";

/** One symptom. */
export interface Symptom {
  readonly words: Text;
  readonly meaning: MeaningKey;
}

/** The rows. */
export const SYMPTOMS: readonly Symptom[] = [
  {
    words: {
      en: "subscribed but nothing arrives, no messages received, silent topic, subscriber gets nothing",
      zh: "订阅成功但收不到消息 没有消息 收不到数据 主题没有消息",
    },
    meaning: "nothing-arrives",
  },
  {
    words: {
      en: "client connects and disconnects every second, reconnect loop, keeps reconnecting, duplicate client id",
      zh: "不断重连 反复上线下线 频繁断开重连 客户端互踢 client id 重复 相同 id",
    },
    meaning: "session-taken-over",
  },
  {
    words: {
      en: "disconnects after exactly 60 seconds, drops every minute, regular interval, idle disconnect, load balancer, nginx",
      zh: "每隔60秒断开 固定时间断开 空闲断开 负载均衡 nginx",
    },
    meaning: "idle-limit",
  },
  {
    words: {
      en: "messages lost after restart, retained gone after reboot, subscriptions lost, persistence",
      zh: "重启后消息丢失 重启后订阅丢失 持久化 断电丢失",
    },
    meaning: "lost-over-restart",
  },
  {
    words: {
      en: "broker will not start, database corrupt, unable to restore persistent database",
      zh: "服务器启动失败 数据库损坏 无法恢复数据库",
    },
    meaning: "database-damaged",
  },
  {
    words: {
      en: "retained message will not go away, cannot delete retained, clear retained",
      zh: "保留消息删不掉 清除保留消息 删除 retained",
    },
    meaning: "retained-stays",
  },
  {
    words: {
      en: "bridge duplicates messages, bridge loop, endless messages, messages twice",
      zh: "桥接重复消息 桥接死循环 消息循环",
    },
    meaning: "bridge-loop",
  },
  {
    words: {
      en: "bridge does not connect, bridge not coming up after boot",
      zh: "桥接连不上 桥接失败 开机后桥接不工作",
    },
    meaning: "bridge-down",
  },
  {
    words: {
      en: "exit code 0 but message not delivered, publish lost silently, pub succeeds but nothing",
      zh: "发布返回成功但没有收到 退出码0 消息丢了 静默丢失",
    },
    meaning: "publish-denied-silently",
  },
  {
    words: {
      en: "configuration ignored, setting has no effect, option does not work, reload",
      zh: "配置不生效 配置被忽略 修改配置没有用 重新加载",
    },
    meaning: "configuration-ignored",
  },
  {
    words: {
      en: "from another machine, only localhost works, local only",
      zh: "其他机器连不上 只能本机连接 局域网连不上 远程连不上",
    },
    meaning: "local-only",
  },
  {
    words: {
      en: "broker freezes for seconds, pauses regularly, stalls, hangs every half hour",
      zh: "服务器卡顿 定期停顿 每隔半小时卡住",
    },
    meaning: "broker-stalls",
  },
  {
    words: {
      en: "wrong clock, time wrong, date 1970, ntp, certificate time",
      zh: "时间不对 时钟不准 系统时间错误 证书时间 1970 ntp 同步时间",
    },
    meaning: "certificate-not-yet-valid",
  },
  {
    words: {
      en: "network down, no internet, cable, wifi not connected, network is not reachable",
      zh: "网络不通 没有网络 断网 网线 wifi 没连上",
    },
    meaning: "no-network",
  },
  {
    words: {
      en: "what is mid, message id, trace, debug output, d0 q2 r0 m1",
      zh: "mid 是什么 什么是 mid mid 有什么用 mid 的作用 消息id 调试输出 d0 q2 r0 m1 跟踪消息",
    },
    meaning: "publish-trace",
  },
  {
    words: {
      en: "granted qos, on_subscribe, qos_count, granted_qos",
      zh: "授予的 qos on_subscribe granted_qos qos_count",
    },
    meaning: "granted",
  },
  {
    words: {
      en: "web page websocket, browser, javascript, ws, wss",
      zh: "网页连不上 浏览器 websocket ws wss 连接失败",
    },
    meaning: "websocket-failed",
  },
  {
    words: { en: "heartbeat, ping timeout, pingresp, keepalive", zh: "心跳超时 心跳 ping 超时 保活 keepalive" },
    meaning: "keep-alive-timeout",
  },
  {
    words: { en: "password wrong, login failed, authentication, user name", zh: "密码错误 登录失败 认证失败 用户名" },
    meaning: "not-authorised",
  },
  {
    words: { en: "too many clients, only 1015 connections, connection limit", zh: "客户端太多 连接数上限 1024" },
    meaning: "open-file-limit",
  },
  {
    words: { en: "queue full, slow consumer, dropped messages", zh: "队列满 消费太慢 消息被丢弃 丢消息" },
    meaning: "messages-dropped",
  },

  {
    words: { en: "certificate expired, certificate out of date", zh: "证书过期 证书失效 证书到期" },
    meaning: "certificate-expired",
  },
  {
    words: { en: "ssl, tls, ssl handshake failed, tls handshake error", zh: "ssl tls 握手失败 加密连接失败" },
    meaning: "tls-failed",
  },
  {
    words: {
      en: "connection drops, goes offline, disconnected unexpectedly, why did it disconnect, offline",
      zh: "掉线 断线 断开连接 异常断开 连接断开 离线 连接丢失",
    },
    meaning: "connection-lost",
  },
  {
    words: {
      en: "cannot connect, connection refused, unable to connect",
      zh: "连不上 连接不上 无法连接 连接失败 连接被拒绝",
    },
    meaning: "connect-failed",
  },
  {
    words: {
      en: "mosquitto.conf unknown option, configuration error, config file error",
      zh: "配置错误 配置文件错误 未知配置",
    },
    meaning: "configuration-error",
  },
  {
    words: {
      en: "wrong hostname in certificate, ip address certificate, altnames",
      zh: "证书域名不匹配 主机名不匹配 用 ip 连接证书错误",
    },
    meaning: "certificate-name",
  },
  {
    words: { en: "port already in use, address in use, broker already running", zh: "端口被占用 地址已被使用" },
    meaning: "address-in-use",
  },
  {
    words: { en: "cannot resolve host, dns, unknown host", zh: "域名解析失败 解析不了 dns 错误" },
    meaning: "name-unknown",
  },
  {
    words: { en: "permission denied publish, not allowed topic, acl", zh: "没有权限 无权发布 无权订阅 权限不足 acl" },
    meaning: "acl-denied",
  },
  {
    words: { en: "message too big, large payload, payload limit", zh: "消息太大 载荷太大 报文太长" },
    meaning: "packet-too-large",
  },
  {
    words: {
      en: "dynsec changes vanish after restart, dynamic security not saved",
      zh: "dynsec 修改重启后丢失 动态安全配置没有保存",
    },
    meaning: "dynsec-not-saved",
  },
  {
    words: {
      en: "MQTT.js reconnects but publishes nothing, mqtt.js loops after internet returns",
      zh: "MQTT.js 重连后不发布 mqttjs 循环重连",
    },
    meaning: "mqttjs-publishes-nothing",
  },
  {
    words: {
      en: "MQTT.js QoS 1/2 lost on disconnect, mqtt.js loses messages",
      zh: "MQTT.js 丢失 QoS 1/2 消息 mqttjs 丢消息",
    },
    meaning: "mqttjs-loses-messages",
  },
  {
    words: {
      en: "Aedes one slow subscriber stops everybody, aedes blocked",
      zh: "Aedes 慢订阅者 拖住所有人 aedes 卡住",
    },
    meaning: "aedes-stalls",
  },
  {
    words: { en: "Aedes client count only grows, aedes connectedClients", zh: "Aedes 客户端数只增不减" },
    meaning: "aedes-clients-grow",
  },
  {
    words: { en: "Aedes no such packet, crash on QoS 2 retained", zh: "Aedes 找不到报文 aedes 崩溃" },
    meaning: "aedes-packet-unknown",
  },
  {
    words: {
      en: "AWS IoT closes right after connect with no code, aws iot core, amazon",
      zh: "AWS IoT 连接后立即断开 没有错误码",
    },
    meaning: "aws-iot-closes",
  },
  {
    words: {
      en: "works in one tool fails in another, works in mqtt explorer but not in code",
      zh: "一个工具能连另一个不能 换个工具就正常",
    },
    meaning: "one-tool-works",
  },
  {
    words: { en: "protocol version not acceptable, unacceptable protocol version", zh: "协议版本不接受" },
    meaning: "protocol-version-refused",
  },
  {
    words: { en: "implementation specific", zh: "实现相关错误" },
    meaning: "implementation-specific",
  },
  {
    words: { en: "packet id in use, message id in use", zh: "报文标识符正在使用" },
    meaning: "packet-id-in-use",
  },
  {
    words: { en: "packet id not found", zh: "报文标识符未找到" },
    meaning: "packet-id-unknown",
  },
  {
    words: { en: "subscription ids not supported, subscription identifiers not supported", zh: "不支持订阅标识符" },
    meaning: "subscription-kind-refused",
  },
  {
    words: { en: "has exceeded timeout disconnecting, exceeded timeout", zh: "客户端超时被断开 exceeded timeout" },
    meaning: "client-silent",
  },
  {
    words: {
      en: "port accepts connections and closes them immediately, connects and is closed before CONNACK, docker port closes at once",
      zh: "端口能连上但马上被关闭 连上后立即断开 没有收到 CONNACK 就断开",
    },
    meaning: "port-closes",
  },
  {
    words: {
      en: "port is not MQTT, web server answers, HTTP answers on the MQTT port, wrong port",
      zh: "端口不是 MQTT 返回的是网页 端口填错 HTTP 应答",
    },
    meaning: "port-not-mqtt",
  },
  {
    words: {
      en: "connection lost after publish, disconnected when publishing a message, thrown out on PUBLISH",
      zh: "发布消息后断开 一发布就掉线 发送消息时连接被关闭",
    },
    meaning: "publish-closes",
  },
];
