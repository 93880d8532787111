/** Commands about groups. */
import { CommandError, isJson, type Json, listOf, textOf } from "../../core/index.ts";
import { type Command, type CommandWorld, found, nameOf, newNameOf } from "./command.ts";
import { Group, type SecurityData } from "./data.ts";
import { linksJson, textsJson } from "./data-file.ts";
import { priorityOf } from "./fields.ts";
import { changeTexts, checkTexts, listing, replaceRoles, rolesOf } from "./listing.ts";

/** The group that a command is about. @throws CommandError */
function groupOf({ data }: CommandWorld, json: Json): Group {
  return found(data.groups.get(nameOf(json, "groupname")), "Group not found");
}

function kickMembers(world: CommandWorld, group: Group): void {
  for (const client of world.data.members(group)) world.kick(client);
}

/** By the name of the command. */
export const GROUP_COMMANDS: Readonly<Record<string, Command>> = {
  createGroup: (world, json) => {
    const { data } = world;
    const groupname = newNameOf(json, "groupname");
    checkTexts(json);
    if (data.groups.get(groupname) !== undefined) return { error: "Group already exists" };
    const group = new Group(groupname);
    changeTexts(group, json);
    const roles = rolesOf(data, json, "Internal error");
    if (roles !== undefined) replaceRoles(group.roles, roles);
    data.groups.add(group);
    world.changed();
    world.tell(`createGroup | groupname=${groupname}`);
    return null;
  },

  deleteGroup: (world, json) => {
    const { data } = world;
    const group = groupOf(world, json);
    if (group === data.anonymousGroup) return { error: "Deleting the anonymous group is forbidden" };
    kickMembers(world, group);
    for (const { target } of [...group.clients]) data.leave(target, group);
    data.groups.delete(group);
    world.changed();
    world.tell(`deleteGroup | groupname=${group.name}`);
    return null;
  },

  addGroupClient: (world, json) => {
    const { data } = world;
    const username = nameOf(json, "username");
    nameOf(json, "groupname");
    const client = found(data.clients.get(username), "Client not found");
    world.kick(client);
    const group = groupOf(world, json);
    const priority = priorityOf(json);
    if (!data.join(client, group, priority)) return { error: "Client is already in this group" };
    world.changed();
    world.tell(`addGroupClient | groupname=${group.name} | username=${username} | priority=${priority}`);
    return null;
  },

  removeGroupClient: (world, json) => {
    const { data } = world;
    const username = nameOf(json, "username");
    nameOf(json, "groupname");
    const client = found(data.clients.get(username), "Client not found");
    world.kick(client);
    const group = groupOf(world, json);
    data.leave(client, group);
    world.changed();
    world.tell(`removeGroupClient | groupname=${group.name} | username=${username}`);
    return null;
  },

  addGroupRole: (world, json) => {
    nameOf(json, "groupname");
    const rolename = nameOf(json, "rolename");
    const group = groupOf(world, json);
    const role = found(world.data.roles.get(rolename), "Role not found");
    const priority = priorityOf(json);
    if (!group.roles.add(role, priority)) return { error: "Group is already in this role" };
    world.changed();
    kickMembers(world, group);
    world.tell(`addGroupRole | groupname=${group.name} | rolename=${rolename} | priority=${priority}`);
    return null;
  },

  removeGroupRole: (world, json) => {
    nameOf(json, "groupname");
    const rolename = nameOf(json, "rolename");
    const group = groupOf(world, json);
    const role = found(world.data.roles.get(rolename), "Role not found");
    group.roles.remove(role);
    world.changed();
    kickMembers(world, group);
    world.tell(`removeGroupRole | groupname=${group.name} | rolename=${rolename}`);
    return null;
  },

  modifyGroup: (world, json) => {
    const { data } = world;
    const group = groupOf(world, json);
    const roles = rolesOf(data, json, "'roles' not an array or missing/invalid rolename");
    const clients = clientsOf(data, json);
    if (clients !== undefined) {
      kickMembers(world, group);
      for (const { target } of [...group.clients]) data.leave(target, group);
      for (const [name, priority] of clients) data.join(data.clients.get(name)!, group, priority);
    }
    changeTexts(group, json);
    if (roles !== undefined) replaceRoles(group.roles, roles);
    world.changed();
    kickMembers(world, group);
    world.tell(`modifyGroup | groupname=${group.name}`);
    return null;
  },

  getGroup: (world, json) => {
    const group = groupOf(world, json);
    world.tell(`getGroup | groupname=${group.name}`);
    return { data: { group: groupJson(group) } };
  },

  listGroups: listing("listGroups", "groups", ({ groups }) => groups, groupJson),

  setAnonymousGroup: (world, json) => {
    const group = groupOf(world, json);
    world.data.anonymousGroup = group;
    world.changed();
    world.kick(null);
    world.tell(`setAnonymousGroup | groupname=${group.name}`);
    return null;
  },

  getAnonymousGroup: (world) => {
    world.tell("getAnonymousGroup");
    return { data: { group: { groupname: world.data.anonymousGroup?.name ?? "" } } };
  },
};

/** The clients that a modification names; undefined: it says nothing of clients. @throws CommandError */
function clientsOf(data: SecurityData, json: Json): ReadonlyMap<string, number> | undefined {
  const list = listOf(json, "clients");
  if (list === undefined) return undefined;
  const clients = new Map<string, number>();
  for (const item of list.filter(isJson)) {
    const name = found(textOf(item, "username"), "'clients' contains an object with an invalid 'username'");
    if (data.clients.get(name) === undefined)
      throw new CommandError("'clients' contains an object with a 'username' that does not exist");
    if (!clients.has(name)) clients.set(name, priorityOf(item));
  }
  return clients;
}

function groupJson(group: Group): Json {
  return {
    groupname: group.name,
    ...textsJson(group),
    clients: [...group.clients].map(({ target }) => ({ username: target.name })),
    roles: linksJson(group.roles, "rolename"),
  };
}
