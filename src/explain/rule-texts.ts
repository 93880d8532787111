/**
 * What brokers and machines say of a rule that was broken, in Chinese. They say it in English, in one sentence with a packet before it and
 * places of the specification behind; those stay. Here is one row for each sentence, with its numbers and names as {}.
 */
import type { Language } from "./entry.ts";

/** The sentences, with what they say in Chinese; the places {} keep their order there. */
const RULES: readonly (readonly [en: string, zh: string])[] = [
  // The first packet, and the order of packets.
  ["a second CONNECT", "重复发送 CONNECT"],
  ["sending multiple CONNECT messages", "重复发送 CONNECT"],
  ["a second CONNACK", "重复发送 CONNACK"],
  ["{} before CONNACK", "在 CONNACK 之前发送了 {}"],
  ["the first packet is not CONNECT", "第一个报文不是 CONNECT"],
  [
    "the first byte is that of a TLS handshake, but this listener speaks plain MQTT",
    "第一个字节属于 TLS 握手，而这个 listener 是明文 MQTT",
  ],
  [
    'the server\'s first byte is {}, as no answer to CONNECT begins: "{}"',
    "服务器的第一个字节是 {}，对 CONNECT 的应答不会这样开头：“{}”",
  ],
  [
    "Invalid protocol {} in CONNECT; MQIsdp 3, MQTT 4 and MQTT 5 are spoken here",
    "CONNECT 中的协议 {} 无效；这里支持 MQIsdp 3、MQTT 4 和 MQTT 5",
  ],
  ["only a {} sends it", "这种报文只能由 {} 发送"],
  ["a server sends it only in 5.0", "服务器只有在 5.0 中才发送它"],
  ["{} {} is not what that message waits for", "{} {} 不是该消息当前等待的应答"],
  // Lengths, strings, identifiers.
  ["Remaining Length is not in its shortest form", "剩余长度没有用最短形式编码"],
  ["Remaining Length has more than four bytes", "剩余长度超过四个字节"],
  ["a length is not in its shortest form", "长度没有用最短形式编码"],
  ["a length has more than four bytes", "长度超过四个字节"],
  ["a packet of {} bytes is larger than {} bytes, the most allowed", "报文有 {} 字节，超过允许的最大值 {} 字节"],
  [
    "a packet of {} bytes is larger than the {} bytes taken here (max_packet_size)",
    "报文有 {} 字节，超过这里接受的 {} 字节（max_packet_size）",
  ],
  ["a packet of {} bytes; at most {} are allowed", "报文有 {} 字节，最多允许 {} 字节"],
  ["a field of {} bytes; at most {} are allowed", "字段有 {} 字节，最多允许 {} 字节"],
  ["{} bytes; at most {} are allowed", "{} 字节，最多允许 {} 字节"],
  ["{} bytes too many", "多出 {} 字节"],
  ["packet type {} is reserved", "报文类型 {} 是保留值"],
  ["reserved flags are {}, not {}", "保留标志是 {}，应为 {}"],
  ["reserved flags are set", "设置了保留标志"],
  ["the reserved flag is set", "设置了保留标志"],
  ["reserved option bits are set", "设置了保留的选项位"],
  ["more than {} entries in one list", "一个列表中超过 {} 项"],
  ["a string is not well-formed UTF-8 or holds U+0000", "字符串不是合法的 UTF-8，或含有 U+0000"],
  [
    "a name holds a control character or a noncharacter, which a server may refuse",
    "名称含有控制字符或 Unicode 非字符，服务器可以拒绝",
  ],
  ["a string holds U+0000 or a lone surrogate", "字符串含有 U+0000 或孤立的代理码位"],
  ["the packet ends within a field", "报文在一个字段中间就结束了"],
  ["the packet ends within the topic name", "报文在主题名中间就结束了"],
  ["packet identifier 0", "报文标识符为 0"],
  [
    "packet identifier {} again and again without its PUBREL; only a new connection is a reason to send it again",
    "报文标识符 {} 未经 PUBREL 又反复出现；只有新连接才是再次发送的理由",
  ],
  ["packet identifier {}; allowed are 1 to 65,535", "报文标识符为 {}；允许 1 到 65,535"],
  ["a packet identifier at QoS 0", "QoS 0 不能带报文标识符"],
  // Codes and properties.
  ["code {} does not belong here", "这里不能用代码 {}"],
  ["reason code {} does not belong here", "这里不能用原因码 {}"],
  ["reason code {} cannot be told before 5.0", "5.0 之前无法表达原因码 {}"],
  ["reason code {} is for servers", "原因码 {} 只能由服务器使用"],
  ["reason code 0x4 is for clients", "原因码 0x4 只能由客户端使用"],
  ["unknown code {}", "未知代码 {}"],
  ["no code", "没有代码"],
  ["{} codes; 5.0 has one for each topic filter, others none", "有 {} 个代码；5.0 中每个过滤器一个，其他版本没有"],
  ["session present with a refusal", "拒绝连接时不能带 session present"],
  ["session present cannot be told in MQTT 3.1", "MQTT 3.1 无法表达 session present"],
  ["there are no properties before 5.0", "5.0 之前没有属性"],
  ["property length goes beyond the packet", "属性长度超出报文"],
  ["unknown property {}", "未知属性 {}"],
  ["{} does not belong in {}", "{} 属性不能出现在 {} 中"],
  ["{} does not belong here", "这里不能用 {}"],
  ["{} is given twice", "{} 出现了两次"],
  ["{} more than once", "{} 出现多次"],
  ["{} must not be {}", "{} 不能是 {}"],
  ["{} is {}; allowed are {} to {}", "{} 是 {}；允许 {} 到 {}"],
  // AUTH and DISCONNECT.
  ["there is none before 5.0", "5.0 之前没有这种报文"],
  ["no Authentication Method", "缺少 Authentication Method"],
  ["Authentication Data without Authentication Method", "有 Authentication Data 却没有 Authentication Method"],
  ["a {} does not send {}", "{} 不能发送 {}"],
  ["AUTH with a method that CONNECT did not name", "AUTH 使用了 CONNECT 中没有的认证方法"],
  ["AUTH with Success before CONNACK", "CONNACK 之前收到 AUTH Success"],
  ["AUTH that is no re-authentication with the method of CONNECT", "AUTH 不是用 CONNECT 中的方法重新认证"],
  ["nobody has asked for it, and re-authentication is not offered", "没有要求认证，也不支持重新认证"],
  [
    "{} while an authentication is under way; only AUTH or DISCONNECT may come",
    "认证进行中收到 {}；此时只能发送 AUTH 或 DISCONNECT",
  ],
  ["a server must not send Session Expiry Interval", "服务器不能发送 Session Expiry Interval"],
  [
    "a Session Expiry Interval of 0 in CONNECT cannot be prolonged",
    "CONNECT 中 Session Expiry Interval 为 0，不能再延长",
  ],
  // CONNECT.
  ["keep-alive {}; allowed are 0 to 65,535 seconds", "keep-alive 为 {}；允许 0 到 65,535 秒"],
  ["keep-alive {}; {} to {} seconds are allowed", "keep-alive 为 {}；允许 {} 到 {} 秒"],
  ["protocol level {}; 3, 4 and 5 are spoken here", "协议级别为 {}；这里支持 3、4 和 5"],
  ["protocol level {} is switched off here; allowed: {}", "这里关闭了协议级别 {}；允许：{}"],
  ["will QoS 3", "遗嘱的 QoS 为 3"],
  ["will QoS or will retain without a will", "没有遗嘱，却设置了遗嘱的 QoS 或 retain"],
  ["a password without a user name", "有密码而没有用户名"],
  ["a password without a user name needs 5.0", "只有密码而没有用户名，需要 5.0"],
  [
    "an empty client identifier needs a clean session, and MQTT 3.1.1 or 5.0",
    "客户端标识符为空时必须使用 clean session，且版本为 MQTT 3.1.1 或 5.0",
  ],
  ["an empty client identifier is not allowed here", "这里不允许空的客户端标识符"],
  ['client identifiers begin with "{}" here', "这里的客户端标识符必须以 “{}” 开头"],
  ["the client identifier belongs to another user's session", "该客户端标识符的会话属于另一个用户"],
  ["the user name is the client identifier here, and there is none", "这里用户名取自客户端标识符，而它为空"],
  ["{} clients have a session, the most allowed", "已有 {} 个客户端会话，达到上限"],
  ["at most {} connections a second are taken from one address here", "这里每个地址每秒最多接受 {} 个连接"],
  ["at most {} connections a second are taken here", "这里每秒最多接受 {} 个连接"],
  [
    "log-ins from this address failed too often; it is listened to again in {} s",
    "该地址登录失败次数过多；{} 秒后才再受理",
  ],
  ["no answer within {} ms", "{} 毫秒之内没有应答"],
  [
    "the authenticator asks for more, but CONNECT names no authentication method",
    "认证需要更多步骤，而 CONNECT 没有给出认证方法",
  ],
  [
    "the store is too far behind to take a Session that outlives its connection",
    "存储积压过多，无法接受需要保留的会话",
  ],
  ["the will's payload has {} bytes; at most {} are allowed", "遗嘱消息有 {} 字节，最多允许 {} 字节"],
  ["the will's topic has more than {} levels", "遗嘱主题超过 {} 级"],
  ["the will's topic is below $SYS, which only the broker publishes to", "遗嘱主题在 $SYS 之下，只有服务器可以发布"],
  ["the will's topic is below $CONTROL, where only requests go", "遗嘱主题在 $CONTROL 之下，那里只接受请求"],
  ["the will has QoS {}; at most {} is allowed", "遗嘱的 QoS 为 {}，最高允许 {}"],
  ["the will is retained, but retained messages are switched off", "遗嘱是保留消息，而这里关闭了保留消息"],
  ["it names no user, and allow_anonymous is false", "没有提供用户名，而 allow_anonymous 为 false"],
  ["the password of user {} is wrong", "用户 {} 的密码错误"],
  ["too many clients wait for their passwords to be checked", "等待校验密码的客户端太多"],
  // PUBLISH.
  ["QoS 3", "QoS 为 3"],
  ["QoS {}; allowed are 0, 1 and 2", "QoS 为 {}；允许 0、1 和 2"],
  ["QoS {}; at most {} is allowed here", "QoS 为 {}，这里最高允许 {}"],
  ["DUP at QoS 0", "QoS 0 不能设置 DUP"],
  ["neither topic name nor topic alias", "既没有主题名，也没有主题别名"],
  ["topic alias {} is larger than the Topic Alias Maximum", "主题别名 {} 超过 Topic Alias Maximum"],
  ["topic alias {} stands for nothing yet", "主题别名 {} 还没有对应的主题"],
  ["a client sends no Subscription Identifier", "客户端不能发送 Subscription Identifier"],
  ["the topic name is longer than 65,535 bytes", "主题名超过 65,535 字节"],
  ["the topic name is not well-formed UTF-8 or holds U+0000", "主题名不是合法的 UTF-8，或含有 U+0000"],
  [
    "the topic name holds a control character or a noncharacter, which a server may refuse",
    "主题名含有控制字符或 Unicode 非字符，服务器可以拒绝",
  ],
  ["the topic name has more than {} levels, the most allowed here", "主题名超过 {} 级，这是这里的上限"],
  ["retained messages are switched off here", "这里关闭了保留消息"],
  ["{} messages at QoS 2 are not released; at most {} may be", "有 {} 条 QoS 2 消息还没有收到 PUBREL，最多允许 {} 条"],
  // Topics.
  ["topic name is empty", "主题名为空"],
  [
    'topic name contains "{}" at {}; wildcards belong in topic filters',
    "主题名含有 “{}”（第 {} 个字符）；通配符只能用在主题过滤器中",
  ],
  ["topic name holds U+0000 or a lone surrogate at {}", "主题名的第 {} 个字符是 U+0000 或孤立的代理码位"],
  ["topic name has {} levels; at most {} are allowed", "主题名有 {} 级，最多允许 {} 级"],
  ["topic filter is empty", "主题过滤器为空"],
  [
    'topic filter has "+" at {} beside other characters; it takes a whole level',
    "主题过滤器第 {} 个字符 “+” 与其他字符相邻；它必须独占一级",
  ],
  [
    'topic filter has "#" at {}; it stands alone in the last level',
    "主题过滤器第 {} 个字符是 “#”；它必须单独位于最后一级",
  ],
  ["topic filter holds U+0000 or a lone surrogate at {}", "主题过滤器的第 {} 个字符是 U+0000 或孤立的代理码位"],
  ["topic filter has {} levels; at most {} are allowed", "主题过滤器有 {} 级，最多允许 {} 级"],
  [
    "a shared topic filter is $share/NAME/FILTER; NAME is not empty and holds no + or #, FILTER is not empty",
    "共享订阅的格式是 $share/NAME/FILTER；NAME 不能为空，也不能含 + 或 #，FILTER 不能为空",
  ],
  // SUBSCRIBE.
  ["no topic filter", "没有主题过滤器"],
  ["retain handling 3", "retain handling 为 3"],
  ["retain handling {}; allowed are 0, 1 and 2", "retain handling 为 {}；允许 0、1 和 2"],
  [
    "no local, retain as published and retain handling cannot be told before 5.0",
    "5.0 之前没有 no local、retain as published 和 retain handling",
  ],
  ["no local on a shared subscription", "共享订阅不能使用 no local"],
  // TLS, WebSocket.
  ["no whole HTTP request within the connect timeout", "在连接超时之内没有收到完整的 HTTP 请求"],
  ["it asks for more than {} things at once", "它同时请求的文件超过 {} 个"],
  ["origin {} is not in websockets_origin", "来源 {} 不在 websockets_origin 中"],
  ["that is not HTTP", "收到的不是 HTTP"],
  // What a server says when it ends a connection.
  ["the server ended the connection: {}", "服务器断开了连接，原因：{}"],
  // What a bridge's local end says when it goes.
  ["the bridge lost its link to the other broker: {}", "桥接与另一台服务器的连接断开了：{}"],
  ["the bridge was stopped", "桥接已停止"],
  // Captures.
  [
    "this is no capture; a file of Wireshark, tshark or tcpdump is expected (pcap or pcapng)",
    "这不是抓包文件；需要 Wireshark、tshark 或 tcpdump 的文件（pcap 或 pcapng）",
  ],
  // Requests to the broker.
  [
    "no rule says who may ask this broker, so only clients on its own machine may; ask there, or let a user write {} and read its answers: topic readwrite {} in the acl_file",
    "没有规则说明谁可以查询这台服务器，所以只有本机的客户端可以；请在服务器上查询，或让某个用户可写 {} 并可读应答：在 acl_file 中加 topic readwrite {}",
  ],
  ["{} clients look at the busiest already, the most at once", "已有 {} 个客户端在查看繁忙列表，达到上限"],
  ['unknown command "{}"; there are {}', "未知命令 “{}”；可用的有 {}"],
  ["the request has {} bytes; at most {} are allowed", "请求有 {} 字节，最多允许 {} 字节"],
  ['the request is not JSON, as in {"command": "clients"}', '请求不是 JSON，应如 {"command": "clients"}'],
  ['a request is a JSON object, as in {"command": "clients"}', '请求必须是 JSON 对象，如 {"command": "clients"}'],
  ['"{}" is missing', "缺少 “{}”"],
  ['"{}" is no text', "“{}” 不是文本"],
  ['"{}" must be a whole number from {} to {}', "“{}” 必须是 {} 到 {} 之间的整数"],
  ['"{}" must be true or false', "“{}” 必须是 true 或 false"],
];

