/** What `lacewing config check` prints. */
import type { ConfigReport, Finding, Setting, SettingGroup } from "../config/index.ts";
import { counted } from "./quantities.ts";

/** Widest name of an option that the values are lined up behind, in characters. */
const NAME_COLUMN = 26;
const VALUE_COLUMN = 24;

/** For people. @param all also settings that have their default */
export function configReportText({ files, listeners, broker, findings }: ConfigReport, all: boolean): string {
  const lines = [`Configuration ${files.join(", ")}`];
  for (const { name, place, settings, contents } of listeners) {
    lines.push("", `Listener ${name}${place === null ? "" : ` (${place})`}`, ...groupLines(settings, all));
    if (contents.length > 0) lines.push("  In its files", ...contents.map((text) => `    ${text}`));
  }
  if (broker.length > 0) lines.push("", "The broker", ...groupLines(broker, all));
  lines.push("", ...findings.flatMap(findingLines), summary(findings));
  return `${lines.join("\n")}\n`;
}

function groupLines(groups: readonly SettingGroup[], all: boolean): string[] {
  return groups.flatMap(({ title, settings }) => {
    const shown = settings.filter(({ isDefault }) => all || !isDefault);
    return shown.length === 0 ? [] : [`  ${title}`, ...shown.map(settingLine)];
  });
}

function settingLine({ option, value, isDefault, meaning }: Setting): string {
  const remarks = [...(isDefault ? ["default"] : []), ...(meaning === "" ? [] : [meaning])].join("; ");
  const text = valueText(value);
  return `    ${option.padEnd(NAME_COLUMN)} ${remarks === "" ? text : `${text.padEnd(VALUE_COLUMN)} ${remarks}`}`.trimEnd();
}

function valueText(value: Setting["value"]): string {
  if (value === null) return "-";
  return typeof value === "object" ? (value.length === 0 ? "-" : value.join(", ")) : String(value);
}

const WORDS: Readonly<Record<Finding["level"], string>> = { error: "Error", warning: "Warning", note: "Note" };

function findingLines({ level, place, text, advice }: Finding): string[] {
  const first = `${WORDS[level]}: ${text}${place === null || text.includes(place) ? "" : ` (${place})`}`;
  return advice === "" ? [first] : [first, `  ${advice}`];
}

function summary(findings: readonly Finding[]): string {
  const many = (level: Finding["level"]): string =>
    counted(findings.filter((each) => each.level === level).length, level);
  const isUsable = findings.every(({ level }) => level !== "error");
  const result = isUsable ? "The broker would start with it" : "The broker would not start with it";
  return `${result}: ${many("error")}, ${many("warning")}, ${many("note")}.`;
}

/** For programs: an object a line. */
export function configReportJson({ files, listeners, broker, findings }: ConfigReport): string {
  const lines: unknown[] = listeners.map(({ name, place, settings, contents }) => ({
    kind: "listener",
    name,
    place,
    settings: byOption(settings),
    contents,
  }));
  if (broker.length > 0) lines.push({ kind: "broker", settings: byOption(broker) });
  for (const each of findings) lines.push({ kind: "finding", ...each });
  const of = (level: Finding["level"]): number => findings.filter((each) => each.level === level).length;
  lines.push({ kind: "result", files, errors: of("error"), warnings: of("warning"), notes: of("note") });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function byOption(groups: readonly SettingGroup[]): Record<string, Setting["value"]> {
  return Object.fromEntries(groups.flatMap(({ settings }) => settings.map(({ option, value }) => [option, value])));
}
