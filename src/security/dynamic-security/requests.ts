/** Requests to `$CONTROL/dynamic-security/v1`. */
import { answerCommands, type Json } from "../../core/index.ts";
import { CLIENT_COMMANDS } from "./client-commands.ts";
import type { Command, CommandWorld } from "./command.ts";
import { GROUP_COMMANDS } from "./group-commands.ts";
import { ROLE_COMMANDS } from "./role-commands.ts";

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...CLIENT_COMMANDS, ...GROUP_COMMANDS, ...ROLE_COMMANDS }).map(([name, command]) => [
    name.toLowerCase(),
    command,
  ]),
);

/** Does the commands of a request in order and returns its whole answer. */
export function answerRequest(world: CommandWorld, payload: Uint8Array): Promise<Json> {
  return answerCommands(payload, (name, json) => COMMANDS.get(name)?.(world, json));
}
