/** What is wrong with a file that decides who may do what. */

/** A file of users, rules or keys that cannot be used: which one, where in it, what is wrong, and what is allowed. */
export class SecurityError extends Error {
  override readonly name: string = "SecurityError";
  readonly path: string;
  /** From 1; null: it concerns the file as a whole. */
  readonly line: number | null;

  /** Whether the file is not there. */
  readonly isAbsent: boolean;

  /**
   * @param what a sentence without its full stop
   * @param lead mosquitto's words for it, before the place
   */
  constructor(path: string, line: number | null, what: string, isAbsent: boolean = false, lead: string = "") {
    const place = line === null ? path : `${path}:${line}`;
    super(`${lead === "" ? "" : `${lead} `}${place}: ${what}.`);
    this.path = path;
    this.line = line;
    this.isAbsent = isAbsent;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "the broker may not read it",
  EPERM: "the broker may not read it",
  EISDIR: "it is a folder",
};

/** The SecurityError of a file that the system does not let us read. */
export function unreadable(path: string, error: unknown): SecurityError {
  const { code, message } = error as NodeJS.ErrnoException;
  const isAbsent = code === "ENOENT";
  const hint =
    isAbsent && /^["']/.test(path) ? "; quotation marks are taken for a part of the name, leave them out" : "";
  return new SecurityError(path, null, `cannot be read: ${REASONS[code ?? ""] ?? message}${hint}`, isAbsent);
}
