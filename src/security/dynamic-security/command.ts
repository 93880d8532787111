/** What a command of `$CONTROL/dynamic-security/v1` works with, and what it answers. */
import { CommandError, type CommandOutcome, type Json, textOf } from "../../core/index.ts";
import { isDiscouraged, isEncodable } from "../../protocol/index.ts";
import type { Client, SecurityData } from "./data.ts";

/** What commands change and tell. */
export interface CommandWorld {
  readonly data: SecurityData;
  /** Has the file written when all commands of the request are done. */
  changed(): void;
  /** Ends the connections of a client, or of all without name, once the answer is out. */
  kick(client: Client | null): void;
  /** Writes a line about what an administrator did. */
  tell(line: string): void;
  /** Addresses that a client is connected from. */
  addressesOf(client: Client): readonly string[];
}

/** Does one command. */
export type Command = (world: CommandWorld, json: Json) => CommandOutcome | Promise<CommandOutcome>;

/** What names are called in answers. */
const NAMES = { username: "Username", groupname: "Group name", rolename: "Role name" } as const;

/** A name that must be there, as `username`. @throws CommandError */
export function nameOf(json: Json, key: keyof typeof NAMES): string {
  return sendable(found(textOf(json, key), `Invalid/missing ${key}`), NAMES[key]);
}

/** A name for something new: as `nameOf`, and not empty. @throws CommandError */
export function newNameOf(json: Json, key: keyof typeof NAMES): string {
  const name = nameOf(json, key);
  if (name === "") throw new CommandError(`Empty ${key}`);
  return name;
}

/** `thing`, or the end of the command. @throws CommandError */
export function found<Thing>(thing: Thing | undefined, error: string): Thing {
  if (thing === undefined) throw new CommandError(error);
  return thing;
}

/**
 * `text`, when a client could send it: JSON can write characters that the broker takes from nobody.
 * @param what it is, for the answer
 * @throws CommandError
 */
export function sendable(text: string, what: string): string {
  if (!isEncodable(text) || isDiscouraged(text)) throw new CommandError(`${what} not valid UTF-8`);
  return text;
}
