/** TLS that does not come to be for other reasons than a certificate. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type HandshakingKey =
  | "alpn"
  | "no-shared-cipher"
  | "not-tls"
  | "plain-on-tls-port"
  | "psk-identity"
  | "psk-key"
  | "server-name"
  | "tls-closed"
  | "tls-configuration"
  | "tls-failed"
  | "tls-internal"
  | "tls-version"
  | "websocket-failed";

/** The meanings. */
export const HANDSHAKING: Meanings<HandshakingKey> = {
  "tls-failed": {
    title: { en: "TLS failed: handshake or certificate", zh: "TLS 失败：握手或证书问题" },
    means: {
      en: 'No encrypted connection came to be. libmosquitto often says no more than "A TLS error occurred"; the OpenSSL line before it says why.',
      zh: "没有建立加密连接。libmosquitto 往往只说 “A TLS error occurred”，前面的 OpenSSL 行才有原因。",
    },
    causes: [
      {
        why: {
          en: 'this machine\'s clock is wrong: the certificate is "not yet valid" or "expired". Look here first on devices without a clock battery',
          zh: "本机时钟不对：证书“尚未生效”或“已过期”。没有 RTC 电池的设备首先检查这一点",
        },
        run: "date -u",
        see: { en: "the right date", zh: "日期是否正确" },
        fix: {
          en: "set the clock: timedatectl set-ntp true, or ntpdate pool.ntp.org; then start the program again",
          zh: "校准时钟：timedatectl set-ntp true，或 ntpdate pool.ntp.org；然后重新启动程序",
        },
      },
      {
        why: { en: "the CA file is missing or wrong", zh: "CA 文件缺失或错误" },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -CAfile CA.crt",
        see: { en: '"Verify return code: 0 (ok)", or the reason', zh: "“Verify return code: 0 (ok)”，或具体原因" },
        fix: {
          en: "--cafile with the CA that signed the broker's certificate",
          zh: "--cafile 指定签发服务器证书的 CA",
        },
      },
      {
        why: {
          en: "the broker's certificate has expired, or was renewed and the broker not reloaded",
          zh: "服务器证书过期，或已续签但服务器没有重新加载",
        },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt",
        see: { en: "the dates of the chain", zh: "证书链的日期" },
        fix: { en: "renew, and kill -HUP the broker", zh: "续签，并对服务器 kill -HUP" },
      },
      {
        why: { en: "the name connected to is not in the certificate", zh: "连接的主机名不在证书里" },
        run: "openssl x509 -in SERVER.crt -noout -ext subjectAltName",
        see: { en: "the names", zh: "列出的名字" },
        fix: { en: "connect by one of them", zh: "用其中之一连接" },
      },
      {
        why: { en: "the port is not TLS", zh: "端口不是 TLS" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "端口上是什么协议" },
        fix: { en: "use the TLS port, or no TLS", zh: "改用 TLS 端口，或不用 TLS" },
      },
    ],
    afterwards: {
      en: "8 is final: mosquitto_loop_forever returns it and the loop_start thread ends, also when the cause goes away later, as a clock that is put right. Start the program again, or call loop_forever in a loop with a delay.",
      zh: "8 是终止性错误：mosquitto_loop_forever 直接返回 8，loop_start 线程也会结束；即使原因随后消失（例如时钟已校准）也不会恢复。需要重启程序，或在外层循环里延时后再次调用。",
    },
    read: ["mosquitto-tls(7)", "openssl-s_client(1)"],
  },
  "not-tls": {
    title: { en: "the port does not speak TLS", zh: "该端口不是 TLS" },
    means: {
      en: "We began TLS, and what came back is something else: plain MQTT, HTTP, a WebSocket port.",
      zh: "我们发起 TLS，但对方回复的不是 TLS：明文 MQTT、HTTP 或 WebSocket 端口。",
    },
    causes: [
      {
        why: { en: "a plain port is used with TLS", zh: "用 TLS 连接了明文端口" },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "端口上是什么协议" },
        fix: { en: "use the TLS port (8883), or leave out --cafile", zh: "改用 TLS 端口（8883），或去掉 --cafile" },
      },
      {
        why: { en: "an HTTP proxy or load balancer in front", zh: "前面有 HTTP 代理或负载均衡" },
        run: "curl -v http://BROKER:PORT/",
        see: { en: "an answer that begins with HTTP/", zh: "应答是否以 HTTP/ 开头" },
        fix: { en: "connect to the broker, or use ws://", zh: "直接连服务器，或使用 ws://" },
      },
    ],
    afterwards: { en: "libmosquitto returns 8.", zh: "libmosquitto 返回 8。" },
    read: ["[RFC 8446 §5.1]"],
  },
  "plain-on-tls-port": {
    title: { en: "a client without TLS came to the TLS port", zh: "未加密的客户端连到了 TLS 端口" },
    means: {
      en: "The broker expected TLS and got something else. The client sees only that the connection was lost (7).",
      zh: "服务器等待 TLS，收到的却是别的。客户端只会看到连接丢失（7）。",
    },
    causes: [
      {
        why: {
          en: "the client has no TLS option: no --cafile, --capath or mqtts://",
          zh: "客户端没有启用 TLS：没有 --cafile、--capath 或 mqtts://",
        },
        run: "lacewing doctor mqtts://BROKER:PORT --cafile CA.crt",
        see: { en: "that TLS works there", zh: "TLS 是否正常" },
        fix: { en: "switch TLS on in the client", zh: "在客户端启用 TLS" },
      },
      {
        why: { en: "a health check or scanner", zh: "健康检查或端口扫描" },
        run: "journalctl -u mosquitto -n 50",
        see: { en: 'the address in "New connection from"', zh: "“New connection from” 的地址" },
        fix: { en: "ignore it", zh: "忽略" },
      },
    ],
    afterwards: {
      en: 'mosquitto then says "Client <unknown> disconnected: Protocol error", which is no MQTT error here.',
      zh: "mosquitto 接着会打印 “Client <unknown> disconnected: Protocol error”，这里并不是 MQTT 错误。",
    },
    read: ["[RFC 8446 §5.1]"],
  },
  "tls-closed": {
    title: { en: "the other side closed in the middle of the TLS handshake", zh: "TLS 握手中途对方关闭连接" },
    means: {
      en: "The reason is in the other side's log: a plain port, a refused certificate, a firewall.",
      zh: "原因在对方的日志里：明文端口、证书被拒或防火墙。",
    },
    causes: [
      {
        why: {
          en: "a plain MQTT port: mosquitto closes it on a TLS hello",
          zh: "这是明文 MQTT 端口：mosquitto 收到 TLS 握手会直接关闭",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what speaks there", zh: "端口上是什么协议" },
        fix: { en: "use the TLS port, or no TLS", zh: "改用 TLS 端口，或不用 TLS" },
      },
      {
        why: {
          en: "the broker does not take the client's certificate: it has expired, or its CA is not in the broker's cafile",
          zh: "服务器不接受客户端证书：已过期，或其 CA 不在服务器的 cafile 中",
        },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt --cert CLIENT.crt --key CLIENT.key",
        see: { en: "whether the broker closes when it gets the certificate", zh: "服务器是否在收到证书后关闭连接" },
        fix: { en: "give a certificate that the broker's cafile signs", zh: "提供由服务器 cafile 签发的证书" },
      },
      {
        why: {
          en: "in a broker's log: the client did not like the certificate, or gave up",
          zh: "服务器日志中：客户端不接受证书，或主动放弃",
        },
        see: { en: "the client's error at the same time", zh: "同一时刻客户端的错误" },
        fix: { en: "explain that one", zh: "解释那个错误" },
      },
      {
        why: { en: "a firewall that does not let TLS or this server name through", zh: "防火墙不放行 TLS 或该域名" },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER",
        see: { en: "whether it works from another network", zh: "换一个网络是否正常" },
        fix: { en: "allow it", zh: "放行" },
      },
    ],
    read: ["SSL_get_error(3)"],
  },
  "tls-version": {
    title: { en: "the two sides have no version of TLS in common", zh: "双方没有共同支持的 TLS 版本" },
    means: {
      en: "One side speaks only old versions (1.0, 1.1), the other only new ones.",
      zh: "一方只支持旧版（1.0、1.1），另一方只支持新版。",
    },
    causes: [
      {
        why: { en: "an old device, and a broker with TLS 1.2 and 1.3 only", zh: "旧设备，而服务器只支持 TLS 1.2/1.3" },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -tls1_2",
        see: { en: '"Protocol  : TLSv1.2"', zh: "输出中应有 “Protocol  : TLSv1.2”" },
        fix: { en: "update the device's TLS library", zh: "升级设备的 TLS 库" },
      },
      {
        why: {
          en: "tls_version of the listener or --tls-version of the client is set too high",
          zh: "listener 的 tls_version 或客户端 --tls-version 设得太高",
        },
        run: "grep -n tls_version /etc/mosquitto/mosquitto.conf",
        see: { en: "the version", zh: "版本" },
        fix: { en: "tlsv1.2", zh: "设为 tlsv1.2" },
      },
    ],
    read: ["mosquitto.conf(5), tls_version"],
  },
  "no-shared-cipher": {
    title: {
      en: "the handshake failed: no cipher in common, or a client certificate is missing",
      zh: "握手失败：没有共同的加密套件，或缺少客户端证书",
    },
    means: {
      en: "The other side could not agree. Its log tells which of the two.",
      zh: "双方无法达成一致，具体是哪一种要看对方日志。",
    },
    causes: [
      {
        why: { en: "TLS 1.2 and a client certificate is required", zh: "TLS 1.2 且要求客户端证书" },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt",
        see: { en: "whether a client certificate is asked for", zh: "是否要求客户端证书" },
        fix: { en: "--cert CLIENT.crt --key CLIENT.key", zh: "使用 --cert CLIENT.crt --key CLIENT.key" },
      },
      {
        why: {
          en: 'cipher lists that do not meet: a "ciphers" line, PSK on one side, RSA against ECDSA',
          zh: "加密套件不重合：ciphers 设置、只有一边用 PSK、RSA 与 ECDSA 不符",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER",
        see: { en: "the cipher that OpenSSL agrees on", zh: "OpenSSL 协商出的套件" },
        fix: { en: "take the ciphers line away, or widen it", zh: "去掉或放宽 ciphers" },
      },
    ],
    read: ["openssl-ciphers(1)"],
  },
  "server-name": {
    title: {
      en: "the server has no certificate for the name that was asked for",
      zh: "服务器没有该域名（SNI）对应的证书",
    },
    means: {
      en: "TLS sends the name of the host (SNI); the server does not know it.",
      zh: "TLS 会发送主机名（SNI），而服务器不认识这个名字。",
    },
    causes: [
      {
        why: {
          en: "connected by an address or alias that the server does not know",
          zh: "用了服务器不认识的地址或别名",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER",
        see: { en: "whether it works with the right name", zh: "用正确的名字是否成功" },
        fix: { en: "connect by that name, or set servername", zh: "用该名字连接，或设置 servername" },
      },
    ],
    read: ["RFC 6066, section 3"],
  },
  alpn: {
    title: { en: "the two sides speak no application protocol in common (ALPN)", zh: "ALPN 协商失败" },
    means: {
      en: "The server wants a certain ALPN name. AWS IoT on port 443 wants x-amzn-mqtt-ca or mqtt.",
      zh: "服务器要求特定的 ALPN 名称。AWS IoT 的 443 端口需要 x-amzn-mqtt-ca 或 mqtt。",
    },
    causes: [
      {
        why: { en: "none or the wrong ALPN name was sent", zh: "没有发送 ALPN，或名称不对" },
        run: "openssl s_client -connect BROKER:443 -servername BROKER -alpn x-amzn-mqtt-ca",
        see: { en: '"ALPN protocol" in the output', zh: "输出中的 “ALPN protocol”" },
        fix: { en: "--tls-alpn x-amzn-mqtt-ca", zh: "使用 --tls-alpn x-amzn-mqtt-ca" },
      },
    ],
    read: ["RFC 7301"],
  },
  "psk-identity": {
    title: { en: "the broker does not know this PSK identity", zh: "服务器不认识该 PSK 身份" },
    means: { en: "The identity is not in the broker's psk_file.", zh: "该身份不在服务器的 psk_file 里。" },
    causes: [
      {
        why: { en: "a typing mistake, or the file was not reloaded", zh: "拼写错误，或文件没有重新加载" },
        run: "grep -n IDENTITY /etc/mosquitto/pskfile",
        see: { en: 'a line "identity:hexkey"', zh: "是否有 “身份：十六进制密钥” 一行" },
        fix: { en: "add it and reload the broker", zh: "加入并重新加载服务器" },
      },
    ],
    read: ["mosquitto.conf(5), psk_file"],
  },
  "psk-key": {
    title: { en: "the keys of both sides differ", zh: "双方的 PSK 密钥不同" },
    means: {
      en: "The record could not be checked. With PSK this is a wrong key, often text where hexadecimal is meant.",
      zh: "记录校验失败。使用 PSK 时就是密钥不对，常见原因是该写十六进制却写了文本。",
    },
    causes: [
      {
        why: { en: "the key is given as text, or with 0x or spaces", zh: "密钥写成了文本，或带 0x、空格" },
        see: { en: "only digits and a to f", zh: "只应包含数字和 a–f" },
        fix: { en: "the same hexadecimal key on both sides", zh: "两边使用同一个十六进制密钥" },
      },
    ],
    read: ["mosquitto.conf(5), psk_file"],
  },
  "tls-configuration": {
    title: { en: "the TLS options do not fit together", zh: "TLS 选项配置有误" },
    means: {
      en: "TLS could not even begin: no cipher is left, options exclude each other, or a file was not given.",
      zh: "TLS 还没开始就失败：没有可用套件、选项互相冲突，或缺少文件。",
    },
    causes: [
      {
        why: {
          en: "a cipher list that leaves nothing, as PSK ciphers with TLS 1.3 only",
          zh: "加密套件列表为空，例如只允许 TLS 1.3 却指定 PSK 套件",
        },
        run: "openssl ciphers -v CIPHERS",
        see: { en: "at least one line", zh: "至少应有一行" },
        fix: { en: "take the list away", zh: "去掉该列表" },
      },
      {
        why: {
          en: "--cert without --key, or --psk together with --cafile",
          zh: "只有 --cert 没有 --key，或 --psk 与 --cafile 同用",
        },
        run: "lacewing pub --help",
        see: { en: "the TLS options", zh: "TLS 相关选项" },
        fix: { en: "give what belongs together", zh: "补全配对的选项" },
      },
    ],
    read: ["mosquitto_pub(1)"],
  },
  "tls-internal": {
    title: { en: "TLS failed inside one of the two sides", zh: "TLS 内部错误" },
    means: {
      en: "A fault or limit of one side's TLS; seldom a matter of the configuration.",
      zh: "某一方 TLS 实现的错误或限制，通常与配置无关。",
    },
    causes: [
      {
        why: { en: "a device with too little memory for a handshake", zh: "设备内存不足以完成握手" },
        see: {
          en: "free memory before the handshake (about 40 kB are needed on an ESP32)",
          zh: "握手前的空闲内存（ESP32 约需 40 kB）",
        },
        fix: { en: "smaller TLS buffers or chain; ECDSA certificates", zh: "减小 TLS 缓冲区或证书链；使用 ECDSA 证书" },
      },
      {
        why: {
          en: "a server without a certificate for this name, or with a broken one",
          zh: "服务器没有该名字的证书，或证书损坏",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER",
        see: { en: "whether OpenSSL succeeds", zh: "OpenSSL 是否成功" },
        fix: { en: "look at the server's log", zh: "查看服务器日志" },
      },
    ],
    read: ["[RFC 8446 §6.2]"],
  },
  "websocket-failed": {
    title: { en: "the WebSocket did not come to be", zh: "WebSocket 没有建立" },
    means: {
      en: "HTTP answered, and not with 101 Switching Protocols.",
      zh: "HTTP 有应答，但不是 101 Switching Protocols。",
    },
    causes: [
      {
        why: { en: "a wrong path: most brokers want /mqtt", zh: "路径不对：多数服务器要求 /mqtt" },
        run: "lacewing doctor ws://BROKER:PORT/mqtt",
        see: { en: "the HTTP status", zh: "HTTP 状态码" },
        fix: {
          en: "give the path of the broker, as ws://BROKER:9001/mqtt",
          zh: "使用正确路径，例如 ws://BROKER:9001/mqtt",
        },
      },
      {
        why: {
          en: "the port is plain MQTT, or the proxy does not pass Upgrade on",
          zh: "端口是普通 MQTT，或代理没有转发 Upgrade",
        },
        run: "curl -v http://BROKER:PORT/mqtt",
        see: { en: "which server answers", zh: "应答的是哪个服务器" },
        fix: {
          en: "use the WebSocket listener; proxy_set_header Upgrade in nginx",
          zh: "使用 WebSocket listener；nginx 加 proxy_set_header Upgrade",
        },
      },
      {
        why: { en: "an https page opens ws:// instead of wss://", zh: "https 页面使用了 ws:// 而不是 wss://" },
        see: { en: '"mixed content" in the browser\'s console', zh: "浏览器控制台的 “mixed content”" },
        fix: { en: "wss:// with a certificate that the browser trusts", zh: "使用 wss://，证书需被浏览器信任" },
      },
    ],
    read: ["[5.0 §6]"],
  },
};
