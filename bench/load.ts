// The command of our own load generator, for who has no C compiler and for what mload.c cannot do: rates by --offline,
// --tls, --subscriptions. Exit: 0 all delivered, 1 not all or not in order, 2 failure or wrong options.
import { helpText, OptionError, parseLoadOptions } from "./load/options.ts";
import { resultText } from "./load/result.ts";
import { runLoad } from "./load/run-load.ts";

try {
  const options = parseLoadOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(helpText());
  } else {
    const result = await runLoad(options);
    process.stdout.write(`${options.json ? JSON.stringify(result) : resultText(options.label, result)}\n`);
    process.exitCode = result.timeout || result.disordered > 0 ? 1 : 0;
  }
} catch (error) {
  const hint = error instanceof OptionError ? "; see --help" : "";
  process.stderr.write(`load: ${(error as Error).message}${hint}\n`);
  process.exitCode = 2;
}
