/** Texts and lists, which clients, groups and roles have alike. */
import {
  CommandError,
  type CommandOutcome,
  has,
  isJson,
  isNoText,
  type Json,
  listOf,
  numberOf,
  switchOf,
  textOf,
} from "../../core/index.ts";
import { type Command, type CommandWorld, found } from "./command.ts";
import { Links, type Role, type SecurityData, type Texts } from "./data.ts";
import { priorityOf } from "./fields.ts";

/** Checks the texts of something new. @throws CommandError */
export function checkTexts(json: Json): void {
  for (const name of ["textname", "textdescription"])
    if (isNoText(json, name)) throw new CommandError(`Invalid/missing ${name}`);
}

/** Takes over the texts that are there. */
export function changeTexts(to: Texts, json: Json): void {
  to.textname = textOf(json, "textname") ?? to.textname;
  to.textdescription = textOf(json, "textdescription") ?? to.textdescription;
}

/**
 * The roles that a command names; undefined: it says nothing of roles.
 * @param error what is answered to a list that cannot be understood
 * @throws CommandError
 */
export function rolesOf(data: SecurityData, json: Json, error: string): Links<Role> | undefined {
  if (!has(json, "roles")) return undefined;
  const list = found(listOf(json, "roles"), error);
  const roles = new Links<Role>(true);
  for (const item of list) {
    const rolename = isJson(item) ? textOf(item, "rolename") : undefined;
    if (rolename === undefined) throw new CommandError(error);
    const role = found(data.roles.get(rolename), "Role not found");
    roles.add(role, priorityOf(item as Json));
  }
  return roles;
}

/** Gives `to` the links of `roles` and no others. */
export function replaceRoles(to: Links<Role>, roles: Links<Role>): void {
  to.clear();
  for (const { target, priority } of roles) to.add(target, priority);
}

/** A list of things, whole or in part: names, or everything with `verbose`. */
export function listing<Thing extends { readonly name: string }>(
  command: string,
  key: string,
  things: (data: SecurityData) => Iterable<Thing> & { readonly size: number },
  show: (thing: Thing, world: CommandWorld) => Json,
): Command {
  return (world, json): CommandOutcome => {
    const isVerbose = switchOf(json, "verbose") ?? false;
    const [count, offset] = [numberOf(json, "count", -1), numberOf(json, "offset", 0)];
    const all = things(world.data);
    // As in mosquitto, a count of 0 gives one.
    const end = count < 0 ? Number.POSITIVE_INFINITY : Math.max(offset, 0) + Math.max(count, 1);
    const shown = [...all].slice(Math.max(offset, 0), end);
    world.tell(`${command} | verbose=${isVerbose} | count=${count} | offset=${offset}`);
    const list = shown.map((thing) => (isVerbose ? show(thing, world) : thing.name));
    return { data: { totalCount: all.size, [key]: list } };
  };
}
