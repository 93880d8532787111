/** Goes through the layers of the way to a broker, one after the other, and stops where nothing further can work. */
import type { MeaningKey, Text } from "../explain/index.ts";
import { askTime, judgeClock, type TimeFacts } from "./clock.ts";
import { acceptedVersion, connectFinding, credentialsFinding, tryOtherVersions, tryVersions } from "./connecting.ts";
import { type Diagnosis, type Finding, LAYERS, type Layer, verdictOf } from "./diagnosis.ts";
import { findSpeaker, type Speaker } from "./greeting.ts";
import { checkKeepAlive, checkRetained, checkRoundTrip, checkSession, cleanUp, openAgain } from "./messaging.ts";
import { checkName, checkPort, checkRoute, checkWay } from "./network.ts";
import type { Surroundings, Target } from "./target.ts";
import { checkTls } from "./tls.ts";

/** Told of each finding as soon as there is one. */
export type OnFinding = (finding: Finding) => void;

/** Examines the way to a broker. Never throws for what is wrong on that way. */
export async function examine(
  target: Target,
  surroundings: Surroundings,
  onFinding: OnFinding = () => {},
): Promise<Diagnosis> {
  const findings: Finding[] = [];
  const add = (finding: Finding): boolean => {
    findings.push(finding);
    onFinding(finding);
    return finding.state !== "failed";
  };
  if ((await examineNetwork(target, add)) && (await examineProtocol(target, surroundings, add)))
    await examineMqtt(target, add);
  for (const layer of Object.keys(LAYERS) as Layer[])
    if (!findings.some((finding) => finding.layer === layer)) add(notReached(layer));
  return { findings, verdict: verdictOf(findings) };
}

/** Takes a finding; false: what comes after cannot work. */
type Add = (finding: Finding) => boolean;

function notReached(layer: Layer): Finding {
  return { layer, state: "not reached", summary: { en: "not reached", zh: "未执行" } };
}

function skipped(layer: Layer, en: string, zh: string): Finding {
  return { layer, state: "skipped", summary: { en, zh } };
}

async function examineNetwork(target: Target, add: Add): Promise<boolean> {
  const { firstHop, timeoutMs } = target;
  if (firstHop === null) {
    for (const layer of ["name", "route"] as const) add(skipped(layer, "another way is taken", "使用其他连接方式"));
    return add(await checkWay(target));
  }
  const isProxy = firstHop.host !== target.host || firstHop.port !== target.port;
  const addAtHop = (finding: Finding): boolean => add(isProxy ? ofProxy(finding, firstHop) : finding);
  const { addresses, ...name } = await checkName(firstHop.host);
  if (!addAtHop(name) || !addAtHop(await checkRoute(addresses, firstHop.port))) return false;
  const port = await checkPort(addresses, firstHop.port, timeoutMs);
  return addAtHop(isProxy && port.state !== "failed" ? await checkWay(target) : port);
}

/** What is wrong with the proxy is mended there, and not at the broker. */
function ofProxy(finding: Finding, { host, port }: NonNullable<Target["firstHop"]>): Finding {
  if (finding.state !== "failed" || finding.meaning === "proxy-refused") return finding;
  return {
    ...finding,
    fix: { en: `start the proxy ${host}:${port}, or correct --proxy`, zh: `启动代理 ${host}:${port}，或改正 --proxy` },
    next: `nc -vz -w 5 ${host} ${port}`,
  };
}

async function examineProtocol(target: Target, surroundings: Surroundings, add: Add): Promise<boolean> {
  const certificate =
    target.tls === null ? await examinePlain(target, add) : await examineTls(target, surroundings, add);
  return certificate;
}

/** Without TLS: whether MQTT, or the WebSocket, answers on the port. */
async function examinePlain(target: Target, add: Add): Promise<boolean> {
  const speaker = await speakerAt(target);
  const isGood = add(speakerFinding(speaker, target));
  add(skipped("tls", "not asked for", "没有要求 TLS"));
  add(skipped("clock", "only certificates need it", "只有校验证书时才需要"));
  return isGood;
}

function speakerAt({ dialer, host, clientId, webSocketPath, timeoutMs }: Target): Promise<Speaker> {
  return findSpeaker(dialer, host, clientId, webSocketPath ?? "/mqtt", Math.min(timeoutMs, MOST_WAIT_MS));
}

/** How long a port that says nothing is waited for, each time, in milliseconds. */
const MOST_WAIT_MS = 3000;

const WORDS: Readonly<Record<Speaker, { readonly en: string; readonly zh: string }>> = {
  mqtt: { en: "MQTT", zh: "MQTT" },
  tls: { en: "TLS", zh: "TLS" },
  http: { en: "HTTP", zh: "HTTP" },
  websocket: { en: "WebSocket", zh: "WebSocket" },
  proxy: { en: "MQTT behind a PROXY header", zh: "需要 PROXY 头的 MQTT" },
  other: { en: "something that is not known here", zh: "无法识别的协议" },
  silent: { en: "nothing", zh: "没有应答的程序" },
  closed: { en: "nothing", zh: "直接关闭连接的程序" },
};

