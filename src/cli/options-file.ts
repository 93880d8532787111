/** Files of options, one on a line: the one that -o names, or the one in the user's folder for configuration. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandLineError, type OptionLine } from "./command-line.ts";

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The lines that hold options.
 * @param named the file that was asked for by name, which must be there
 * @param configName the file that is read else, when it is there
 * @throws CommandLineError when a file cannot be read
 */
export function optionLines(
  named: string | undefined,
  configName: string | undefined,
  environment: Environment,
): readonly OptionLine[] {
  const path = named ?? defaultPath(configName, environment);
  if (path === null) return [];
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new CommandLineError(`Unable to read the options file '${path}': ${(error as Error).message}.`);
  }
  return text
    .split("\n")
    .map((line, index) => ({ place: `${path}, line ${index + 1}`, text: line.replace(/\r+$/, "") }))
    .filter((line) => !line.text.startsWith("#") && line.text.trim() !== "");
}

function defaultPath(configName: string | undefined, { XDG_CONFIG_HOME, HOME }: Environment): string | null {
  if (configName === undefined) return null;
  if (XDG_CONFIG_HOME !== undefined) return join(XDG_CONFIG_HOME, configName);
  return HOME === undefined ? null : join(HOME, ".config", configName);
}
