/** `lacewing config`: the commands about configuration files. */
import { ConfigError, type ConfigReport, checkConfig, readConfig } from "../config/index.ts";
import { nearest } from "../protocol/index.ts";
import { StartError } from "../server/index.ts";
import { CommandLineError, commandLineErrorText } from "./command-line.ts";
import { configReportJson, configReportText } from "./config-report.ts";
import { checkUser } from "./leave-root.ts";
import { CONFIG_CHECK_COMMAND, CONFIG_COMMAND, CONFIG_COMMANDS } from "./options/config-options.ts";
import type { ToolIo } from "./output.ts";
import { runTool } from "./tool.ts";

/** Warnings, and --strict. */
const NOT_STRICTLY_GOOD = 2;

/** Runs `lacewing config` and returns its exit code. */
export async function runConfig([first, ...rest]: readonly string[], io: ToolIo): Promise<number> {
  if (first === undefined || first.startsWith("-")) {
    return runTool(CONFIG_COMMAND, first === undefined ? ["--help"] : [first, ...rest], io, () => Promise.resolve(0));
  }
  if (first === "check") return runCheck(rest, io);
  const close = nearest(first, Object.keys(CONFIG_COMMANDS));
  const error = new CommandLineError(`Unknown command '${first}'.${close === null ? "" : ` Did you mean '${close}'?`}`);
  io.stderr.write(commandLineErrorText(CONFIG_COMMAND, error));
  return 1;
}

function runCheck(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(CONFIG_CHECK_COMMAND, args, io, async ({ file, all, json, strict }) => {
    const report = await reportOn(file);
    io.stdout.write(json ? configReportJson(report) : configReportText(report, all));
    const levels = new Set(report.findings.map(({ level }) => level));
    if (levels.has("error")) return 1;
    return strict && levels.has("warning") ? NOT_STRICTLY_GOOD : 0;
  });
}

async function reportOn(file: string): Promise<ConfigReport> {
  try {
    const read = readConfig({ file });
    return await checkConfig(read, Date.now(), checkUser(read, process.env));
  } catch (error) {
    if (error instanceof StartError) return onlyErrors(file, [{ place: null, text: error.message }]);
    if (!(error instanceof ConfigError)) throw error;
    return onlyErrors(file, error.problems);
  }
}

function onlyErrors(
  file: string,
  problems: readonly { readonly place: string | null; readonly text: string }[],
): ConfigReport {
  const findings = problems.map(({ place, text }) => ({
    level: "error" as const,
    place,
    text: text.replace(/^Error: /, ""),
    advice: "",
  }));
  return { files: [file], listeners: [], bridges: [], broker: [], findings };
}
