/** The JSON file of dynamic security: read as mosquitto 2.0 and 2.1 write it, and written so that both can read it. */
import { isJson, type Json, namedItems, numberOf, switchOf, textOf } from "../../core/index.ts";
import { parseArgon2 } from "../argon2.ts";
import { type AnyHash, formatPasswordHash, parsePasswordHash } from "../password-hash.ts";
import { SecurityError } from "../security-error.ts";
import {
  ACL_TYPES,
  type AclType,
  Client,
  DEFAULT_TYPES,
  Group,
  type Link,
  type Links,
  NO_PRIORITY,
  Role,
  SecurityData,
  type Texts,
} from "./data.ts";
import { priorityOf } from "./fields.ts";

/**
 * Reads the text of a file; an empty one is no clients, groups and roles, so nobody comes in by it.
 * @throws SecurityError when it is not JSON of that form
 */
export function parseSecurityData(path: string, text: string): SecurityData {
  const data = new SecurityData();
  if (text === "") return data;
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch (error) {
    throw new SecurityError(path, null, `is not valid JSON: ${(error as Error).message}`);
  }
  if (!isJson(tree)) throw new SecurityError(path, null, "is not a JSON object");
  for (const name of ["clients", "groups", "roles"]) {
    if (Object.hasOwn(tree, name) && !Array.isArray(tree[name]))
      throw new SecurityError(path, null, `has "${name}" that is not a list`);
  }
  data.changeIndex = Math.max(0, numberOf(tree, "changeIndex", 0));
  const { defaultACLAccess } = tree;
  if (isJson(defaultACLAccess))
    for (const type of DEFAULT_TYPES) data.defaults.set(type, switchOf(defaultACLAccess, type) ?? false);
  for (const [name, json] of items(tree, "roles", "rolename")) {
    if (data.roles.get(name) === undefined) data.roles.add(roleOf(name, json));
  }
  for (const [name, json] of items(tree, "clients", "username")) {
    if (data.clients.get(name) === undefined) data.clients.add(clientOf(data, name, json));
  }
  for (const [name, json] of items(tree, "groups", "groupname")) {
    if (data.groups.get(name) === undefined) addGroup(data, name, json);
  }
  data.anonymousGroup = data.groups.get(textOf(tree, "anonymousGroup") ?? "") ?? null;
  return data;
}

function items(tree: Json, list: string, key: string): readonly (readonly [string, Json])[] {
  return namedItems(tree, list, key).filter(([name]) => name !== "");
}

function readTexts(to: Texts, json: Json): void {
  to.textname = textOf(json, "textname") ?? null;
  to.textdescription = textOf(json, "textdescription") ?? null;
}

function roleOf(name: string, json: Json): Role {
  const role = new Role(name);
  readTexts(role, json);
  role.allowsWildcardSubscriptions = switchOf(json, "allowwildcardsubs") ?? true;
  readAcls(role, json);
  return role;
}

/** Adds the rules in `json` to `role`; what is no rule is passed over. */
export function readAcls(role: Role, json: Json): void {
  for (const [acltype, item] of namedItems(json, "acls", "acltype")) {
    const type = aclTypeOf(acltype);
    const topic = textOf(item, "topic");
    if (type === undefined || topic === undefined || topic === "") continue;
    role.addAcl(type, { topic, priority: priorityOf(item, 0), isAllowed: switchOf(item, "allow") ?? false });
  }
}

/** A kind of rule by its name, with any capital letters. */
export function aclTypeOf(text: string): AclType | undefined {
  return ACL_TYPES.find((type) => type.toLowerCase() === text.toLowerCase());
}

function clientOf(data: SecurityData, name: string, json: Json): Client {
  const client = new Client(name);
  readTexts(client, json);
  client.isDisabled = switchOf(json, "disabled") ?? false;
  client.clientId = textOf(json, "clientid") ?? null;
  client.hash = hashOf(json);
  addRoles(data, client.roles, json);
  return client;
}

