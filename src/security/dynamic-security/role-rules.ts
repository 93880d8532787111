/** Clients, groups and roles as a source of rules, decided in mosquitto's order. */
import { holdsFilter, withNames } from "../filter-sets.ts";
import type { Answer, Rules } from "../rules.ts";
import type { RulesSource } from "../sources.ts";
import type { Names } from "../topic-tree.ts";
import type { AclType, DefaultType, Group, Role, SecurityData } from "./data.ts";

/** Has rules for the clients of dynamic security. */
export class RoleSource implements RulesSource {
  readonly #data: SecurityData;

  constructor(data: SecurityData) {
    this.#data = data;
  }

  rulesFor(names: Names): Rules {
    return new RoleRules(this.#data, names);
  }
}

/**
 * The rules of one client: its own roles, the highest priority first, then those of its groups in the same way; within a role the
 * rule with the highest priority that matches. Where none does, the default counts, but never for `$CONTROL`.
 */
class RoleRules implements Rules {
  readonly #data: SecurityData;
  readonly #names: Names;
  readonly #roles: readonly Role[];
  /** Whether the defaults are for this client: those whom dynamic security does not know have no rights by it. */
  readonly #isKnown: boolean;

  constructor(data: SecurityData, names: Names) {
    const { username } = names;
    const client = username === null ? undefined : data.clients.get(username);
    const ofGroup = (group: Group): Role[] => [...group.roles].map(({ target }) => target);
    this.#data = data;
    this.#names = names;
    this.#isKnown = username === null || client !== undefined;
    if (client !== undefined) {
      const own = [...client.roles].map(({ target }) => target);
      this.#roles = [...own, ...[...client.groups].flatMap(({ target }) => ofGroup(target))];
    } else {
      this.#roles = username === null && data.anonymousGroup !== null ? ofGroup(data.anonymousGroup) : [];
    }
  }

  publish(topicName: string): Answer {
    return this.#ofTopic("publishClientSend", topicName);
  }

  receive(topicName: string): Answer {
    return this.#ofTopic("publishClientReceive", topicName);
  }

  #ofTopic(type: "publishClientSend" | "publishClientReceive", topicName: string): Answer {
    for (const role of this.#roles) {
      const acls = role.acls(type);
      if (acls.length === 0) continue;
      let first = acls.length;
      role.tree(type).match(topicName, this.#names, (at) => {
        if (at < first) first = at;
      });
      if (first < acls.length) return acls[first]!.isAllowed;
    }
    return this.#default(type, topicName);
  }

  subscribe(topicFilter: string): Answer {
    const hasWildcard = /[+#]/.test(topicFilter);
    for (const role of this.#roles) {
      if (hasWildcard && !role.allowsWildcardSubscriptions) return false;
      const answer = this.#ofFilter(role, "subscribeLiteral", "subscribePattern", topicFilter);
      if (answer !== null) return answer;
    }
    return this.#default("subscribe", topicFilter);
  }

  unsubscribe(topicFilter: string): Answer {
    for (const role of this.#roles) {
      const answer = this.#ofFilter(role, "unsubscribeLiteral", "unsubscribePattern", topicFilter);
      if (answer !== null) return answer;
    }
    return this.#default("unsubscribe", topicFilter);
  }

  #ofFilter(role: Role, literal: AclType, pattern: AclType, topicFilter: string): Answer {
    const exact = role.acl(literal, topicFilter);
    if (exact !== undefined) return exact.isAllowed;
    const { clientId, username } = this.#names;
    for (const { topic, isAllowed } of role.acls(pattern)) {
      const filter = withNames(topic, clientId, username);
      if (filter !== null && holdsFilter(filter, topicFilter)) return isAllowed;
    }
    return null;
  }

  #default(type: DefaultType, topic: string): Answer {
    const isAllowed = this.#isKnown && !topic.startsWith("$CONTROL") && this.#data.defaults.get(type) === true;
    return isAllowed ? true : null;
  }
}
