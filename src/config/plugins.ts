/**
 * What a `plugin` line stands for: mosquitto's own plugins have their counterpart here, three of ours are named alike, an ES module is
 * loaded, other C plugins cannot be.
 */
import { basename, dirname } from "node:path";
import type { SecurityPlugin } from "../security/index.ts";
import type { PluginDraft } from "./draft.ts";
import { OptionError } from "./problem.ts";

/** mosquitto's plugin that keeps everything in SQLite: here it only says where the store is. */
export interface PersistencePlugin {
  readonly kind: "persistence";
  /** Folder of its database; null: not said. */
  readonly location: string | null;
}

/** mosquitto's plugin that has birth certificates of Sparkplug at hand. */
export interface SparkplugPlugin {
  readonly kind: "sparkplug";
}

/** Plugins of others that are met often, and what does their work here. */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [
    /go-?auth|auth-plug|jwt/i,
    "password_file, acl_file and dynamic security are built in, tokens and web services are 'plugin lacewing_jwt' and 'plugin lacewing_http', and a plugin of your own is an ES module",
  ],
];

const JWT_KEYS = ["jwks_file", "secret_file", "public_key_file"] as const;
const JWT_LEEWAY_SECONDS = 30;
const HTTP_TIMEOUT_MS = 5000;
const HTTP_CACHE_SECONDS = 60;

const ANY_REPLACEMENT =
  "users and rules of mosquitto's own plugins are built in (dynamic security, password file, ACL file), tokens and web services are 'plugin lacewing_jwt' and 'plugin lacewing_http', and a plugin of your own is an ES module, as in 'plugin /etc/lacewing/my-plugin.mjs'";

/**
 * What the plugin stands for.
 * @throws OptionError when nothing here does
 */
export function pluginOf({ path, options }: PluginDraft): SecurityPlugin | PersistencePlugin | SparkplugPlugin {
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
    case "lacewing_jwt":
      return jwtOf(path, options);
    case "lacewing_http":
      return {
        kind: "http",
        url: urlOf(needed(options, "url", path, "URL")),
        timeoutMs: wholeOf(options, "timeout_ms", 1, 60_000, HTTP_TIMEOUT_MS),
        cacheSeconds: wholeOf(options, "cache_seconds", 0, 86_400, HTTP_CACHE_SECONDS),
      };
    case "lacewing_scram":
      return { kind: "scram", file: needed(options, "file", path) };
    case "mosquitto_persist_sqlite": {
      const database = options.get("db_file");
      return { kind: "persistence", location: database === undefined ? null : dirname(database) };
    }
    case "mosquitto_sparkplug_aware":
      return { kind: "sparkplug" };
    default: {
      const replacement = REPLACEMENTS.find(([pattern]) => pattern.test(file))?.[1] ?? ANY_REPLACEMENT;
      throw new OptionError(
        `Error: Unable to load plugin "${path}": it is compiled C, which cannot be loaded here. What takes its place: ${replacement}.`,
        "loading",
      );
    }
  }
}

/** Tokens are verified by one of three kinds of keys. */
function jwtOf(path: string, options: ReadonlyMap<string, string>): SecurityPlugin {
  const [jwksFile, secretFile, publicKeyFile] = JWT_KEYS.map((name) => options.get(name) ?? null);
  if ([jwksFile, secretFile, publicKeyFile].every((file) => file === null)) {
    const ways = JWT_KEYS.map((name) => `"plugin_opt_${name} FILE"`).join(", ");
    throw new OptionError(
      `Error: The plugin "${path}" needs a key to verify tokens with: put one of ${ways} below it.`,
    );
  }
  return {
    kind: "jwt",
    jwksFile: jwksFile ?? null,
    secretFile: secretFile ?? null,
    publicKeyFile: publicKeyFile ?? null,
    issuer: options.get("issuer") ?? null,
    audience: options.get("audience") ?? null,
    usernameClaim: options.get("username_claim") ?? "sub",
    leewaySeconds: wholeOf(options, "leeway_seconds", 0, 3600, JWT_LEEWAY_SECONDS),
  };
}

function urlOf(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new OptionError(`Error: Invalid 'plugin_opt_url' value '${text}'. Allowed is a URL of http or https.`);
}

function wholeOf(
  options: ReadonlyMap<string, string>,
  name: string,
  min: number,
  max: number,
  otherwise: number,
): number {
  const text = options.get(name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value >= min && value <= max) return value;
  throw new OptionError(
    `Error: Invalid 'plugin_opt_${name}' value '${text}'. Allowed is a whole number from ${min} to ${max}.`,
  );
}

function needed(options: ReadonlyMap<string, string>, name: string, path: string, what: string = "FILE"): string {
  const value = options.get(name);
  if (value === undefined)
    throw new OptionError(
      `Error: The plugin "${path}" needs a ${what === "FILE" ? "file" : what}: put "plugin_opt_${name} ${what}" below it.`,
    );
  return value;
}
