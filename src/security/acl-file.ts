/** ACL files of mosquitto: what they say, line by line. How they are applied is in `acl-rules.ts`. */
import { topicFilterFault } from "../protocol/index.ts";
import { SecurityError } from "./security-error.ts";
import { linesOf, readText } from "./text-lines.ts";
import { TopicTree } from "./topic-tree.ts";

/** What a line grants. */
export const Access = { deny: 0, read: 1, write: 2, readwrite: 3 } as const;

/** One of them. */
export type Access = (typeof Access)[keyof typeof Access];

/** One `topic` or `pattern` line. */
export interface AclRule {
  readonly topicFilter: string;
  readonly access: Access;
}

/** The rules of one section, by topic and in the order of the file. */
export interface AclSection {
  readonly tree: TopicTree<AclRule>;
  readonly rules: readonly AclRule[];
}

/** A whole file. */
export interface AclFile {
  readonly anonymous: AclSection;
  readonly users: ReadonlyMap<string, AclSection>;
  readonly patterns: AclSection;
  readonly warnings: readonly string[];
}

class Section implements AclSection {
  readonly tree: TopicTree<AclRule>;
  readonly rules: AclRule[] = [];

  constructor(hasPatterns: boolean) {
    this.tree = new TopicTree(hasPatterns);
  }

  add(rule: AclRule): void {
    this.rules.push(rule);
    this.tree.add(rule.topicFilter, rule);
  }
}

/**
 * Reads an ACL file.
 * @throws SecurityError when it cannot be read or has a line that cannot be understood
 */
export async function readAclFile(path: string): Promise<AclFile> {
  return parseAclFile(path, await readText(path));
}

/**
 * As `readAclFile`, of text that is here already.
 * @throws SecurityError
 */
export function parseAclFile(path: string, content: string): AclFile {
  const anonymous = new Section(false);
  const users = new Map<string, Section>();
  const patterns = new Section(true);
  const warnings: string[] = [];
  let section = anonymous;
  for (const { number, text } of linesOf(content)) {
    const [keyword, rest] = firstWord(text);
    if (keyword === "user") {
      if (rest === "") {
        const what = "the user name is missing; the form is: user USERNAME";
        throw new SecurityError(path, number, what, { lead: "Missing username in acl_file" });
      }
      let own = users.get(rest);
      if (own === undefined) users.set(rest, (own = new Section(false)));
      section = own;
    } else if (keyword === "topic") {
      section.add(ruleOf(path, number, rest));
    } else if (keyword === "pattern") {
      const rule = ruleOf(path, number, rest);
      if (!/%[cu]/.test(rule.topicFilter)) {
        warnings.push(`Warning: ACL pattern '${rule.topicFilter}' does not contain '%c' or '%u'.`);
      } else if (!rule.topicFilter.split("/").some((level) => level === "%c" || level === "%u")) {
        warnings.push(
          `${path}:${number}: %c and %u stand for a name only where they are a whole level; ${rule.topicFilter} is taken as it is written.`,
        );
      }
      patterns.add(rule);
    } else {
      const what = `"${keyword}" is none of user, topic and pattern, which a line begins with`;
      throw new SecurityError(path, number, what, { lead: "Invalid line in acl_file" });
    }
  }
  return { anonymous, users, patterns, warnings };
}

function ruleOf(path: string, line: number, text: string): AclRule {
  const [word, rest] = firstWord(text);
  if (word === "") {
    const what = "the topic is missing; the form is: topic [read|write|readwrite|deny] TOPIC";
    throw new SecurityError(path, line, what, { lead: "Empty topic in acl_file" });
  }
  const topicFilter = rest === "" ? word : rest;
  if (rest !== "" && !Object.hasOwn(Access, word)) {
    const what = `access "${word}" is none of read, write, readwrite and deny`;
    throw new SecurityError(path, line, what, { lead: `Invalid topic access type "${word}" in acl_file` });
  }
  const fault = filterFault(topicFilter);
  if (fault !== null) {
    const shown = shortened(topicFilter);
    const lead = `Invalid ACL topic "${shown}" in acl_file`;
    throw new SecurityError(path, line, `${shown} cannot be used: ${fault}`, { lead });
  }
  return { topicFilter, access: rest === "" ? Access.readwrite : Access[word as keyof typeof Access] };
}

/** Most of a topic that a message shows. */
const SHOWN_CHARACTERS = 100;

function shortened(topicFilter: string): string {
  return topicFilter.length > SHOWN_CHARACTERS ? `${topicFilter.slice(0, SHOWN_CHARACTERS)}...` : topicFilter;
}

/** Words are separated by spaces and nothing else, as in mosquitto. */
function firstWord(text: string): readonly [word: string, rest: string] {
  const trimmed = text.replace(/^ +/, "");
  const space = trimmed.indexOf(" ");
  return space < 0 ? [trimmed, ""] : [trimmed.slice(0, space), trimmed.slice(space).trim()];
}

/** Topic filters by what they grant; `%c` and `%u` stand for client identifier and user name where they are a whole level. */
export interface Acl {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly readwrite?: readonly string[];
  readonly deny?: readonly string[];
}

/** Lists of topic filters by what they grant, as tokens and answers of web services carry them. `%c` and `%u` stand for names. */
const LISTS = ["read", "write", "readwrite", "deny"] as const;

/** Reads rules from such lists; null when `value` is something else, which then must open nothing. */
export function aclOfLists(value: unknown): AclFile | null {
  const rules = addLists(new Section(true), value);
  return rules === null ? null : { anonymous: new Section(false), users: new Map(), patterns: rules, warnings: [] };
}

function addLists(rules: Section, value: unknown): Section | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  for (const [access, list] of Object.entries(value)) {
    if (!(LISTS as readonly string[]).includes(access) || !Array.isArray(list)) return null;
    for (const topicFilter of list) {
      if (typeof topicFilter !== "string" || filterFault(topicFilter) !== null) return null;
      rules.add({ topicFilter, access: Access[access as keyof typeof Access] });
    }
  }
  return rules;
}

/** What an ACL file says, as lists. Each rule that fits is asked; a "deny" is final. */
export interface AclLists {
  /** For clients without a user name. */
  readonly anonymous?: Acl;
  /** For each user. */
  readonly users?: Readonly<Record<string, Acl>>;
  /** For everybody; `%c` and `%u` stand for client identifier and user name where they are a whole level. */
  readonly everybody?: Acl;
}

/**
 * Reads all rules of `lists`.
 * @throws SecurityError when one is no topic filter
 */
export function aclFileOf(lists: AclLists): AclFile {
  const users = Object.entries(lists.users ?? {}).map(
    ([name, acl]) => [name, sectionOf(`users.${name}`, acl, false)] as const,
  );
  return {
    anonymous: sectionOf("anonymous", lists.anonymous ?? {}, false),
    users: new Map(users),
    patterns: sectionOf("everybody", lists.everybody ?? {}, true),
    warnings: [],
  };
}

function sectionOf(name: string, acl: Acl, hasPatterns: boolean): Section {
  const found = addLists(new Section(hasPatterns), acl);
  if (found !== null) return found;
  throw new SecurityError(
    `acl.${name}`,
    null,
    'is not lists of topic filters by what they grant, as in { read: ["a/#"], write: ["b"], readwrite: [], deny: [] }',
  );
}

/** Shared subscriptions are judged by their filter, so `$share/...` is a topic like others here. */
function filterFault(topicFilter: string): string | null {
  return topicFilterFault(topicFilter.startsWith("$share") ? topicFilter.slice(1) : topicFilter);
}
