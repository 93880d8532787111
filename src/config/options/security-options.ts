/** Options of who is asked about clients: files, and mosquitto's plugins. */
import type { Draft, PluginDraft } from "../draft.ts";
import { general, needs, type Option, ofPlugin, ofSecurity, securityFor } from "../option.ts";
import { OptionError } from "../problem.ts";
import { empty, FILE, SWITCH, text, type ValueKind, wordsOf } from "../values.ts";

const PLUGIN_FORM =
  "the path of one of mosquitto's own plugins, lacewing_jwt, lacewing_http, lacewing_scram, or the path of an ES module (.mjs)";

const PLUGIN_PATH: ValueKind<string> = text(PLUGIN_FORM);

function newPlugin(draft: Draft, name: string | null, path: string, place: string): PluginDraft {
  const plugin: PluginDraft = { place, name, path, options: new Map(), denySpecialCharacters: true };
  draft.plugin = plugin;
  return plugin;
}

const NAMED_FORM = "a name and a path";

const NAMED_PLUGIN: ValueKind<{ readonly name: string; readonly path: string }> = {
  form: NAMED_FORM,
  read(option, rest) {
    const [name] = wordsOf(rest);
    const path = name === undefined ? "" : rest.trim().slice(name.length).trim();
    if (name === undefined || path === "") throw empty(option, NAMED_FORM);
    return { name, path };
  },
};

function loadPlugin(
  draft: Draft,
  { name, path }: { readonly name: string; readonly path: string },
  place: string,
): void {
  if (draft.loadedPlugins.some((plugin) => plugin.name === name))
    throw new OptionError(`Error: Duplicate plugin name '${name}'.`);
  draft.loadedPlugins.push(newPlugin(draft, name, path, place));
}

function usePlugin(draft: Draft, name: string): void {
  const { listener } = draft;
  if (listener === null || listener.isDefault) throw needs("plugin_use", "a listener");
  const plugin = draft.loadedPlugins.find((loaded) => loaded.name === name);
  if (plugin === undefined) throw new OptionError(`Error: Plugin '${name}' not previously loaded by plugin_load.`);
  draft.plugin = plugin;
  listener.security.plugins.push(plugin);
}

const PLUGIN_NOTE =
  "mosquitto's dynamic security, password file, ACL file, sqlite persistence and Sparkplug plugins select what is built in; `lacewing_jwt`, `lacewing_http` and `lacewing_scram` are ours (security.md); a `.mjs` file is loaded as a plugin of yours. Other C plugins cannot be loaded, and the error says what takes their place.";

function setPerListener(draft: Draft, value: boolean): void {
  // Once it is set it stays so, as in mosquitto.
  if (draft.perListenerSettings) return;
  if (value && draft.hasSecurity) {
    throw new OptionError("Error: per_listener_settings must be set before any other security settings.");
  }
  draft.perListenerSettings = value;
}

/** The rows. */
export const SECURITY_OPTIONS: readonly Option[] = [
  general("per_listener_settings", SWITCH, setPerListener, {
    default: "false",
    isReloaded: false,
    deprecated: "Please see the documentation for how to achieve the same effect.",
  }),
  ofSecurity(
    "allow_anonymous",
    SWITCH,
    (security, value) => {
      security.allowAnonymous = value;
    },
    { default: "false; true when there is no listener" },
  ),
  ofSecurity(
    "allow_zero_length_clientid",
    SWITCH,
    (security, value) => {
      security.allowZeroLengthClientId = value;
    },
    { default: "true" },
  ),
  ofSecurity(
    "auto_id_prefix",
    text("text of at most 50 characters"),
    (security, value) => {
      if (value.length > 50) throw new OptionError("Error: auto_id_prefix length must be <= 50.");
      security.autoIdPrefix = value;
    },
    { default: "auto-", isUnique: true, deprecated: "Please use 'listener_auto_id_prefix' instead." },
  ),
  ofSecurity(
    "password_file",
    FILE,
    (security, value) => {
      security.passwordFile = value;
    },
    {
      standing: "better",
      note: "Hashed off the event loop. A broken file on reload leaves the old one in force; mosquitto 2.1 ends.",
    },
  ),
  ofSecurity(
    "acl_file",
    FILE,
    (security, value) => {
      security.aclFile = value;
    },
    { standing: "better", note: "As `password_file`; deliveries are judged again after a reload." },
  ),
  ofSecurity(
    "psk_file",
    FILE,
    (security, value, draft) => {
      if (draft.listener !== null && draft.listener.tls.certFile !== null) {
        throw new OptionError("Error: Cannot use both certificate and psk encryption in a single listener.");
      }
      security.pskFile = value;
    },
    {},
  ),
  general(
    "plugin",
    PLUGIN_PATH,
    (draft, path, place) => {
      securityFor(draft, "plugin").plugins.push(newPlugin(draft, null, path, place));
    },
    { aliases: ["auth_plugin"], isReloaded: false, standing: "different", note: PLUGIN_NOTE },
  ),
  general(
    "global_plugin",
    PLUGIN_PATH,
    (draft, path, place) => {
      draft.hasSecurity = true;
      draft.globalPlugins.push(newPlugin(draft, null, path, place));
    },
    { isReloaded: false, standing: "different", note: "As `plugin`." },
  ),
  general("plugin_load", NAMED_PLUGIN, loadPlugin, { isReloaded: false, standing: "different", note: "As `plugin`." }),
  general("plugin_use", text("a name given by plugin_load"), usePlugin, { isReloaded: false }),
  ofPlugin(
    "auth_plugin_deny_special_chars",
    SWITCH,
    (plugin, value) => {
      plugin.denySpecialCharacters = value;
    },
    { default: "true" },
  ),
  ofSecurity(
    "lacewing_acl_refuse_subscriptions",
    SWITCH,
    (security, value) => {
      security.refuseSubscriptions = value;
    },
    {
      default: "false",
      standing: "ours",
      note: "Whether a SUBSCRIBE that the rules can never let anything through for is refused. By default it is granted and logged, as mosquitto does.",
    },
  ),
];

/** Options of plugins: what stands after the prefix is the plugin's own name for it. */
export const PLUGIN_OPTION_PREFIXES: readonly string[] = ["plugin_opt_", "auth_opt_"];

/** `plugin_opt_NAME value`. */
export function pluginOption(typed: string, prefix: string): Option {
  const key = typed.slice(prefix.length);
  return ofPlugin(
    typed,
    {
      form: "whatever the plugin takes",
      read(_name, rest) {
        const value = rest.trim();
        if (value === "") throw empty(key, "whatever the plugin takes");
        return value;
      },
    },
    (plugin, value) => {
      if (key === "")
        throw new OptionError("Error: Invalid 'plugin_opt_' config option. The plugin's option is named after it.");
      plugin.options.set(key, value);
    },
  );
}
