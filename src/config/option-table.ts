/** All options by their names, aliases included. */
import { nearest } from "../protocol/index.ts";
import type { Option } from "./option.ts";
import { BRIDGE_OPTIONS } from "./options/bridge-options.ts";
import { GENERAL_OPTIONS, OWN_OPTIONS } from "./options/general-options.ts";
import { FLOOD_OPTIONS, LISTENER_OPTIONS } from "./options/listener-options.ts";
import { LOG_OPTIONS } from "./options/log-options.ts";
import { PLUGIN_OPTION_PREFIXES, pluginOption, SECURITY_OPTIONS } from "./options/security-options.ts";
import { TLS_OPTIONS } from "./options/tls-options.ts";

/** The options, as groups for documentation. `include_dir` is not among them: it is about files, not about the broker. */
export const OPTION_GROUPS: ReadonlyMap<string, readonly Option[]> = new Map([
  ["General", GENERAL_OPTIONS],
  ["Listeners", LISTENER_OPTIONS],
  ["Limits against floods", FLOOD_OPTIONS],
  ["TLS", TLS_OPTIONS],
  ["Users and rules", SECURITY_OPTIONS],
  ["Log", LOG_OPTIONS],
  ["Lacewing's own", OWN_OPTIONS],
  ["Bridges", BRIDGE_OPTIONS],
]);

const BY_NAME: ReadonlyMap<string, Option> = new Map(
  [...OPTION_GROUPS.values()]
    .flat()
    .flatMap((option) => [option.name, ...option.aliases].map((name) => [name, option])),
);

/** The option of that name, or null. */
export function findOption(name: string): Option | null {
  const option = BY_NAME.get(name);
  if (option !== undefined) return option;
  const prefix = PLUGIN_OPTION_PREFIXES.find((candidate) => name.startsWith(candidate));
  return prefix === undefined ? null : pluginOption(name, prefix);
}

/** The option that somebody who wrote `name` probably meant, or null. */
export function nearestOption(name: string): string | null {
  return nearest(name, [...BY_NAME.keys(), "include_dir"]);
}
