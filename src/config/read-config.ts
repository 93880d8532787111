/**
 * Reads mosquitto.conf: its lines, the folders that it includes, and options given elsewhere, into one checked Config. All that is
 * wrong is found at once and said with file and line.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { type Draft, type ListenerDraft, newDraft, newListener } from "./draft.ts";
import { finishDraft } from "./finish-draft.ts";
import type { Option } from "./option.ts";
import { findOption, nearestOption } from "./option-table.ts";
import { ConfigError, type Notice, OptionError } from "./problem.ts";

/** An option that is not in a file, as the command line gives it. */
export interface OptionLine {
  /** As "--set". */
  readonly place: string;
  /** NAME VALUE */
  readonly text: string;
}

/** A listener that is not in a file, as the command line gives it. */
export interface LooseListener {
  readonly place: string;
  /** null: all addresses. */
  readonly host: string | null;
  /** Path of a unix socket in place of an address. */
  readonly unixPath?: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly allowAnonymous: boolean;
  /** Options of this one listener. */
  readonly lines?: readonly OptionLine[];
}

/** What is read. */
export interface ConfigSources {
  /** The main file; null: none. */
  readonly file: string | null;
  /** Listeners beside those of the file. */
  readonly listeners?: readonly LooseListener[];
  /** Options that are read after the file; one of listeners is for all of them. */
  readonly lines?: readonly OptionLine[];
  /** Ports of `-p`: in force when nothing else says where to listen. */
  readonly ports?: readonly number[];
  /** Takes the place of `persistence_location`: the variable MOSQUITTO_PERSISTENCE_LOCATION. */
  readonly persistenceLocation?: string | undefined;
}

/** A Config, and what its reader has to say about it. */
export interface ReadConfig {
  readonly config: Config;
  readonly notices: readonly Notice[];
  /** The files that it was read from, the main one first. */
  readonly files: readonly string[];
}

/** Most lines of one file, most files of a folder: more is a mistake. */
const MOST_LINES = 100_000;
const MOST_FILES = 10_000;
/** Problems that are told of; whoever has more will not read them. */
const MOST_PROBLEMS = 20;

/**
 * Reads and checks a configuration.
 * @throws ConfigError when a file cannot be read, or anything in it is not understood, misplaced or contradictory
 */
export function readConfig(sources: ConfigSources): ReadConfig {
  const reader = new Reader();
  // Who has a mosquitto.conf expects the bytes that mosquitto sends.
  if (sources.file !== null) {
    reader.draft.broker.reasonStrings = false;
    reader.readFile(sources.file, true);
  }
  for (const listener of sources.listeners ?? []) reader.addListener(listener);
  for (const line of sources.lines ?? []) reader.readLoose(line);
  const { draft } = reader;
  if (sources.persistenceLocation !== undefined) draft.persistenceLocation = sources.persistenceLocation;
  const config = draft.problems.length > 0 ? null : finishDraft(draft, sources.ports ?? []);
  if (config === null || draft.problems.length > 0) throw new ConfigError(draft.problems.slice(0, MOST_PROBLEMS));
  return { config, notices: draft.notices, files: reader.files };
}

class Reader {
  readonly draft: Draft = newDraft();
  readonly files: string[] = [];
  /** Options that may stand once in their place, with what they belong to. */
  readonly #seen: Map<unknown, Set<string>> = new Map();

  readFile(path: string, isMain: boolean): void {
    const text = this.#textOf(path);
    if (text === null) return;
    this.files.push(path);
    const { draft } = this;
    // What was begun in one file does not go on in another.
    const { listener, bridge, plugin } = draft;
    draft.listener = draft.bridge = draft.plugin = null;
    const lines = text.replace(/^\ufeff/, "").split(/\r?\n|\r/);
    if (lines.length > MOST_LINES)
      this.#problem(path, `Error: Config file '${path}' has more than ${MOST_LINES} lines.`);
    else for (const [index, line] of lines.entries()) this.#readLine(line, `${path}:${index + 1}`, isMain);
    Object.assign(draft, { listener, bridge, plugin });
  }

