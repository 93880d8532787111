/** Names and addresses that lead nowhere. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type FindingKey = "address-invalid" | "name-service-down" | "name-unknown" | "srv-lookup-failed";

/** The meanings. */
export const FINDING: Meanings<FindingKey> = {
  "address-invalid": {
    title: { en: "host or port cannot be an address", zh: "主机或端口写法不对" },
    means: {
      en: "The address was refused before anything was sent: a port outside 0 to 65535, or a host that is none.",
      zh: "还没有发送就被拒绝：端口不在 0–65535 之内，或主机写法不合法。",
    },
    causes: [
      {
        why: { en: "the port is out of range or not a number", zh: "端口超出范围或不是数字" },
        see: { en: "the value in the configuration", zh: "检查配置中的值" },
        fix: { en: "give a port from 1 to 65535", zh: "填写 1–65535 之间的端口" },
      },
      {
        why: { en: "a whole URL where only a host belongs", zh: "在只能写主机名的地方写了完整 URL" },
        run: "getent ahosts BROKER",
        see: { en: "whether the bare name has an address", zh: "单独的主机名能否解析" },
        fix: { en: "give host and port apart", zh: "把主机和端口分开填写" },
      },
    ],
    read: ["[RFC 3986 §3.2]"],
  },
  "name-service-down": {
    title: { en: "no name service answers", zh: "DNS 没有应答" },
    means: {
      en: "The name could not be looked up, because no name server answered. The name itself may be right.",
      zh: "DNS 服务器没有应答，所以无法查询。名字本身可能没有问题。",
    },
    causes: [
      {
        why: { en: "there is no network yet, as at boot", zh: "网络还没就绪，例如刚开机" },
        run: "ip route",
        see: { en: 'a line that begins with "default"', zh: "是否有以 default 开头的一行" },
        fix: { en: "start after network-online.target and retry", zh: "在 network-online.target 之后启动，并自动重试" },
      },
      {
        why: { en: "the name server in resolv.conf is down or not reachable", zh: "resolv.conf 里的 DNS 服务器不可用" },
        run: "cat /etc/resolv.conf",
        see: { en: "the nameserver lines; ping them", zh: "nameserver 行；ping 一下看看" },
        fix: {
          en: "set one that answers, or give the broker's IP address",
          zh: "换一个可用的 DNS，或直接使用 IP 地址",
        },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 15 (MOSQ_ERR_EAI), which ends loop_forever.",
      zh: "libmosquitto 返回 15（MOSQ_ERR_EAI），loop_forever 因此结束。",
    },
    read: ["resolv.conf(5)"],
  },
  "name-unknown": {
    title: { en: "the broker's name has no address", zh: "服务器域名解析不到地址" },
    means: {
      en: "The name service answered, and it knows no address for this name.",
      zh: "DNS 有应答，但查不到这个名字的地址。",
    },
    causes: [
      {
        why: {
          en: 'a typing mistake, or "mqtt://", a port or a space inside the host field',
          zh: "拼写错误，或在主机名里写了 mqtt://、端口或空格",
        },
        run: "getent ahosts BROKER",
        see: { en: "no output: the name has no address", zh: "没有输出：该名字没有地址" },
        fix: { en: "give the bare name, as broker.example.com", zh: "只写主机名，例如 broker.example.com" },
      },
      {
        why: {
          en: "a name of the local network (.local, a container's name) that this machine cannot resolve",
          zh: "局域网名字（.local 或容器名），本机解析不了",
        },
        run: "getent hosts NAME.local",
        see: { en: "whether mDNS is set up here", zh: "本机是否支持 mDNS" },
        fix: {
          en: "use the address, install libnss-mdns, or put both containers in one network",
          zh: "直接用 IP，安装 libnss-mdns，或把两个容器放到同一网络",
        },
      },
      {
        why: { en: "no name service can be reached: no network yet", zh: "连不上 DNS：网络还没有就绪" },
        run: "cat /etc/resolv.conf",
        see: { en: "which servers are asked", zh: "使用的是哪个 DNS 服务器" },
        fix: { en: "wait for the network, then retry", zh: "等网络就绪后重试" },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 15 (MOSQ_ERR_EAI), which ends loop_forever; the mosquitto tools end with 1.",
      zh: "libmosquitto 返回 15（MOSQ_ERR_EAI），loop_forever 因此结束；mosquitto 工具以 1 退出。",
    },
    read: ["getaddrinfo(3)"],
  },
  "srv-lookup-failed": {
    title: { en: "no SRV record was found", zh: "找不到 SRV 记录" },
    means: {
      en: "The connection was asked for by SRV record, and DNS has none (_mqtt._tcp or _secure-mqtt._tcp).",
      zh: "程序要求按 SRV 记录连接，但 DNS 中没有（_mqtt._tcp 或 _secure-mqtt._tcp）。",
    },
    causes: [
      {
        why: { en: "the domain has no such record", zh: "该域名没有这种记录" },
        run: "dig +short SRV _mqtt._tcp.BROKER",
        see: { en: "an empty answer", zh: "结果为空" },
        fix: { en: "give host and port instead of asking for SRV", zh: "直接写主机和端口，不用 SRV" },
      },
    ],
    read: ["RFC 2782"],
  },
};
