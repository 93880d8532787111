/** Commands about roles, and about what is allowed where no role says anything. */
import { CommandError, has, type Json, listOf, namedItems, switchOf, textOf } from "../../core/index.ts";
import { topicFilterFault } from "../../protocol/index.ts";
import { type Command, type CommandWorld, found, nameOf, newNameOf, sendable } from "./command.ts";
import { type AclType, DEFAULT_TYPES, Role } from "./data.ts";
import { aclTypeOf, readAcls, roleJson } from "./data-file.ts";
import { priorityOf } from "./fields.ts";
import { changeTexts, checkTexts, listing } from "./listing.ts";

/** The role that a command is about. @throws CommandError */
function roleOf({ data }: CommandWorld, json: Json, error: string = "Role not found"): Role {
  return found(data.roles.get(nameOf(json, "rolename")), error);
}

/** What mosquitto_ctrl 2.0 sends in place of `allow`: its broker answers success, and changes nothing. */
function accessOf(json: Json): boolean | undefined {
  const access = textOf(json, "access");
  return access === "allow" ? true : access === "deny" ? false : undefined;
}

function kickHolders(world: CommandWorld, role: Role): void {
  for (const client of world.data.holders(role)) world.kick(client);
}

/** Kind and topic of the rule that a command is about. @throws CommandError */
function aclOf(json: Json): { readonly type: AclType; readonly acltype: string; readonly topic: string } {
  const acltype = found(textOf(json, "acltype"), "Invalid/missing acltype");
  const type = found(aclTypeOf(acltype), "Unknown acltype");
  const topic = sendable(found(textOf(json, "topic"), "Invalid/missing topic"), "Topic");
  if (topicFilterFault(topic.startsWith("$share") ? topic.slice(1) : topic) !== null)
    throw new CommandError("Invalid ACL topic");
  return { type, acltype, topic };
}

/** By the name of the command. */
export const ROLE_COMMANDS: Readonly<Record<string, Command>> = {
  createRole: (world, json) => {
    const { data } = world;
    const rolename = newNameOf(json, "rolename");
    checkTexts(json);
    const allowsWildcards = switchOf(json, "allowwildcardsubs");
    if (allowsWildcards === undefined && has(json, "allowwildcardsubs"))
      throw new CommandError("Invalid allowwildcardsubs");
    if (data.roles.get(rolename) !== undefined) return { error: "Role already exists" };
    const role = new Role(rolename);
    changeTexts(role, json);
    role.allowsWildcardSubscriptions = allowsWildcards ?? true;
    readAcls(role, json);
    data.roles.add(role);
    world.changed();
    world.tell(`createRole | rolename=${rolename}`);
    return null;
  },

  deleteRole: (world, json) => {
    const { data } = world;
    const role = roleOf(world, json);
    kickHolders(world, role);
    for (const client of data.clients) client.roles.remove(role);
    for (const group of data.groups) group.roles.remove(role);
    data.roles.delete(role);
    world.changed();
    world.tell(`deleteRole | rolename=${role.name}`);
    return null;
  },

  addRoleACL: (world, json) => {
    const role = roleOf(world, json);
    const { type, acltype, topic } = aclOf(json);
    const acl = { topic, priority: priorityOf(json, 0), isAllowed: switchOf(json, "allow") ?? false };
    if (!role.addAcl(type, acl)) return { error: "ACL with this topic already exists" };
    world.changed();
    kickHolders(world, role);
    const what = `acltype=${acltype} | topic=${topic} | priority=${acl.priority} | allow=${acl.isAllowed}`;
    world.tell(`addRoleACL | rolename=${role.name} | ${what}`);
    return null;
  },

  removeRoleACL: (world, json) => {
    const role = roleOf(world, json);
    const { type, acltype, topic } = aclOf(json);
    if (!role.removeAcl(type, topic)) return { error: "ACL not found" };
    world.changed();
    kickHolders(world, role);
    world.tell(`removeRoleACL | rolename=${role.name} | acltype=${acltype} | topic=${topic}`);
    return null;
  },

  modifyRole: (world, json) => {
    const role = roleOf(world, json, "Role does not exist");
    changeTexts(role, json);
    const allowsWildcards = switchOf(json, "allowwildcardsubs") ?? role.allowsWildcardSubscriptions;
    const isChanged = allowsWildcards !== role.allowsWildcardSubscriptions || listOf(json, "acls") !== undefined;
    role.allowsWildcardSubscriptions = allowsWildcards;
    if (listOf(json, "acls") !== undefined) {
      const other = new Role(role.name);
      readAcls(other, json);
      role.takeAcls(other);
    }
    if (isChanged) kickHolders(world, role);
    world.changed();
    world.tell(`modifyRole | rolename=${role.name}`);
    return null;
  },

  getRole: (world, json) => {
    const role = roleOf(world, json);
    world.tell(`getRole | rolename=${role.name}`);
    return { data: { role: roleJson(role) } };
  },

  listRoles: listing("listRoles", "roles", ({ roles }) => roles, roleJson),

  setDefaultACLAccess: (world, json) => {
    if (listOf(json, "acls") === undefined) return { error: "Missing/invalid actions array" };
    for (const [acltype, item] of namedItems(json, "acls", "acltype")) {
      const isAllowed = switchOf(item, "allow") ?? accessOf(item);
      if (isAllowed === undefined) continue;
      const type = DEFAULT_TYPES.find((each) => each.toLowerCase() === acltype.toLowerCase());
      if (type !== undefined) world.data.defaults.set(type, isAllowed);
      world.tell(`setDefaultACLAccess | acltype=${acltype} | allow=${isAllowed}`);
    }
    world.changed();
    return null;
  },

  getDefaultACLAccess: (world) => {
    world.tell("getDefaultACLAccess");
    const allow = (acltype: (typeof DEFAULT_TYPES)[number]): boolean => world.data.defaults.get(acltype) ?? false;
    return { data: { acls: DEFAULT_TYPES.map((acltype) => ({ acltype, allow: allow(acltype) })) } };
  },

  getDetails: (world) => {
    const { clients, groups, roles, changeIndex } = world.data;
    world.tell("getDetails");
    const counts = { clientCount: clients.size, groupCount: groups.size, roleCount: roles.size };
    return { data: { ...counts, changeIndex } };
  },
};
