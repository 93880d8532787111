/** What is wrong with a file that decides who may do what. */

/** What only some have. */
interface SecurityErrorDetails {
  /** mosquitto's words for it, before the place. */
  readonly lead?: string;
  readonly isAbsent?: boolean;
  readonly isUnopened?: boolean;
}

/** A file of users, rules or keys that cannot be used: which one, where in it, what is wrong, and what is allowed. */
export class SecurityError extends Error {
  override readonly name: string = "SecurityError";
  readonly path: string;
  /** From 1; null: it concerns the file as a whole. */
  readonly line: number | null;

  /** Whether the file is not there. */
  readonly isAbsent: boolean;
  /** Whether the file could not be opened or loaded at all; false: it says something that cannot be used. */
  readonly isUnopened: boolean;

  /** @param what a sentence without its full stop */
  constructor(path: string, line: number | null, what: string, more: SecurityErrorDetails = {}) {
    const { lead = "", isAbsent = false, isUnopened = isAbsent } = more;
    const place = line === null ? path : `${path}:${line}`;
    super(`${lead === "" ? "" : `${lead} `}${place}: ${what}.`);
    this.path = path;
    this.line = line;
    this.isAbsent = isAbsent;
    this.isUnopened = isUnopened;
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
  const what = `cannot be read: ${REASONS[code ?? ""] ?? message}${hint}`;
  return new SecurityError(path, null, what, { isAbsent, isUnopened: true });
}
