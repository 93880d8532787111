/** Who published a retained message: its publisher may be judged again when the message is given to somebody later. */
import { ALLOW_ALL } from "./authenticator.ts";
import type { Connection } from "./connection.ts";

/** What is kept of it beside the Client Identifier, which the message has. */
export interface Source {
  /** null: it had none. */
  readonly username: string | null;
  /** Name of the listener that it came in by (`Entrance.name`); null: not known. */
  readonly listener: string | null;
}

/** Whether whoever published a retained message may publish to its topic now. */
export type SourceJudge = (source: Source, clientId: string | null, topicName: string) => boolean;

/** Who a client that has been let in is, as far as rules can be asked about it later; null: they cannot. */
export function sourceOf({ policy, connect, entrance }: Connection): Source | null {
  if (policy === ALLOW_ALL || policy.isFleeting === true) return null;
  return { username: connect?.username || null, listener: entrance.name };
}
