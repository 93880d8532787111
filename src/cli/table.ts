/** Rows of text in columns. */
import { displayWidth } from "../explain/index.ts";

/** Lines with all columns as wide as their widest text, two spaces apart. */
export function tableLines(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = heads.map((head, i) => Math.max(...[head, ...rows.map((row) => row[i]!)].map(displayWidth)));
  return [heads, ...rows].map((row) =>
    row
      .map((text, i) => text + " ".repeat(widths[i]! - displayWidth(text)))
      .join("  ")
      .trimEnd(),
  );
}
