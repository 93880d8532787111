/** What a broker with dynamic security begins with when there is no file: mosquitto 2.1's clients, groups and roles. */
import { randomInt } from "node:crypto";
import { hashPassword } from "../password-hash.ts";
import { SecurityError } from "../security-error.ts";
import { readText } from "../text-lines.ts";
import { type AclType, Client, Group, Role, SecurityData } from "./data.ts";

/** Fewest characters of a password in the environment, as in mosquitto. */
const SHORTEST_PASSWORD = 12;
const MADE_LENGTH = 20;
const MADE_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-=_+[]{}@#~,./<>?";

const FULL: readonly AclType[] = [
  "publishClientSend",
  "publishClientReceive",
  "subscribePattern",
  "unsubscribePattern",
];

/** Roles with what they are for, and the kinds of rules that they have for one topic. */
const ROLES: readonly (readonly [name: string, text: string, topic: string, types: readonly AclType[]])[] = [
  ["client", "Read/write access to the full application topic hierarchy.", "#", FULL],
  ["broker-admin", "Grants access to administer general broker configuration.", "$CONTROL/broker/#", FULL],
  ["dynsec-admin", "Grants access to administer clients/groups/roles.", "$CONTROL/dynamic-security/#", FULL],
  ["super-admin", "Grants access to administer all kind of broker controls", "$CONTROL/#", FULL],
  [
    "sys-notify",
    "Allow bridges to publish connection state messages.",
    "$SYS/broker/connection/%c/state",
    ["publishClientSend"],
  ],
  ["sys-observe", "Observe the $SYS topic hierarchy.", "$SYS/#", ["publishClientReceive", "subscribePattern"]],
  [
    "topic-observe",
    "Read only access to the full application topic hierarchy.",
    "#",
    ["publishClientReceive", "subscribePattern", "unsubscribePattern"],
  ],
];

/**
 * The password of `admin` that somebody has chosen; null: nobody has.
 * @throws SecurityError when it cannot be read or is too short
 */
export async function givenPassword(
  passwordInitFile: string | null,
  environment: NodeJS.ProcessEnv,
): Promise<string | null> {
  if (passwordInitFile !== null) {
    const [first = ""] = (await readText(passwordInitFile)).split("\n");
    const password = first.trimEnd();
    if (password === "") throw new SecurityError(passwordInitFile, 1, "has no password for the first administrator");
    return password;
  }
  const { MOSQUITTO_DYNSEC_PASSWORD: password } = environment;
  if (password === undefined) return null;
  if (password.length >= SHORTEST_PASSWORD) return password;
  const what = `must have at least ${SHORTEST_PASSWORD} characters`;
  throw new SecurityError("MOSQUITTO_DYNSEC_PASSWORD", null, what);
}

/** Makes the first data, and passwords for its clients where none is `given`. */
export async function firstData(given: string | null): Promise<{ data: SecurityData; made: Map<string, string> }> {
  const data = new SecurityData();
  const made = new Map<string, string>();
  data.defaults.set("publishClientReceive", true).set("unsubscribe", true);
  for (const [name, text, topic, types] of ROLES) {
    const role = new Role(name);
    role.textdescription = text;
    for (const type of types) role.addAcl(type, { topic, priority: 0, isAllowed: true });
    data.roles.add(role);
  }
  const add = async (name: string, textname: string, roles: readonly string[]): Promise<void> => {
    const client = new Client(name);
    client.textname = textname;
    for (const role of roles) client.roles.add(data.roles.get(role)!, -1);
    const password = given ?? madePassword();
    if (given === null) made.set(name, password);
    client.hash = await hashPassword(password);
    data.clients.add(client);
  };
  await add("admin", "Admin user", ["super-admin", "sys-observe", "topic-observe"]);
  if (given === null) {
    const text = "Demonstration client with full read/write access to the '#' topic hierarchy.";
    await add("democlient", text, ["client"]);
  }
  const group = new Group("unauthenticated");
  group.textname = "Unauthenticated group";
  group.textdescription =
    "If unauthenticated access is allowed, this group can be used to define roles for clients that connect without a password.";
  data.groups.add(group);
  data.anonymousGroup = group;
  return { data, made };
}

function madePassword(): string {
  return Array.from({ length: MADE_LENGTH }, () => MADE_CHARACTERS[randomInt(MADE_CHARACTERS.length)]).join("");
}
