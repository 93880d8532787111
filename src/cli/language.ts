/** The language that a command speaks: what the user asks for, else that of the locale. */
import type { Language } from "../explain/index.ts";
import type { Environment } from "./options-file.ts";

/** One of two texts. */
export function say(language: Language, en: string, zh: string): string {
  return language === "en" ? en : zh;
}

/** The language of a locale as in `zh_CN.UTF-8`. */
export function languageOf(asked: Language | undefined, env: Environment): Language {
  if (asked !== undefined) return asked;
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || "";
  return /^zh/i.test(locale) ? "zh" : "en";
}
