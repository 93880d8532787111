/** `lacewing replay`: judges a capture by the rules of MQTT and names the first that was broken. */
import { readFile } from "node:fs/promises";
import { explanationOf, type Language, ruleText } from "../explain/index.ts";
import { CaptureError, printable, type Replayed, replay, type UnfinishedPacket } from "../observe/index.ts";
import { packetName, reasonCodeName } from "../protocol/index.ts";
import { languageOf, say } from "./language.ts";
import { REPLAY_COMMAND } from "./options/replay-options.ts";
import type { ToolIo } from "./output.ts";
import { dateText, timeText } from "./packet-text.ts";
import { counted } from "./quantities.ts";
import { runTool } from "./tool.ts";

/** The exit code when a rule was broken. */
const BROKEN = 2;

/** Runs `lacewing replay` and returns its exit code. */
export function runReplay(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(REPLAY_COMMAND, args, io, async ({ file, verbose, lang }) => {
    const language = languageOf(lang, io.env ?? {});
    try {
      const replayed = replay(await readFile(file));
      if (replayed.length === 0) {
        io.stderr.write(`${nothingToJudge(language)}\n`);
        return 1;
      }
      io.stdout.write(`${linesOf(replayed, verbose, language).map(printable).join("\n")}\n`);
      return replayed.some(({ broken }) => broken !== null) ? BROKEN : 0;
    } catch (error) {
      const isOurs = error instanceof CaptureError;
      if (!isOurs && (error as NodeJS.ErrnoException).code === undefined) throw error;
      const { message, code } = error as NodeJS.ErrnoException;
      const zh = code === undefined ? ruleText(message, "zh") : systemZh(code);
      io.stderr.write(say(language, `Error: ${file} cannot be read: ${message}.\n`, `错误：${file} 读不了：${zh}。\n`));
      return 1;
    }
  });
}

function linesOf(replayed: readonly Replayed[], verbose: boolean, language: Language): readonly string[] {
  return replayed.flatMap((connection) => connectionLines(connection, verbose, language));
}

function nothingToJudge(language: Language): string {
  return say(
    language,
    "Nothing can be judged: no connection in it begins with its CONNECT. Record first and have the client connect then. (TLS cannot be read.)",
    "无法判断：其中没有一个连接以 CONNECT 开头。请先开始抓包，再让客户端连接。（TLS 内容无法读取。）",
  );
}

function connectionLines(
  { client, server, fromMs, packets, broken, missingBytes, unfinished }: Replayed,
  verbose: boolean,
  language: Language,
): string[] {
  const count = say(language, counted(packets.length, "packet"), `${packets.length} 个报文`);
  const lines = [`${dateText(fromMs)}  ${client} -> ${server}: ${count}`];
  if (verbose)
    for (const { by, atMs, packet } of packets)
      lines.push(`  ${timeText(atMs)}  ${by === "client" ? "->" : "<-"} ${packet.type}${detailOf(packet)}`);
  if (broken !== null) {
    const { by, atMs, fault } = broken;
    const who = by === "client" ? say(language, "the client", "客户端") : say(language, "the server", "服务器");
    const rule = ruleText(fault.message, language);
    lines.push(`  ${timeText(atMs)}  ${say(language, `${who} broke a rule: ${rule}`, `${who}违反了规则：${rule}`)}`);
    lines.push(`  ${meaningOf(fault.reasonCode, language)} (0x${fault.reasonCode.toString(16)})`);
  } else if (unfinished !== null) lines.push(...unfinishedLines(unfinished, language));
  else lines.push(say(language, "  every packet was as it must be", "  所有报文都符合规则"));
  if (missingBytes > 0)
    lines.push(
      say(
        language,
        `  bytes are missing in the capture; ${missingBytes} behind them were not looked at`,
        `  抓包中有缺失的字节；其后的 ${missingBytes} 字节没有检查`,
      ),
    );
  return lines;
}

/** A packet of which only a part came, which breaks no rule that a capture shows. */
function unfinishedLines({ by, firstByte, bytes, cameBytes }: UnfinishedPacket, language: Language): readonly string[] {
  const packet = packetName(firstByte);
  const who = by === "client" ? { en: "the client", zh: "客户端" } : { en: "the server", zh: "服务器" };
  return [
    say(
      language,
      `  the connection ends within a packet of ${who.en}: ${packet} of ${bytes} bytes, of which ${cameBytes} came`,
      `  连接在${who.zh}的一个报文中间结束：${packet}，共 ${bytes} 字节，只收到 ${cameBytes} 字节`,
    ),
    say(
      language,
      "  whoever got it may have closed because it is too large (max_packet_size): lacewing explain packet-too-large",
      "  接收方可能因为报文过大（max_packet_size）而关闭了连接：lacewing explain packet-too-large",
    ),
  ];
}

/** An error of the system in Chinese, by its name. */
function systemZh(code: string): string {
  const title = explanationOf({ space: "errno", code }, "zh")?.title;
  return title === undefined ? code : `${title}（${code}）`;
}

/** The name of a reason code, or what it means in Chinese. */
function meaningOf(code: number, language: Language): string {
  const name = reasonCodeName(code);
  return language === "en" ? name : `${name}：${explanationOf({ space: "reason", code }, "zh")?.title ?? name}`;
}

function detailOf(packet: Replayed["packets"][number]["packet"]): string {
  if (packet.type === "PUBLISH") {
    const { topicName, qos, packetId, payload } = packet;
    return ` q${qos}${qos > 0 ? ` m${packetId}` : ""} '${topicName}' (${payload.length} bytes)`;
  }
  return "packetId" in packet ? ` m${packet.packetId}` : "";
}
