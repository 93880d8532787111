/** The option for the language of what a command says. */
import type { Language } from "../../explain/index.ts";
import type { OptionTable } from "../command-line.ts";

/** The row. */
export interface LanguageChoice {
  readonly group: string;
  readonly long: string;
  readonly type: "choice";
  readonly argument: string;
  readonly choices: Readonly<Record<Language, Language>>;
  readonly help: string;
}

/** --lang; without it the locale decides, see `languageOf`. */
export const LANGUAGE_OPTION: { readonly lang: LanguageChoice } = {
  lang: {
    group: "Output",
    long: "lang",
    type: "choice",
    argument: "language",
    choices: { en: "en", zh: "zh" },
    help: "Speak English (en) or Chinese (zh), instead of the language of the locale.",
  },
};
LANGUAGE_OPTION satisfies OptionTable;
