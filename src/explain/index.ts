/** What errors mean: a catalogue in English and Chinese, for programs, tools, logs and browsers; it does no I/O. */

export { MEANINGS, type MeaningKey } from "./catalogue/meanings.ts";
export { type ClientEndFacts, clientEndLines } from "./client-end-text.ts";
export type { Code, Space } from "./code.ts";
export { displayWidth, wrapped } from "./display-width.ts";
export { type Cause, LANGUAGES, type Language, type Meaning, type Text } from "./entry.ts";
export {
  type DeliveryFacts,
  deliveryText,
  durationText,
  type EndFacts,
  endText,
  nearMissText,
  type PatternFacts,
  patternText,
} from "./event-texts.ts";
export {
  type Answer,
  type CodeQuestion,
  codesOf,
  type ExplainOptions,
  explain,
  explanationOf,
  type NearMeaning,
} from "./explain.ts";
export { type ExplainedCause, type Explanation, explained, oneLine } from "./explanation.ts";
export { LogReader, type LogReaderOptions, type LogSummary, type Problem, type Sighting } from "./log-reader.ts";
export { errorsPage } from "./page.ts";
export { ruleText } from "./rule-texts.ts";
export { SOURCE_NAMES, type Source, SPACES } from "./spaces.ts";
export { answerText, explanationText, harmless, logText, type TextOptions, type TextStyle } from "./text.ts";
