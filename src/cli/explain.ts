/** `lacewing explain`: what an error means, or which problems a log holds. */
import type { Readable } from "node:stream";
import { answerText, explain, type Language, LogReader, logText, type Source } from "../explain/index.ts";
import { languageOf } from "./language.ts";
import { linesOf } from "./lines.ts";
import { EXPLAIN_COMMAND } from "./options/explain-options.ts";
import type { ToolIo } from "./output.ts";
import { textLayout } from "./text-layout.ts";
import { runTool, type ToolOutput, withOutput } from "./tool.ts";

interface Question {
  readonly from?: Source;
  readonly language: Language;
}

/** Runs `lacewing explain` and returns its exit code. */
export function runExplain(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(EXPLAIN_COMMAND, args, io, ({ query, from, lang, json, all }) => {
    const language = languageOf(lang, io.env ?? {});
    const question: Question = { language, ...(from !== undefined && { from }) };
    return withOutput(io, false, {}, (output) => {
      if (query.length > 0) return Promise.resolve(answer(query.join(" "), question, io, output, json, all));
      return readLog(question, io, output, json);
    });
  });
}

function answer(
  query: string,
  question: Question,
  io: ToolIo,
  output: ToolOutput,
  json: boolean,
  all: boolean,
): number {
  const found = explain(query, question);
  const text = json
    ? `${JSON.stringify({ query, ...found })}\n`
    : answerText(found, query, question.language, { ...textLayout(io), all });
  output.out.write(text);
  return found.explanations.length > 0 ? 0 : 1;
}

async function readLog(question: Question, io: ToolIo, output: ToolOutput, json: boolean): Promise<number> {
  if (isTerminal(io.stdin)) {
    output.complain(
      "Give a number, a name or a line to explain, or a log on standard input; see lacewing explain --help.",
    );
    return 1;
  }
  const reader = new LogReader(question);
  const decoder = new TextDecoder();
  for await (const lines of linesOf(io.stdin))
    for (const line of lines) reader.add(decoder.decode(line).replace(/\r$/, ""));
  const summary = reader.summary();
  const { problems, ...rest } = summary;
  if (!json) output.out.write(logText(summary, question.language, textLayout(io)));
  else for (const part of [...problems, rest]) output.out.write(`${JSON.stringify(part)}\n`);
  return 0;
}

function isTerminal(stream: Readable): boolean {
  return "isTTY" in stream && stream.isTTY === true;
}
