/** The width of the terminal and the colours of texts for people. */
import type { TextStyle } from "../explain/index.ts";
import type { ToolIo } from "./output.ts";

/** Columns where there is no terminal, and the most that are used of a wide one: long lines are hard to read. */
const WIDTH = { without: 100, most: 110 } as const;

interface Layout {
  readonly width: number;
  readonly style?: TextStyle;
}

function painted(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}

const COLOURS: TextStyle = { heading: painted(1), command: painted(36), faint: painted(2) };

/** How texts on standard output are laid out: colours only on a terminal, and not when NO_COLOR is set. */
export function textLayout({ stdout, env = {} }: Pick<ToolIo, "stdout" | "env">): Layout {
  const { isTTY = false, columns } = stdout as { isTTY?: boolean; columns?: number };
  const width = Math.min(columns ?? WIDTH.without, WIDTH.most);
  const isPlain = !isTTY || (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  return isPlain ? { width } : { width, style: COLOURS };
}
