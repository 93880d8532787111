/** Commands about clients. */
import { CommandError, isJson, isNoText, type Json, listOf, namedItems, textOf } from "../../core/index.ts";
import { hashPassword } from "../password-hash.ts";
import { type Command, type CommandWorld, found, nameOf, newNameOf, sendable } from "./command.ts";
import { Client, type SecurityData } from "./data.ts";
import { identityJson, linksJson } from "./data-file.ts";
import { priorityOf } from "./fields.ts";
import { changeTexts, checkTexts, listing, replaceRoles, rolesOf } from "./listing.ts";

const BAD_ROLES = "'roles' not an array or missing/invalid rolename";

/** The client that a command is about. @throws CommandError */
function clientOf({ data }: CommandWorld, json: Json): Client {
  return found(data.clients.get(nameOf(json, "username")), "Client not found");
}

/** By the name of the command. */
export const CLIENT_COMMANDS: Readonly<Record<string, Command>> = {
  createClient: async (world, json) => {
    const { data } = world;
    const username = newNameOf(json, "username");
    if (isNoText(json, "password")) throw new CommandError("Invalid/missing password");
    const clientId = clientIdOf(json, "Invalid/missing client id");
    checkTexts(json);
    if (data.clients.get(username) !== undefined) return { error: "Client already exists" };
    const client = new Client(username);
    changeTexts(client, json);
    client.clientId = clientId || null;
    const password = textOf(json, "password");
    if (password !== undefined) client.hash = await hashPassword(password);
    const roles = rolesOf(data, json, BAD_ROLES);
    if (roles !== undefined) replaceRoles(client.roles, roles);
    const groups = namedItems(json, "groups", "groupname").map(([name, item]) => ({
      group: found(data.groups.get(name), "Group not found"),
      priority: priorityOf(item),
    }));
    if (new Set(groups.map(({ group }) => group)).size < groups.length) return { error: "Internal error" };
    data.clients.add(client);
    for (const { group, priority } of groups) data.join(client, group, priority);
    world.changed();
    const shown = password === undefined ? "no password" : "*****";
    world.tell(`createClient | username=${username} | password=${shown}`);
    return null;
  },

  deleteClient: (world, json) => {
    // Whatever it is called: it may be older than the check of names.
    const username = found(textOf(json, "username"), "Invalid/missing username");
    const client = found(world.data.clients.get(username), "Client not found");
    world.data.leaveAll(client);
    world.data.clients.delete(client);
    world.changed();
    world.kick(client);
    world.tell(`deleteClient | username=${client.name}`);
    return null;
  },

  disableClient: (world, json) => {
    const client = clientOf(world, json);
    client.isDisabled = true;
    world.kick(client);
    world.changed();
    world.tell(`disableClient | username=${client.name}`);
    return null;
  },

  enableClient: (world, json) => {
    const client = clientOf(world, json);
    client.isDisabled = false;
    world.changed();
    world.tell(`enableClient | username=${client.name}`);
    return null;
  },

  setClientId: (world, json) => {
    nameOf(json, "username");
    const clientId = clientIdOf(json, "Invalid/missing client ID");
    const client = clientOf(world, json);
    client.clientId = clientId || null;
    world.changed();
    world.kick(client);
    world.tell(`setClientId | username=${client.name} | clientid=${client.clientId}`);
    return null;
  },

  setClientPassword: async (world, json) => {
    nameOf(json, "username");
    const password = found(textOf(json, "password"), "Invalid/missing password");
    if (password === "") return { error: "Empty password is not allowed" };
    const client = clientOf(world, json);
    client.hash = await hashPassword(password);
    world.changed();
    world.kick(client);
    world.tell(`setClientPassword | username=${client.name} | password=******`);
    return null;
  },

  modifyClient: async (world, json) => {
    const { data } = world;
    const client = clientOf(world, json);
    const roles = rolesOf(data, json, BAD_ROLES);
    const groups = groupsOf(data, json);
    const clientId = clientIdOf(json, null);
    const password = textOf(json, "password");
    const hash = password ? await hashPassword(password) : client.hash;
    if (groups !== undefined) {
      data.leaveAll(client);
      for (const [name, priority] of groups) data.join(client, data.groups.get(name)!, priority);
    }
    client.hash = hash;
    if (clientId !== undefined) client.clientId = clientId || null;
    changeTexts(client, json);
    if (roles !== undefined) replaceRoles(client.roles, roles);
    world.changed();
    world.kick(client);
    world.tell(`modifyClient | username=${client.name}`);
    return null;
  },

  getClient: (world, json) => {
    const client = clientOf(world, json);
    world.tell(`getClient | username=${client.name}`);
    return { data: { client: clientJson(client, world) } };
  },

  listClients: listing("listClients", "clients", ({ clients }) => clients, clientJson),

  addClientRole: (world, json) => {
    nameOf(json, "username");
    const rolename = nameOf(json, "rolename");
    const client = clientOf(world, json);
    const role = found(world.data.roles.get(rolename), "Role not found");
    const priority = priorityOf(json);
    if (!client.roles.add(role, priority)) return { error: "Internal error" };
    world.changed();
    world.kick(client);
    world.tell(`addClientRole | username=${client.name} | rolename=${role.name} | priority=${priority}`);
    return null;
  },

  removeClientRole: (world, json) => {
    nameOf(json, "username");
    const rolename = nameOf(json, "rolename");
    const client = clientOf(world, json);
    const role = found(world.data.roles.get(rolename), "Role not found");
    client.roles.remove(role);
    world.changed();
    world.kick(client);
    world.tell(`removeClientRole | username=${client.name} | rolename=${role.name}`);
    return null;
  },
};

/**
 * The client identifier that a command gives; undefined: none.
 * @param error what is answered to one that is no text; null: it is passed over
 * @throws CommandError
 */
function clientIdOf(json: Json, error: string | null): string | undefined {
  if (error !== null && isNoText(json, "clientid")) throw new CommandError(error);
  const clientId = textOf(json, "clientid");
  return clientId === undefined ? undefined : sendable(clientId, "Client ID");
}

/** The groups that a modification names; undefined: it says nothing of groups. @throws CommandError */
function groupsOf(data: SecurityData, json: Json): ReadonlyMap<string, number> | undefined {
  const list = listOf(json, "groups");
  if (list === undefined) return undefined;
  const groups = new Map<string, number>();
  for (const item of list.filter(isJson)) {
    const name = found(textOf(item, "groupname"), "'groups' contains an object with an invalid 'groupname'");
    if (data.groups.get(name) === undefined)
      throw new CommandError("'groups' contains an object with a 'groupname' that does not exist");
    if (!groups.has(name)) groups.set(name, priorityOf(item));
  }
  return groups;
}

function clientJson(client: Client, world: CommandWorld): Json {
  return {
    username: client.name,
    ...identityJson(client),
    roles: linksJson(client.roles, "rolename"),
    groups: linksJson(client.groups, "groupname"),
    connections: world.addressesOf(client).map((address) => ({ address })),
  };
}
