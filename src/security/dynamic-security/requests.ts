/** Requests to `$CONTROL/dynamic-security/v1`: JSON with commands, answered in JSON with one response for each. */
import { CLIENT_COMMANDS } from "./client-commands.ts";
import { type Command, CommandError, type CommandWorld, type Outcome } from "./command.ts";
import { isJson, isNoText, type Json, listOf, textOf } from "./fields.ts";
import { GROUP_COMMANDS } from "./group-commands.ts";
import { ROLE_COMMANDS } from "./role-commands.ts";

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...CLIENT_COMMANDS, ...GROUP_COMMANDS, ...ROLE_COMMANDS }).map(([name, command]) => [
    name.toLowerCase(),
    command,
  ]),
);

const UNKNOWN = "Unknown command";

/** One response. */
function response(command: string, outcome: Outcome, correlationData?: string): Json {
  return { command, ...outcome, ...(correlationData !== undefined && { correlationData }) };
}

/** Does the commands of a request in order and returns its whole answer. */
export async function answerRequest(world: CommandWorld, payload: Uint8Array): Promise<Json> {
  let request: unknown;
  try {
    request = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return { responses: [response(UNKNOWN, { error: "Payload not valid JSON" })] };
  }
  const commands = isJson(request) ? listOf(request, "commands") : undefined;
  if (commands === undefined) return { responses: [response(UNKNOWN, { error: "Invalid/missing commands" })] };
  const responses: Json[] = [];
  for (const json of commands) {
    const stop = fault(json);
    if (stop !== null) return { responses: [...responses, stop] };
    responses.push(await perform(world, json as Json));
  }
  return { responses };
}

/** What ends the whole request at something that is no command; null: it is one. */
function fault(json: unknown): Json | null {
  if (!isJson(json)) return response(UNKNOWN, { error: "Command not an object" });
  const name = textOf(json, "command");
  if (name === undefined) return response(UNKNOWN, { error: "Missing command" });
  return isNoText(json, "correlationData") ? response(name, { error: "Invalid correlationData data type." }) : null;
}

async function perform(world: CommandWorld, json: Json): Promise<Json> {
  const name = textOf(json, "command")!;
  const command = COMMANDS.get(name.toLowerCase());
  const outcome = command === undefined ? { error: UNKNOWN } : await outcomeOf(command, world, json);
  return response(name, outcome, textOf(json, "correlationData"));
}

async function outcomeOf(command: Command, world: CommandWorld, json: Json): Promise<Outcome> {
  try {
    return await command(world, json);
  } catch (error) {
    if (error instanceof CommandError) return { error: error.message };
    throw error;
  }
}
