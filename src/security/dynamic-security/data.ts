/**
 * What dynamic security knows: clients with groups and roles, groups with roles, roles with rules; ordered as mosquitto orders them,
 * which decides who wins. It knows no files and no MQTT.
 */
import type { AnyHash } from "../password-hash.ts";
import { TopicTree } from "../topic-tree.ts";

/** Priorities beyond these are cut. */
export const HIGHEST_PRIORITY = 100_000;

/** Said of a link for which no priority was given. */
export const NO_PRIORITY = -1;

/** Kinds of rules of a role, as they stand in the file and in this order. */
export const ACL_TYPES = [
  "publishClientSend",
  "publishClientReceive",
  "subscribeLiteral",
  "subscribePattern",
  "unsubscribeLiteral",
  "unsubscribePattern",
] as const;

/** A kind of rule. */
export type AclType = (typeof ACL_TYPES)[number];

/** What is allowed where no rule says anything. */
export const DEFAULT_TYPES = ["publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"] as const;

/** One of them. */
export type DefaultType = (typeof DEFAULT_TYPES)[number];

/** One rule of a role. */
export interface RoleAcl {
  readonly topic: string;
  readonly priority: number;
  readonly isAllowed: boolean;
}

/** Texts for people. */
export interface Texts {
  textname: string | null;
  textdescription: string | null;
}

/** What something is linked to, and how strongly. */
export interface Link<Target> {
  readonly target: Target;
  readonly priority: number;
}

/** Names in the order of strcmp. */
function compareNames(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Links by the name of their target. */
export class Links<Target extends { readonly name: string }> {
  #links: readonly Link<Target>[] = [];
  readonly #byPriority: boolean;

  /** @param byPriority whether higher priorities come first; else names decide alone */
  constructor(byPriority: boolean) {
    this.#byPriority = byPriority;
  }

  get size(): number {
    return this.#links.length;
  }

  [Symbol.iterator](): IterableIterator<Link<Target>> {
    return this.#links[Symbol.iterator]();
  }

  has(target: Target): boolean {
    return this.#links.some((link) => link.target === target);
  }

  /** Adds a link; false when there is one already, which stays as it is. */
  add(target: Target, priority: number): boolean {
    if (this.has(target)) return false;
    this.#links = [...this.#links, { target, priority }].sort((one, other) => {
      const byPriority = this.#byPriority ? other.priority - one.priority : 0;
      return byPriority || compareNames(one.target.name, other.target.name);
    });
    return true;
  }

  remove(target: Target): boolean {
    const before = this.#links.length;
    this.#links = this.#links.filter((link) => link.target !== target);
    return this.#links.length < before;
  }

  clear(): void {
    this.#links = [];
  }
}

/** A role: rules of each kind, the highest priority first. */
export class Role implements Texts {
  readonly name: string;
  textname: string | null = null;
  textdescription: string | null = null;
  /** `allowwildcardsubs`. */
  allowsWildcardSubscriptions = true;
  readonly #acls: Map<AclType, readonly RoleAcl[]> = new Map();
  readonly #trees: Map<AclType, TopicTree<number>> = new Map();

  constructor(name: string) {
    this.name = name;
  }

  acls(type: AclType): readonly RoleAcl[] {
    return this.#acls.get(type) ?? [];
  }

  acl(type: AclType, topic: string): RoleAcl | undefined {
    return this.acls(type).find((acl) => acl.topic === topic);
  }

  /** Adds a rule; false when there is one for its topic. */
  addAcl(type: AclType, acl: RoleAcl): boolean {
    if (this.acl(type, acl.topic) !== undefined) return false;
    this.#set(
      type,
      [...this.acls(type), acl].sort((one, other) => other.priority - one.priority),
    );
    return true;
  }

  removeAcl(type: AclType, topic: string): boolean {
    if (this.acl(type, topic) === undefined) return false;
    this.#set(
      type,
      this.acls(type).filter((acl) => acl.topic !== topic),
    );
    return true;
  }

  /** Takes the rules of another role in place of its own. */
  takeAcls(other: Role): void {
    for (const type of ACL_TYPES) this.#set(type, other.acls(type));
  }

  #set(type: AclType, acls: readonly RoleAcl[]): void {
    this.#acls.set(type, acls);
    this.#trees.delete(type);
  }

  /** Rules by topic: what is found is their place in `acls`. */
  tree(type: AclType): TopicTree<number> {
    let tree = this.#trees.get(type);
    if (tree !== undefined) return tree;
    tree = new TopicTree<number>(true);
    for (const [at, { topic }] of this.acls(type).entries()) tree.add(topic, at);
    this.#trees.set(type, tree);
    return tree;
  }
}

/** A group of clients. */
export class Group implements Texts {
  readonly name: string;
  textname: string | null = null;
  textdescription: string | null = null;
  readonly roles: Links<Role> = new Links(true);
  readonly clients: Links<Client> = new Links(false);

  constructor(name: string) {
    this.name = name;
  }
}

/** A client, by its user name. */
export class Client implements Texts {
  readonly name: string;
  textname: string | null = null;
  textdescription: string | null = null;
  /** The only client identifier that it may have; null: it may have all. */
  clientId: string | null = null;
  isDisabled = false;
  /** null: nobody can come in as this client. */
  hash: AnyHash | null = null;
  readonly roles: Links<Role> = new Links(true);
  readonly groups: Links<Group> = new Links(true);

  constructor(name: string) {
    this.name = name;
  }
}

/** Things by name, listed by name. */
export class Named<Thing extends { readonly name: string }> {
  readonly #things: Map<string, Thing> = new Map();
  #sorted: readonly Thing[] | null = null;

  get size(): number {
    return this.#things.size;
  }

  get(name: string): Thing | undefined {
    return this.#things.get(name);
  }

  add(thing: Thing): void {
    this.#things.set(thing.name, thing);
    this.#sorted = null;
  }

  delete(thing: Thing): void {
    this.#things.delete(thing.name);
    this.#sorted = null;
  }

  [Symbol.iterator](): IterableIterator<Thing> {
    this.#sorted ??= [...this.#things.values()].sort((one, other) => compareNames(one.name, other.name));
    return this.#sorted[Symbol.iterator]();
  }
}

/** Everything. */
export class SecurityData {
  readonly clients: Named<Client> = new Named();
  readonly groups: Named<Group> = new Named();
  readonly roles: Named<Role> = new Named();
  readonly defaults: Map<DefaultType, boolean> = new Map();
  /** The group of clients without name; null: there is none. */
  anonymousGroup: Group | null = null;
  /** Changes since there is a file, for `getDetails`. */
  changeIndex = 0;

  /** Puts a client into a group; false when it is there. */
  join(client: Client, group: Group, priority: number): boolean {
    if (!group.clients.add(client, priority)) return false;
    client.groups.add(group, priority);
    return true;
  }

  leave(client: Client, group: Group): void {
    group.clients.remove(client);
    client.groups.remove(group);
  }

  leaveAll(client: Client): void {
    for (const { target } of [...client.groups]) this.leave(client, target);
  }

  /** Clients that have a role, themselves or by a group; null stands for those without name. */
  *holders(role: Role): IterableIterator<Client | null> {
    for (const client of this.clients) if (client.roles.has(role)) yield client;
    for (const group of this.groups) if (group.roles.has(role)) yield* this.members(group);
  }

  /** Clients of a group; null stands for those without name. */
  *members(group: Group): IterableIterator<Client | null> {
    if (group === this.anonymousGroup) yield null;
    for (const { target } of group.clients) yield target;
  }
}