const MISMATCH: Readonly<Record<Speaker, MeaningKey>> = {
  mqtt: "websocket-failed",
  tls: "plain-on-tls-port",
  http: "port-not-mqtt",
  websocket: "port-not-mqtt",
  proxy: "proxy-header",
  other: "port-not-mqtt",
  silent: "connack-timeout",
  closed: "port-closes",
};

function speakerFinding(speaker: Speaker, { webSocketPath, host, port }: Target): Finding {
  const wanted: Speaker = webSocketPath === null ? "mqtt" : "websocket";
  if (speaker === wanted) return { layer: "protocol", state: "passed", summary: answers(speaker) };
  const scheme = schemeOf(speaker);
  return {
    layer: "protocol",
    state: "failed",
    summary: answersInstead(speaker, WORDS[wanted].en, WORDS[wanted].zh),
    meaning: MISMATCH[speaker],
    // TLS was tried too.
    ...(speaker === "closed" && { cause: 1 }),
    ...(scheme !== null && {
      next: `lacewing doctor ${scheme}://${host}:${port}`,
      fix: {
        en: `connect with ${scheme}://${host}:${port}, or take the port of ${WORDS[wanted].en}`,
        zh: `改用 ${scheme}://${host}:${port}，或换成 ${WORDS[wanted].zh} 的端口`,
      },
    }),
  };
}

function answers(speaker: Speaker): Text {
  const { en, zh } = WORDS[speaker];
  return { en: `${en} answers`, zh: `端口上是 ${zh}` };
}

function answersInstead(speaker: Speaker, en: string, zh: string): Text {
  if (speaker === "silent")
    return {
      en: `it takes connections and is silent; ${en} was expected`,
      zh: `可以连接，但没有任何应答（期望 ${zh}）`,
    };
  if (speaker === "closed")
    return { en: `it takes connections and closes them; ${en} was expected`, zh: `连接后立即被关闭（期望 ${zh}）` };
  return { en: `${answers(speaker).en}, and ${en} was expected`, zh: `${answers(speaker).zh}，而不是 ${zh}` };
}

function schemeOf(speaker: Speaker): string | null {
  const schemes: Partial<Record<Speaker, string>> = { mqtt: "mqtt", tls: "mqtts", websocket: "ws" };
  return schemes[speaker] ?? null;
}

async function examineTls(target: Target, surroundings: Surroundings, add: Add): Promise<boolean> {
  // Asked meanwhile: a time server that does not answer takes a while.
  const time = askTime(surroundings);
  const { certificate, isAboutDates, isTls: isCertain, speaker, httpDateMs, ...finding } = await checkTls(target);
  // Who gives no TLS may give something else.
  const plain = isCertain ? null : await speakerAt(target);
  const isTls = plain === null || plain === "tls";
  if (isTls) add(tlsSpeaksFinding(speaker, target));
  else add(noTlsFinding(plain, target));
  if (!isTls) return false;
  const isGood = add(finding);
  const facts: TimeFacts = {
    nowMs: surroundings.wallClockMs(),
    certificate,
    newestFileMs: await surroundings.newestFileMs(),
    timeServer: await time,
    httpDateMs,
  };
  add(judgeClock(facts, isAboutDates));
  return isGood;
}

function tlsSpeaksFinding(speaker: Speaker | null, target: Target): Finding {
  const wanted: Speaker = target.webSocketPath === null ? "mqtt" : "websocket";
  const inside = speaker === wanted ? WORDS[wanted] : null;
  const summary = {
    en: inside === null ? "TLS answers" : `TLS answers, and ${inside.en} in it`,
    zh: inside === null ? "端口上是 TLS" : `端口上是 TLS，其中是 ${inside.zh}`,
  };
  return { layer: "protocol", state: "passed", summary };
}

function noTlsFinding(speaker: Speaker, { host, port }: Target): Finding {
  const scheme = schemeOf(speaker);
  return {
    layer: "protocol",
    state: "failed",
    summary: answersInstead(speaker, "TLS", "TLS"),
    meaning: speaker === "silent" || speaker === "closed" ? "tls-closed" : "not-tls",
    ...(scheme !== null && {
      next: `lacewing doctor ${scheme}://${host}:${port}`,
      fix: {
        en: `connect with ${scheme}://${host}:${port}, or take the port of TLS, usually 8883`,
        zh: `改用 ${scheme}://${host}:${port}，或换成 TLS 端口（通常是 8883）`,
      },
    }),
  };
}

async function examineMqtt(target: Target, add: Add): Promise<void> {
  const results = await tryVersions(target);
  const others = await tryOtherVersions(target, results);
  if (!add(connectFinding(results, others)) || !add(credentialsFinding(results, target))) return;
  const accepted = acceptedVersion(results);
  if (accepted === null) return;
  const { version } = accepted;
  const first = await openAgain(target, version);
  if (!add(await checkKeepAlive(first, target))) return first.conversation.drop();
  const isGood = add(await checkRoundTrip(first, target));
  first.conversation.end();
  if (!isGood) {
    add(await cleanUp(target, version));
    return;
  }
  add(await checkSession(target, version));
  const second = await openAgain(target, version);
  add(await checkRetained(second, target));
  second.conversation.end();
  add(await cleanUp(target, version));
}
