/** Certificates that are not accepted, and the clock that makes good ones bad. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type CertificatesKey =
  | "certificate-damaged"
  | "certificate-expired"
  | "certificate-name"
  | "certificate-not-yet-valid"
  | "certificate-purpose"
  | "certificate-revoked"
  | "certificate-verify-failed"
  | "certificate-weak"
  | "chain-incomplete"
  | "crl-problem"
  | "issuer-missing"
  | "ocsp"
  | "root-untrusted"
  | "self-signed";

/** The meanings. */
export const CERTIFICATES: Meanings<CertificatesKey> = {
  "certificate-not-yet-valid": {
    title: {
      en: "the certificate is not valid yet: this machine's clock is probably behind",
      zh: "证书尚未生效：多半是本机时钟慢了",
    },
    means: {
      en: "Today, by this machine's clock, lies before the first day of the certificate.",
      zh: "按本机时钟，今天早于证书的生效日期。",
    },
    causes: [
      {
        why: {
          en: "the clock is behind: no battery for it, or no time service yet; devices often boot in 1970 or at their build date",
          zh: "时钟落后：没有 RTC 电池，或尚未同步时间；设备开机常常是 1970 年或固件编译日期",
        },
        run: "date -u",
        see: { en: "a date in the past", zh: "日期是否在过去" },
        fix: {
          en: "set the clock: timedatectl set-ntp true, or ntpdate pool.ntp.org; then start the program again",
          zh: "校准时钟：timedatectl set-ntp true，或 ntpdate pool.ntp.org；然后重新启动程序",
        },
      },
      {
        why: { en: "the certificate was made on a machine whose clock was ahead", zh: "签发证书的机器时钟超前" },
        run: "openssl x509 -in SERVER.crt -noout -dates",
        see: { en: "notBefore in the future", zh: "notBefore 是否在未来" },
        fix: { en: "wait, or issue it again", zh: "等待，或重新签发" },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 8, which ends loop_forever: also after the clock is put right the program must be started again.",
      zh: "libmosquitto 返回 8，loop_forever 随之结束：即使时钟校准了，也要重新启动程序。",
    },
    read: ["[RFC 5280 §4.1.2.5]", "timedatectl(1)"],
  },
  "certificate-expired": {
    title: { en: "a certificate has expired", zh: "证书已过期" },
    means: {
      en: "By this machine's clock the last day of a certificate of the chain is over.",
      zh: "按本机时钟，证书链中某张证书已过有效期。",
    },
    causes: [
      {
        why: { en: "it has expired", zh: "证书确实过期" },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -showcerts",
        see: { en: "notAfter of each certificate that is served", zh: "服务器发来的每张证书的 notAfter" },
        fix: { en: "renew it", zh: "续签证书" },
      },
      {
        why: {
          en: "it was renewed on the disk, and the broker still serves the old one",
          zh: "磁盘上已续签，但服务器仍在使用旧证书",
        },
        run: "openssl x509 -in SERVER.crt -noout -dates",
        see: { en: "dates that differ from those served", zh: "与服务器实际发送的日期不同" },
        fix: {
          en: "reload: kill -HUP PID; restart when the CA file changed",
          zh: "重新加载：kill -HUP PID；CA 文件变了则需重启",
        },
      },
      {
        why: { en: "this machine's clock is ahead", zh: "本机时钟超前" },
        run: "date -u",
        see: { en: "a date in the future", zh: "日期是否在未来" },
        fix: { en: "set the clock: timedatectl set-ntp true", zh: "校准时钟：timedatectl set-ntp true" },
      },
      {
        why: {
          en: "an intermediate or root of the chain has expired, and not the broker's own",
          zh: "过期的是中间证书或根证书，而不是服务器证书",
        },
        run: "openssl verify -CAfile CA.crt SERVER.crt",
        see: { en: '"at N depth lookup": which of the chain it is', zh: "“at N depth lookup”：是链中的哪一张" },
        fix: { en: "replace that one", zh: "更换那一张" },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 8, which ends loop_forever.",
      zh: "libmosquitto 返回 8，loop_forever 随之结束。",
    },
    read: ["[RFC 5280 §4.1.2.5]"],
  },
  "self-signed": {
    title: { en: "the broker's certificate is self-signed and not known here", zh: "服务器使用自签名证书，本机不信任" },
    means: {
      en: "Nobody else vouches for the certificate, and it is not among those that this machine trusts.",
      zh: "证书没有其他机构担保，也不在本机的信任列表里。",
    },
    causes: [
      {
        why: { en: "its certificate was not given as CA", zh: "没有把它作为 CA 提供" },
        run: "openssl x509 -in SERVER.crt -noout -issuer -subject",
        see: { en: "issuer and subject are the same", zh: "issuer 与 subject 相同" },
        fix: {
          en: "--cafile SERVER.crt; better make a small CA and sign with it",
          zh: "使用 --cafile SERVER.crt；更好的做法是建一个小 CA 来签发",
        },
      },
      {
        why: { en: "a proxy that inspects TLS answers in the broker's place", zh: "有 TLS 检查代理冒充服务器应答" },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER",
        see: { en: "an issuer that you do not expect", zh: "签发者是否出乎意料" },
        fix: { en: "go around the proxy", zh: "绕过代理" },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 8, which ends loop_forever.",
      zh: "libmosquitto 返回 8，loop_forever 随之结束。",
    },
    read: ["openssl-verification-options(1)"],
  },
  "root-untrusted": {
    title: { en: "the chain ends at a root that is not trusted here", zh: "证书链的根不被本机信任" },
    means: {
      en: "The certificates fit together, and the CA at their top is not in the CA file in use.",
      zh: "证书链本身没问题，但顶端的 CA 不在所用的 CA 文件里。",
    },
    causes: [
      {
        why: {
          en: "the private CA was not given, or another CA file was",
          zh: "没有提供私有 CA，或给了错误的 CA 文件",
        },
        run: "openssl verify -CAfile CA.crt SERVER.crt",
        see: { en: "OK, when this is the right CA file", zh: "CA 文件正确时显示 OK" },
        fix: {
          en: "--cafile with the CA that signed the broker's certificate",
          zh: "--cafile 指定签发服务器证书的 CA",
        },
      },
      {
        why: {
          en: "a public certificate, and the system's CA list is old or not used",
          zh: "公共证书，但系统 CA 列表过旧或没有被使用",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER",
        see: {
          en: '"Verify return code: 0 (ok)": the system\'s list is good',
          zh: "“Verify return code: 0 (ok)” 表示系统列表没问题",
        },
        fix: {
          en: "update ca-certificates; --tls-use-os-certs or --capath /etc/ssl/certs",
          zh: "更新 ca-certificates；使用 --tls-use-os-certs 或 --capath /etc/ssl/certs",
        },
      },
      {
        why: { en: "a proxy that inspects TLS", zh: "TLS 检查代理" },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -showcerts",
        see: { en: "the issuer of the last certificate", zh: "最后一张证书的签发者" },
        fix: { en: "trust its CA, or go around it", zh: "信任其 CA，或绕过它" },
      },
    ],
    afterwards: {
      en: 'libmosquitto returns 8, which ends loop_forever; the broker\'s log then says "alert unknown ca".',
      zh: "libmosquitto 返回 8，loop_forever 结束；服务器日志会出现 “alert unknown ca”。",
    },
    read: ["openssl-verification-options(1)"],
  },
  "chain-incomplete": {
    title: {
      en: "the broker's certificate cannot be followed to a CA",
      zh: "无法从服务器证书追溯到 CA（证书链不完整）",
    },
    means: {
      en: "Only the broker's own certificate came, and its issuer is not known here.",
      zh: "服务器只发来自己的证书，而本机不知道它的签发者。",
    },
    causes: [
      {
        why: { en: "the CA was not given", zh: "没有提供 CA" },
        run: "openssl verify -CAfile CA.crt SERVER.crt",
        see: { en: "OK, when this is the right CA file", zh: "CA 文件正确时显示 OK" },
        fix: { en: "--cafile CA.crt", zh: "使用 --cafile CA.crt" },
      },
      {
        why: {
          en: "the broker serves its certificate without the intermediate: cert.pem where fullchain.pem is needed",
          zh: "服务器没有发送中间证书：用了 cert.pem 而不是 fullchain.pem",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -showcerts",
        see: { en: "one certificate only in the chain", zh: "链中只有一张证书" },
        fix: { en: "certfile fullchain.pem in the broker's configuration", zh: "服务器配置 certfile fullchain.pem" },
      },
      {
        why: {
          en: 'in JavaScript: a path was given as "ca" instead of the file\'s content',
          zh: "JavaScript 中把路径当成 ca 传入，而不是文件内容",
        },
        see: { en: "the ca option", zh: "检查 ca 选项" },
        fix: { en: 'ca: fs.readFileSync("ca.crt")', zh: 'ca: fs.readFileSync("ca.crt")' },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 8, which ends loop_forever.",
      zh: "libmosquitto 返回 8，loop_forever 随之结束。",
    },
    read: ["openssl-verification-options(1)"],
  },
  "issuer-missing": {
    title: { en: "the CA file lacks the root above the intermediate", zh: "CA 文件缺少上级根证书" },
    means: {
      en: "A certificate of the CA file is itself signed by one that is not there.",
      zh: "CA 文件里的证书本身由另一张不在其中的证书签发。",
    },
    causes: [
      {
        why: { en: "the CA file holds the intermediate only", zh: "CA 文件只有中间证书" },
        run: "openssl x509 -in CA.crt -noout -issuer -subject",
        see: { en: "issuer and subject differ: the root is missing", zh: "issuer 与 subject 不同：缺少根证书" },
        fix: {
          en: "put root and intermediate in one file, one after the other",
          zh: "把根证书和中间证书依次放进同一个文件",
        },
      },
    ],
    read: ["openssl-verification-options(1), -partial_chain"],
  },
  "certificate-name": {
    title: { en: "the certificate is for another name", zh: "证书的名字与连接的主机名不一致" },
    means: {
      en: "The name or address that was connected to is not among the certificate's names.",
      zh: "连接所用的主机名或 IP 不在证书的名字里。",
    },
    causes: [
      {
        why: {
          en: "connected by IP address, and the certificate lists names only",
          zh: "用 IP 连接，而证书只列了域名",
        },
        run: "openssl x509 -in SERVER.crt -noout -ext subjectAltName",
        see: { en: "DNS: and IP Address: entries", zh: "DNS：和 IP Address：项" },
        fix: {
          en: "connect by a listed name, or issue it again with IP:ADDRESS",
          zh: "用列出的名字连接，或重新签发并加入 IP：地址",
        },
      },
      {
        why: {
          en: "an internal name, as of a container, and a public certificate",
          zh: "使用内部名字（如容器名），而证书是公网域名的",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER",
        see: { en: "the subject of the certificate", zh: "证书的 subject" },
        fix: {
          en: "connect by the public name, or set the server name of TLS",
          zh: "用公网域名连接，或设置 TLS servername",
        },
      },
    ],
    afterwards: {
      en: 'libmosquitto says "host name verification failed" and returns 8. --insecure switches the check off: for tests only.',
      zh: "libmosquitto 提示 “host name verification failed” 并返回 8。--insecure 可关闭检查，仅限测试。",
    },
    read: ["RFC 9525"],
  },
  "certificate-revoked": {
    title: { en: "the certificate was revoked", zh: "证书已被吊销" },
    means: { en: "Its CA lists it as not valid any more.", zh: "CA 已将它列为无效。" },
    causes: [
      {
        why: { en: "it is on the revocation list", zh: "它在吊销列表中" },
        run: "openssl crl -in CRL.pem -noout -text",
        see: { en: "the serial number", zh: "序列号是否在列" },
        fix: { en: "issue a new one", zh: "重新签发" },
      },
    ],
    read: ["mosquitto.conf(5), crlfile"],
  },
  "crl-problem": {
    title: { en: "the revocation list is missing, old or damaged", zh: "吊销列表缺失、过期或损坏" },
    means: {
      en: "A CRL is asked for, and there is none that fits for each issuer.",
      zh: "启用了 CRL 检查，但没有与每个签发者对应的有效 CRL。",
    },
    causes: [
      {
        why: { en: "the list has expired, or is missing for one issuer", zh: "列表过期，或缺少某个签发者的列表" },
        run: "openssl crl -in CRL.pem -noout -issuer -nextupdate",
        see: { en: "nextUpdate in the past; the issuer", zh: "nextUpdate 是否已过；签发者是谁" },
        fix: { en: "fetch a new one, reload the broker", zh: "更新列表并重新加载服务器" },
      },
    ],
    read: ["mosquitto.conf(5), crlfile"],
  },
  "certificate-purpose": {
    title: { en: "the certificate is not meant for this use", zh: "证书用途不符" },
    means: {
      en: "A client certificate on a server, a server's on a client, or a CA that is not marked as CA.",
      zh: "服务器用了客户端证书、客户端用了服务器证书，或 CA 没有标记为 CA。",
    },
    causes: [
      {
        why: { en: "extendedKeyUsage or basicConstraints do not fit", zh: "extendedKeyUsage 或 basicConstraints 不符" },
        run: "openssl x509 -in CERT.crt -noout -purpose",
        see: {
          en: '"SSL server : Yes" for a broker, "SSL client : Yes" for a client',
          zh: "服务器应为 “SSL server : Yes”，客户端应为 “SSL client : Yes”",
        },
        fix: {
          en: "issue it again with serverAuth or clientAuth; CA with CA:TRUE",
          zh: "重新签发，带 serverAuth 或 clientAuth；CA 需 CA:TRUE",
        },
      },
    ],
    read: ["x509v3_config(5)"],
  },
  "certificate-damaged": {
    title: { en: "a signature or field of the certificate is wrong", zh: "证书签名或内容有误" },
    means: {
      en: "The certificate does not fit the CA that it names, or its content cannot be read.",
      zh: "证书与它声明的 CA 不匹配，或内容无法解析。",
    },
    causes: [
      {
        why: {
          en: "the CA was made again with the same name and another key",
          zh: "CA 用同样的名字重新生成过，密钥已不同",
        },
        run: "openssl verify -CAfile CA.crt SERVER.crt",
        see: { en: '"certificate signature failure"', zh: "是否为 “certificate signature failure”" },
        fix: {
          en: "give all devices the new CA, or sign with the old one",
          zh: "把新 CA 分发给所有设备，或仍用旧 CA 签发",
        },
      },
      {
        why: { en: "the file was damaged in copying", zh: "文件复制时损坏" },
        run: "openssl x509 -in CERT.crt -noout -subject",
        see: { en: "whether it can be read", zh: "能否读取" },
        fix: { en: "copy it again", zh: "重新复制" },
      },
    ],
    read: ["openssl-verify(1)"],
  },
  "certificate-weak": {
    title: { en: "the certificate is too weak for today's OpenSSL", zh: "证书强度不足，被新版 OpenSSL 拒绝" },
    means: { en: "Its key is too short or its signature uses SHA-1 or MD5.", zh: "密钥太短，或签名使用 SHA-1/MD5。" },
    causes: [
      {
        why: {
          en: "an old certificate, and security level 2 of Debian or Ubuntu",
          zh: "旧证书，而 Debian/Ubuntu 的 OpenSSL 安全级别为 2",
        },
        run: "openssl x509 -in SERVER.crt -noout -text",
        see: { en: "Signature Algorithm and the key's bits", zh: "签名算法和密钥位数" },
        fix: { en: "issue it again with SHA-256 and 2048 bits or more", zh: "用 SHA-256、2048 位以上重新签发" },
      },
    ],
    read: ["SSL_CTX_set_security_level(3)"],
  },
  "certificate-verify-failed": {
    title: {
      en: "a certificate was not accepted; the line does not say why",
      zh: "证书校验失败，该行没有说明具体原因",
    },
    means: {
      en: "The handshake stopped at the certificate of the other side. A wrong clock is the first thing to look at on devices.",
      zh: "握手时对方的证书没有通过校验。在设备上，首先应检查时钟是否正确。",
    },
    causes: [
      {
        why: {
          en: "this machine's clock is wrong, so that the certificate is not valid yet or not any more",
          zh: "本机时钟不对，证书“尚未生效”或“已过期”",
        },
        run: "date -u",
        see: { en: "the right date", zh: "日期是否正确" },
        fix: {
          en: "set the clock: timedatectl set-ntp true, or ntpdate pool.ntp.org; then start the program again",
          zh: "校准时钟：timedatectl set-ntp true，或 ntpdate pool.ntp.org；然后重新启动程序",
        },
      },
      {
        why: {
          en: "the CA file is wrong or missing, or the broker's certificate is self-signed and is not in it",
          zh: "CA 文件错误或没有提供；或服务器证书是自签名的，而 CA 文件里没有它",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -CAfile CA.crt",
        see: { en: 'the line "Verify return code": it names the reason', zh: "“Verify return code” 行给出具体原因" },
        fix: { en: "give the CA that signed the broker's certificate", zh: "提供签发服务器证书的 CA" },
      },
      {
        why: { en: "the certificate has expired", zh: "证书过期" },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt",
        see: { en: "the dates of the chain against the clock", zh: "证书链日期与时钟的比较" },
        fix: { en: "renew it and reload the broker", zh: "续签并重新加载服务器" },
      },
      {
        why: {
          en: "the broker serves its certificate without the intermediate: cert.pem where fullchain.pem is needed",
          zh: "服务器没有发送中间证书：用了 cert.pem 而不是 fullchain.pem",
        },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -showcerts",
        see: { en: "one certificate only in the chain", zh: "链中只有一张证书" },
        fix: { en: "certfile fullchain.pem in the broker's configuration", zh: "服务器配置 certfile fullchain.pem" },
      },
    ],
    afterwards: {
      en: "libmosquitto returns 8, which ends loop_forever: after the fix the program must be started again.",
      zh: "libmosquitto 返回 8，loop_forever 随之结束：修复后需重新启动程序。",
    },
    read: ["openssl-verification-options(1)"],
  },
  ocsp: {
    title: { en: "the certificate's OCSP status is missing or bad", zh: "OCSP 状态缺失或异常" },
    means: {
      en: "The client asked for a stapled OCSP answer, and it is missing, old or says no.",
      zh: "客户端要求 OCSP stapling，但应答缺失、过期或为否。",
    },
    causes: [
      {
        why: { en: "the broker does not staple: mosquitto cannot", zh: "服务器不支持 stapling:mosquitto 就不支持" },
        run: "openssl s_client -connect BROKER:8883 -servername BROKER -status",
        see: { en: '"OCSP response: no response sent"', zh: "输出中有 “OCSP response: no response sent”" },
        fix: { en: "do not ask for it, or staple in a proxy", zh: "不要求 OCSP，或在代理上启用 stapling" },
      },
      {
        why: { en: "this machine's clock is wrong", zh: "本机时钟不对" },
        run: "date -u",
        see: { en: "the right date", zh: "日期是否正确" },
        fix: { en: "set the clock", zh: "校准时钟" },
      },
    ],
    read: ["RFC 6066, section 8"],
  },
};