function addRoles(data: SecurityData, to: Links<Role>, json: Json): void {
  for (const [rolename, item] of namedItems(json, "roles", "rolename")) {
    const role = data.roles.get(rolename);
    if (role !== undefined) to.add(role, priorityOf(item));
  }
}

/** A password as mosquitto 2.1 has it, or as 2.0 has it; null: none that could be right. */
function hashOf(json: Json): AnyHash | null {
  const encoded = textOf(json, "encoded_password");
  if (encoded !== undefined) return parsePasswordHash(encoded) ?? parseArgon2(encoded);
  const [password, salt] = [textOf(json, "password"), textOf(json, "salt")];
  return parsePasswordHash(`$7$${numberOf(json, "iterations", 0)}$${salt}$${password}`);
}

function addGroup(data: SecurityData, name: string, json: Json): void {
  const group = new Group(name);
  readTexts(group, json);
  addRoles(data, group.roles, json);
  data.groups.add(group);
  for (const [username, item] of namedItems(json, "clients", "username")) {
    const client = data.clients.get(username);
    if (client !== undefined) data.join(client, group, priorityOf(item));
  }
}

/** The text of a file. */
export function formatSecurityData(data: SecurityData): string {
  const tree = {
    changeIndex: data.changeIndex,
    defaultACLAccess: Object.fromEntries(DEFAULT_TYPES.map((type) => [type, data.defaults.get(type) ?? false])),
    clients: [...data.clients].map(clientJson),
    groups: [...data.groups].map((group) => ({
      groupname: group.name,
      ...textsJson(group),
      roles: linksJson(group.roles, "rolename"),
      clients: linksJson(group.clients, "username"),
    })),
    roles: [...data.roles].map(roleJson),
    ...(data.anonymousGroup !== null && { anonymousGroup: data.anonymousGroup.name }),
  };
  return `${JSON.stringify(tree, null, "\t")}\n`;
}

function clientJson(client: Client): Json {
  return {
    username: client.name,
    ...identityJson(client),
    roles: linksJson(client.roles, "rolename"),
    ...(client.hash !== null && hashJson(client.hash)),
  };
}

/** What a file and a response say of a client between its name and its roles. */
export function identityJson(client: Client): Json {
  return {
    ...(client.clientId !== null && { clientid: client.clientId }),
    ...textsJson(client),
    ...(client.isDisabled && { disabled: true }),
  };
}

/** mosquitto 2.0 reads nothing but password, salt and iterations, and 2.1 reads them too. */
function hashJson(hash: AnyHash): Json {
  if (hash.algorithm === "argon2id") return { encoded_password: hash.text };
  if (hash.algorithm === "sha512") return { encoded_password: formatPasswordHash(hash) };
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return { password: base64(hash.hash), salt: base64(hash.salt), iterations: hash.iterations };
}

/** Texts that are there. */
export function textsJson({ textname, textdescription }: Texts): Json {
  return { ...(textname !== null && { textname }), ...(textdescription !== null && { textdescription }) };
}

/** Links as a list of objects; a priority that was not given is left out. */
export function linksJson<Target extends { readonly name: string }>(links: Links<Target>, key: string): Json[] {
  const json = ({ target, priority }: Link<Target>): Json => ({
    [key]: target.name,
    ...(priority !== NO_PRIORITY && { priority }),
  });
  return [...links].map(json);
}

/** A role with its rules. */
export function roleJson(role: Role): Json {
  const acls = ACL_TYPES.flatMap((acltype) =>
    role.acls(acltype).map(({ topic, priority, isAllowed }) => ({ acltype, topic, priority, allow: isAllowed })),
  );
  const allowwildcardsubs = role.allowsWildcardSubscriptions;
  return { rolename: role.name, ...textsJson(role), allowwildcardsubs, acls };
}
