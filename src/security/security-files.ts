/** What the files of a SecurityConfig hold, looked at without a broker: for `lacewing config check`. */
import { access, constants } from "node:fs/promises";
import { readAclFile } from "./acl-file.ts";
import { parseSecurityData } from "./dynamic-security/data-file.ts";
import { readPasswordFile } from "./password-file.ts";
import { readPskFile } from "./psk-file.ts";
import { readScramFile } from "./scram.ts";
import type { JwtConfig, SecurityConfig, SecurityPlugin } from "./security-config.ts";
import { SecurityError, unreadable } from "./security-error.ts";
import { readText } from "./text-lines.ts";
import { TokenSource } from "./token-source.ts";

/** One of them. */
export interface SecurityFile {
  /** The option that names it. */
  readonly option: string;
  readonly path: string;
  /** What it holds, in the plural. */
  readonly holds: "users" | "rules" | "keys" | "code";
  /** How many of them; null: they cannot be counted, or the file cannot be used. */
  readonly count: number | null;
  /** Whether its text should be its owner's alone, as it holds hashes, keys or secrets. */
  readonly isSecret: boolean;
  readonly warnings: readonly string[];
  /** Why the broker would refuse it; null: it would not. */
  readonly error: string | null;
}

type Found = Pick<SecurityFile, "count" | "warnings">;

/** Looks at all files that are named, in the order in which they are asked. */
export function examineSecurityFiles(security: SecurityConfig): Promise<readonly SecurityFile[]> {
  const { passwordFile, aclFile, pskFile, plugins } = security;
  const all: Promise<SecurityFile>[] = [];
  if (passwordFile !== null) all.push(passwords("password_file", passwordFile));
  if (aclFile !== null) all.push(rules("acl_file", aclFile));
  if (pskFile !== null)
    all.push(examined("psk_file", pskFile, "keys", true, async () => counted((await readPskFile(pskFile)).size)));
  return Promise.all([...all, ...plugins.flatMap(ofPlugin)]);
}

function passwords(option: string, path: string): Promise<SecurityFile> {
  return examined(option, path, "users", true, async () => {
    const { users, warnings } = await readPasswordFile(path);
    return { count: users.size, warnings };
  });
}

function rules(option: string, path: string): Promise<SecurityFile> {
  return examined(option, path, "rules", false, async () => {
    const { anonymous, users, patterns, warnings } = await readAclFile(path);
    const sections = [anonymous, patterns, ...users.values()];
    return { count: sections.reduce((sum, section) => sum + section.rules.length, 0), warnings };
  });
}

function ofPlugin(plugin: SecurityPlugin): readonly Promise<SecurityFile>[] {
  switch (plugin.kind) {
    case "password-file":
      return [passwords("plugin (password file)", plugin.file)];
    case "acl-file":
      return [rules("plugin (ACL file)", plugin.file)];
    case "scram":
      return [
        examined("plugin lacewing_scram", plugin.file, "users", true, async () =>
          counted((await readScramFile(plugin.file)).size),
        ),
      ];
    case "dynamic-security":
      return [dynamicSecurity(plugin.configFile)];
    case "jwt":
      return filesOfTokens(plugin);
    case "module":
      return [
        examined("plugin", plugin.path, "code", false, async () => {
          await access(plugin.path, constants.R_OK).catch((error: unknown) => {
            throw unreadable(plugin.path, error);
          });
          return counted(null);
        }),
      ];
    case "http":
    case "given":
    case "acl-lists":
      return [];
  }
}

function dynamicSecurity(path: string): Promise<SecurityFile> {
  return examined("plugin (dynamic security)", path, "users", true, async () => {
    try {
      return counted([...parseSecurityData(path, await readText(path)).clients].length);
    } catch (error) {
      if (!(error instanceof SecurityError) || !error.isAbsent) throw error;
      return { count: null, warnings: [`${path} is not there: the first start makes it, with an administrator.`] };
    }
  });
}

function filesOfTokens(plugin: JwtConfig): readonly Promise<SecurityFile>[] {
  const files: readonly (readonly [string | null, boolean])[] = [
    [plugin.jwksFile, false],
    [plugin.secretFile, true],
    [plugin.publicKeyFile, false],
  ];
  return files.flatMap(([path, isSecret]) =>
    path === null
      ? []
      : [
          examined("plugin lacewing_jwt", path, "keys", isSecret, async () => {
            await TokenSource.open(plugin, () => {});
            return counted(null);
          }),
        ],
  );
}

function counted(count: number | null): Found {
  return { count, warnings: [] };
}

async function examined(
  option: string,
  path: string,
  holds: SecurityFile["holds"],
  isSecret: boolean,
  look: () => Promise<Found>,
): Promise<SecurityFile> {
  const what = { option, path, holds, isSecret };
  try {
    return { ...what, ...(await look()), error: null };
  } catch (error) {
    if (!(error instanceof SecurityError)) throw error;
    return { ...what, count: null, warnings: [], error: error.message };
  }
}
