/** Whether this machine's clock is right, by everything that knows better. */
import type { Text } from "../explain/index.ts";
import type { Finding } from "./diagnosis.ts";
import { askTimeServer } from "./sntp.ts";
import type { Surroundings } from "./target.ts";

/** What is known about the time. All in milliseconds since 1970. */
export interface TimeFacts {
  readonly nowMs: number;
  /** From when to when the broker's certificate is valid. */
  readonly certificate: { readonly fromMs: number; readonly toMs: number } | null;
  readonly newestFileMs: number | null;
  /** What a time server said, and which. */
  readonly timeServer: { readonly name: string; readonly timeMs: number } | null;
  /** What a server of HTTP said. */
  readonly httpDateMs: number | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A clock that is wrong by less harms no certificate that was not made today. */
const WRONG_MS = 5 * MINUTE_MS;
const NOTABLE_MS = MINUTE_MS;

/** Judges the clock. @param isFatal whether TLS failed for the dates of a certificate */
export function judgeClock(facts: TimeFacts, isFatal: boolean): Finding {
  const { nowMs, certificate, newestFileMs } = facts;
  const truth = truthOf(facts);
  const said = [
    saying("the clock says", "本机时钟", nowMs),
    ...(certificate === null ? [] : [range(certificate)]),
    ...truth.sayings,
  ];
  const evidence: Text = { en: said.map(({ en }) => en).join(", "), zh: said.map(({ zh }) => zh).join("，") };
  const details = newestFileMs === null ? [] : [saying("the newest file is of", "最新的文件", newestFileMs)];
  const wrong = truth.offsetMs === null ? 0 : Math.abs(truth.offsetMs);
  if (wrong >= WRONG_MS) {
    const [en, zh] = [distance(truth.offsetMs!, "en"), distance(truth.offsetMs!, "zh")];
    return {
      layer: "clock",
      state: isFatal ? "failed" : "warning",
      summary: { en: `${evidence.en}: the clock is ${en}`, zh: `${evidence.zh}：本机时钟${zh}` },
      details,
      meaning: truth.offsetMs! > 0 ? "certificate-not-yet-valid" : "certificate-expired",
      cause: truth.offsetMs! > 0 ? 0 : 2,
      fix: SET_CLOCK,
    };
  }
  if (truth.offsetMs === null)
    return {
      layer: "clock",
      state: "passed",
      summary: { en: `${evidence.en}; nothing speaks against it`, zh: `${evidence.zh}；没有发现异常` },
      details,
    };
  const state = wrong >= NOTABLE_MS ? "warning" : "passed";
  const seconds = (wrong / 1000).toFixed(1);
  return {
    layer: "clock",
    state,
    summary: { en: `${evidence.en}: it is off by ${seconds} s`, zh: `${evidence.zh}：相差 ${seconds} 秒` },
    details,
  };
}

const SET_CLOCK: Text = {
  en: "set the clock: timedatectl set-ntp true, or ntpdate pool.ntp.org; then start the program again",
  zh: "校准时钟：timedatectl set-ntp true，或 ntpdate pool.ntp.org；然后重新启动程序",
};

interface Truth {
  /** The real time minus the clock; null when nobody knows. */
  readonly offsetMs: number | null;
  readonly sayings: readonly Text[];
}

function truthOf({ nowMs, timeServer, httpDateMs, newestFileMs, certificate }: TimeFacts): Truth {
  if (timeServer !== null) {
    const { name, timeMs } = timeServer;
    return {
      offsetMs: timeMs - nowMs,
      sayings: [saying(`the time server ${name} says`, `时间服务器 ${name}`, timeMs)],
    };
  }
  if (httpDateMs !== null)
    return {
      offsetMs: httpDateMs - nowMs,
      sayings: [saying("the server's HTTP says", "服务器的 HTTP 时间", httpDateMs)],
    };
  // Files are written in the past: one of the future means that the clock was later once, and right then.
  if (newestFileMs !== null && newestFileMs > nowMs + DAY_MS)
    return {
      offsetMs: newestFileMs - nowMs,
      sayings: [saying("a file of this system is of", "系统中最新的文件是", newestFileMs)],
    };
  // A broker that runs today has a certificate that was made before.
  if (certificate !== null && nowMs < certificate.fromMs && newestFileMs !== null && newestFileMs > nowMs)
    return { offsetMs: certificate.fromMs - nowMs, sayings: [] };
  return { offsetMs: null, sayings: [] };
}

function saying(en: string, zh: string, timeMs: number): Text {
  return { en: `${en} ${dateText(timeMs)}`, zh: `${zh} ${dateText(timeMs)}` };
}

function range({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): Text {
  const [from, to] = [dateText(fromMs).slice(0, 10), dateText(toMs).slice(0, 10)];
  return { en: `the certificate is valid from ${from} to ${to}`, zh: `证书有效期 ${from} 至 ${to}` };
}

/** As 2021-07-29 12:02:53 UTC. */
export function dateText(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? "?" : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function distance(offsetMs: number, language: "en" | "zh"): string {
  const wrong = Math.abs(offsetMs);
  const [value, en, zh] =
    wrong >= 2 * DAY_MS
      ? [Math.round(wrong / DAY_MS), "days", "天"]
      : wrong >= 120 * MINUTE_MS
        ? [Math.round(wrong / 3_600_000), "hours", "小时"]
        : [Math.round(wrong / MINUTE_MS), "minutes", "分钟"];
  const isBehind = offsetMs > 0;
  return language === "en"
    ? `${value} ${en} ${isBehind ? "behind" : "ahead"}`
    : `${isBehind ? "慢了" : "快了"} ${value} ${zh}`;
}

/** How long all time servers together may take, in milliseconds. */
const SNTP_TIMEOUT_MS = 2000;

/** Asks the time servers, all at once; the first that answers counts. */
export async function askTime(surroundings: Surroundings): Promise<TimeFacts["timeServer"]> {
  const servers = (await surroundings.timeServers()).slice(0, 4);
  const answers = servers.map(async (name) => {
    const timeMs = await askTimeServer(name, SNTP_TIMEOUT_MS);
    if (timeMs === null) throw new Error("no answer");
    return { name, timeMs };
  });
  return Promise.any(answers).catch(() => null);
}
