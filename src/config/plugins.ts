/** What a `plugin` line stands for: mosquitto's own plugins have their counterpart here, an ES module is loaded, other C plugins cannot be. */
import { basename, dirname } from "node:path";
import type { PluginDraft } from "./draft.ts";
import { OptionError } from "./problem.ts";
import type { SecurityPlugin } from "./security-config.ts";

/** mosquitto's plugin that keeps everything in SQLite: here it only says where the store is. */
export interface PersistencePlugin {
  readonly kind: "persistence";
  /** Folder of its database; null: not said. */
  readonly location: string | null;
}

/** Plugins of others that are met often, and what does their work here. */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [
    /go-?auth|auth-plug|jwt/i,
    "password_file, acl_file and dynamic security are built in, and a plugin of your own is an ES module",
  ],
  [/sparkplug/i, "nothing does its work yet; Sparkplug's messages pass as all others do"],
];

const ANY_REPLACEMENT =
  "users and rules of mosquitto's own plugins are built in (dynamic security, password file, ACL file), and a plugin of your own is an ES module, as in 'plugin /etc/lacewing/my-plugin.mjs'";

/**
 * What the plugin stands for.
 * @throws OptionError when nothing here does
 */
export function pluginOf({ path, options }: PluginDraft): SecurityPlugin | PersistencePlugin {
  const file = basename(path);
  if (/\.m?js$/.test(file)) return { kind: "module", path, options };
  switch (file.replace(/^lib/, "").replace(/\.(so|dll|dylib)(\.\d+)*$/, "")) {
    case "mosquitto_dynamic_security":
      return {
        kind: "dynamic-security",
        configFile: needed(options, "config_file", path),
        passwordInitFile: options.get("password_init_file") ?? null,
      };
    case "mosquitto_password_file":
      return { kind: "password-file", file: needed(options, "password_file", path) };
    case "mosquitto_acl_file":
      return { kind: "acl-file", file: needed(options, "acl_file", path) };
    case "mosquitto_persist_sqlite": {
      const database = options.get("db_file");
      return { kind: "persistence", location: database === undefined ? null : dirname(database) };
    }
    default: {
      const replacement = REPLACEMENTS.find(([pattern]) => pattern.test(file))?.[1] ?? ANY_REPLACEMENT;
      throw new OptionError(
        `Error: Unable to load plugin "${path}": it is compiled C, which cannot be loaded here. What takes its place: ${replacement}.`,
      );
    }
  }
}

function needed(options: ReadonlyMap<string, string>, name: string, path: string): string {
  const value = options.get(name);
  if (value === undefined)
    throw new OptionError(`Error: The plugin "${path}" needs a file: put "plugin_opt_${name} FILE" below it.`);
  return value;
}
