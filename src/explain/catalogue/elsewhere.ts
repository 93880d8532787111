/** What users meet with other libraries, brokers and services, and when one tool works and another does not. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type ElsewhereKey =
  | "aedes-clients-grow"
  | "aedes-packet-unknown"
  | "aedes-stalls"
  | "aws-iot-closes"
  | "dynsec-not-saved"
  | "mqttjs-loses-messages"
  | "mqttjs-publishes-nothing"
  | "one-tool-works";

/** The meanings. */
export const ELSEWHERE: Meanings<ElsewhereKey> = {
  "aedes-clients-grow": {
    title: { en: "Aedes counts clients that are long gone", zh: "Aedes 的客户端数只增不减" },
    means: {
      en: "Connections that ended halfway were not counted down; the clients are not there.",
      zh: "半途断开的连接没有从计数中减去，这些客户端其实已不在。",
    },
    causes: [
      {
        why: { en: "an old version of Aedes", zh: "Aedes 版本太旧" },
        run: "ss -tn",
        see: { en: "far fewer connections than Aedes counts", zh: "实际连接数远少于 Aedes 的计数" },
        fix: { en: "upgrade Aedes", zh: "升级 Aedes" },
      },
    ],
    read: ["moscajs/aedes#985"],
  },
  "aedes-packet-unknown": {
    title: { en: "Aedes finds a packet no more: no such packet", zh: "Aedes 报 no such packet：找不到报文" },
    means: {
      en: "Its store has no packet for an acknowledgement of QoS 1 or 2. Together with QoS 2 and retained messages this was a crash.",
      zh: "收到 QoS 1/2 的确认，但存储里没有对应的报文；与 QoS 2 保留消息一起时曾导致崩溃。",
    },
    causes: [
      {
        why: {
          en: "the store of an old version, as aedes-persistence-redis",
          zh: "旧版本的存储，例如 aedes-persistence-redis",
        },
        see: { en: "the versions of aedes and of its persistence", zh: "aedes 及其 persistence 的版本" },
        fix: { en: "upgrade both together", zh: "两者一起升级" },
      },
    ],
    read: ["moscajs/aedes-persistence-redis#1"],
  },
  "aedes-stalls": {
    title: { en: "one slow subscriber of Aedes stops everybody", zh: "Aedes 的一个慢订阅者拖住所有人" },
    means: {
      en: "Aedes delivers in order with a fixed number of places, and waits until a full socket drains.",
      zh: "Aedes 用固定数量的位置按顺序投递，并等待写满的套接字排空。",
    },
    causes: [
      {
        why: { en: "a subscriber that reads slowly or not at all", zh: "有订阅者读得很慢或完全不读" },
        run: "ss -tn",
        see: { en: "a large Send-Q on one connection", zh: "某个连接的 Send-Q 很大" },
        fix: {
          en: "Aedes 1.0 or later with drainTimeout, or a broker with a queue for each client",
          zh: "使用 Aedes 1.0 以上并设置 drainTimeout，或换用每个客户端独立队列的服务器",
        },
      },
    ],
    read: ["Aedes, drainTimeout"],
  },
  "aws-iot-closes": {
    title: { en: "AWS IoT closes right after CONNECT without a code", zh: "AWS IoT 连接后立即断开，没有错误码" },
    means: {
      en: "AWS IoT answers what its policy does not allow by closing the connection.",
      zh: "策略不允许的操作，AWS IoT 直接断开连接而不给原因。",
    },
    causes: [
      {
        why: {
          en: "the policy has no iot:Connect for this client identifier",
          zh: "策略里没有该客户端标识符的 iot:Connect",
        },
        see: { en: "disconnectReason of the lifecycle event", zh: "查看生命周期事件里的 disconnectReason" },
        fix: { en: "allow iot:Connect on client/CLIENT_ID", zh: "在策略中允许对 client/CLIENT_ID 的 iot:Connect" },
      },
      {
        why: { en: "another client uses the identifier", zh: "另一个客户端使用同一标识符" },
        see: { en: "DUPLICATE_CLIENTID as disconnectReason", zh: "disconnectReason 是否为 DUPLICATE_CLIENTID" },
        fix: { en: "an identifier for each client", zh: "每个客户端使用不同的标识符" },
      },
      {
        why: {
          en: "a topic outside the policy, or QoS 2, which AWS IoT does not have",
          zh: "主题不在策略范围内，或使用了 AWS IoT 不支持的 QoS 2",
        },
        see: { en: "whether it closes after SUBSCRIBE or PUBLISH", zh: "是否在 SUBSCRIBE 或 PUBLISH 之后断开" },
        fix: { en: "widen the policy; QoS 0 or 1", zh: "放宽策略；使用 QoS 0 或 1" },
      },
    ],
    read: ["AWS IoT Core, lifecycle events"],
  },
  "dynsec-not-saved": {
    title: { en: "changes of dynamic security are gone after a restart", zh: "dynsec 的修改重启后丢失" },
    means: {
      en: "The broker replaces the JSON file by a new one in the same folder, and may not write that folder.",
      zh: "服务器保存时在同一目录中用新文件替换 JSON 文件，但它对该目录没有写权限。",
    },
    causes: [
      {
        why: { en: "the folder belongs to another user than the broker's", zh: "目录不属于服务器的运行用户" },
        run: "ls -ld /var/lib/mosquitto",
        see: { en: "whose it is, and whether that user may write", zh: "目录的所有者及其写权限" },
        fix: {
          en: "put the file into a folder of the broker's user: chown mosquitto /var/lib/mosquitto",
          zh: "把文件放到服务器用户拥有的目录：chown mosquitto /var/lib/mosquitto",
        },
      },
    ],
    read: ["mosquitto_ctrl_dynsec(1)"],
  },
  "mqttjs-loses-messages": {
    title: { en: "MQTT.js loses QoS 1 and 2 messages over a restart", zh: "MQTT.js 断线或重启后丢失 QoS 1/2 消息" },
    means: {
      en: "Its store is in memory unless another is given, and ends with the process.",
      zh: "默认存储在内存中，进程结束即丢失。",
    },
    causes: [
      {
        why: { en: "no durable incomingStore and outgoingStore", zh: "没有配置持久的 incomingStore / outgoingStore" },
        see: { en: "the options given to connect()", zh: "检查 connect() 的选项" },
        fix: {
          en: "give durable stores, and clean: false with a fixed clientId",
          zh: "配置持久存储，并使用 clean: false 和固定 clientId",
        },
      },
      {
        why: { en: "the link broke while the store was sent again", zh: "重发存储内容时连接再次断开" },
        see: { en: "a close right after connect in its debug log", zh: "调试日志中 connect 之后立即 close" },
        fix: { en: "upgrade, or use a client that keeps the order", zh: "升级，或换用能保持顺序的客户端" },
      },
    ],
    read: ["mqttjs/MQTT.js#2015"],
  },
  "mqttjs-publishes-nothing": {
    title: { en: "MQTT.js reconnects and publishes nothing, or loops", zh: "MQTT.js 重连后不再发布，或不断循环" },
    means: {
      en: "The connection is back and what waits in its queue or store is not sent, or its ping timer ends each connection.",
      zh: "连接已恢复，但队列或存储里的消息没有发出；或心跳定时器不断结束连接。",
    },
    causes: [
      {
        why: {
          en: "reconnect() on a client that is connected makes a second connection",
          zh: "在已连接的客户端上调用 reconnect() 会产生第二个连接",
        },
        run: "lacewing why CLIENT_ID -h BROKER",
        see: { en: "takeovers from one address", zh: "同一地址互相顶替" },
        fix: { en: "leave reconnecting to the library", zh: "让库自己重连" },
      },
      {
        why: {
          en: "messages of an old session are in the store and never acknowledged",
          zh: "存储中有旧会话的消息一直得不到确认",
        },
        see: { en: "outgoing store and queue in its debug log", zh: "调试日志里的 outgoing store 和 queue" },
        fix: { en: "empty the store, upgrade", zh: "清空存储并升级" },
      },
    ],
    read: ["mqttjs/MQTT.js#1727"],
  },
  "one-tool-works": {
    title: { en: "it works in one tool and fails in another", zh: "一个工具能连，另一个不能" },
    means: {
      en: "They do not ask for the same: another version, client identifier or trust store, or one checks no certificates.",
      zh: "两者的请求并不相同：协议版本、客户端标识符、信任的证书不同，或其中一个不校验证书。",
    },
    causes: [
      {
        why: { en: "the one that works does not check the certificate", zh: "能用的那个没有校验证书" },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt",
        see: { en: "what is wrong with the certificate", zh: "证书有什么问题" },
        fix: { en: "mend the certificate, or give both the same CA", zh: "修复证书，或给两者同样的 CA" },
      },
      {
        why: { en: "another protocol version or client identifier", zh: "协议版本或客户端标识符不同" },
        run: "lacewing doctor mqtt://BROKER:PORT -i CLIENT_ID",
        see: { en: "the versions that the broker speaks", zh: "服务器支持哪些版本" },
        fix: { en: "give both the same options, then change one at a time", zh: "先让两者选项一致，再逐项更改" },
      },
    ],
    read: ["[5.0 §3.1]"],
  },
};
