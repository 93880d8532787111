/** Ports that take connections, and where MQTT is not what is found. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type PortsKey = "port-closes" | "port-not-mqtt";

/** The meanings. */
export const PORTS: Meanings<PortsKey> = {
  "port-closes": {
    title: {
      en: "the port takes connections and closes them at once",
      zh: "端口接受连接后立即关闭",
    },
    means: {
      en: "TCP works, and whatever is said, with TLS or without, the other side hangs up. So nobody was asked for a password yet.",
      zh: "TCP 能连上，但无论发送什么（用不用 TLS 都一样），对方都立即断开。此时还没有进行身份认证。",
    },
    causes: [
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
