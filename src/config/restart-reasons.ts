/** What of a changed Config a running broker cannot go over to. */
import type { Config } from "./config.ts";

/** Settings that differ and that only a restart puts in force, as the log names them. */
export function restartReasons(before: Config, after: Config): readonly string[] {
  const parts: readonly (readonly [name: string, of: (config: Config) => unknown])[] = [
    ["persistence", ({ persistence }) => persistence],
    ["the list of listeners", ({ listeners }) => listeners.map(({ host, port, unixPath }) => [host, port, unixPath])],
    ["user, pid_file or --tls-keylog", ({ process }) => process],
  ];
  return parts.filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(after))).map(([name]) => name);
}
