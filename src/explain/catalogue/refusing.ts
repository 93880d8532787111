/** What a broker answers to CONNECT. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type RefusingKey =
  | "accepted"
  | "authentication-continues"
  | "authentication-failed"
  | "authentication-method-refused"
  | "bad-credentials"
  | "banned"
  | "connect-incomplete"
  | "connection-rate"
  | "connection-refused"
  | "identifier-refused"
  | "login-back-off"
  | "not-authorised"
  | "origin-refused"
  | "protocol-version-refused"
  | "proxy-header"
  | "server-busy"
  | "server-unavailable"
  | "too-many-connections";

/** The meanings. */
export const REFUSING: Meanings<RefusingKey> = {
  accepted: {
    title: { en: "the broker accepted the connection", zh: "服务器接受了连接" },
    means: {
      en: "All is well. When the connection ends right after this, look for a duplicate client identifier, or a first packet that is not allowed.",
      zh: "一切正常。如果紧接着就断开，检查 client id 是否重复，或第一个包是否违规。",
    },
    causes: [],
    read: ["[5.0 §3.2]"],
  },
  "connection-refused": {
    title: { en: "the broker answered CONNECT with a refusal", zh: "服务器拒绝了 CONNECT" },
    means: {
      en: "The network is fine; the broker said no. The CONNACK code says why; this is not ECONNREFUSED.",
      zh: "网络正常，是服务器说“不”。原因在 CONNACK 码里；这与 ECONNREFUSED 不是一回事。",
    },
    causes: [
      {
        why: { en: "user name, password or rights", zh: "用户名、密码或权限" },
        run: "lacewing sub -h BROKER -u USER -P PASSWORD -t TOPIC -d",
        see: { en: "the code in the CONNACK line", zh: "CONNACK 行里的码" },
        fix: {
          en: "explain that code: lacewing explain 5 --from connack",
          zh: "解释这个码：lacewing explain 5 --from connack",
        },
      },
      {
        why: { en: "client identifier or protocol version", zh: "client id 或协议版本" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "which versions the broker takes", zh: "服务器接受哪些版本" },
        fix: { en: "use one of them; a legal identifier", zh: "改用受支持的版本和合法的 id" },
      },
    ],
    afterwards: {
      en: "libmosquitto retries 5 for ever, also with a wrong password; for 5.0 it returns 2 for every refusal.",
      zh: "libmosquitto 遇到 5 会一直重试，密码错误也不例外；5.0 的所有拒绝都返回 2。",
    },
    read: ["[3.1.1 §3.2.2.3]"],
  },
  "protocol-version-refused": {
    title: { en: "the broker does not take this version of MQTT", zh: "服务器不接受这个 MQTT 版本" },
    means: {
      en: "CONNECT asked for a protocol level that this broker does not speak.",
      zh: "CONNECT 使用的协议版本不被该服务器支持。",
    },
    causes: [
      {
        why: {
          en: "an MQTT 5 client and a broker that knows 3.1.1 only, or one that is set to certain versions",
          zh: "客户端用 MQTT 5，而服务器只支持 3.1.1，或限制了版本",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "which versions are accepted", zh: "接受哪些版本" },
        fix: { en: "choose 3.1.1 (-V 311) or 5 (-V 5)", zh: "改用 3.1.1(-V 311)或 5(-V 5)" },
      },
      {
        why: {
          en: "accept_protocol_versions of the listener (mosquitto 2.1)",
          zh: "listener 的 accept_protocol_versions(mosquitto 2.1)",
        },
        run: "grep -n accept_protocol_versions /etc/mosquitto/mosquitto.conf",
        see: { en: "the versions it lists", zh: "列出的版本" },
        fix: { en: "add the version", zh: "加入所需版本" },
      },
    ],
    read: ["[5.0 MQTT-3.1.2-2]"],
  },
  "identifier-refused": {
    title: { en: "the broker does not take this client identifier", zh: "client id 不被接受" },
    means: {
      en: "The identifier is empty, too long, not allowed, or the broker's rules say no.",
      zh: "id 为空、过长、含非法字符，或不符合服务器规则。",
    },
    causes: [
      {
        why: { en: "an empty identifier together with clean session off", zh: "id 为空，同时 clean session 为 0" },
        run: "lacewing sub -h BROKER -i NAME -t TOPIC -d",
        see: { en: "whether it works with a name", zh: "给出 id 后是否正常" },
        fix: { en: "give an identifier, or clean session", zh: "填写 id，或使用 clean session" },
      },
      {
        why: {
          en: "clientid_prefixes, or an identifier that belongs to another user",
          zh: "clientid_prefixes 限制，或 id 属于其他用户",
        },
        run: "grep -n -E 'clientid_prefixes|auto_id|allow_zero_length' /etc/mosquitto/mosquitto.conf",
        see: { en: "what is allowed", zh: "允许哪些" },
        fix: { en: "use an identifier that is allowed", zh: "使用允许的 id" },
      },
      {
        why: {
          en: "a keep-alive above max_keepalive, which mosquitto answers to 3.x clients with this",
          zh: "keepalive 超过 max_keepalive，mosquitto 对 3.x 客户端也回复此码",
        },
        run: "grep -n max_keepalive /etc/mosquitto/mosquitto.conf",
        see: { en: "the limit, against -k", zh: "与 -k 比较" },
        fix: { en: "lower the keep-alive", zh: "减小 keepalive" },
      },
      {
        why: {
          en: "longer than 23 characters at a strict 3.1 broker",
          zh: "严格的 3.1 服务器不接受超过 23 个字符的 id",
        },
        see: { en: "its length", zh: "id 的长度" },
        fix: { en: "shorten it", zh: "缩短 id" },
      },
    ],
    read: ["[3.1.1 MQTT-3.1.3-8]", "mosquitto.conf(5), clientid_prefixes"],
  },
  "server-unavailable": {
    title: { en: "the broker is there but takes nobody now", zh: "服务器在线，但暂时不提供服务" },
    means: {
      en: "It starts, stops, waits for its database or cluster, or has reached a limit.",
      zh: "它正在启动、停止、等待数据库或集群，或已达到上限。",
    },
    causes: [
      {
        why: { en: "it shuts down or starts", zh: "正在关闭或启动" },
        run: "systemctl status mosquitto",
        see: { en: "its state and last lines", zh: "状态和最后几行日志" },
        fix: { en: "try again with a growing delay", zh: "逐渐加长间隔后重试" },
      },
      {
        why: { en: "too many connections, or a limit of the account in a cloud", zh: "连接数过多，或云账户限额" },
        run: "ss -s",
        see: { en: "the number of TCP connections on the broker's machine", zh: "（在服务器上）TCP 连接数" },
        fix: { en: "raise max_connections, or the account's limit", zh: "增大 max_connections 或账户限额" },
      },
    ],
    read: ["[3.1.1 §3.2.2.3]"],
  },
  "bad-credentials": {
    title: { en: "wrong user name or password", zh: "用户名或密码错误" },
    means: {
      en: "The broker does not know this user with this password. mosquitto itself never says this: it answers 5 (not authorised).",
      zh: "服务器不认可这组用户名和密码。mosquitto 本身不会返回它，而是返回 5（未授权）。",
    },
    causes: [
      {
        why: {
          en: "a wrong or old password, or a line end in a secret that was read from a file",
          zh: "密码错误或过期，或从文件读取的密钥末尾带换行",
        },
        run: "lacewing sub -h BROKER -u USER -P PASSWORD -t TOPIC -d",
        see: { en: "CONNACK (0) when typed by hand", zh: "手工输入时是否为 CONNACK (0)" },
        fix: { en: "correct it where the program reads it", zh: "在程序读取密码的地方改正" },
      },
      {
        why: { en: "a token (JWT) that has expired, or a clock that is wrong", zh: "令牌（JWT）过期，或时钟不准" },
        run: "date -u",
        see: { en: 'against "nbf" and "exp" of the token', zh: "与令牌中的 nbf、exp 比较" },
        fix: { en: "a new token; set the clock", zh: "换新令牌；校准时钟" },
      },
    ],
    afterwards: {
      en: "Stop reconnecting: the next attempt has the same password. MQTT.js and libmosquitto retry for ever unless told otherwise.",
      zh: "应停止重连，因为再试密码还是一样。MQTT.js 和 libmosquitto 默认会一直重试。",
    },
    read: ["[5.0 §3.2.2.2]"],
  },
  "not-authorised": {
    title: { en: "the broker does not let this client in", zh: "未授权：服务器不允许该客户端连接" },
    means: {
      en: "With mosquitto this is also the answer to a wrong user name or password.",
      zh: "在 mosquitto 中，用户名或密码错误也是这个答复。",
    },
    causes: [
      {
        why: { en: "a wrong user name or password", zh: "用户名或密码错误" },
        run: "lacewing sub -h BROKER -u USER -P PASSWORD -t TOPIC -d",
        see: { en: "CONNACK (0) when typed by hand", zh: "手工输入时是否为 CONNACK (0)" },
        fix: {
          en: "correct it, or set it anew: lacewing passwd FILE USER, then reload the broker (SIGHUP)",
          zh: "改正，或重新设置：lacewing passwd FILE USER，然后让服务器重新加载（SIGHUP）",
        },
      },
      {
        why: {
          en: "no user name given, and allow_anonymous is false: the default since mosquitto 2.0 as soon as there is a listener",
          zh: "没有给用户名，而 allow_anonymous 为 false:mosquitto 2.0 起，写了 listener 后这就是默认值",
        },
        run: "grep -n -E 'allow_anonymous|password_file|per_listener_settings|listener' /etc/mosquitto/mosquitto.conf",
        see: { en: "which of them holds for this listener", zh: "该 listener 适用哪一条" },
        fix: {
          en: "give -u and -P; or allow_anonymous true on a trusted network",
          zh: "使用 -u 和 -P；可信网络中可设 allow_anonymous true",
        },
      },
      {
        why: {
          en: "per_listener_settings true, and the password file stands above its listener",
          zh: "per_listener_settings 为 true，而 password_file 写在对应 listener 之前",
        },
        run: "grep -n -E 'per_listener_settings|password_file|listener' /etc/mosquitto/mosquitto.conf",
        see: { en: "the order of the lines", zh: "这些行的先后顺序" },
        fix: { en: "move password_file below the listener", zh: "把 password_file 移到 listener 之后" },
      },
      {
        why: {
          en: "the broker cannot read its password file, or was not reloaded after a change",
          zh: "服务器读不了密码文件，或修改后没有重新加载",
        },
        run: "journalctl -u mosquitto -n 50",
        see: { en: '"Unable to open pwfile"', zh: "是否有 “Unable to open pwfile”" },
        fix: { en: "chown it to the broker's user; send SIGHUP", zh: "把文件属主改为服务器用户；发送 SIGHUP" },
      },
    ],
    afterwards: {
      en: "libmosquitto calls on_connect with 5 and retries for ever; mosquitto_pub and mosquitto_sub end with 5, or 135 for MQTT 5.",
      zh: "libmosquitto 以 5 调用 on_connect 并一直重试；mosquitto_pub/sub 以 5 退出（MQTT 5 为 135）。",
    },
    read: ["mosquitto.conf(5), allow_anonymous", "mosquitto_passwd(1)"],
  },
  "server-busy": {
    title: { en: "the broker has as much to do as it can", zh: "服务器繁忙" },
    means: { en: "It protects itself from overload.", zh: "服务器启动了过载保护。" },
    causes: [
      {
        why: { en: "all clients came back at once after a restart", zh: "重启后所有客户端同时重连" },
        run: "ss -s",
        see: { en: "the number of connections on the broker's machine", zh: "（在服务器上）连接数" },
        fix: { en: "reconnect with growing, random delays", zh: "使用随机、递增的重连间隔" },
      },
    ],
    read: ["[5.0 §3.2.2.2]"],
  },
  banned: {
    title: { en: "the broker has banned this client", zh: "客户端被服务器封禁" },
    means: { en: "By hand, or because it connected and failed too often.", zh: "人工封禁，或因连接失败过于频繁。" },
    causes: [
      {
        why: { en: "a fast reconnect loop, or many wrong passwords", zh: "重连过于频繁，或多次密码错误" },
        run: "journalctl -u mosquitto -n 200",
        see: { en: "how often this client came", zh: "该客户端的连接频率" },
        fix: { en: "mend the loop, wait, ask who runs the broker", zh: "修好重连逻辑，等待解封或联系管理员" },
      },
    ],
    read: ["[5.0 §3.2.2.2]"],
  },
  "authentication-method-refused": {
    title: {
      en: "the authentication method is not the broker's, or was changed on the way",
      zh: "认证方法不受支持，或中途改变",
    },
    means: {
      en: "CONNECT or AUTH named an authentication method that the broker does not know.",
      zh: "CONNECT 或 AUTH 使用了服务器不认识的认证方法。",
    },
    causes: [
      {
        why: { en: "a typing mistake, or the broker has no plugin for it", zh: "名称拼错，或服务器没有对应插件" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: "which plugins it loads", zh: "加载了哪些插件" },
        fix: { en: "use a method that it knows, or user name and password", zh: "使用受支持的方法，或改用用户名密码" },
      },
    ],
    read: ["[5.0 §4.12]"],
  },
  "authentication-failed": {
    title: { en: "the authentication failed", zh: "认证失败" },
    means: {
      en: "User, password or proxy login was refused, or the enhanced authentication did not succeed.",
      zh: "用户名、密码或代理登录被拒，或增强认证没有通过。",
    },
    causes: [
      {
        why: { en: "wrong user name or password", zh: "用户名或密码错误" },
        run: "lacewing sub -h BROKER -u USER -P PASSWORD -t TOPIC -d",
        see: { en: "the CONNACK code", zh: "CONNACK 码" },
        fix: { en: "correct it", zh: "改正" },
      },
      {
        why: { en: "the login of the SOCKS5 proxy", zh: "SOCKS5 代理的登录信息" },
        run: "curl -v --socks5-hostname USER:PASSWORD@PROXY:1080 telnet://BROKER:PORT",
        see: { en: "what the proxy says", zh: "代理的答复" },
        fix: { en: "correct it in --proxy", zh: "在 --proxy 中改正" },
      },
    ],
    read: ["[5.0 §4.12]"],
  },
  "authentication-continues": {
    title: { en: "the authentication goes on", zh: "认证仍在继续" },
    means: {
      en: "Not an error: the enhanced authentication needs another step, or its answer comes later.",
      zh: "不是错误：增强认证还需要下一步，或结果稍后给出。",
    },
    causes: [
      {
        why: {
          en: "if a program sees it as an error: no callback for AUTH was set",
          zh: "如果程序把它当成错误：没有设置 AUTH 回调",
        },
        see: { en: "whether the program handles AUTH", zh: "程序是否处理 AUTH" },
        fix: { en: "set the callback, or connect without an authentication method", zh: "设置回调，或不使用认证方法" },
      },
    ],
    read: ["[5.0 §3.15]"],
  },
  "connection-rate": {
    title: { en: "connections come too fast for the broker", zh: "连接过于频繁" },
    means: { en: "A limit of connections per second was reached.", zh: "达到了每秒连接数限制。" },
    causes: [
      {
        why: { en: "clients that reconnect without a delay", zh: "客户端不加延迟地重连" },
        run: "journalctl -u mosquitto -n 200",
        see: { en: "which identifiers come again and again", zh: "哪些 id 反复出现" },
        fix: {
          en: "growing, random delays (mosquitto_reconnect_delay_set with exponential backoff)",
          zh: "使用递增的随机延迟（mosquitto_reconnect_delay_set，启用指数退避）",
        },
      },
      {
        why: {
          en: "a limit that is too small for the clients that come at once, as after an outage, or that come by one address, as behind a router or proxy",
          zh: "限制过小：故障恢复后客户端同时上线，或它们经同一地址（路由器、代理）连接",
        },
        run: "grep -n lacewing_max_connect_rate /etc/mosquitto/mosquitto.conf",
        see: { en: "the limit, for all and for one address", zh: "总限制与单个地址的限制" },
        fix: {
          en: "raise it; behind a proxy use its PROXY header (enable_proxy_protocol)",
          zh: "增大限制；在代理后面启用 PROXY 头（enable_proxy_protocol）",
        },
      },
    ],
    read: ["[5.0 §3.2.2.2]", "docs/security.md"],
  },
  "login-back-off": {
    title: {
      en: "log-ins from this address failed too often, so that it is not listened to for a while",
      zh: "该地址登录失败次数过多，暂时不予处理",
    },
    means: {
      en: "Whoever comes from there is refused unheard, with the right password too, until the time is over; it doubles with each further failure.",
      zh: "在此期间，来自该地址的客户端即使密码正确也会被拒绝；每再失败一次，时间加倍。",
    },
    causes: [
      {
        why: {
          en: "a device with an old password behind the same router or proxy",
          zh: "同一路由器或代理后面有设备仍在使用旧密码",
        },
        run: "journalctl -u mosquitto -n 200",
        see: { en: "which client is refused, and why", zh: "哪个客户端被拒绝及其原因" },
        fix: {
          en: "correct its password; raise lacewing_max_login_failures",
          zh: "更正它的密码；或增大 lacewing_max_login_failures",
        },
      },
      {
        why: { en: "somebody guesses passwords", zh: "有人在猜密码" },
        run: "journalctl -u mosquitto -n 200",
        see: { en: "many user names from one address", zh: "同一地址尝试许多用户名" },
        fix: { en: "nothing: this is the protection", zh: "无需处理：这正是保护措施" },
      },
    ],
    read: ["[5.0 §3.2.2.2]", "docs/security.md"],
  },
  "too-many-connections": {
    title: { en: "the broker takes no more connections", zh: "服务器连接数已达上限" },
    means: {
      en: "A limit of the configuration or of the system is reached; new clients are closed without a CONNACK.",
      zh: "达到配置或系统上限；新客户端不会收到 CONNACK，直接被关闭。",
    },
    causes: [
      {
        why: {
          en: "max_connections of the listener, or global_max_clients",
          zh: "listener 的 max_connections，或 global_max_clients",
        },
        run: "grep -n -E 'max_connections|global_max' /etc/mosquitto/mosquitto.conf",
        see: { en: "the limit, against the number of clients", zh: "上限与客户端数比较" },
        fix: { en: "raise it", zh: "增大上限" },
      },
      {
        why: { en: "the limit of open files of the process", zh: "进程的打开文件数限制" },
        run: "prlimit --nofile --pid PID",
        see: { en: "the soft limit; about ten are needed beside the clients", zh: "软限制；除客户端外还需约十个" },
        fix: { en: "LimitNOFILE= in the unit", zh: "在 systemd 单元中设置 LimitNOFILE=" },
      },
    ],
    read: ["mosquitto.conf(5), max_connections"],
  },
  "connect-incomplete": {
    title: {
      en: "somebody connected and did not send a whole CONNECT in time",
      zh: "连接建立后没有及时发送完整的 CONNECT",
    },
    means: {
      en: "The broker waited and closed. Scanners and health checks of load balancers look like this too.",
      zh: "服务器等待后关闭。端口扫描和负载均衡健康检查也是这个样子。",
    },
    causes: [
      {
        why: { en: "a health check or port scan that only opens TCP", zh: "只建立 TCP 的健康检查或端口扫描" },
        run: "ss -tn",
        see: { en: "whose address it is", zh: "对方地址是谁" },
        fix: { en: "nothing, or let it check with MQTT", zh: "忽略，或改用 MQTT 做健康检查" },
      },
      {
        why: {
          en: "a client that waits for the broker to speak first, as a TLS or WebSocket client may",
          zh: "客户端在等服务器先发数据，协议不匹配",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "端口上是什么协议" },
        fix: { en: "match scheme and port", zh: "让协议与端口一致" },
      },
    ],
    read: ["[5.0 §3.1.4]"],
  },
  "origin-refused": {
    title: { en: "the web page's origin may not use this WebSocket", zh: "网页来源（Origin）不允许使用该 WebSocket" },
    means: {
      en: "The browser said from which site the page comes, and the listener's websockets_origin does not list it.",
      zh: "浏览器告知了网页来源，而 listener 的 websockets_origin 中没有它。",
    },
    causes: [
      {
        why: {
          en: "the page is served from another host, port or scheme than allowed",
          zh: "网页的主机、端口或协议与允许的不同",
        },
        run: "grep -n websockets_origin /etc/mosquitto/mosquitto.conf",
        see: { en: "the origin, to the letter: https://example.com", zh: "是否与来源完全一致，如 https://example.com" },
        fix: { en: "add the page's origin", zh: "加入该来源" },
      },
    ],
    read: ["mosquitto.conf(5), websockets_origin"],
  },
  "proxy-header": {
    title: {
      en: "the PROXY header is missing, broken, or says what is not allowed",
      zh: "PROXY 头缺失、损坏或不符合要求",
    },
    means: {
      en: "The listener expects the PROXY protocol of a load balancer before the first packet.",
      zh: "该 listener 要求负载均衡在第一个报文之前发送 PROXY 协议头。",
    },
    causes: [
      {
        why: {
          en: "a client came past the load balancer, directly to this port",
          zh: "客户端绕过负载均衡，直接连到了该端口",
        },
        run: "ss -tn",
        see: { en: "addresses other than the load balancer's", zh: "是否有负载均衡以外的地址" },
        fix: { en: "give direct clients another listener", zh: "为直连客户端另开一个 listener" },
      },
      {
        why: { en: "the load balancer does not send it, or another version of it", zh: "负载均衡没有发送，或版本不同" },
        run: "tcpdump -ni any -A tcp port PORT",
        see: { en: '"PROXY TCP4" is version 1; version 2 is binary', zh: "“PROXY TCP4” 是版本 1；版本 2 是二进制" },
        fix: {
          en: "send-proxy-v2 in HAProxy; enable_proxy_protocol with the same version",
          zh: "HAProxy 用 send-proxy-v2；enable_proxy_protocol 使用相同版本",
        },
      },
      {
        why: {
          en: "proxy_protocol_v2_require_tls or require_certificate is set, and the client came without",
          zh: "设置了 proxy_protocol_v2_require_tls 或 require_certificate，而客户端没有满足",
        },
        run: "grep -n -E 'proxy_protocol|require_' /etc/mosquitto/mosquitto.conf",
        see: { en: "what is required", zh: "要求了什么" },
        fix: { en: "let clients use TLS up to the load balancer", zh: "让客户端到负载均衡之间使用 TLS" },
      },
    ],
    read: ["mosquitto.conf(5), enable_proxy_protocol"],
  },
};
