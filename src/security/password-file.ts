/** Password files, as mosquitto_passwd and `lacewing passwd` write them: `USERNAME:HASH` on each line. */
import { HAS_ARGON2, parseArgon2 } from "./argon2.ts";
import { type AnyHash, parsePasswordHash } from "./password-hash.ts";
import { SecurityError } from "./security-error.ts";
import { linesOf, readText } from "./text-lines.ts";

/** Users with the hash of their password. */
export interface PasswordFile {
  readonly users: ReadonlyMap<string, AnyHash>;
  /** What an operator should hear of, and why it opens nothing. */
  readonly warnings: readonly string[];
}

/** Longest user name, in bytes [5.0 §1.5.4]. */
const LONGEST_NAME_BYTES = 65_535;

/**
 * Reads a password file. As in mosquitto 2.1, a user name that is empty, too long or there twice, and a password that is empty or not
 * hashed, is an error; a line without a colon is passed over, here with a warning.
 * @throws SecurityError when it cannot be read or has a line that cannot be understood
 */
export async function readPasswordFile(path: string): Promise<PasswordFile> {
  return parsePasswordFile(path, await readText(path));
}

/**
 * As `readPasswordFile`, of text that is here already.
 * @throws SecurityError
 */
export function parsePasswordFile(path: string, content: string): PasswordFile {
  const users = new Map<string, AnyHash>();
  const warnings: string[] = [];
  for (const { number, text } of linesOf(content)) {
    const [name = "", password] = text.split(":", 2);
    const username = name.trim();
    if (password === undefined)
      warnings.push(`${path}:${number}: no colon between user name and password; the line is passed over.`);
    else {
      const fault = faultOf(name, username, users);
      if (fault !== null) throw new SecurityError(path, number, fault.what, { lead: `${fault.lead} in password file` });
      users.set(username, hashOf(path, number, username, password.trim()));
    }
  }
  return { users, warnings };
}

/** What is wrong with a user name, in our words behind mosquitto's; null: nothing. */
function faultOf(
  name: string,
  username: string,
  users: ReadonlyMap<string, AnyHash>,
): { readonly lead: string; readonly what: string } | null {
  if (username === "") return { lead: name === "" ? "Invalid line" : "Empty username", what: "the user name is empty" };
  if (Buffer.byteLength(username) > LONGEST_NAME_BYTES)
    return { lead: "Invalid line", what: `the user name is longer than ${LONGEST_NAME_BYTES} bytes` };
  if (users.has(username))
    return {
      lead: `Duplicate user '${username}'`,
      what: "that user has a line above, and one password is all that can be",
    };
  return null;
}

function hashOf(path: string, line: number, username: string, text: string): AnyHash {
  const hash = parsePasswordHash(text) ?? parseArgon2(text);
  if (hash === null) {
    const what =
      text === ""
        ? `user ${username} has no password`
        : text.startsWith("$")
          ? `the password of user ${username} is not one of $6$SALT$HASH, $7$ITERATIONS$SALT$HASH and $argon2id$...`
          : `the password of user ${username} is not hashed; lacewing passwd -U ${path} hashes all passwords of a plain file`;
    throw new SecurityError(path, line, what, { lead: "Unable to decode line in password file" });
  }
  if (hash.algorithm === "argon2id" && !HAS_ARGON2) {
    throw new SecurityError(
      path,
      line,
      `the password of user ${username} is hashed with Argon2, which needs Node.js 24.7 or later (this is ${process.versions.node}); lacewing passwd -b ${path} ${username} sets it anew`,
    );
  }
  return hash;
}
