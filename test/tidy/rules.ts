// The rules of the house that a machine can check. Each takes files and returns what is wrong, with what to do about
// it; DESIGN and STYLE say why.
import { posix } from "node:path";
import { importsOf, isTest, isTypeScript, type TextFile, withoutComments } from "./tree.ts";

/** One thing that is wrong: where, what, and what to do. */
export type Complaint = string;

export type Rule = (files: readonly TextFile[]) => readonly Complaint[];

/** The folders of src/: each may import from those before it. */
const FOLDERS = [
  "protocol",
  "core",
  "explain",
  "transport",
  "store",
  "security",
  "client",
  "bridge",
  "mesh",
  "config",
  "observe",
  "admin",
  "server",
  "embed",
  "doctor",
  "cli",
];
/** What a folder gives to others: everything, what runs in browsers too, or the one thing that a command needs which is to start fast. */
const FACES = ["index.ts", "browser.ts", "version.ts"];
/** They run in browsers too and do no I/O. */
const PURE_FOLDERS = ["protocol", "core", "explain"];
/** Files of src/ over the limit, with the reason why they are not two. */
const LONG_FILES: Readonly<Record<string, string>> = {};
const MOST_LINES = 500;
/** Programs that are started by path and imported by nobody. */
const STARTED_FILES = [
  "src/cli/main.ts",
  "src/store/lmdb/store-child.ts",
  "bench/run.ts",
  "bench/load.ts",
  "bench/start.ts",
  "bench/clients.ts",
  "bench/clients/run-pair.ts",
  "bench/clients/run-idle.ts",
  "bench/store.ts",
];

function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function sources(files: readonly TextFile[]): readonly TextFile[] {
  return files.filter((file) => isTypeScript(file) && file.path.startsWith("src/"));
}

/** A folder imports only from folders above it, and only their faces. */
const importDirection: Rule = (files) =>
  sources(files).flatMap((file) =>
    importsOf(file).flatMap(({ path }) => (path === undefined ? [] : complaintsOfImport(file, path))),
  );

function complaintsOfImport(file: TextFile, path: string): readonly Complaint[] {
  const [from, to] = [folderOf(file.path), folderOf(path)];
  const line = `${file.path} imports ${path}`;
  if (from === undefined || !FOLDERS.includes(from))
    return [`${file.path}: src/${from ?? ""} has no place in the order of folders; give it one in FOLDERS.`];
  if (from === to) return [];
  if (to === undefined) return isTest(file) ? [] : [`${line}, which is not published; move what is needed to src/.`];
  if (FOLDERS.indexOf(to) >= FOLDERS.indexOf(from))
    return [`${line}, but ${to}/ is not above ${from}/; take what is needed as an argument.`];
  if (!FACES.some((face) => path === `src/${to}/${face}`))
    return [`${line}; import from src/${to}/index.ts what it gives to others.`];
  return [];
}

/** What protocol/, core/ and explain/ must not touch, as they do no I/O and run anywhere. */
const OUTSIDE_WORLD =
  /\b(process\.(?=\w)|(?:Buffer|setTimeout|setInterval|setImmediate|queueMicrotask|performance|console|fetch|crypto|Date\.now|new Date)\b)/;

/** No I/O, timer, clock or package in the folders that are pure. */
const purity: Rule = (files) =>
  sources(files)
    .filter((file) => PURE_FOLDERS.includes(folderOf(file.path) ?? "") && !isTest(file))
    .flatMap((file) => [
      ...importsOf(file)
        .filter(({ path }) => path === undefined)
        .map(({ specifier }) => `${file.path} imports ${specifier}; what does I/O belongs to transport/ or below.`),
      ...linesWith(file, OUTSIDE_WORLD, withoutStrings(file.text)).map(
        ({ at, found }) => `${at} uses ${found}; take it from the outside, as core/clock.ts does.`,
      ),
    ]);

