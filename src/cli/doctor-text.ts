/** What an examination found, for people and as JSON. */
import { type Diagnosis, type Finding, LAYERS, type State, type Target } from "../doctor/index.ts";
import {
  displayWidth,
  type ExplainedCause,
  type Explanation,
  explained,
  harmless,
  type Language,
  type TextOptions,
  wrapped,
} from "../explain/index.ts";

const MARKS: Readonly<Record<State, string>> = {
  passed: "ok",
  warning: "note",
  failed: "FAIL",
  skipped: "-",
  "not reached": "-",
};

const MARK_COLUMNS = 6;
const TITLE_COLUMNS = 18;

const LABELS = {
  notReached: { en: "not reached", zh: "未执行" },
  well: { en: "All is well.", zh: "一切正常。" },
  verdict: { en: "Verdict", zh: "结论" },
  evidence: { en: "Evidence", zh: "证据" },
  cause: { en: "Likeliest", zh: "最可能" },
  fix: { en: "Fix", zh: "处理" },
  next: { en: "Next", zh: "下一步" },
  more: { en: "More", zh: "更多" },
} as const;

/** A label with its colon. */
function labelOf(key: keyof typeof LABELS, language: Language): string {
  return LABELS[key][language] + (language === "zh" ? "：" : ": ");
}

/** One layer as a line, with its details below. */
export function findingText(
  { layer, state, summary, details }: Finding,
  language: Language,
  layout: TextOptions,
): string {
  const title = LAYERS[layer].title[language];
  const padding = " ".repeat(Math.max(1, TITLE_COLUMNS - displayWidth(title)));
  const head = `${MARKS[state].padEnd(MARK_COLUMNS)}${title}${padding}`;
  const indent = " ".repeat(MARK_COLUMNS + TITLE_COLUMNS);
  const lines = wrapped(harmless(summary[language]), layout.width - indent.length);
  const rest = detailLines(details, language).flatMap((detail) =>
    wrapped(harmless(detail), layout.width - indent.length),
  );
  const style = layout.style;
  const paint =
    state === "failed" ? style?.heading : state === "passed" || state === "warning" ? undefined : style?.faint;
  const first = head + (lines[0] ?? "");
  const all = [paint === undefined ? first : paint(first), ...lines.slice(1).map((line) => indent + line)];
  const below = rest.map((line) => (style === undefined ? indent + line : indent + style.faint(line)));
  return `${[...all, ...below].join("\n")}\n`;
}

function detailLines(details: Finding["details"], language: Language): string[] {
  return (details ?? []).map((detail) => (typeof detail === "string" ? detail : detail[language]));
}

/** The layers that nothing could be said of, as one line. */
export function notReachedText({ findings }: Diagnosis, language: Language, layout: TextOptions): string {
  const titles = findings
    .filter(({ state }) => state === "not reached")
    .map(({ layer }) => LAYERS[layer].title[language]);
  if (titles.length === 0) return "";
  const head = "-".padEnd(MARK_COLUMNS);
  const lines = wrapped(
    labelOf("notReached", language) + titles.join(language === "zh" ? "、" : ", "),
    layout.width - MARK_COLUMNS,
  );
  return `${lines.map((line, index) => (index === 0 ? head : " ".repeat(MARK_COLUMNS)) + line).join("\n")}\n`;
}

interface Advice {
  readonly explanation: Explanation;
  readonly why: string | null;
  readonly fix: string | null;
  readonly next: string | null;
}

/** What a finding means, and what to do: the finding's own fix, or that of the cause it names. */
function adviceOf({ meaning, cause, fix, next }: Finding, target: Target, language: Language): Advice | null {
  if (meaning === undefined) return null;
  const explanation = explained(meaning, language, { facts: factsOf(target) });
  const chosen = explanation.causes[cause ?? 0];
  return {
    explanation,
    why: fix === undefined ? (chosen?.why ?? null) : null,
    fix: fix?.[language] ?? chosen?.fix ?? null,
    next: next ?? commandOf([chosen, ...explanation.causes], target),
  };
}

/** The first command of the causes. To be told to run what has just been run helps nobody. */
function commandOf(causes: readonly (ExplainedCause | undefined)[], { username }: Target): string | null {
  const command = causes.find((one) => one?.run != null && !one.run.startsWith("lacewing doctor"))?.run ?? null;
  return username === null ? (command?.replace(" -u USER -P PASSWORD", "") ?? null) : command;
}

/** What commands to run next are filled in with: what the user gave, but for the password. */
function factsOf({ host, port, username, topic, tls }: Target): Readonly<Record<string, string>> {
  const { caFile, certFile, keyFile } = tls ?? {};
  return {
    ...{ host, port: String(port), topic },
    ...(username !== null && { user: username }),
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
}

/** The end of the report: the first cause. */
export function verdictText(verdict: Finding | null, target: Target, language: Language, layout: TextOptions): string {
  if (verdict === null) return `\n${LABELS.well[language]}\n`;
  const advice = adviceOf(verdict, target, language);
  const title = advice?.explanation.title ?? LAYERS[verdict.layer].title[language];
  const rows: [string, string | null | undefined][] = [
    [labelOf("evidence", language), verdict.summary[language]],
    [labelOf("cause", language), advice?.why],
    [labelOf("fix", language), advice?.fix],
  ];
  const commands = [
    ["next", advice?.next],
    ["more", advice === null ? null : `lacewing explain ${advice.explanation.key}`],
  ] as const;
  const lines = rows.flatMap(([label, text]) => (text == null ? [] : labelled(label, text, layout)));
  // A command is pasted, and must be one line for that.
  for (const [key, command] of commands)
    if (command != null) lines.push(`  ${labelOf(key, language)}${harmless(command)}`);
  const head = labelOf("verdict", language) + title;
  return `\n${[layout.style?.heading(head) ?? head, ...lines].join("\n")}\n`;
}

function labelled(label: string, text: string, { width }: TextOptions): string[] {
  const head = `  ${label}`;
  const indent = " ".repeat(displayWidth(head));
  return wrapped(harmless(text), width - indent.length).map((line, index) => (index === 0 ? head : indent) + line);
}

/** The whole report as JSON; it holds no password. */
export function diagnosisJson({ findings, verdict }: Diagnosis, target: Target, language: Language): object {
  const layers = findings.map(({ layer, state, summary, details, meaning }) => ({
    layer,
    state,
    summary: summary[language],
    ...(details !== undefined && { details: detailLines(details, language) }),
    ...(meaning !== undefined && { meaning }),
  }));
  if (verdict === null) return { host: target.host, port: target.port, layers, verdict: null };
  const { explanation, ...advice } = adviceOf(verdict, target, language) ?? {};
  return {
    host: target.host,
    port: target.port,
    layers,
    verdict: {
      layer: verdict.layer,
      evidence: verdict.summary[language],
      ...advice,
      ...(explanation && { explanation }),
    },
  };
}
