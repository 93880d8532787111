/** Our own certificate and key: missing, unreadable, refused by the other side. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type KeyFilesKey =
  | "certificate-without-name"
  | "client-certificate-missing"
  | "client-certificate-refused"
  | "client-certificate-unknown"
  | "key-file-unreadable"
  | "key-mismatch"
  | "key-passphrase"
  | "peer-refused-certificate";

/** The meanings. */
export const KEY_FILES: Meanings<KeyFilesKey> = {
  "client-certificate-missing": {
    title: { en: "the broker wants a client certificate and got none", zh: "服务器要求客户端证书，但没有收到" },
    means: {
      en: "require_certificate is true on that listener. With TLS 1.3 the refusal comes after the handshake looks done, so C clients report 7.",
      zh: "该 listener 设置了 require_certificate true。TLS 1.3 下拒绝发生在握手“完成”之后，所以 C 客户端报告 7。",
    },
    causes: [
      {
        why: { en: "no certificate was given", zh: "没有提供证书" },
        run: "lacewing doctor mqtts://BROKER:8883 --cafile CA.crt",
        see: { en: "whether a client certificate is asked for", zh: "是否要求客户端证书" },
        fix: { en: "--cert CLIENT.crt --key CLIENT.key", zh: "使用 --cert CLIENT.crt --key CLIENT.key" },
      },
      {
        why: {
          en: "the key or certificate file could not be read, and the library went on without",
          zh: "证书或密钥文件读不了，库在没有证书的情况下继续了",
        },
        run: "ls -l CLIENT.crt CLIENT.key",
        see: { en: "owner and mode", zh: "属主和权限" },
        fix: { en: "make them readable for the program's user", zh: "让运行程序的用户可读" },
      },
    ],
    read: ["mosquitto.conf(5), require_certificate"],
  },
  "client-certificate-refused": {
    title: { en: "the broker refused the client's certificate", zh: "服务器拒绝了客户端的证书" },
    means: {
      en: 'The client gave a certificate, and by the broker\'s CA file, revocation list and clock it is not good. The text behind "certificate verify failed" says why, where there is one: mosquitto says no more.',
      zh: "客户端提供了证书，但按服务器的 CA 文件、吊销列表和时钟，它不合格。“certificate verify failed” 后面的文字说明具体原因；mosquitto 的日志没有这段文字。",
    },
    causes: [
      {
        why: {
          en: '"has expired" or "not yet valid": its dates are over or not come, or the broker\'s clock is wrong',
          zh: "“has expired” 或 “not yet valid”：证书已过期或尚未生效，或者服务器的时钟不对",
        },
        run: "openssl x509 -in CLIENT.crt -noout -dates",
        see: { en: "today between the two, by the broker's clock too", zh: "今天是否在两者之间，也要看服务器的时钟" },
        fix: {
          en: "renew it on the device, or set the broker's clock; disable_client_cert_date_checks lets devices in whose certificates cannot be renewed",
          zh: "在设备上续签，或校准服务器时钟；无法续签的设备可用 disable_client_cert_date_checks 放行",
        },
      },
      {
        why: {
          en: '"unable to verify", "unable to get issuer" or "self-signed": the broker\'s cafile lacks the CA that signed it, or an intermediate',
          zh: "“unable to verify”、“unable to get issuer” 或 “self-signed”：服务器的 cafile 缺少签发它的 CA 或中间证书",
        },
        run: "openssl verify -CAfile BROKER-CA.crt CLIENT.crt",
        see: { en: "OK, with the broker's cafile", zh: "用服务器的 cafile 验证是否 OK" },
        fix: {
          en: "add that CA to the broker's cafile and reload it, or have the client send the intermediate",
          zh: "把该 CA 加入服务器的 cafile 并重新加载，或让客户端同时发送中间证书",
        },
      },
      {
        why: { en: '"revoked", or the revocation list itself is too old', zh: "“revoked”，或吊销列表本身过期" },
        run: "openssl crl -in CRL.pem -noout -text",
        see: { en: "its serial number in the list, and Next Update", zh: "序列号是否在列表中，以及 Next Update" },
        fix: {
          en: "give the device a new certificate; refresh the list and reload",
          zh: "为设备换新证书；更新吊销列表并重新加载",
        },
      },
      {
        why: { en: "it is not for clients: a server's certificate", zh: "用途不是客户端：用的是服务器证书" },
        run: "openssl x509 -in CLIENT.crt -noout -ext extendedKeyUsage",
        see: { en: "TLS Web Client Authentication", zh: "是否有 TLS Web Client Authentication" },
        fix: { en: "issue it with clientAuth", zh: "用 clientAuth 重新签发" },
      },
    ],
    afterwards: {
      en: "With TLS 1.3 the client hears of it after the handshake looks done, so C clients report 7 and not 8.",
      zh: "TLS 1.3 下客户端在握手看似完成之后才得知，所以 C 客户端报告 7 而不是 8。",
    },
    read: ["mosquitto.conf(5), require_certificate"],
  },
  "client-certificate-unknown": {
    title: { en: "the other side does not trust our certificate's CA", zh: "对方不信任我们证书的 CA" },
    means: {
      en: "The alert \"unknown ca\" comes from the side that dislikes a certificate. In a broker's log: the client does not trust the broker. In a client: the broker does not trust the client's certificate.",
      zh: "“unknown ca” 警报由不信任证书的一方发出。出现在服务器日志里：客户端不信任服务器；出现在客户端：服务器不信任客户端证书。",
    },
    causes: [
      {
        why: {
          en: "in the broker's log: the client has no, or the wrong, CA file",
          zh: "服务器日志中：客户端没有 CA 文件或文件错误",
        },
        run: "openssl verify -CAfile CA.crt SERVER.crt",
        see: { en: "OK, with the client's CA file", zh: "用客户端的 CA 文件验证是否 OK" },
        fix: { en: "give the client the CA of the broker", zh: "给客户端正确的 CA 文件" },
      },
      {
        why: {
          en: "in the client: the broker's cafile lacks the CA or intermediate of the client certificate",
          zh: "客户端中：服务器的 cafile 缺少客户端证书的 CA 或中间证书",
        },
        run: "openssl verify -CAfile BROKER-CA.crt CLIENT.crt",
        see: { en: "OK, with the broker's cafile", zh: "用服务器的 cafile 验证是否 OK" },
        fix: { en: "add that CA to the broker's cafile and restart it", zh: "把该 CA 加入服务器的 cafile 并重启" },
      },
    ],
    read: ["[RFC 8446 §6.2]"],
  },
  "key-file-unreadable": {
    title: { en: "a certificate or key file cannot be read as PEM", zh: "证书或密钥文件不是可读的 PEM" },
    means: {
      en: 'The file is there, and has no "-----BEGIN" line of the kind that is needed; or it cannot be opened.',
      zh: "文件里没有所需的 “-----BEGIN” 行，或文件打不开。",
    },
    causes: [
      {
        why: { en: "a DER or PKCS#12 file, or an empty one", zh: "DER、PKCS#12 文件，或空文件" },
        run: "head -c 64 FILE",
        see: {
          en: "-----BEGIN CERTIFICATE or -----BEGIN ... PRIVATE KEY",
          zh: "应为 -----BEGIN CERTIFICATE 或 -----BEGIN ... PRIVATE KEY",
        },
        fix: {
          en: "openssl x509 -inform DER -in FILE -out FILE.pem",
          zh: "openssl x509 -inform DER -in FILE -out FILE.pem",
        },
      },
      {
        why: {
          en: "the program's user may not read it: mosquitto drops root's rights",
          zh: "运行用户无权读取：mosquitto 启动后会放弃 root 权限",
        },
        run: "ls -l FILE",
        see: { en: "owner and mode", zh: "属主和权限" },
        fix: { en: "chown mosquitto: FILE and chmod 0640 FILE", zh: "chown mosquitto: FILE 并 chmod 0640 FILE" },
      },
      {
        why: {
          en: "in JavaScript: a path was given where the content is wanted",
          zh: "JavaScript 中应传文件内容却传了路径",
        },
        see: { en: "the options ca, cert, key", zh: "检查 ca、cert、key 选项" },
        fix: { en: "fs.readFileSync(path)", zh: "fs.readFileSync（路径）" },
      },
    ],
    read: ["openssl-x509(1)"],
  },
  "key-mismatch": {
    title: { en: "the key does not belong to the certificate", zh: "私钥与证书不匹配" },
    means: { en: "Their public keys differ.", zh: "两者的公钥不同。" },
    causes: [
      {
        why: {
          en: "files of two certificates were mixed, or only one was renewed",
          zh: "混用了不同证书的文件，或只更新了其中一个",
        },
        run: "openssl x509 -in CERT.crt -noout -pubkey",
        see: {
          en: "the same as: openssl pkey -in KEY.key -pubout",
          zh: "应与 openssl pkey -in KEY.key -pubout 的输出相同",
        },
        fix: {
          en: "use the pair that belongs together; the broker's certificate comes first in a chain file",
          zh: "使用配对的文件；证书链文件中服务器证书应在最前",
        },
      },
    ],
    read: ["openssl-pkey(1)"],
  },
  "key-passphrase": {
    title: { en: "the key is encrypted, and its passphrase is missing or wrong", zh: "私钥已加密，缺少密码或密码错误" },
    means: { en: "The key file cannot be opened without its passphrase.", zh: "没有正确的密码就打不开私钥文件。" },
    causes: [
      {
        why: { en: "no passphrase, or a wrong one", zh: "没有提供密码，或密码错误" },
        run: "openssl pkey -in KEY.key -noout",
        see: { en: "whether it asks, and takes the passphrase", zh: "是否询问并接受密码" },
        fix: {
          en: "give it, or decrypt the key: openssl pkey -in KEY.key -out NEW.key",
          zh: "提供密码，或解密：openssl pkey -in KEY.key -out NEW.key",
        },
      },
    ],
    read: ["openssl-pkey(1)"],
  },
  "peer-refused-certificate": {
    title: { en: "the other side refused our certificate", zh: "对方拒绝了我们的证书" },
    means: {
      en: "The receiver of a certificate alert is the side whose certificate is disliked. In a broker's log: a client refused the broker's certificate, also because the client's clock is wrong.",
      zh: "收到证书警报的一方就是证书不被接受的一方。出现在服务器日志里：客户端拒绝了服务器证书，客户端时钟不对也会这样。",
    },
    causes: [
      {
        why: {
          en: "in the broker's log: the client's clock is wrong, or the name does not match",
          zh: "服务器日志中：客户端时钟不对，或主机名不匹配",
        },
        run: "date -u",
        see: { en: "on the client: the right date", zh: "（在客户端）日期是否正确" },
        fix: {
          en: "set the client's clock; connect by a name of the certificate",
          zh: "校准客户端时钟；用证书中的名字连接",
        },
      },
      {
        why: {
          en: "in the client: its certificate has expired, was revoked, or has the wrong usage",
          zh: "客户端中：其证书过期、被吊销或用途不符",
        },
        run: "openssl x509 -in CLIENT.crt -noout -dates -purpose",
        see: { en: 'dates, and "SSL client : Yes"', zh: "日期，以及 “SSL client : Yes”" },
        fix: { en: "issue a new client certificate", zh: "重新签发客户端证书" },
      },
      {
        why: { en: "a phone or browser that does not know a private CA", zh: "手机或浏览器不认识私有 CA" },
        see: { en: "whether other clients connect", zh: "其他客户端能否连接" },
        fix: { en: "install the CA there", zh: "在该设备上安装 CA" },
      },
    ],
    read: ["[RFC 8446 §6.2]"],
  },
  "certificate-without-name": {
    title: { en: "the client certificate has no name that can be the user", zh: "客户端证书里没有可用作用户名的名字" },
    means: {
      en: "use_identity_as_username takes the common name of the certificate as user name, and this one has none.",
      zh: "use_identity_as_username 把证书的 common name 当作用户名，而这张证书没有。",
    },
    causes: [
      {
        why: { en: "the certificate was made without CN", zh: "签发证书时没有写 CN" },
        run: "openssl x509 -in CLIENT.crt -noout -subject",
        see: { en: "CN = and a name", zh: "是否有 CN = 名字" },
        fix: {
          en: "issue it again with -subj /CN=NAME, or use_subject_as_username",
          zh: "用 -subj /CN=名字 重新签发，或使用 use_subject_as_username",
        },
      },
    ],
    read: ["mosquitto.conf(5), use_identity_as_username"],
  },
};
