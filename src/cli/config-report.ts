/** What `lacewing config check` prints. */
import type { ConfigReport, Finding, Setting, SettingGroup } from "../config/index.ts";
import { counted } from "./quantities.ts";

/** Widest name of an option that the values are lined up behind, in characters. */
const NAME_COLUMN = 26;
const VALUE_COLUMN = 24;

/** For people. @param all also settings that have their default */
export function configReportText({ files, listeners, bridges, broker, findings }: ConfigReport, all: boolean): string {
  const lines = [`Configuration ${files.join(", ")}`];
  for (const { name, place, settings, contents } of listeners) {
    lines.push("", `Listener ${name}${place === null ? "" : ` (${place})`}`, ...groupLines(settings, all));
    if (contents.length > 0) lines.push("  In its files", ...contents.map((text) => `    ${text}`));
  }
  for (const { name, place, settings } of bridges)
    lines.push("", `Bridge ${name} (${place})`, ...groupLines(settings, all));
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
export function configReportJson({ files, listeners, bridges, broker, findings }: ConfigReport): string {
  const lines: unknown[] = listeners.map(({ name, place, settings, contents }) => ({
    kind: "listener",
    name,
    place,
    settings: byOption(settings),
    contents,
  }));
  for (const { name, place, settings } of bridges)
    lines.push({ kind: "bridge", name, place, settings: byOption(settings) });
  if (broker.length > 0) lines.push({ kind: "broker", settings: byOption(broker) });
  for (const each of findings) lines.push({ kind: "finding", ...each });
  const of = (level: Finding["level"]): number => findings.filter((each) => each.level === level).length;
  lines.push({ kind: "result", files, errors: of("error"), warnings: of("warning"), notes: of("note") });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function byOption(groups: readonly SettingGroup[]): Record<string, Setting["value"]> {
  const settings = groups.flatMap(({ settings }) => settings);
  // What may be said several times is a list.
  const topics = settings.filter(({ option }) => option === "topic").map(({ value }) => String(value));
  const all = Object.fromEntries(settings.map(({ option, value }) => [option, value]));
  return topics.length === 0 ? all : { ...all, topic: topics };
}
