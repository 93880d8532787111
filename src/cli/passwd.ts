/** `lacewing passwd`: changes password files, as mosquitto_passwd does. */
import { readFile } from "node:fs/promises";
import {
  formatPasswordHash,
  formatScramVerifier,
  hashPassword,
  replaceFile,
  SCRAM_ITERATIONS,
  scramVerifier,
} from "../security/index.ts";
import { PASSWD_COMMAND, type PasswordTask, passwordTaskOf } from "./options/password-options.ts";
import type { ToolIo } from "./output.ts";
import { askPassword } from "./password-prompt.ts";
import { systemText } from "./system-text.ts";
import { runTool } from "./tool.ts";

/** In place of a file that is to be made. */
const STANDARD_OUTPUT = "-";

/** What ends the program, with its line. */
class PasswordFileError extends Error {
  override readonly name: string = "PasswordFileError";
}

/** Runs `lacewing passwd` and returns its exit code. */
export function runPasswd(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(PASSWD_COMMAND, args, io, async (parsed) => {
    const task = passwordTaskOf(parsed);
    try {
      return await perform(task, io);
    } catch (error) {
      if (!(error instanceof PasswordFileError)) throw error;
      io.stderr.write(`${error.message}\n`);
      return 1;
    }
  });
}

async function perform(task: PasswordTask, io: ToolIo): Promise<number> {
  if (task.does !== "set" || !task.isNew) {
    // A file that cannot be changed is told before a password is asked for.
    const lines = await readLines(task.path);
    return task.does === "set" ? setPassword(task, lines, io) : await rewrite(task, lines, io);
  }
  return setPassword(task, [], io);
}

async function rewrite(
  task: Exclude<PasswordTask, { does: "set" }>,
  lines: readonly Line[],
  io: ToolIo,
): Promise<number> {
  if (task.does === "upgrade") {
    const hashed = lines.map((line) =>
      line.username === null ? line.text : hashedLine(task, line.username, line.password),
    );
    await write(task.path, await Promise.all(hashed));
    return 0;
  }
  const others = lines.filter(({ username }) => username !== task.username);
  if (others.length === lines.length) {
    io.stderr.write(`Warning: User ${task.username} not found in password file.\n`);
    return 1;
  }
  await write(task.path, textsOf(others));
  return 0;
}

async function setPassword(
  task: Extract<PasswordTask, { does: "set" }>,
  lines: readonly Line[],
  io: ToolIo,
): Promise<number> {
  const answer = task.password === null ? await askPassword(io.stdin, io.stdout) : { password: task.password };
  if ("why" in answer) {
    io.stderr.write(`${answer.why}\n`);
    return answer.exitCode;
  }
  const own = await hashedLine(task, task.username, answer.password);
  if (task.isNew && task.path === STANDARD_OUTPUT) {
    io.stdout.write(`${own}\n`);
    return 0;
  }
  const isThere = lines.some(({ username }) => username === task.username);
  const texts = lines.map(({ username, text }) => (username === task.username ? own : text));
  await write(task.path, isThere ? texts : [...texts, own]);
  return 0;
}

/** A line of a password file: a user's, or a comment. */
type Line =
  | { readonly text: string; readonly username: string; readonly password: string }
  | { readonly text: string; readonly username: null };

async function readLines(path: string): Promise<Line[]> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    throw new PasswordFileError(`Error: Unable to open password file ${path}. ${reasonOf(error)}.${advice(error)}`);
  }
  const texts = content.split("\n").map((text) => text.replace(/\r$/, ""));
  if (texts.at(-1) === "") texts.pop();
  return texts.map((text, index) => {
    if (text.trim() === "" || text.startsWith("#")) return { text, username: null };
    const [, username, password] = /^([^:]+):([^:]+)(?::.*)?$/.exec(text) ?? [];
    if (username !== undefined && username.trim() !== "" && password!.trim() !== "") {
      return { text, username: username.trim(), password: password!.trim() };
    }
    throw new PasswordFileError(
      `Error: Corrupt password file at line ${index + 1}.\nThe form is USERNAME:PASSWORD; nothing was changed.`,
    );
  });
}

function textsOf(lines: readonly Line[]): string[] {
  return lines.map(({ text }) => text);
}

async function hashedLine(
  { algorithm, iterations }: PasswordTask,
  username: string,
  password: string,
): Promise<string> {
  if (algorithm === "scram-sha-256") {
    const verifier = await scramVerifier(password, Math.max(iterations, SCRAM_ITERATIONS));
    return `${username}:${formatScramVerifier(verifier)}`;
  }
  return `${username}:${formatPasswordHash(await hashPassword(password, algorithm, iterations))}`;
}

async function write(path: string, lines: readonly string[]): Promise<void> {
  try {
    await replaceFile(path, lines.map((line) => `${line}\n`).join(""));
  } catch (error) {
    throw new PasswordFileError(`Error: Unable to open file ${path} for writing. ${reasonOf(error)}.`);
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return systemText(code, message);
}

function advice(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === "ENOENT" ? "\n-c makes a new file." : "";
}
