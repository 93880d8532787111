/** How wide text is on a terminal, where Chinese characters take two columns, and its breaking into lines. */

/** Ranges of characters that take two columns, as Unicode's East Asian Width has them, without the rare ones. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** The columns that `text` takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Characters that begin no line. */
const NOT_FIRST = /^[\u3001\u3002\uff0c\uff1a\uff1b\uff01\uff1f\uff09\u300b\u201d\u2019]/u;
/** A piece that stays together: a wide character with what may not begin a line after it, other characters up to a space, spaces. */
const PIECES =
  /[\u2e80-\u303e\u3041-\ua4cf\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60][\u3001\u3002\uff0c\uff1a\uff1b\uff01\uff1f\uff09\u300b\u201d\u2019]*|[^\s\u2e80-\u303e\u3041-\ua4cf\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]+|\s+/gu;

/** Breaks `text` into lines of at most `width` columns; a word that is wider has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let lineWidth = 0;
  for (const [piece] of text.matchAll(PIECES)) {
    const pieceWidth = displayWidth(piece);
    if (line !== "" && lineWidth + pieceWidth > width && !NOT_FIRST.test(piece)) {
      lines.push(line.trimEnd());
      line = "";
      lineWidth = 0;
    }
    if (line === "" && piece.trim() === "") continue;
    line += piece;
    lineWidth += pieceWidth;
  }
  if (line.trim() !== "" || lines.length === 0) lines.push(line.trimEnd());
  return lines;
}
