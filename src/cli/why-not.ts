/** `lacewing why-not`: whether a message would reach a client now, and what stops it if not. */
import type { Requests } from "../admin/index.ts";
import type { Outcome } from "../core/index.ts";
import { type DeliveryFacts, deliveryText, type Language, nearMissText } from "../explain/index.ts";
import { printable } from "../observe/index.ts";
import { asking } from "./asking.ts";
import { languageOf, say } from "./language.ts";
import { askArgumentsOf, WHY_NOT_COMMAND, type WhyNotArguments, whyNotArgumentsOf } from "./options/ask-options.ts";
import type { ToolIo } from "./output.ts";
import { runTool, withOutput } from "./tool.ts";
import { lossText } from "./why-text.ts";

/** The exit code when the message would not arrive. */
const WOULD_NOT = 2;

/** Runs `lacewing why-not` and returns its exit code. */
export function runWhyNot(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(WHY_NOT_COMMAND, args, io, (parsed) => {
    const question = whyNotArgumentsOf(parsed);
    const wanted = askArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, (output) =>
      asking(wanted, io, output, async (asker) => {
        const answer = await asker.ask("why-not", question);
        const language = languageOf(parsed.lang, io.env ?? {});
        const lines = parsed.json ? [JSON.stringify(answer)] : whyNotLines(question, answer, language);
        for (const line of lines) output.out.write(`${printable(line)}\n`);
        return isDelivered(answer.trace.outcome) ? 0 : WOULD_NOT;
      }),
    );
  });
}

function isDelivered({ kind }: Outcome): boolean {
  return kind === "sent" || kind === "queued";
}

function whyNotLines(
  question: WhyNotArguments,
  { trace, losses, similar }: Requests["why-not"]["answer"],
  language: Language,
): readonly string[] {
  const { outcome, qos, session, isPublisherKnown } = trace;
  const lines = [deliveryText(factsOf(outcome), language)];
  if (qos !== null && qos < question.qos)
    lines.push(
      say(
        language,
        `It would come with QoS ${qos}: the subscription allows no more.`,
        `将以 QoS ${qos} 送达：订阅允许的最高级别。`,
      ),
    );
  if (outcome.kind === "no-subscription-matches" && session !== null) {
    for (const { topicFilter, kind } of outcome.nearMisses)
      lines.push(`  ${topicFilter}: ${nearMissText(kind, language)}`);
    const filters = session.subscriptions.map(({ topicFilter }) => topicFilter);
    lines.push(
      filters.length === 0
        ? say(language, "It has no subscriptions at all.", "它没有任何订阅。")
        : `${say(language, "Its subscriptions", "它的订阅")}: ${filters.join(", ")}`,
    );
  }
  if (similar.length > 0)
    lines.push(`${say(language, "Known clients like it", "相近的客户端")}: ${similar.join(", ")}`);
  if (question.from !== null && !isPublisherKnown)
    lines.push(
      say(
        language,
        `${question.from} is not connected, so whether it may publish there was not asked.`,
        `${question.from} 不在线，所以没有检查它的发布权限。`,
      ),
    );
  if (losses.length > 0) lines.push("", say(language, "Lately on this topic:", "这个主题最近的情况："));
  for (const loss of losses) lines.push(`  ${lossText(loss, language)}`);
  return lines;
}

function factsOf(outcome: Outcome): DeliveryFacts {
  return outcome.kind === "publish-invalid" ? { kind: outcome.kind, message: outcome.fault.message } : outcome;
}
