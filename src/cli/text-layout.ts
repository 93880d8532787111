/** The width of the terminal and the colours of texts for people. */
import type { TextStyle } from "../explain/index.ts";
import type { ToolIo } from "./output.ts";

/** Columns where there is no terminal, and what is used of a narrow and of a wide one: long lines are hard to read. */
const WIDTH = { without: 100, least: 40, most: 110 } as const;

interface Layout {
  readonly width: number;
  readonly style?: TextStyle;
}

function painted(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}

const COLOURS: TextStyle = { heading: painted(1), command: painted(36), faint: painted(2) };

/** Paints the first word of an error or a warning on a terminal, unless NO_COLOR is set. */
export function errorPaint({ stderr, env = {} }: Pick<ToolIo, "stderr" | "env">): (text: string) => string {
  if (isPlain(stderr, env)) return (text) => text;
  return (text) => text.replace(/^Error(?=[: ])/, painted(31)).replace(/^Warning(?=:)/, painted(33));
}

function isPlain(stream: object, { NO_COLOR = "", TERM }: NonNullable<ToolIo["env"]>): boolean {
  return (stream as { isTTY?: boolean }).isTTY !== true || NO_COLOR !== "" || TERM === "dumb";
}

/** How texts on standard output are laid out: colours only on a terminal, and not when NO_COLOR is set. */
export function textLayout({ stdout, env = {} }: Pick<ToolIo, "stdout" | "env">): Layout {
  const { columns } = stdout as { columns?: number };
  // Some terminals say 0.
  const width = Math.max(WIDTH.least, Math.min(columns || WIDTH.without, WIDTH.most));
  return isPlain(stdout, env) ? { width } : { width, style: COLOURS };
}
