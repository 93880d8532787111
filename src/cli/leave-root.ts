/**
 * Who the broker is: started by root it becomes another user before it opens anything, as mosquitto 2 does. So what that user may not
 * read or write is told of at the start, and not by the reload that comes at night; and all files that the broker makes are its own.
 */
import { closeSync, openSync, readdirSync, statSync, unlinkSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ConfiguredFile, configuredFiles, type Finding, type Notice, type ReadConfig } from "../config/index.ts";
import { StartError } from "../server/index.ts";

/** Who mosquitto becomes unless told otherwise, and who it becomes where that one is not known. */
const DEFAULT_USER = "mosquitto";
const LAST_USER = "nobody";
/** Files that are named in a message; the others are like them. */
const MOST_NAMED = 3;
const FORBIDDEN = ["EACCES", "EPERM", "EROFS"];

/** A user of this machine, or only its numbers. */
interface Identity {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Whether the system knows its groups by its name. */
  readonly isKnown: boolean;
}

/**
 * Leaves root, where the configuration or the environment (PUID, PGID) says for whom, or `hasDefault` says that it is for mosquitto's
 * default. Returns what the log should tell. Nobody has asked for the default: where it cannot be, the process stays root and says so.
 * @throws StartError when it cannot be the user that it should be
 */
export function leaveRoot(
  { config, files }: ReadConfig,
  hasDefault: boolean,
  environment: NodeJS.ProcessEnv,
): readonly Notice[] {
  if (process.geteuid?.() !== 0) return [];
  const asked = givenIdentity(environment) ?? config.process.user;
  if (asked === "root") return [stays(null)];
  if (asked === null && !hasDefault) return [];
  const { identity, notices, lack } = chosen(asked, configuredFiles(config, files));
  if (typeof identity !== "string" && lack === null) return [...notices, become(identity)];
  if (asked === null) return [stays(lack)];
  throw new StartError(`${lack} ${waysOut(identity)}`);
}

/** What a start by root under a configuration file would say of the user, who nobody becomes here. Only root can find that out. */
export function checkUser({ config, files }: ReadConfig, environment: NodeJS.ProcessEnv): readonly Finding[] {
  if (process.geteuid?.() !== 0) return [];
  const asked = givenIdentity(environment) ?? config.process.user;
  if (asked === "root") return [];
  const { identity, lack } = chosen(asked, configuredFiles(config, files));
  if (lack === null) return [];
  if (asked !== null) return [{ level: "error", place: null, text: lack, advice: waysOut(identity) }];
  return [{ level: "warning", place: null, text: `Started as root, the broker stays root: ${lack}`, advice: RIGHTS }];
}

interface Chosen {
  /** Text: why this process cannot be it. */
  readonly identity: Identity | string;
  readonly notices: readonly Notice[];
  /** Why it cannot be; null: it can. */
  readonly lack: string | null;
}

function chosen(asked: Identity | string | null, configured: readonly ConfiguredFile[]): Chosen {
  const { identity, notices } =
    typeof asked === "object" && asked !== null ? { identity: asked, notices: [] } : lookUp(asked);
  return { identity, notices, lack: typeof identity === "string" ? identity : lackOf(identity, configured) };
}

const RIGHTS = "Give it that right, as with chown or setfacl.";

function waysOut(identity: Identity | string): string {
  return typeof identity === "string"
    ? "Name one that this process can be: 'user root' stays root."
    : `${RIGHTS.slice(0, -1)}, or name another one: 'user root' stays root.`;
}

/** Why this process cannot be a user. One of root may lack the right to be others, as in a container without CAP_SETUID. */
function whyNot(name: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ERR_UNKNOWN_CREDENTIAL"
    ? `Unable to drop privileges to '${name}' because this user does not exist.`
    : `The system does not let this process become the user ${name}: ${message}.`;
}

/** @param why nothing else could be; null: it was asked for */
function stays(why: string | null): Notice {
  const text =
    why === null ? "" : ` It goes on as root because nobody has named another user, and this one cannot be: ${why}`;
  return { place: null, type: "warning", text: `Warning: lacewing should not be run as root.${text}` };
}

/** mosquitto 2.1 takes numbers from there, for containers. 0 and none change nothing. */
function givenIdentity({ PUID, PGID }: NodeJS.ProcessEnv): Identity | null {
  if (PUID === undefined && PGID === undefined) return null;
  const [uid, gid] = [numberOf("PUID", PUID), numberOf("PGID", PGID)];
  return { name: `of PUID ${uid} and PGID ${gid}`, uid, gid, isKnown: false };
}

function numberOf(name: string, text: string = "0"): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new StartError(`${name} is '${text}' in the environment. Allowed is the number of a user or group.`);
}

