/** Requests below `$CONTROL/` in mosquitto's form: JSON with a list of commands, answered in JSON with one response for each. */
import { isJson, isNoText, type Json, listOf, textOf } from "./json.ts";

/** What a command comes to: an error for the answer, data for it, or success. */
export type CommandOutcome = { readonly error: string } | { readonly data: Json } | null;

/** Ends a command with an error. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}

/**
 * Does one command. What it throws besides a CommandError is a fault of ours.
 * @param name in small letters: commands are not told apart by capital ones
 * @param json the whole command
 * @returns undefined when there is no such command
 */
export type CommandPerformer = (
  name: string,
  json: Json,
) => CommandOutcome | undefined | Promise<CommandOutcome | undefined>;

const UNKNOWN = "Unknown command";

/** Does the commands of a request in order and returns its whole answer, in mosquitto's words. */
export async function answerCommands(payload: Uint8Array, perform: CommandPerformer): Promise<Json> {
  let request: unknown;
  try {
    request = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return refusedCommands("Payload not valid JSON");
  }
  const commands = isJson(request) ? listOf(request, "commands") : undefined;
  if (commands === undefined) return refusedCommands("Invalid/missing commands");
  const responses: Json[] = [];
  for (const json of commands) {
    const stop = fault(json);
    if (stop !== null) return { responses: [...responses, stop] };
    responses.push(await performed(perform, json as Json));
  }
  return { responses };
}

/** The answer to a request of which no command is done. */
export function refusedCommands(error: string): Json {
  return { responses: [response(UNKNOWN, { error })] };
}

/** One response. */
function response(command: string, outcome: CommandOutcome, correlationData?: string): Json {
  return { command, ...outcome, ...(correlationData !== undefined && { correlationData }) };
}

/** What ends the whole request at something that is no command; null: it is one. */
function fault(json: unknown): Json | null {
  if (!isJson(json)) return response(UNKNOWN, { error: "Command not an object" });
  const name = textOf(json, "command");
  if (name === undefined) return response(UNKNOWN, { error: "Missing command" });
  return isNoText(json, "correlationData") ? response(name, { error: "Invalid correlationData data type." }) : null;
}

async function performed(perform: CommandPerformer, json: Json): Promise<Json> {
  const name = textOf(json, "command") ?? "";
  return response(name, await outcomeOf(perform, name, json), textOf(json, "correlationData"));
}

async function outcomeOf(perform: CommandPerformer, name: string, json: Json): Promise<CommandOutcome> {
  try {
    const outcome = await perform(name.toLowerCase(), json);
    return outcome === undefined ? { error: UNKNOWN } : outcome;
  } catch (error) {
    if (error instanceof CommandError) return { error: error.message };
    throw error;
  }
}
