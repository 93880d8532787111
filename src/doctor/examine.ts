/** Goes through the layers of the way to a broker, one after the other, and stops where nothing further can work. */
import type { MeaningKey } from "../explain/index.ts";
import { askTime, judgeClock, type TimeFacts } from "./clock.ts";
import { acceptedVersion, connectFinding, credentialsFinding, tryVersions } from "./connecting.ts";
import { type Diagnosis, type Finding, LAYERS, type Layer, verdictOf } from "./diagnosis.ts";
import { findSpeaker, type Speaker } from "./greeting.ts";
import { checkKeepAlive, checkRetained, checkRoundTrip, checkSession, cleanUp, openAgain } from "./messaging.ts";
import { checkName, checkPort, checkRoute } from "./network.ts";
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

async function examineNetwork({ firstHop, timeoutMs }: Target, add: Add): Promise<boolean> {
  if (firstHop === null) {
    for (const layer of ["name", "route", "port"] as const)
      add(skipped(layer, "another way is taken", "使用其他连接方式"));
    return true;
  }
  const { addresses, ...name } = await checkName(firstHop.host);
  if (!add(name)) return false;
  return add(await checkRoute(addresses, firstHop.port)) && add(await checkPort(addresses, firstHop.port, timeoutMs));
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
  silent: { en: "nothing: it takes connections and is silent", zh: "没有任何应答" },
  closed: { en: "nothing: it closes the connection", zh: "直接关闭连接" },
};

const MISMATCH: Readonly<Record<Speaker, MeaningKey>> = {
  mqtt: "websocket-failed",
  tls: "connection-lost",
  http: "protocol-error",
  websocket: "protocol-error",
  proxy: "proxy-header",
  other: "protocol-error",
  silent: "connack-timeout",
  closed: "connection-lost",
};

function speakerFinding(speaker: Speaker, { webSocketPath, host, port }: Target): Finding {
  const wanted: Speaker = webSocketPath === null ? "mqtt" : "websocket";
  const { en, zh } = WORDS[speaker];
  const summary = { en: `${en} answers`, zh: `端口上是 ${zh}` };
  if (speaker === wanted) return { layer: "protocol", state: "passed", summary };
  const scheme = schemeOf(speaker);
  const fix =
    scheme === null
      ? {}
      : {
          next: `lacewing doctor ${scheme}://${host}:${port}`,
          fix: {
            en: `connect with ${scheme}://${host}:${port}, or take the port of ${WORDS[wanted].en}`,
            zh: `改用 ${scheme}://${host}:${port}，或换成 ${WORDS[wanted].zh} 的端口`,
          },
        };
  return {
    layer: "protocol",
    state: "failed",
    summary: {
      en: `${en} answers, and ${WORDS[wanted].en} was expected`,
      zh: `端口上是 ${zh}，而不是 ${WORDS[wanted].zh}`,
    },
    meaning: MISMATCH[speaker],
    ...fix,
  };
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
  if (isTls) add(skippedOr(speaker, target));
  else add(wrongForTls(plain, target));
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

function skippedOr(speaker: Speaker | null, target: Target): Finding {
  const wanted: Speaker = target.webSocketPath === null ? "mqtt" : "websocket";
  const inside = speaker === wanted ? WORDS[wanted] : null;
  const summary = {
    en: inside === null ? "TLS answers" : `TLS answers, and ${inside.en} in it`,
    zh: inside === null ? "端口上是 TLS" : `端口上是 TLS，其中是 ${inside.zh}`,
  };
  return { layer: "protocol", state: "passed", summary };
}

function wrongForTls(speaker: Speaker, { host, port }: Target): Finding {
  const { en, zh } = WORDS[speaker];
  const scheme = schemeOf(speaker);
  return {
    layer: "protocol",
    state: "failed",
    ...(scheme !== null && { next: `lacewing doctor ${scheme}://${host}:${port}` }),
    summary: { en: `${en} answers, and TLS was expected`, zh: `端口上是 ${zh}，而不是 TLS` },
    meaning: speaker === "silent" || speaker === "closed" ? "tls-closed" : "not-tls",
    ...(scheme !== null && {
      fix: {
        en: `connect with ${scheme}://${host}:${port}, or take the port of TLS, usually 8883`,
        zh: `改用 ${scheme}://${host}:${port}，或换成 TLS 端口（通常是 8883）`,
      },
    }),
  };
}

async function examineMqtt(target: Target, add: Add): Promise<void> {
  const results = await tryVersions(target);
  if (!add(connectFinding(results)) || !add(credentialsFinding(results, target))) return;
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