/** The sentences as patterns, whose groups are the places. */
const PATTERNS: readonly (readonly [RegExp, string])[] = RULES.map(([en, zh]) => {
  const parts = en.split("{}").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return [new RegExp(`^${parts.join("(.{0,300}?)")}$`, "s"), zh];
});

/** A packet before the sentence, where it was in the will, and places of the specification behind it. */
const SENTENCE =
  /^((?:[A-Z]{4,11}: )?)((?:will (?=topic ))?)(.{1,2000}?)((?: \[(?:5\.0|3\.1\.1) [^\]]{1,40}\])*)(\.?)$/s;

/** What a broker or machine says of a broken rule, in a language; as it was said where no sentence is known. */
export function ruleText(message: string, language: Language): string {
  if (language === "en") return message;
  const [, packet = "", will = "", sentence = "", places = "", stop = ""] = SENTENCE.exec(message) ?? [];
  const said = translated(sentence);
  return said === null ? message : `${packet}${will === "" ? "" : "遗嘱："}${said}${places}${stop === "" ? "" : "。"}`;
}

function translated(sentence: string): string | null {
  for (const [pattern, zh] of PATTERNS) {
    const values = pattern.exec(sentence)?.slice(1);
    if (values === undefined) continue;
    let at = 0;
    return zh.replaceAll("{}", () => values[at++] ?? "");
  }
  return null;
}
