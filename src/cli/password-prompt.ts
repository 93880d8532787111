/** Asks for a password: unseen on a terminal, as lines of standard input otherwise. */
import { openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { ReadStream, WriteStream } from "node:tty";

/** A password, or why there is none. */
export type Answer = { readonly password: string } | { readonly exitCode: number; readonly why: string };

/** A terminal as standard input. */
interface Terminal extends Readable {
  readonly isTTY: true;
  setRawMode(isRaw: boolean): unknown;
}

const ENTER = ["\r", "\n", "\u0004"];
const ERASE = ["\u007f", "\b"];
const CLEAR = "\u0015";
const INTERRUPT = "\u0003";

/** Asks twice. */
export async function askPassword(stdin: Readable, stdout: Writable): Promise<Answer> {
  const source = new Source(stdin);
  try {
    const password = await source.ask("Password: ", stdout);
    if (password === null) return { exitCode: 1, why: "Error: No password given." };
    if (password === "") return { exitCode: 1, why: "Error: Empty password." };
    const again = await source.ask("Reenter password: ", stdout);
    return password === again ? { password } : { exitCode: 2, why: "Error: Passwords do not match." };
  } finally {
    source.close();
  }
}

/** Asks whoever sits at the terminal, also when standard input is something else. Returns null when nobody does, or wants to. */
export async function askOnTerminal(prompt: string): Promise<string | null> {
  let source: Source;
  let output: WriteStream;
  try {
    output = new WriteStream(openSync("/dev/tty", "w"));
    source = new Source(new ReadStream(openSync("/dev/tty", "r")));
  } catch {
    return null;
  }
  try {
    return await source.ask(prompt, output);
  } finally {
    source.close();
    output.destroy();
  }
}

/** Standard input, a character at a time. */
class Source {
  readonly #stdin: Readable;
  readonly #terminal: Terminal | null;
  readonly #characters: AsyncGenerator<string, void, void>;

  constructor(stdin: Readable) {
    this.#stdin = stdin;
    this.#terminal = isTerminal(stdin) ? stdin : null;
    this.#terminal?.setRawMode(true);
    this.#characters = charactersOf(stdin);
  }

  /** Returns a line, or null when there is none or somebody has had enough. */
  async ask(prompt: string, stdout: Writable): Promise<string | null> {
    stdout.write(prompt);
    const line = await this.#line();
    stdout.write("\n");
    return line;
  }

  async #line(): Promise<string | null> {
    let line: string[] = [];
    for (;;) {
      const { value: character, done } = await this.#characters.next();
      if (done) return line.length > 0 ? line.join("") : null;
      if (this.#terminal === null) {
        if (character === "\n") return line.join("").replace(/\r$/, "");
        line.push(character);
      } else if (character === INTERRUPT) return null;
      else if (ENTER.includes(character)) return line.join("");
      else if (ERASE.includes(character)) line.pop();
      else if (character === CLEAR) line = [];
      else line.push(character);
    }
  }

  close(): void {
    this.#terminal?.setRawMode(false);
    this.#stdin.destroy();
  }
}

async function* charactersOf(stdin: Readable): AsyncGenerator<string, void, void> {
  stdin.setEncoding("utf8");
  for await (const chunk of stdin as AsyncIterable<string>) yield* chunk;
}

function isTerminal(stdin: Readable): stdin is Terminal {
  return "isTTY" in stdin && stdin.isTTY === true;
}
