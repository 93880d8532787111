/** The plugins of the configuration that are in force, as mosquitto 2.1's `listPlugins` tells of them. */
import { basename } from "node:path";
import type { Json } from "../core/index.ts";
import type { SecurityPlugin } from "../security/index.ts";
import type { OpenListener } from "./open-listener.ts";

/** Each plugin once, in order; one that belongs to a single listener of several says which. */
export function loadedPlugins(listeners: readonly OpenListener[]): readonly Json[] {
  const holders = new Map<SecurityPlugin, OpenListener[]>();
  for (const listener of listeners) {
    for (const plugin of listener.current.security.plugins) {
      const known = holders.get(plugin);
      if (known === undefined) holders.set(plugin, [listener]);
      else known.push(listener);
    }
  }
  return [...holders].flatMap(([plugin, [first, ...others]]) => {
    const name = nameOf(plugin);
    if (name === null) return [];
    const isOwn = others.length === 0 && listeners.length > 1;
    return [{ name, ...(isOwn && { port: first?.port }), "control-endpoints": endpointsOf(plugin) }];
  });
}

/** mosquitto's plugins by the names that they give themselves, ours as a `plugin` line names them; null: it is none. */
function nameOf(plugin: SecurityPlugin): string | null {
  switch (plugin.kind) {
    case "dynamic-security":
    case "password-file":
    case "acl-file":
      return plugin.kind;
    case "jwt":
    case "http":
    case "scram":
      return `lacewing_${plugin.kind}`;
    case "module":
      return basename(plugin.path);
    case "given":
      return plugin.name;
    case "acl-lists":
      return null;
  }
}

function endpointsOf({ kind }: SecurityPlugin): readonly string[] {
  return kind === "dynamic-security" ? ["$CONTROL/dynamic-security/v1"] : [];
}
