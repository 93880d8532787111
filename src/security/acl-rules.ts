/**
 * An ACL file applied to one client, as mosquitto does it: first the lines of the user (or those before any `user` line for a client
 * without name), where a deny wins and then whatever grants; then the patterns in the same way; and what nothing grants is denied.
 */
import { Access, type AclFile, type AclRule, type AclSection } from "./acl-file.ts";
import { commonFilter, holdsFilter, withNames } from "./filter-sets.ts";
import type { Answer, Rules } from "./rules.ts";
import type { Names } from "./topic-tree.ts";

/** Told of subscriptions that nothing will ever come through. */
export interface HopelessSubscriptions {
  /** Whether they are refused; else they are granted, as mosquitto does. */
  readonly areRefused: boolean;
  found(names: Names, topicFilter: string): void;
}

/** Names with these may not be put into patterns: they would match what is others' (CVE-2017-7650). */
const DANGEROUS = /[+#]/;

/** The rules of an ACL file for one client. */
export class AclRules implements Rules {
  readonly #names: Names;
  readonly #section: AclSection | null;
  readonly #patterns: AclSection | null;
  readonly #hopeless: HopelessSubscriptions;

  constructor(file: AclFile, names: Names, hopeless: HopelessSubscriptions) {
    const { clientId, username } = names;
    this.#names = names;
    this.#hopeless = hopeless;
    this.#section = username === null ? file.anonymous : (file.users.get(username) ?? null);
    const isDangerous = DANGEROUS.test(clientId) || (username !== null && DANGEROUS.test(username));
    this.#patterns = isDangerous ? null : file.patterns;
  }

  publish(topicName: string): Answer {
    return this.#may(topicName, Access.write);
  }

  receive(topicName: string): Answer {
    return this.#may(topicName, Access.read);
  }

  #may(topicName: string, access: Access): boolean {
    return this.#within(this.#section, topicName, access) ?? this.#within(this.#patterns, topicName, access) ?? false;
  }

  #within(section: AclSection | null, topicName: string, access: Access): Answer {
    if (section === null || section.tree.size === 0) return null;
    let isDenied = false;
    let granted: number = 0;
    section.tree.match(topicName, this.#names, (rule) => {
      if (rule.access === Access.deny) isDenied = true;
      granted |= rule.access;
    });
    if (isDenied) return false;
    return (granted & access) !== 0 ? true : null;
  }

  subscribe(topicFilter: string): Answer {
    if (this.#canEverReceive(topicFilter)) return true;
    this.#hopeless.found(this.#names, topicFilter);
    return !this.#hopeless.areRefused;
  }

  unsubscribe(): Answer {
    return true;
  }

  /** Whether a line lets anything through that the filter matches and that no single line denies. */
  #canEverReceive(topicFilter: string): boolean {
    const own = this.#section?.rules ?? [];
    const patterns = (this.#patterns?.rules ?? []).flatMap((rule) => this.#named(rule));
    const ownDenied = deniedBy(own);
    return (
      letsThrough(own, ownDenied, topicFilter) ||
      letsThrough(patterns, [...ownDenied, ...deniedBy(patterns)], topicFilter)
    );
  }

  #named(rule: AclRule): AclRule[] {
    const topicFilter = withNames(rule.topicFilter, this.#names.clientId, this.#names.username);
    return topicFilter === null ? [] : [{ ...rule, topicFilter }];
  }
}

function deniedBy(rules: readonly AclRule[]): string[] {
  return rules.filter(({ access }) => access === Access.deny).map(({ topicFilter }) => topicFilter);
}

function letsThrough(rules: readonly AclRule[], denied: readonly string[], wanted: string): boolean {
  return rules.some(({ topicFilter, access }) => {
    if ((access & Access.read) === 0) return false;
    const common = commonFilter(topicFilter, wanted);
    return common !== null && !denied.some((deny) => holdsFilter(deny, common));
  });
}