/** Finds the user, or why it cannot be had; for mosquitto's default there are two chances. */
function lookUp(given: string | null): { readonly identity: Identity | string; readonly notices: readonly Notice[] } {
  const name = given ?? DEFAULT_USER;
  const identity = identityOf(name);
  if (typeof identity !== "string" || name !== DEFAULT_USER) return { identity, notices: [] };
  const text = `Warning: ${identity} Trying '${LAST_USER}' instead.`;
  return { identity: identityOf(LAST_USER), notices: [{ place: null, type: "warning", text }] };
}

/** Asks the system by being that user for a moment: it knows more users than those of /etc/passwd. A text: why it cannot be. */
function identityOf(name: string): Identity | string {
  try {
    process.seteuid!(name);
  } catch (error) {
    return whyNot(name, error);
  }
  try {
    const { uid, gid } = userInfo();
    return { name, uid, gid, isKnown: true };
  } finally {
    process.seteuid!(0);
  }
}

/** Why this user cannot run the broker with these files; null when it can. */
function lackOf(identity: Identity, configured: readonly ConfiguredFile[]): string | null {
  const program = [process.execPath, fileURLToPath(import.meta.url)].map((path) => ({ path, use: "read" }) as const);
  try {
    const missing = as(identity, () => [...program, ...configured].flatMap(rightMissing));
    if (missing.length === 0) return null;
    const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : "";
    return `The user ${identity.name} may not ${missing.slice(0, MOST_NAMED).join(" and ")}${more}.`;
  } catch (error) {
    return whyNot(identity.name, error);
  }
}

/** Runs `look` with the rights of another user, whom this process can leave again. Nothing else may run meanwhile. */
function as<Found>(identity: Identity, look: () => Found): Found {
  const [groups, group] = [process.getgroups!(), process.getegid!()];
  try {
    setGroups(identity);
    process.setegid!(identity.gid);
    process.seteuid!(identity.uid);
    return look();
  } finally {
    process.seteuid!(0);
    process.setegid!(group);
    process.setgroups!(groups);
  }
}

/** Node's types do not have it. */
interface HasInitgroups {
  initgroups(user: string, extraGroup: number): void;
}

/** The groups of that user in place of root's. */
function setGroups({ name, gid, isKnown }: Identity): void {
  if (isKnown) (process as unknown as HasInitgroups).initgroups(name, gid);
  else process.setgroups!([gid]);
}

/** For good. */
function become(identity: Identity): Notice {
  const { name, uid, gid } = identity;
  setGroups(identity);
  process.setgid!(gid);
  process.setuid!(uid);
  if (uid === 0) return stays(null);
  return { place: null, type: "information", text: `Running as the user ${name}.` };
}

/** What of a use the system does not allow, as "read FILE". What is wrong otherwise, as a file that is not there, others tell. */
function rightMissing({ path, use }: ConfiguredFile): readonly string[] {
  const folder = dirname(path);
  switch (use) {
    case "read":
      return tried(`read ${path}`, () => opened(path, "r"));
    case "write":
      return tried(`write ${path}`, () => (exists(path) ? opened(path, "a") : probe(folder)));
    case "replace":
      return [...tried(`read ${path}`, () => opened(path, "r")), ...tried(`write in ${folder}`, () => probe(folder))];
    case "make":
      return tried(`write in ${folder}`, () => probe(folder));
    case "fill":
      return [...tried(`write in ${path}`, () => probe(nearestFolder(path))), ...ofStore(path)];
  }
}

/** What a store and its bridges have in their folder; the files of others there do not matter. */
const OF_STORE = /^(data|lock)\.mdb$|^(lock|clean)\.json$|^journal|\.store$/;

/** The files of a store that root had before. */
function ofStore(folder: string): readonly string[] {
  const missing: string[] = [];
  tried("", () => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile() && OF_STORE.test(entry.name))
        missing.push(...tried(`write ${path}`, () => opened(path, "r+")));
    }
  });
  return missing;
}

function nearestFolder(path: string): string {
  return exists(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function tried(what: string, attempt: () => void): readonly string[] {
  try {
    attempt();
    return [];
  } catch (error) {
    return FORBIDDEN.includes((error as NodeJS.ErrnoException).code ?? "") ? [what] : [];
  }
}

function opened(path: string, flags: "r" | "a" | "r+"): void {
  closeSync(openSync(path, flags));
}

/** Node can ask about the rights of the real user only, which root still is. */
function probe(folder: string): void {
  const path = join(folder, `.lacewing-${process.pid}`);
  opened(path, "a");
  unlinkSync(path);
}
