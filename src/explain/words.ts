/** Finds meanings by the words of a question, in English or Chinese, as people ask who have no number. */
import { MEANINGS, type MeaningKey } from "./catalogue/meanings.ts";
import { SYMPTOMS } from "./catalogue/symptoms.ts";
import { LANGUAGES } from "./entry.ts";

/** A meaning, with how well it fits: 0 to 1. */
export interface WordMatch {
  readonly meaning: MeaningKey;
  readonly score: number;
}

/** Most characters of a question that are looked at. */
const MOST_CHARACTERS = 400;

const STOP_WORDS: ReadonlySet<string> = new Set(
  "a an and are as at be but by can do does for from has have how i in is it its my no not of on or so that the then this to was what when why will with you your".split(
    " ",
  ),
);

/** What Chinese questions are asked with. */
const ASKING = /为什么|为何|怎么办|怎么|怎样|如何|什么意思|是什么|一直|总是|请问|老是|[的了吗呢]/g;

/** Words of English without their usual ends, and pairs of Chinese characters. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (const [word] of text.toLowerCase().matchAll(/[a-z0-9_$]{2,40}/g))
    if (!STOP_WORDS.has(word)) tokens.push(word.length > 4 ? word.replace(/(?:ing|ed|es|s)$/, "") : word);
  for (const [run] of text.replaceAll(ASKING, " ").matchAll(/[\u4e00-\u9fff]{2,200}/g))
    for (let at = 0; at + 1 < run.length; at++) tokens.push(run.slice(at, at + 2));
  return tokens;
}

/** How much the words of a text count. */
const WEIGHTS = { symptom: 1, title: 0.9, means: 0.5, cause: 0.4 } as const;

interface Index {
  /** Token to meaning to weight. */
  readonly weights: ReadonlyMap<string, ReadonlyMap<MeaningKey, number>>;
  readonly meanings: number;
}

function indexed(): Index {
  const weights = new Map<string, Map<MeaningKey, number>>();
  const add = (text: string, meaning: MeaningKey, weight: number): void => {
    for (const token of tokensOf(text)) {
      const row = weights.get(token) ?? new Map<MeaningKey, number>();
      row.set(meaning, Math.max(row.get(meaning) ?? 0, weight));
      weights.set(token, row);
    }
  };
  const keys = Object.keys(MEANINGS) as MeaningKey[];
  for (const language of LANGUAGES) {
    for (const key of keys) {
      const { title, means, causes } = MEANINGS[key];
      add(title[language], key, WEIGHTS.title);
      add(means[language], key, WEIGHTS.means);
      for (const { why } of causes) add(why[language], key, WEIGHTS.cause);
    }
    for (const { words, meaning } of SYMPTOMS) add(words[language], meaning, WEIGHTS.symptom);
  }
  return { weights, meanings: keys.length };
}

let index: Index | null = null;

/** The meanings that share words with `question`, the best first. */
export function matchWords(question: string): WordMatch[] {
  index ??= indexed();
  const tokens = [...new Set(tokensOf(question.slice(0, MOST_CHARACTERS)))];
  const scores = new Map<MeaningKey, number>();
  let all = 0;
  for (const token of tokens) {
    const row = index.weights.get(token);
    // A word that is in few meanings says more; one that is in none was said all the same.
    const rarity = Math.log(1 + index.meanings / (row?.size ?? 1));
    all += rarity;
    for (const [meaning, weight] of row ?? []) scores.set(meaning, (scores.get(meaning) ?? 0) + weight * rarity);
  }
  return [...scores].map(([meaning, score]) => ({ meaning, score: score / all })).sort((a, b) => b.score - a.score);
}