  #textOf(path: string): string | null {
    try {
      if (statSync(path).isDirectory()) {
        this.#problem(null, `Error: Config file '${path}' is a directory. Name the file in it.`);
        return null;
      }
      return readFileSync(path, "utf8");
    } catch (error) {
      this.#problem(null, `Error: Unable to open config file '${path}'.\n${reasonOf(error)}`);
      return null;
    }
  }

  #problem(place: string | null, text: string): void {
    this.draft.problems.push({ place, text });
  }

  #readLine(line: string, place: string, isMain: boolean): void {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return;
    const { name, rest } = split(trimmed);
    this.#guarded(place, () => {
      if (name === "include_dir") this.#include(rest, isMain);
      else this.#apply(name, rest, place);
    });
  }

  #guarded(place: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      const { message, foundWhen } = error;
      this.draft.problems.push({ place, text: message, foundWhen });
    }
  }

  /** @param isLoose whether it stands in no file: then it changes what was said before */
  #apply(name: string, rest: string, place: string, isLoose: boolean = false): void {
    const option = known(name);
    if (!isLoose) this.#once(option, name);
    option.apply(this.draft, rest, place, name);
    if (option.deprecated !== null) {
      const instead = option.deprecated === "" ? "" : ` ${option.deprecated}`;
      const text = `The '${name}' option is now deprecated and will be removed in version 3.0.${instead}`;
      this.draft.notices.push({ place, type: "notice", text });
    }
  }

  #once(option: Option, name: string): void {
    if (!option.isUnique) return;
    const owner = ownerOf(option, this.draft);
    let seen = this.#seen.get(owner);
    if (seen === undefined) this.#seen.set(owner, (seen = new Set()));
    if (seen.has(option.name)) {
      throw new OptionError(`Error: Duplicate '${name}' value in configuration. Keep one of the two.`);
    }
    seen.add(option.name);
  }

  #include(rest: string, isMain: boolean): void {
    const folder = rest.trim();
    if (!isMain) throw new OptionError("Error: The include_dir option is only valid in the main configuration file.");
    if (folder === "") throw new OptionError("Error: Empty 'include_dir' value in configuration. Allowed is a folder.");
    let names: string[];
    try {
      names = readdirSync(folder).filter((name) => name.endsWith(".conf"));
    } catch (error) {
      throw new OptionError(`Error: Unable to open include_dir '${folder}'. ${reasonOf(error)}`);
    }
    if (names.length > MOST_FILES)
      throw new OptionError(`Error: include_dir '${folder}' has more than ${MOST_FILES} files.`);
    for (const name of names.sort(byLetter)) {
      const path = join(folder, name);
      this.draft.notices.push({ place: null, type: "information", text: `Loading config file '${path}'` });
      this.readFile(path, false);
    }
  }

  addListener({ place, host, port, unixPath, allowAnonymous, lines = [] }: LooseListener): void {
    const { draft } = this;
    const listener = newListener(place, false);
    Object.assign(listener.settings, { host, port, unixPath: unixPath ?? null });
    listener.security.allowAnonymous = allowAnonymous;
    draft.listeners.push(listener);
    draft.isLocalOnly = false;
    draft.listener = listener;
    for (const line of lines) {
      const { name, rest } = split(line.text.trim());
      this.#guarded(line.place, () => this.#apply(name, rest, line.place));
    }
  }

  /** Reads an option that stands in no file. One of listeners is for all that there are, and for those of this machine when there are none. */
  readLoose({ place, text }: OptionLine): void {
    const { name, rest } = split(text.trim());
    const { draft } = this;
    this.#guarded(place, () => {
      const { scope } = known(name);
      const isOfListener = scope === "listener" || scope === "listener-or-default" || scope === "own-listener";
      if (!isOfListener && scope !== "security") {
        this.#apply(name, rest, place, true);
        return;
      }
      const targets: (ListenerDraft | null)[] =
        draft.perListenerSettings || isOfListener ? [...draft.listeners] : [null];
      if (targets.length === 0) targets.push(defaultListener(draft, place));
      for (const listener of targets) {
        draft.listener = listener;
        this.#apply(name, rest, place, true);
      }
    });
  }
}

/** The option of that name. */
function known(name: string): Option {
  const option = findOption(name);
  if (option !== null) return option;
  const close = nearestOption(name);
  const hint = close === null ? "" : ` Did you mean '${close}'?`;
  throw new OptionError(`Error: Unknown configuration variable '${name}'.${hint}`);
}

/** What an option belongs to, of which there may be several. */
function ownerOf({ scope }: Option, draft: Draft): unknown {
  if (scope === "bridge") return draft.bridge;
  if (scope === "plugin") return draft.plugin;
  const isOfListener = scope === "listener" || scope === "listener-or-default" || scope === "own-listener";
  if (isOfListener || (scope === "security" && draft.perListenerSettings))
    return draft.listener ?? draft.defaultListener;
  return draft;
}

function split(line: string): { name: string; rest: string } {
  const match = /^(\S+)[ \t]*(.*)$/s.exec(line);
  return { name: match?.[1] ?? line, rest: match?.[2] ?? "" };
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "It does not exist.";
  if (code === "EACCES") return "This user may not read it.";
  return `${error instanceof Error ? error.message : String(error)}.`;
}

/** mosquitto's order: by letter, the capital of each letter before the small one. */
function byLetter(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    const [foldedX, foldedY] = [x.toUpperCase(), y.toUpperCase()];
    if (foldedX === foldedY) return x === foldedX ? -1 : 1;
    return foldedX < foldedY ? -1 : 1;
  }
  return a.length - b.length;
}

/** The listener of this machine's clients, for options that nobody else takes. */
function defaultListener(draft: Draft, place: string): ListenerDraft {
  draft.defaultListener ??= newListener(place, true);
  if (!draft.listeners.includes(draft.defaultListener)) draft.listeners.push(draft.defaultListener);
  return draft.defaultListener;
}
