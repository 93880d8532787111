/** What an examination finds: one Finding for each layer of the way to a broker, and a verdict. Data only. */
import type { MeaningKey, Text } from "../explain/index.ts";

/** A layer of the way to a broker. */
export type Layer =
  | "name"
  | "route"
  | "port"
  | "protocol"
  | "tls"
  | "clock"
  | "connect"
  | "credentials"
  | "keep-alive"
  | "round-trip"
  | "session"
  | "retained"
  | "clean-up";

/** The layers in the order in which they are needed, with the exit code of `lacewing doctor` when one is the first that fails. */
export const LAYERS: Readonly<Record<Layer, { readonly exitCode: number; readonly title: Text }>> = {
  name: { exitCode: 10, title: { en: "name", zh: "域名" } },
  route: { exitCode: 11, title: { en: "route", zh: "路由" } },
  port: { exitCode: 12, title: { en: "port", zh: "端口" } },
  protocol: { exitCode: 13, title: { en: "what speaks there", zh: "端口上的协议" } },
  tls: { exitCode: 14, title: { en: "TLS", zh: "TLS" } },
  clock: { exitCode: 15, title: { en: "clock", zh: "时钟" } },
  connect: { exitCode: 16, title: { en: "CONNECT", zh: "CONNECT" } },
  credentials: { exitCode: 17, title: { en: "credentials", zh: "身份认证" } },
  "keep-alive": { exitCode: 18, title: { en: "keep-alive", zh: "心跳" } },
  "round-trip": { exitCode: 19, title: { en: "round trip", zh: "收发消息" } },
  session: { exitCode: 20, title: { en: "session", zh: "会话" } },
  retained: { exitCode: 21, title: { en: "retained messages", zh: "保留消息" } },
  "clean-up": { exitCode: 22, title: { en: "clean-up", zh: "清理" } },
};

/** Passed; passed with something to say; failed; not needed here; not reached because a layer before it failed. */
export type State = "passed" | "warning" | "failed" | "skipped" | "not reached";

/** What was found at one layer. */
export interface Finding {
  readonly layer: Layer;
  readonly state: State;
  /** One sentence with what was measured. */
  readonly summary: Text;
  /** More lines: addresses, certificates, limits; a string is the same in every language. */
  readonly details?: readonly (string | Text)[];
  /** What is wrong, when something is. */
  readonly meaning?: MeaningKey;
  /** Which cause of the meaning it is, when that is known: it gives fix and next command. */
  readonly cause?: number;
  /** What to do, where the catalogue cannot know it so well. */
  readonly fix?: Text;
  /** The command to run next, likewise. */
  readonly next?: string;
}

/** Everything that was found. */
export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** The first cause; null when all is well. */
  readonly verdict: Finding | null;
}

/** A failure of the clock is the cause of what fails in TLS; otherwise the first layer that failed is. */
export function verdictOf(findings: readonly Finding[]): Finding | null {
  const failed = findings.filter(({ state }) => state === "failed");
  return failed.find(({ layer }) => layer === "clock") ?? failed[0] ?? null;
}

/** Milliseconds with as many digits as are worth reading. */
export function msText(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
