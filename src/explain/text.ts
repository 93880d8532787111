/** Explanations as plain text for a terminal or a page: data in, lines out; colours are the caller's. */
import { displayWidth, wrapped } from "./display-width.ts";
import type { Language, Text } from "./entry.ts";
import type { Answer } from "./explain.ts";
import type { ExplainedCause, Explanation } from "./explanation.ts";
import type { LogSummary, Problem, Sighting } from "./log-reader.ts";
import { ruleText } from "./rule-texts.ts";
import { sourceOf } from "./spaces.ts";

/** How parts of the text look. */
export interface TextStyle {
  heading(text: string): string;
  command(text: string): string;
  faint(text: string): string;
}

/** How to lay the text out. */
export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly style?: TextStyle;
  /** Whether all meanings are shown in full, and not only the likeliest. */
  readonly all?: boolean;
}

const PLAIN: TextStyle = { heading: (text) => text, command: (text) => text, faint: (text) => text };

const LABELS = {
  says: { en: "It says", zh: "原文" },
  causes: { en: "Causes, the likeliest first", zh: "可能的原因（按可能性排序）" },
  check: { en: "check", zh: "检查" },
  fix: { en: "fix", zh: "处理" },
  afterwards: { en: "Then", zh: "之后" },
  read: { en: "Read", zh: "参考" },
  only: { en: "in mosquitto", zh: "仅 mosquitto" },
  here: { en: "Here", zh: "本行" },
  others: { en: "It can also be", zh: "也可能是" },
  more: {
    en: "--from says where you met it, as in --from {}; --all shows each in full.",
    zh: "用 --from 指明出处，例如 --from {}；--all 显示全部。",
  },
  unknown: { en: "Nothing is known of", zh: "没有找到" },
  nearest: { en: "Nearest", zh: "最接近的" },
  ask: {
    en: "Ask with a number and --from, a name, a whole line of a log, or a few words of the symptom.",
    zh: "可以用数字加 --from、名称、整行日志，或描述现象的几个词来查询。",
  },
  times: { en: "times", zh: "次" },
  once: { en: "once", zh: "1 次" },
  clients: { en: "Clients", zh: "客户端" },
  otherClients: { en: "and {} more", zh: "等另外 {} 个" },
  line: { en: "Line", zh: "日志" },
  first: { en: "first", zh: "首次" },
  last: { en: "last", zh: "最近" },
  noProblem: { en: "Lines read: {}. No problem found.", zh: "{} 行日志中没有发现问题。" },
  summary: { en: "{}; lines read: {}.", zh: "{}，共 {} 行日志。" },
  unexplained: { en: "Lines that look like problems and are not known", zh: "看起来有问题但没有收录的日志行" },
} as const satisfies Readonly<Record<string, Text>>;

/** Characters that would steer a terminal: logs come from anybody. */
const STEERING = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** `text` without what steers terminals. */
export function harmless(text: string): string {
  return text.replaceAll(STEERING, "\ufffd");
}

/** A label with its colon. */
function label(key: keyof typeof LABELS, language: Language): string {
  return LABELS[key][language] + (language === "zh" ? "：" : ": ");
}

function filled(text: string, ...values: readonly (string | number)[]): string {
  return values.reduce<string>((result, value) => result.replace("{}", () => String(value)), text);
}

class Page {
  readonly #lines: string[] = [];
  readonly #width: number;

  constructor(width: number) {
    // Below this every word would have a line of its own.
    this.#width = Math.max(width, 40);
  }

