/** `lacewing completion`: a script for a shell, made from the tables of options. */

import { nearest } from "../protocol/index.ts";
import { CommandLineError } from "./command-line.ts";
import { bashScript } from "./completion/bash.ts";
import { type Completable, completables } from "./completion/completable.ts";
import { fishScript } from "./completion/fish.ts";
import { zshScript } from "./completion/zsh.ts";
import { COMPLETION_COMMAND, SHELLS } from "./options/help-options.ts";
import type { ToolIo } from "./output.ts";
import { runTool } from "./tool.ts";

const SCRIPTS: Readonly<Record<string, (commands: readonly Completable[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Runs `lacewing completion` and returns its exit code. */
export function runCompletion(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(COMPLETION_COMMAND, args, io, async ({ shell }) => {
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (script === undefined) {
      const close = nearest(shell, SHELLS);
      const guess = close === null ? "" : ` Did you mean '${close}'?`;
      throw new CommandLineError(`Unknown shell '${shell}'; there are ${SHELLS.join(", ")}.${guess}`);
    }
    io.stdout.write(script(await completables()));
    return 0;
  });
}