/** What a browser.ts gives to others runs in browsers: nothing of Node is reached from it. */
const browserFaces: Rule = (files) =>
  files
    .filter((file) => file.path === `src/${folderOf(file.path)}/browser.ts`)
    .flatMap((face) => {
      const reached = reachable([face], files);
      return sources(files)
        .filter((file) => reached.has(file.path))
        .flatMap((file) =>
          importsOf(file)
            .filter(
              ({ path, specifier }) => path === undefined && (specifier.startsWith("node:") || !/^[.]/.test(specifier)),
            )
            .map(
              ({ specifier }) =>
                `${file.path} imports ${specifier} and is reached from ${face.path}, which runs in browsers.`,
            ),
        );
    });

function withoutStrings(text: string): string {
  // Within a template, only what is outside of ${} is text; all of it is blanked, which misses little.
  return withoutComments(text).replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, '""');
}

function linesWith(
  file: TextFile,
  pattern: RegExp,
  text: string = file.text,
): readonly { readonly at: string; readonly found: string }[] {
  return text.split("\n").flatMap((line, index) => {
    const match = pattern.exec(line);
    return match === null ? [] : [{ at: `${file.path}:${index + 1}`, found: match[1] ?? match[0] }];
  });
}

/** Nothing that switches the compiler's checks off. */
const typesAreChecked: Rule = (files) => {
  const inComments = /@ts-(?:ignore|expect-error|nocheck)\b/;
  // A test of types says with it what must not compile.
  const inTests = /@ts-(?:ignore|nocheck)\b/;
  const inCode = /(?:[:<,|&(]|\bas|=>) *an[y]\b(?! ?[(:=.])/; // spelled so that it does not find itself
  return files
    .filter(isTypeScript)
    .flatMap((file) => [
      ...linesWith(file, isTest(file) ? inTests : inComments).map(
        ({ at, found }) => `${at} has ${found}; mend the type.`,
      ),
      ...linesWith(file, inCode, withoutStrings(file.text)).map(({ at }) => `${at} uses any; unknown and a check do.`),
    ]);
};

/** `[5.0 MQTT-3.1.2-22]`: the numbers of the versions differ. */
const versionedTags: Rule = (files) =>
  files
    .filter(isTypeScript)
    .flatMap((file) =>
      linesWith(file, /(?<!\[(?:5\.0|3\.1\.1) )\b(MQTT-\d+\.\d+\.\d+-\d+)/).map(
        ({ at, found }) => `${at}: ${found} of which version? Write [5.0 ${found}] or [3.1.1 ${found}], each its own.`,
      ),
    );

/** Each file is used by something: src/ from what is published, the rest from anywhere. */
const noOrphans: Rule = (files) => {
  const code = files.filter(({ path }) => /\.(ts|mjs)$/.test(path));
  const faces = code.filter((file) => FACES.some((face) => file.path === `src/${folderOf(file.path)}/${face}`));
  const started = code.filter((file) => STARTED_FILES.includes(file.path));
  const published = reachable([...faces, ...started], code);
  const used = reachable([...faces, ...started, ...code.filter((file) => isTest(file) || isNamed(file, files))], code);
  return code.flatMap((file) => {
    if (isTest(file)) return [];
    if (file.path.startsWith("src/") && !published.has(file.path))
      return [`${file.path} is not reachable from an index.ts of src/ or from a program; connect or delete it.`];
    return used.has(file.path) ? [] : [`${file.path} is used by nothing; connect or delete it.`];
  });
};

function reachable(from: readonly TextFile[], files: readonly TextFile[]): ReadonlySet<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const visit = (file: TextFile | undefined): void => {
    if (file === undefined || seen.has(file.path)) return;
    seen.add(file.path);
    for (const { path } of importsOf(file)) visit(byPath.get(path ?? ""));
  };
  for (const file of from) visit(file);
  return seen;
}

/** Whether another file names it as a program to start: scripts by their command, TypeScript by its output. */
function isNamed(file: TextFile, files: readonly TextFile[]): boolean {
  const name = posix.basename(file.path).replace(/\.ts$/, ".js");
  const command = `scripts/run.mjs ${posix.basename(file.path, ".mjs")}"`;
  const isMentioned = ({ path, text }: TextFile) =>
    path !== file.path && (new RegExp(`["'/]${name.replace(".", "\\.")}[ ?"'\`]`).test(text) || text.includes(command));
  return !file.path.startsWith("src/") && files.some((other) => !other.path.endsWith(".md") && isMentioned(other));
}

/** No file of src/ with more lines than one can hold, unless there is a reason. */
const fileSize: Rule = (files) =>
  sources(files).flatMap((file) => {
    if (isTest(file)) return [];
    const lines = file.text.trimEnd().split("\n").length;
    const isListed = Object.hasOwn(LONG_FILES, file.path);
    if (lines > MOST_LINES && !isListed)
      return [`${file.path} has ${lines} lines: which two things does it do? Or give a reason in LONG_FILES.`];
    if (lines <= MOST_LINES && isListed) return [`${file.path} is short now; take it out of LONG_FILES.`];
    return [];
  });

/** Folders of the machines that this was written on, and hosts of package registries. */
const PLACES = /(?:^|[^\w./-])\/(?:work|farm|root|tmp)\/|registry\.npmjs|deb\.debian\.org/;

/** Nothing that is true on one machine only. */
const noMachinePlaces: Rule = (files) =>
  files.flatMap((file) =>
    linesWith(file, PLACES).map(
      ({ at, found }) => `${at} names ${found}, a place of one machine; find it at run time.`,
    ),
  );

/** Words that say nothing, and spellings that are not ours. */
const names: Rule = (files) =>
  files.flatMap(({ path }) => {
    if (!/\.(ts|mjs)$/.test(path)) return [];
    const name = posix.basename(path).replace(/(\.test)?\.(ts|mjs)$/, "");
    if (/\b(utils?|helpers?|managers?|misc|common)\b/.test(name)) return [`${path}: name it after what it exports.`];
    return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${path}: names of files are kebab-case.`];
  });

/** Nothing left behind. */
const noLeftovers: Rule = (files) =>
  files
    .filter(({ path }) => /\.(ts|mjs)$/.test(path))
    .flatMap((file) => [
      ...linesWith(file, /\b(?:TOD[O]|FIXM[E])\b/).map(
        ({ at, found }) => `${at} has ${found}; do it or file an issue.`,
      ),
      ...linesWith(file, /\b(?:test|it|describe)\.only\(|\bdebugger;/).map(
        ({ at, found }) => `${at} has ${found}; it hides the other tests.`,
      ),
    ]);

/** The rules that need nothing but the files. */
export const RULES = {
  importDirection,
  purity,
  browserFaces,
  typesAreChecked,
  versionedTags,
  noOrphans,
  fileSize,
  noMachinePlaces,
  names,
  noLeftovers,
} as const satisfies Readonly<Record<string, Rule>>;

/** What package.json says of dependencies. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Each dependency of the program is argued for in docs/adr, and none is used without being one. */
export function dependencies(files: readonly TextFile[], manifest: Manifest): readonly Complaint[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const decisions = files.filter(({ path }) => path.startsWith("docs/adr/"));
  const unargued = declared
    .filter((name) => !decisions.some(({ text }) => text.includes(`\`${name}\``)))
    .map((name) => `package.json: ${name} has no page in docs/adr that argues for it and names it as \`${name}\`.`);
  const undeclared = sources(files)
    .filter((file) => !isTest(file))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ specifier, path }) => path === undefined && !specifier.startsWith("node:"))
        .map(({ specifier }) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier)
        .filter((name) => !declared.includes(name))
        .map((name) => `${file.path} imports ${name}, which is not a dependency in package.json.`),
    );
  return [...unargued, ...undeclared];
}
