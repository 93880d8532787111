/** An ACL file as a source of rules. */
import type { AclFile } from "./acl-file.ts";
import { AclRules } from "./acl-rules.ts";
import type { Rules } from "./rules.ts";
import type { RulesSource, SecurityLog } from "./sources.ts";
import type { Names } from "./topic-tree.ts";

/** Has the rules of an ACL file. */
export class AclSource implements RulesSource {
  readonly #file: AclFile;
  readonly #refuses: boolean;
  readonly #log: SecurityLog;

  /** @param refuses whether subscriptions that nothing can come through are refused */
  constructor(file: AclFile, refuses: boolean, log: SecurityLog) {
    this.#file = file;
    this.#refuses = refuses;
    this.#log = log;
  }

  rulesFor(names: Names): Rules {
    return new AclRules(this.#file, names, { areRefused: this.#refuses, found: (...what) => this.#hopeless(...what) });
  }

  #hopeless({ clientId }: Names, topicFilter: string): void {
    const what = this.#refuses ? "is refused" : "is granted, as mosquitto does, but nothing will come of it";
    const line = `Client ${clientId} subscribes to ${topicFilter}, which its rules let nothing through for: it ${what}.`;
    this.#log("notice", line);
  }
}