  /** Text behind `head`; further lines are as far in as the first. */
  add(head: string, text: string, style: (line: string) => string = (line) => line): void {
    const indent = displayWidth(head);
    const lines = wrapped(harmless(text), this.#width - indent);
    for (const [index, line] of lines.entries())
      this.#lines.push((index === 0 ? head : " ".repeat(indent)) + style(line));
  }

  /** A line that is not broken, as commands must be copied whole. */
  addWhole(head: string, text: string, style: (line: string) => string): void {
    this.#lines.push(head + style(harmless(text)));
  }

  blank(): void {
    if (this.#lines.length > 0 && this.#lines.at(-1) !== "") this.#lines.push("");
  }

  toString(): string {
    return `${this.#lines.join("\n").trimEnd()}\n`;
  }
}

/** The answer to `query`, with the likeliest meaning in full. */
export function answerText(answer: Answer, query: string, language: Language, options: TextOptions): string {
  const page = new Page(options.width);
  const style = options.style ?? PLAIN;
  const { explanations, nearest } = answer;
  const full = options.all === true ? explanations : explanations.slice(0, 1);
  for (const explanation of full) {
    page.blank();
    addExplanation(page, explanation, style);
  }
  const others = explanations.slice(full.length);
  if (others.length > 0) {
    page.blank();
    page.add("", label("others", language));
    for (const other of others) page.add("  ", `${headOf(other)}: ${other.title}`);
    const other = others.find(({ space }) => space !== null && space !== explanations[0]?.space)?.space ?? "connack";
    page.add("", filled(LABELS.more[language], sourceOf(other)), style.faint);
  }
  if (explanations.length === 0) {
    page.add("", `${LABELS.unknown[language]} “${query.slice(0, 200)}”.`);
    page.add("", nearest.length > 0 ? label("nearest", language) : LABELS.ask[language]);
    for (const { key, title } of nearest) page.add(`  lacewing explain ${key}  `, title);
  }
  return page.toString();
}

/** One explanation in full. */
export function explanationText(explanation: Explanation, options: TextOptions): string {
  const page = new Page(options.width);
  addExplanation(page, explanation, options.style ?? PLAIN);
  return page.toString();
}

function headOf({ code, name, space, spaceTitle, key, only, language }: Explanation): string {
  if (space === null) return key;
  const number = code === null ? null : numberText(code, space);
  const versions = only === null ? "" : ` (${LABELS.only[language]} ${only})`;
  return `${[number, name].filter((part) => part !== null).join(" ")}, ${spaceTitle}${versions}`;
}

const FACT_NAMES_ZH: Readonly<Record<string, string>> = {
  address: "地址",
  bytes: "字节数",
  client: "客户端",
  file: "文件",
  granted: "授予",
  host: "主机",
  id: "标识符",
  line: "行",
  option: "选项",
  packet: "报文",
  peer: "对方地址",
  port: "端口",
  protocol: "协议",
  refusal: "拒绝原因",
  rule: "规则",
  status: "状态码",
  system: "系统错误",
  topic: "主题",
  url: "网址",
  version: "版本",
};

/** What a line tells; the rule that was broken is a sentence. */
function factText(name: string, value: string, language: Language): string {
  if (language === "en") return `${name} ${value}`;
  return `${FACT_NAMES_ZH[name] ?? name} ${name === "rule" ? ruleText(value, language) : value}`;
}

function numberText(code: number, space: string): string {
  if (space === "mbedtls" || space === "esp")
    return `${code < 0 ? "-" : ""}0x${Math.abs(code).toString(16).toUpperCase()}`;
  return space === "reason" && code >= 0x80 ? `${code} (0x${code.toString(16).toUpperCase()})` : String(code);
}

function addExplanation(page: Page, explanation: Explanation, style: TextStyle): void {
  const { title, means, note, says, causes, afterwards, read, facts, language } = explanation;
  page.add("", headOf(explanation), style.faint);
  page.add("", title, style.heading);
  page.blank();
  if (says !== null) page.add(`  ${label("says", language)}`, says);
  const known = Object.entries(facts).map(([name, value]) => factText(name, value, language));
  if (known.length > 0) page.add(`  ${label("here", language)}`, known.join(", "));
  page.add("  ", means);
  if (note !== null) page.add("  ", note);
  if (causes.length > 0) {
    page.blank();
    page.add("  ", label("causes", language));
    for (const [index, cause] of causes.entries()) addCause(page, index + 1, cause, language, style);
  }
  page.blank();
  if (afterwards !== null) page.add(`  ${label("afterwards", language)}`, afterwards);
  if (read.length > 0) page.add(`  ${label("read", language)}`, read.join("; "), style.faint);
}

function addCause(page: Page, number: number, cause: ExplainedCause, language: Language, style: TextStyle): void {
  const width = Math.max(displayWidth(LABELS.check[language]), displayWidth(LABELS.fix[language]));
  const head = (text: string): string => `     ${text}${" ".repeat(width - displayWidth(text))}  `;
  page.add(`  ${number}. `, cause.why, style.heading);
  const { run, see, fix } = cause;
  if (run !== null) page.addWhole(head(LABELS.check[language]), run, style.command);
  if (see !== null) page.add(run === null ? head(LABELS.check[language]) : head(""), see);
  page.add(head(LABELS.fix[language]), fix);
}

/** What a log holds: each problem once, the most frequent first. */
export function logText(summary: LogSummary, language: Language, options: TextOptions): string {
  const page = new Page(options.width);
  const style = options.style ?? PLAIN;
  const { problems, lines, unexplained } = summary;
  for (const problem of problems) {
    page.blank();
    addProblem(page, problem, style);
  }
  if (unexplained.length > 0) {
    page.blank();
    page.add("", label("unexplained", language));
    for (const { line, count } of unexplained) page.add("  ", `${count} × ${line}`);
  }
  page.blank();
  const counted = problems.map(({ explanation, count }) => `${explanation.key} × ${count}`).join(", ");
  if (problems.length === 0) page.add("", filled(LABELS.noProblem[language], lines));
  else page.add("", filled(LABELS.summary[language], counted, lines));
  return page.toString();
}

function addProblem(page: Page, problem: Problem, style: TextStyle): void {
  const { explanation, count, first, last, line, clients, clientCount } = problem;
  const { language } = explanation;
  const often = count === 1 ? LABELS.once[language] : `${count} ${LABELS.times[language]}`;
  page.add("", `== ${often}${periodText(first, last, count, language)}`, style.faint);
  addExplanation(page, explanation, style);
  if (clientCount > 1) {
    const rest = clientCount - clients.length;
    const more = rest > 0 ? ` ${filled(LABELS.otherClients[language], rest)}` : "";
    page.add(`  ${label("clients", language)}`, clients.join(", ") + more);
  }
  page.add(`  ${label("line", language)}`, line, style.faint);
}

function periodText(first: Sighting | null, last: Sighting | null, count: number, language: Language): string {
  if (first === null || last === null) return "";
  if (count === 1) return `, ${first.text}`;
  return `, ${LABELS.first[language]} ${first.text}, ${LABELS.last[language]} ${last.text}`;
}
