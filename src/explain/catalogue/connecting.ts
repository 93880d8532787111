/** What goes wrong before there is a connection: names, routes, ports, proxies. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type ConnectingKey =
  | "connack-timeout"
  | "connect-failed"
  | "connect-pending"
  | "connection-blocked"
  | "host-unreachable"
  | "no-answer"
  | "no-network"
  | "not-connected"
  | "nothing-listens"
  | "proxy-refused"
  | "system-call-failed";

/** The meanings. */
export const CONNECTING: Meanings<ConnectingKey> = {
  "no-network": {
    title: { en: "no network", zh: "网络不通" },
    means: {
      en: "This machine has no way to the broker's network: no interface is up, or there is no route. Nothing was sent.",
      zh: "本机没有到达服务器所在网络的路径：网卡没有启用，或者没有路由。数据根本没有发出去。",
    },
    causes: [
      {
        why: {
          en: "no interface has an address yet, as shortly after boot or without a cable or Wi-Fi",
          zh: "网卡还没有拿到地址，例如刚开机、网线没插、Wi-Fi 没连上",
        },
        run: "ip -brief address",
        see: {
          en: "an interface other than lo that is UP with an address",
          zh: "除 lo 以外，是否有状态为 UP 并带地址的网卡",
        },
        fix: {
          en: "bring the interface up; start the program after network-online.target, or let it retry",
          zh: "启用网卡；让程序在 network-online.target 之后启动，或者失败后自动重试",
        },
      },
      {
        why: { en: "there is no default route", zh: "没有默认路由" },
        run: "ip route get ADDRESS",
        see: { en: '"Network is unreachable" instead of a route', zh: '输出 "Network is unreachable" 而不是一条路由' },
        fix: { en: "set the gateway, or mend DHCP or the VPN", zh: "配置网关，或修复 DHCP / VPN" },
      },
      {
        why: {
          en: "the name has an IPv6 address and this machine has no IPv6",
          zh: "域名解析到 IPv6 地址，而本机没有 IPv6",
        },
        run: "getent ahosts BROKER",
        see: { en: "only addresses with colons", zh: "是否只有带冒号的地址" },
        fix: { en: "connect to the IPv4 address", zh: "改用 IPv4 地址连接" },
      },
    ],
    afterwards: {
      en: "mosquitto_connect returns 14 (MOSQ_ERR_ERRNO) with errno ENETUNREACH; mosquitto_pub and mosquitto_sub end with 1; loop_forever tries again.",
      zh: "mosquitto_connect 返回 14（MOSQ_ERR_ERRNO），errno 为 ENETUNREACH；mosquitto_pub/sub 以 1 退出；loop_forever 会继续重试。",
    },
    read: ["ip(7)", "connect(2)"],
  },
  "host-unreachable": {
    title: { en: "no way to that host", zh: "到不了这台主机" },
    means: {
      en: "There is a network, but the host does not answer on it, or a router says that there is no way.",
      zh: "网络是通的，但这台主机没有响应，或者路由器回应说到不了。",
    },
    causes: [
      {
        why: { en: "the host is off, or has another address now", zh: "对方主机关机，或者地址变了" },
        run: "ip neigh show ADDRESS",
        see: {
          en: "FAILED or INCOMPLETE: nobody in this network has that address",
          zh: "FAILED 或 INCOMPLETE：本网段没有机器使用这个地址",
        },
        fix: { en: "switch it on, or correct the address", zh: "启动对方主机，或改正地址" },
      },
      {
        why: { en: "the VPN or tunnel to its network is down", zh: "到对方网络的 VPN 或隧道断了" },
        run: "ip route get ADDRESS",
        see: { en: "through which interface it would go", zh: "数据会从哪块网卡出去" },
        fix: { en: "bring the VPN up again", zh: "重新连接 VPN" },
      },
      {
        why: { en: 'a firewall rejects with "host prohibited"', zh: '防火墙以 "host prohibited" 拒绝' },
        run: "ping -c 3 BROKER",
        see: { en: '"Packet filtered" or "Prohibited"', zh: '是否出现 "Packet filtered" 或 "Prohibited"' },
        fix: {
          en: "allow the port on that host (firewalld, cloud security group)",
          zh: "在对方主机或云安全组放行该端口",
        },
      },
    ],
    read: ["ip(7)"],
  },
  "nothing-listens": {
    title: { en: "nothing listens on that port", zh: "该端口没有程序在监听" },
    means: {
      en: "The host answered at once that no program takes connections on this port. The network is fine.",
      zh: "主机立即答复：这个端口没有程序接受连接。网络本身没有问题。",
    },
    causes: [
      {
        why: { en: "the broker does not run, or ended while starting", zh: "服务器没有运行，或启动时就退出了" },
        run: "systemctl status mosquitto",
        see: {
          en: "whether it is active; if not, the last lines of its log",
          zh: "是否为 active；如果不是，看日志最后几行",
        },
        fix: { en: "start it and mend what its log complains about", zh: "启动它，并按日志提示修好配置" },
      },
      {
        why: {
          en: "mosquitto 2 without a listener line takes connections from its own machine only",
          zh: "mosquitto 2.x 没有写 listener 时只接受本机连接",
        },
        run: "ss -ltn",
        see: {
          en: "127.0.0.1:1883 only, instead of 0.0.0.0:1883 or *:1883",
          zh: "只有 127.0.0.1:1883，而没有 0.0.0.0:1883 或 *:1883",
        },
        fix: {
          en: 'add "listener 1883" and say who may connect: password_file, or allow_anonymous true',
          zh: '加上 "listener 1883"，并指定谁可以连接：password_file 或 allow_anonymous true',
        },
      },
      {
        why: {
          en: "another port is meant: 1883 plain, 8883 TLS, 9001 or 8083 WebSocket are customs only",
          zh: "端口写错了：1883 明文、8883 TLS、9001/8083 WebSocket 只是习惯",
        },
        run: "ss -ltnp",
        see: {
          en: "on which ports the broker listens (on the broker's machine)",
          zh: "（在服务器上）它实际监听哪些端口",
        },
        fix: { en: "give that port", zh: "改用实际的端口" },
      },
      {
        why: {
          en: '"localhost" inside a container is the container itself, or it is ::1 and the broker listens on IPv4 only',
          zh: "容器里的 localhost 就是容器自己；或者 localhost 解析成 ::1，而服务器只监听 IPv4",
        },
        run: "getent ahosts localhost",
        see: { en: "whether ::1 comes first", zh: "::1 是否排在前面" },
        fix: {
          en: "use the service's name or the host's address; or 127.0.0.1",
          zh: "使用服务名、宿主机地址，或者直接写 127.0.0.1",
        },
      },
    ],
    afterwards: {
      en: 'mosquitto_connect returns 14 with errno ECONNREFUSED; the mosquitto tools end with 1. This is not CONNACK "connection refused".',
      zh: "mosquitto_connect 返回 14，errno 为 ECONNREFUSED；mosquitto 工具以 1 退出。注意这不是 CONNACK 的“连接被拒绝”。",
    },
    read: ["mosquitto.conf(5), listener", "connect(2)"],
  },
  "no-answer": {
    title: { en: "no answer from that address and port", zh: "该地址和端口没有任何应答" },
    means: {
      en: "Packets went out and nothing came back, not even a refusal. Something in between drops them, or the address is nobody's.",
      zh: "数据发出去了，但没有任何回应，连拒绝也没有。多半是中间有防火墙丢包，或者地址根本没人使用。",
    },
    causes: [
      {
        why: {
          en: "a firewall or cloud security group drops packets to this port",
          zh: "防火墙或云安全组把发往该端口的包丢弃",
        },
        run: "nc -vz -w 5 BROKER PORT",
        see: {
          en: "whether another port of the same host, as 22 or 443, answers at once",
          zh: "同一主机的其他端口（如 22、443）是否立即有反应",
        },
        fix: { en: "open the port there", zh: "放行该端口" },
      },
      {
        why: { en: "the address is wrong or old", zh: "地址写错或已过期" },
        run: "getent ahosts BROKER",
        see: { en: "whether the broker really has this address", zh: "服务器是否真的使用这个地址" },
        fix: { en: "correct the address or the DNS record", zh: "改正地址或 DNS 记录" },
      },
      {
        why: { en: "the router does not forward the port to the broker", zh: "路由器没有把端口转发到服务器" },
        run: "tcpdump -ni any tcp port PORT",
        see: { en: "on the broker's machine: whether anything arrives", zh: "（在服务器上）是否有包到达" },
        fix: { en: "forward the port", zh: "配置端口转发" },
      },
      {
        why: {
          en: "in the middle of a connection: the other side has vanished and TCP gave up",
          zh: "如果是连接中途：对方已经消失，TCP 重传后放弃",
        },
        run: "ping -c 5 BROKER",
        see: { en: "packet loss", zh: "是否丢包" },
        fix: {
          en: "mend the link; a keep-alive of 30 to 60 s notices sooner",
          zh: "修复链路；把 keepalive 设为 30–60 秒可以更早发现",
        },
      },
    ],
    afterwards: {
      en: "Linux tries for about two minutes before ETIMEDOUT; libmosquitto then returns 14 and loop_forever tries again.",
      zh: "Linux 大约重试两分钟后才报 ETIMEDOUT；libmosquitto 返回 14，loop_forever 会继续重试。",
    },
    read: ["tcp(7), tcp_syn_retries"],
  },
  "connack-timeout": {
    title: {
      en: "the other side took the connection and did not answer CONNECT",
      zh: "TCP 连上了，但对方没有回复 CONNACK",
    },
    means: {
      en: "TCP works, the CONNECT went out, and no CONNACK came in time.",
      zh: "TCP 正常，CONNECT 已发出，但在规定时间内没有收到 CONNACK。",
    },
    causes: [
      {
        why: {
          en: "the port speaks something else: TLS, HTTP, WebSocket",
          zh: "端口不是普通 MQTT：可能是 TLS、HTTP 或 WebSocket",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "诊断结果里“端口上是什么协议”" },
        fix: { en: "use the right port or scheme (mqtts://, ws://)", zh: "换成正确的端口或协议（mqtts://、ws://）" },
      },
      {
        why: { en: "the broker is overloaded, or what checks its passwords is slow", zh: "服务器过载，或认证后端很慢" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "when it logs the CONNACK for this client", zh: "日志里什么时候给该客户端发了 CONNACK" },
        fix: { en: "mend the authentication back end; raise the connect time-out", zh: "修复认证后端；增大连接超时" },
      },
      {
        why: { en: "the client's own event loop is blocked while it starts", zh: "客户端自己的事件循环在启动时被阻塞" },
        run: "top -b -n 1",
        see: { en: "the client's process at 100 % CPU", zh: "客户端进程 CPU 是否占满" },
        fix: { en: "start slow work after the connection is made", zh: "把耗时的工作放到连接成功之后" },
      },
    ],
    read: ["[5.0 §3.1.4]"],
  },
  "connect-pending": {
    title: { en: "the connection is still being made", zh: "连接正在建立中" },
    means: { en: "Nothing is wrong yet: CONNACK has not come.", zh: "还没有出错，只是 CONNACK 尚未到达。" },
    causes: [
      {
        why: {
          en: "a call came between connect_async and on_connect",
          zh: "在 connect_async 之后、on_connect 之前就调用了其他函数",
        },
        see: { en: "whether on_connect was called before", zh: "此前 on_connect 是否已被调用" },
        fix: { en: "publish and subscribe from on_connect", zh: "在 on_connect 回调里再发布、订阅" },
      },
    ],
    read: ["mosquitto.h, mosquitto_connect_async"],
  },
  "connection-blocked": {
    title: { en: "this machine forbids the connection", zh: "本机禁止这个连接" },
    means: {
      en: "The system refused to connect before anything was sent: a local firewall or security module.",
      zh: "连接还没发出就被本机系统拒绝：本机防火墙或安全模块。",
    },
    causes: [
      {
        why: { en: "a local firewall rejects outgoing packets", zh: "本机防火墙拒绝出站数据" },
        run: "nft list ruleset",
        see: { en: "reject or drop rules of the output chain", zh: "output 链里的 reject / drop 规则" },
        fix: { en: "allow the broker's port", zh: "放行服务器端口" },
      },
      {
        why: { en: "SELinux or AppArmor forbids this program the network", zh: "SELinux 或 AppArmor 不允许该程序联网" },
        run: "journalctl -k -n 50",
        see: { en: 'lines with "denied"', zh: "是否有 denied 字样" },
        fix: { en: "allow it in the profile", zh: "在策略中放行" },
      },
    ],
    read: ["connect(2)"],
  },
  "not-connected": {
    title: { en: "there is no connection now", zh: "当前没有连接" },
    means: {
      en: "Something was asked of a client that is not connected: not yet, or not any more.",
      zh: "在没有连接的时候调用了需要连接的操作：还没连上，或已经断开。",
    },
    causes: [
      {
        why: { en: "published or subscribed before on_connect", zh: "在 on_connect 之前就发布或订阅" },
        run: "lacewing sub -h BROKER -t TOPIC -d",
        see: { en: "the order: CONNECT, CONNACK, then the rest", zh: "顺序应为 CONNECT、CONNACK，然后才是其他" },
        fix: {
          en: "do it in on_connect; that also holds after a reconnect",
          zh: "放到 on_connect 回调里做，重连后也会自动执行",
        },
      },
      {
        why: { en: "the connection was lost a moment before, and is not back yet", zh: "连接刚刚断开，还没有重连成功" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "when and why this client went", zh: "该客户端何时、为何断开" },
        fix: { en: "explain the number that on_disconnect gave", zh: "先解释 on_disconnect 给出的错误号" },
      },
      {
        why: { en: "nobody runs the network loop", zh: "没有人运行网络循环" },
        see: {
          en: "whether loop_start, loop_forever or loop is called",
          zh: "代码是否调用了 loop_start、loop_forever 或 loop",
        },
        fix: { en: "call loop_start once after connect", zh: "connect 之后调用一次 loop_start" },
      },
      {
        why: {
          en: "the client object is used in a forked process",
          zh: "在 fork 出的子进程里使用了父进程的客户端对象",
        },
        see: { en: "whether it is made before fork", zh: "对象是否在 fork 之前创建" },
        fix: { en: "make a client in each process", zh: "每个进程创建自己的客户端" },
      },
    ],
    afterwards: {
      en: "In libmosquitto a QoS 0 message of this moment is lost; QoS 1 and 2 wait for the next connection.",
      zh: "libmosquitto 在此时丢弃 QoS 0 消息；QoS 1、2 会排队等下次连接。",
    },
    read: ["mosquitto.h, mosquitto_publish"],
  },
  "proxy-refused": {
    title: { en: "the proxy failed or refused", zh: "代理失败或拒绝" },
    means: {
      en: "The SOCKS5 proxy was reached, and would not connect to the broker.",
      zh: "SOCKS5 代理可以连上，但它没有替我们连到服务器。",
    },
    causes: [
      {
        why: { en: "its rules, or a wrong user or password", zh: "代理规则不允许，或用户名、密码错误" },
        run: "curl -v --socks5-hostname PROXY:1080 telnet://BROKER:PORT",
        see: { en: "what the proxy answers", zh: "代理的答复" },
        fix: { en: "correct the login, or allow the broker", zh: "改正登录信息，或在代理中放行" },
      },
      {
        why: { en: "an HTTP proxy where a SOCKS5 proxy is needed", zh: "需要 SOCKS5 代理，却填了 HTTP 代理" },
        run: "curl -v -x http://PROXY:PORT http://BROKER/",
        see: { en: "an answer that begins with HTTP/", zh: "答复是否以 HTTP/ 开头" },
        fix: {
          en: "give a SOCKS5 proxy: --proxy socks5h://PROXY:1080",
          zh: "改用 SOCKS5 代理：--proxy socks5h://PROXY:1080",
        },
      },
      {
        why: { en: "the name can be resolved only behind the proxy", zh: "域名只能在代理一侧解析" },
        see: { en: "whether the scheme is socks5h", zh: "是否使用 socks5h" },
        fix: { en: "socks5h:// has the proxy resolve the name", zh: "socks5h:// 由代理解析域名" },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 16 (MOSQ_ERR_PROXY), which ends loop_forever.",
      zh: "libmosquitto 返回 16（MOSQ_ERR_PROXY），loop_forever 因此结束。",
    },
    read: ["RFC 1928"],
  },
  "system-call-failed": {
    title: { en: "the operating system failed; its own code says more", zh: "系统调用失败，原因在 errno 里" },
    means: {
      en: "The number only says: look at errno. When it comes from mosquitto_connect, the network is the usual reason.",
      zh: "这个号只表示“看 errno”。如果来自 mosquitto_connect，最常见的原因是网络不通。",
    },
    causes: [
      {
        why: {
          en: "no network: errno is ENETUNREACH (101) or EHOSTUNREACH (113)",
          zh: "网络不通：errno 为 ENETUNREACH(101)或 EHOSTUNREACH(113)",
        },
        run: "ip route get ADDRESS",
        see: { en: 'a route, or "Network is unreachable"', zh: '是否有路由，还是 "Network is unreachable"' },
        fix: {
          en: "bring the network up; loop_forever tries again by itself",
          zh: "恢复网络；loop_forever 会自动重试",
        },
      },
      {
        why: {
          en: "nothing listens there: errno is ECONNREFUSED (111)",
          zh: "对方没有监听：errno 为 ECONNREFUSED(111)",
        },
        run: "nc -vz -w 5 BROKER PORT",
        see: { en: '"Connection refused"', zh: '是否显示 "Connection refused"' },
        fix: { en: "start the broker, or correct host and port", zh: "启动服务器，或改正主机和端口" },
      },
      {
        why: { en: "no answer: errno is ETIMEDOUT (110)", zh: "没有应答：errno 为 ETIMEDOUT(110)" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "which layer fails first", zh: "最先失败的是哪一层" },
        fix: { en: "open the firewall, or correct the address", zh: "放行防火墙，或改正地址" },
      },
      {
        why: {
          en: "while running: ECONNRESET (104) or EPIPE (32), the other side closed",
          zh: "运行中：ECONNRESET(104)或 EPIPE(32)，对方关闭了连接",
        },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "why the broker closed it", zh: "服务器为何关闭连接" },
        fix: { en: "see the meaning of 7, connection lost", zh: "参见错误号 7（连接丢失）" },
      },
    ],
    afterwards: {
      en: "loop_forever and loop_start try again after the reconnect delay. Save errno before you log: logging may change it.",
      zh: "loop_forever / loop_start 会按重连间隔重试。打印日志之前先保存 errno，否则可能被覆盖。",
    },
    read: ["errno(3)", "connect(2)"],
  },
  "connect-failed": {
    title: { en: "no connection could be made", zh: "连接建立失败" },
    means: {
      en: "The library does not say which layer failed: name, network, port or TLS.",
      zh: "库没有说明是哪一层失败：域名、网络、端口还是 TLS。",
    },
    causes: [
      {
        why: { en: "a wrong address or port, or the broker does not run", zh: "地址或端口错误，或服务器没有运行" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: {
          en: "which layer fails first, from another machine in the same network",
          zh: "（在同一网络的另一台机器上）最先失败的是哪一层",
        },
        fix: { en: "correct host and port; start the broker", zh: "改正主机和端口；启动服务器" },
      },
      {
        why: {
          en: "the device has no network yet: Wi-Fi is not connected, or has no address",
          zh: "设备还没有联网：Wi-Fi 未连接，或没有拿到 IP",
        },
        run: "ping -c 3 DEVICE",
        see: { en: "whether the device answers", zh: "设备是否有应答" },
        fix: {
          en: "wait for the address before connecting: WiFi.status() == WL_CONNECTED",
          zh: "等联网后再连接：WiFi.status() == WL_CONNECTED",
        },
      },
      {
        why: {
          en: "mosquitto 2 without a listener line takes connections from its own machine only",
          zh: "mosquitto 2.x 没有写 listener 时只接受本机连接",
        },
        run: "ss -ltn",
        see: { en: "on the broker's machine: 0.0.0.0:1883 or *:1883", zh: "（在服务器上）应有 0.0.0.0:1883 或 *:1883" },
        fix: {
          en: 'add "listener 1883" and password_file, or allow_anonymous true',
          zh: "加上 “listener 1883” 和 password_file，或 allow_anonymous true",
        },
      },
      {
        why: { en: "TLS: the certificate or the clock of the device", zh: "TLS：证书或设备时钟有问题" },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt",
        see: { en: "the chain and its dates", zh: "证书链及其日期" },
        fix: {
          en: "set the device's clock by NTP before connecting; give it the right CA",
          zh: "连接前用 NTP 校准设备时钟；使用正确的 CA",
        },
      },
    ],
    read: ["connect(2)"],
  },
};
