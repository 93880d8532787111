/** Ports that take connections, and where MQTT is not what is found. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type PortsKey = "port-closes" | "port-not-mqtt" | "publish-closes" | "tls-ended-late";

/** The meanings. */
export const PORTS: Meanings<PortsKey> = {
  "port-closes": {
    title: {
      en: "the connection is closed before CONNECT is answered",
      zh: "CONNECT 还没有得到应答，连接就被对方关闭",
    },
    means: {
      en: "TCP works, and the other side hangs up without a CONNACK. So nobody has looked at user and password yet.",
      zh: "TCP 能连上，但对方没有返回 CONNACK 就断开了。此时还没有检查用户名和密码。",
    },
    causes: [
      {
        why: {
          en: "the wrong kind of port: plain MQTT to a TLS port",
          zh: "端口类型不符：用明文连接了 TLS 端口",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "诊断结果里端口上是什么协议" },
        fix: {
          en: "switch TLS on in the client (--cafile CA.crt), or take the plain port",
          zh: "在客户端启用 TLS（--cafile CA.crt），或改用明文端口",
        },
      },
      {
        why: {
          en: "the broker takes no more clients: max_connections, global_max_clients, or its limit of open files",
          zh: "服务器不再接受客户端：max_connections、global_max_clients 或打开文件数已达上限",
        },
        run: "journalctl -u mosquitto -n 50",
        see: {
          en: '"max_connections exceeded" or "Too many open files", on the broker\'s machine',
          zh: "（在服务器上）是否有 “max_connections exceeded” 或 “Too many open files”",
        },
        fix: {
          en: "raise the limit that the log names, or end clients that are too many",
          zh: "调高日志中提到的上限，或断开多余的客户端",
        },
      },
      {
        why: {
          en: "Docker, a load balancer or a tunnel takes the connection, and nobody listens behind it",
          zh: "连接由 Docker、负载均衡或隧道接受，后面并没有程序在监听",
        },
        run: "docker inspect CONTAINER",
        see: {
          en: "the port that is published, against the listener in the container's mosquitto.conf",
          zh: "映射的端口是否与容器内 mosquitto.conf 的 listener 一致",
        },
        fix: {
          en: 'start the broker, and have it listen beyond loopback: "listener 1883"',
          zh: "启动服务器，并让它不只监听回环地址：“listener 1883”",
        },
      },
      {
        why: {
          en: "access control of the system refuses this address: /etc/hosts.deny",
          zh: "系统访问控制拒绝了这个地址：/etc/hosts.deny",
        },
        run: "cat /etc/hosts.allow /etc/hosts.deny",
        see: { en: "a line for mosquitto or ALL", zh: "是否有 mosquitto 或 ALL 的行" },
        fix: { en: "allow the address in /etc/hosts.allow", zh: "在 /etc/hosts.allow 中放行该地址" },
      },
    ],
    read: ["mosquitto.conf(5), max_connections", "hosts_access(5)"],
  },
  "publish-closes": {
    title: {
      en: "the broker closed the connection on a PUBLISH",
      zh: "发出 PUBLISH 后，连接被服务器关闭",
    },
    means: {
      en: "CONNACK had come, and the connection ended when a message was sent. MQTT 3.1.1 cannot say why; the message is lost.",
      zh: "CONNACK 已经收到，发送消息时连接断开。MQTT 3.1.1 无法说明原因；这条消息没有送达。",
    },
    causes: [
      {
        why: {
          en: "the message is larger than the broker takes: max_packet_size, 2,000,000 bytes by default since mosquitto 2.1",
          zh: "消息超过服务器的 max_packet_size（mosquitto 2.1 起默认 2,000,000 字节）",
        },
        run: "lacewing pub -h BROKER -V 5 -t TOPIC -m test -q 1 -d",
        see: { en: "that a small one passes", zh: "小消息能否成功" },
        fix: { en: "raise max_packet_size, or split the message", zh: "增大 max_packet_size，或拆分消息" },
      },
      {
        why: {
          en: "its QoS is above max_qos, or it is retained and retain_available is false",
          zh: "QoS 超过 max_qos；或是保留消息，而 retain_available 为 false",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "maximum QoS and retained messages, under CONNECT", zh: "CONNECT 一项中的最大 QoS 和保留消息" },
        fix: { en: "publish with a lower QoS, or without -r", zh: "降低 QoS，或不加 -r" },
      },
      {
        why: {
          en: "the topic is not allowed: a wildcard in it, too many levels, or rules of a broker that closes instead of dropping",
          zh: "主题不允许：含通配符、级数太多，或该服务器对无权限的发布直接断开",
        },
        run: "lacewing pub -h BROKER -V 5 -t TOPIC -m test -q 1 -d",
        see: { en: "the reason code: MQTT 5 says it", zh: "MQTT 5 会给出原因码" },
        fix: { en: "mend what the reason code names", zh: "按原因码修正" },
      },
      {
        why: {
          en: "by chance at that moment: the same client identifier elsewhere, or a restart of the broker",
          zh: "恰好在此时：同一 client id 在别处登录，或服务器重启",
        },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "what the broker says of this client", zh: "服务器日志中关于该客户端的内容" },
        fix: { en: "give each client an identifier of its own", zh: "每个客户端使用唯一的 id" },
      },
    ],
    afterwards: {
      en: "mosquitto_pub ends with 7. A library that connects again and sends the same message is thrown out again.",
      zh: "mosquitto_pub 以 7 退出。会重连并重发同一条消息的库会再次被断开。",
    },
    read: ["[3.1.1 §4.8]", "[5.0 §4.13]"],
  },
  "tls-ended-late": {
    title: {
      en: "the broker ended TLS after the handshake: it wants another client certificate",
      zh: "TLS 握手后被服务器中断：没有客户端证书，或证书不被接受",
    },
    means: {
      en: 'With TLS 1.3 a client is done before the broker has looked at its certificate, so that the refusal meets the CONNECT. "Protocol error" is the system\'s text (EPROTO) and has nothing to do with MQTT.',
      zh: "TLS 1.3 中，客户端完成握手时服务器还没有检查客户端证书，所以拒绝出现在发送 CONNECT 时。“Protocol error” 是系统错误文本（EPROTO），与 MQTT 协议无关。",
    },
    causes: [
      {
        why: { en: "the broker wants a client certificate and got none", zh: "服务器要求客户端证书，但没有收到" },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt",
        see: { en: "whether a client certificate is asked for", zh: "是否要求客户端证书" },
        fix: { en: "--cert CLIENT.crt --key CLIENT.key", zh: "使用 --cert CLIENT.crt --key CLIENT.key" },
      },
      {
        why: {
          en: "the client certificate has expired, or is not valid yet by the broker's clock",
          zh: "客户端证书已过期，或按服务器时钟尚未生效",
        },
        run: "openssl x509 -in CLIENT.crt -noout -dates",
        see: { en: "today between the two, by the broker's clock too", zh: "今天是否在两者之间，也要看服务器的时钟" },
        fix: { en: "issue a new client certificate", zh: "重新签发客户端证书" },
      },
      {
        why: {
          en: "the broker's cafile lacks the CA or intermediate that signed the client certificate",
          zh: "服务器的 cafile 缺少签发客户端证书的 CA 或中间证书",
        },
        run: "openssl verify -CAfile BROKER-CA.crt CLIENT.crt",
        see: { en: "OK, with the broker's cafile", zh: "用服务器的 cafile 验证是否 OK" },
        fix: {
          en: "add that CA to the broker's cafile and reload it, or have the client send the intermediate",
          zh: "把该 CA 加入服务器的 cafile 并重新加载，或让客户端同时发送中间证书",
        },
      },
    ],
    read: ["[RFC 8446 §4.4.2]", "mosquitto.conf(5), require_certificate"],
  },
  "port-not-mqtt": {
    title: { en: "the port does not speak MQTT", zh: "该端口不是 MQTT" },
    means: {
      en: "Something answers there, and it is no MQTT: a web server, a WebSocket listener, another program.",
      zh: "该端口有程序应答，但不是 MQTT：可能是 Web 服务器、WebSocket 监听或其他程序。",
    },
    causes: [
      {
        why: { en: "another program's port was given", zh: "填的是其他程序的端口" },
        run: "ss -ltnp",
        see: {
          en: "which program listens on it, on the broker's machine, and which port the broker has",
          zh: "（在服务器上）该端口属于哪个程序，MQTT 服务器的端口是哪个",
        },
        fix: {
          en: "take the broker's port, usually 1883, with TLS 8883",
          zh: "改用 MQTT 端口，通常是 1883，TLS 是 8883",
        },
      },
      {
        why: { en: 'it is a listener with "protocol websockets"', zh: "它是 “protocol websockets” 的 listener" },
        run: "lacewing doctor ws://BROKER:PORT/mqtt",
        see: { en: "that MQTT answers in the WebSocket", zh: "WebSocket 里是否有 MQTT 应答" },
        fix: {
          en: "connect with ws:// or wss://, or take the plain port",
          zh: "用 ws:// 或 wss:// 连接，或改用普通端口",
        },
      },
      {
        why: {
          en: "a proxy answers in the broker's place, with an error page",
          zh: "由代理代替服务器应答，返回的是错误页",
        },
        run: "curl -v http://BROKER:PORT/",
        see: { en: "the page and its Server header", zh: "页面内容和 Server 头" },
        fix: {
          en: "have the proxy pass TCP on (stream in nginx, tcp in HAProxy), or use WebSocket",
          zh: "让代理直接转发 TCP（nginx 用 stream，HAProxy 用 tcp 模式），或改用 WebSocket",
        },
      },
    ],
    read: ["[5.0 §4.2]"],
  },
};
