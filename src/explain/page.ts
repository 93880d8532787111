/** The whole catalogue as a page in Markdown: tables of numbers, then every meaning. */
import { MEANINGS, type MeaningKey } from "./catalogue/meanings.ts";
import type { Code, Space } from "./code.ts";
import type { Language, Meaning, Text } from "./entry.ts";
import { SPACES } from "./spaces.ts";

const TEXTS = {
  title: { en: "What MQTT errors mean", zh: "MQTT 错误的含义" },
  intro: {
    en: "Made from the catalogue of `lacewing explain` by `npm run docs`; do not change it by hand. One number means different things in different places: find the table of the place where you met it. `lacewing explain NUMBER --from PLACE` says the same on the command line, and `lacewing explain < LOG` finds the problems of a log.",
    zh: "本页由 `npm run docs` 根据 `lacewing explain` 的目录生成，请勿手工修改。同一个数字在不同地方含义不同，请先找到数字来源对应的表。命令行上可用 `lacewing explain 数字 --from 来源` 查询，`lacewing explain < 日志文件` 可找出日志中的问题。",
  },
  otherLanguage: { en: "[中文](errors.zh.md)", zh: "[English](errors.md)" },
  code: { en: "Number", zh: "数字" },
  name: { en: "Name", zh: "名称" },
  meaning: { en: "Meaning", zh: "含义" },
  packets: { en: "In", zh: "报文" },
  version: { en: "mosquitto", zh: "mosquitto" },
  meanings: { en: "Meanings", zh: "各种含义" },
  check: { en: "Check", zh: "检查" },
  fix: { en: "Fix", zh: "处理" },
  afterwards: { en: "Then", zh: "之后" },
  read: { en: "Read", zh: "参考" },
} as const satisfies Readonly<Record<string, Text>>;

/** The page in `language`. */
export function errorsPage(language: Language): string {
  const spaces = (Object.keys(SPACES) as Space[]).flatMap((space) => tableOf(space, language));
  const meanings = (Object.keys(MEANINGS) as MeaningKey[]).flatMap((key) => sectionOf(key, MEANINGS[key], language));
  const { title, intro, otherLanguage, meanings: heading } = TEXTS;
  return [
    `# ${title[language]}`,
    "",
    otherLanguage[language],
    "",
    intro[language],
    ...spaces,
    "",
    `## ${heading[language]}`,
    ...meanings,
    "",
  ].join("\n");
}

function tableOf(space: Space, language: Language): string[] {
  const { title, codes } = SPACES[space];
  const hasPackets = codes.some(({ on }) => on !== undefined);
  const hasVersions = codes.some(({ only }) => only !== undefined);
  const heads = [
    TEXTS.code,
    TEXTS.name,
    ...(hasVersions ? [TEXTS.version] : []),
    ...(hasPackets ? [TEXTS.packets] : []),
    TEXTS.meaning,
  ];
  const rows = codes.map((row) => [
    row.code === null ? "" : numberText(row.code, space),
    `\`${row.name}\``,
    ...(hasVersions ? [row.only ?? ""] : []),
    ...(hasPackets ? [row.on?.join(", ") ?? ""] : []),
    meaningText(row, language),
  ]);
  return [
    "",
    `## ${title[language]}`,
    "",
    line(heads.map((head) => head[language])),
    line(heads.map(() => "---")),
    ...rows.map(line),
  ];
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function numberText(code: number, space: Space): string {
  if (space === "mbedtls" || space === "esp")
    return `${code < 0 ? "-" : ""}0x${Math.abs(code).toString(16).toUpperCase()}`;
  return space === "reason" ? `${code}, 0x${code.toString(16).toUpperCase().padStart(2, "0")}` : String(code);
}

function meaningText({ meaning, note }: Code, language: Language): string {
  const link = `[${MEANINGS[meaning].title[language]}](#${meaning})`;
  return note === undefined ? link : link + (language === "zh" ? "。" : ". ") + note[language];
}

function sectionOf(key: MeaningKey, { title, means, causes, afterwards, read }: Meaning, language: Language): string[] {
  const lines = ["", `<a id="${key}"></a>`, "", `### ${title[language]}`, "", means[language]];
  if (causes.length > 0) lines.push("");
  for (const [index, { why, run, see, fix }] of causes.entries()) {
    const command = run === undefined ? "" : `\`${run}\``;
    const check = [command, see?.[language] ?? ""].filter((part) => part !== "").join(": ");
    lines.push(`${index + 1}. **${why[language]}**`);
    if (check !== "") lines.push(`   - ${TEXTS.check[language]}: ${check}`);
    lines.push(`   - ${TEXTS.fix[language]}: ${fix[language]}`);
  }
  if (afterwards !== undefined) lines.push("", `${TEXTS.afterwards[language]}: ${afterwards[language]}`);
  if (read !== undefined) lines.push("", `${TEXTS.read[language]}: ${read.join("; ")}`);
  return lines;
}
