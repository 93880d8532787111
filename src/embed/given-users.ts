/** Users and functions of an application as what a broker asks. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { SecurityPlugin } from "../security/index.ts";
import type { Plugin } from "../server/index.ts";
import type { CreateBrokerOptions } from "./options.ts";

/** In the order in which they are asked. */
export function pluginsOf({ users, acl, authenticate, plugins = [] }: CreateBrokerOptions): readonly SecurityPlugin[] {
  const all: SecurityPlugin[] = [];
  if (users !== undefined) all.push({ kind: "given", name: "users", plugin: knowing(users) });
  if (authenticate !== undefined) all.push({ kind: "given", name: "authenticate", plugin: { authenticate } });
  if (acl !== undefined) all.push({ kind: "acl-lists", lists: acl });
  return [...all, ...plugins.map((plugin, at) => ({ kind: "given", name: `plugins[${at}]`, plugin }) as const)];
}

function knowing(users: Readonly<Record<string, string>>): Plugin {
  const digests = new Map(Object.entries(users).map(([name, password]) => [name, digestOf(password)]));
  return {
    authenticate({ username, password }) {
      const digest = username === null ? undefined : digests.get(username);
      if (digest === undefined) return null;
      return password !== null && timingSafeEqual(digest, digestOf(password));
    },
  };
}

/** Of one length, so that the time of a comparison tells nothing. */
function digestOf(password: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(password).digest();
}
