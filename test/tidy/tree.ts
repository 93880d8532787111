// The repository as the rules see it: the text files that are written by hand, and who imports what.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { ROOT } from "../support/repository.ts";

/** A text file; `path` is relative to the root, with "/". */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Written by programs: of no interest to rules about style. */
const GENERATED = /^(package-lock\.json|bench\/results\/.*)$/;

/** All text files of the repository but for those that git ignores. */
export function textFiles(): readonly TextFile[] {
  // Plain names of folders and files with a star for any beginning: all that .gitignore has.
  const ignored = readFileSync(join(ROOT, ".gitignore"), "utf8").split("\n").filter(Boolean);
  const isIgnored = (name: string) =>
    name === ".git" ||
    ignored.some((line) => (line.startsWith("*") ? name.endsWith(line.slice(1)) : line === `${name}/`));
  return readdirSync(ROOT).flatMap((name) => (isIgnored(name) || name === "node_modules" ? [] : filesAt(name)));
}

function filesAt(path: string): readonly TextFile[] {
  const full = join(ROOT, path);
  const names = listing(full);
  if (names !== undefined) return names.flatMap((name) => filesAt(posix.join(path, name)));
  if (GENERATED.test(path)) return [];
  const text = readFileSync(full, "utf8");
  return text.includes("\0") ? [] : [{ path, text }];
}

function listing(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path);
  } catch {
    return undefined; // a file
  }
}

/** One import or re-export. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** What a relative one names, relative to the root; undefined for a package. */
  readonly path: string | undefined;
}

const IMPORT = /(?:\bfrom|^import|\bimport\()\s*["']([^"'\n]+)["']/gm;

/** What a TypeScript or JavaScript file imports. */
export function importsOf(file: TextFile): readonly Import[] {
  const specifiers = [...withoutComments(file.text).matchAll(IMPORT)].map(([, specifier]) => specifier as string);
  return specifiers.map((specifier) => {
    const path = specifier.startsWith(".") ? posix.join(posix.dirname(file.path), specifier) : undefined;
    return { specifier, path };
  });
}

/** The text with its comments blanked; lines keep their numbers. */
export function withoutComments(text: string): string {
  // A string or template is matched first and kept, so that a "//" in it begins no comment.
  const pattern = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(pattern, (match) => (match.startsWith("/") ? match.replace(/[^\n]/g, " ") : match));
}

export function isTypeScript(file: TextFile): boolean {
  return file.path.endsWith(".ts");
}

export function isTest(file: TextFile): boolean {
  return file.path.endsWith(".test.ts");
}
