import assert from "node:assert/strict";
import { test } from "node:test";
import { HAS_ARGON2, parseArgon2 } from "./argon2.ts";
import { PasswordCheck } from "./password-check.ts";
import { parsePasswordFile } from "./password-file.ts";
import { formatPasswordHash, hashPassword, verifyPassword } from "./password-hash.ts";
import { SecurityError } from "./security-error.ts";

const HASH = `$7$1$${Buffer.alloc(12).toString("base64")}$${Buffer.alloc(64).toString("base64")}`;
/** Made with the reference implementation of Argon2: "password" and the salt "somesalt", -t 2 -m 16 -p 1. */
const ARGON2 = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

test("users, comments, empty lines and white space are read as mosquitto reads them", () => {
  const { users, warnings } = parsePasswordFile(
    "pw",
    `# users\n\nalice:${HASH}\r\n bob : ${HASH} \ncarol:${HASH}:more\n`,
  );
  assert.deepEqual([...users.keys()], ["alice", "bob", "carol"]);
  assert.deepEqual(warnings, []);
});

test("a line without a colon is passed over with a warning", () => {
  const { users, warnings } = parsePasswordFile("pw", "alice");
  assert.match(warnings.join("\n"), /^pw:1: no colon/);
  assert.equal(users.size, 0);
});

for (const [content, said] of [
  ["alice:", /^Unable to decode line in password file pw:1: user alice has no password/],
  [`:${HASH}`, /^Invalid line in password file pw:1: the user name is empty/],
  [` :${HASH}`, /^Empty username in password file pw:1: the user name is empty/],
  [`${"é".repeat(32_768)}:${HASH}`, /^Invalid line in password file pw:1: the user name is longer than 65535 bytes/],
  [`alice:${HASH}\nalice :${HASH}`, /^Duplicate user 'alice' in password file pw:2: that user has a line above/],
  [
    "alice:secret",
    /^Unable to decode line in password file pw:1: the password of user alice is not hashed; lacewing passwd -U pw/,
  ],
  [
    `# comment\nalice:${HASH}\nbob:$5$a$b`,
    /^Unable to decode line in password file pw:3: the password of user bob is not one of/,
  ],
] as const) {
  test(`a line that cannot be meant is an error: ${JSON.stringify(content.slice(0, 12))}`, () => {
    assert.throws(
      () => parsePasswordFile("pw", content),
      (error) => error instanceof SecurityError && said.test(error.message) && error.line !== null,
    );
  });
}

test("an Argon2 hash is read where Node.js can verify it, and refused with what to do elsewhere", async (context) => {
  const hash = parseArgon2(ARGON2)!;
  assert.deepEqual([hash.memoryKib, hash.passes, hash.lanes], [65_536, 2, 1]);
  assert.equal(parseArgon2(ARGON2.replace("p=1", "p=0")), null);
  assert.equal(parseArgon2(ARGON2.replace("m=65536", "m=99999999")), null);
  if (!HAS_ARGON2) {
    assert.throws(() => parsePasswordFile("pw", `alice:${ARGON2}`), /needs Node.js 24\.7 .*passwd -b pw alice/);
    context.diagnostic("this Node.js has no Argon2");
    return;
  }
  assert.equal(parsePasswordFile("pw", `alice:${ARGON2}`).users.size, 1);
  assert.equal(await verifyPassword("password", hash), true);
  assert.equal(await verifyPassword("passwort", hash), false);
});

test("a check knows the right password, again from memory, and no other", async () => {
  const check = new PasswordCheck();
  const hash = parsePasswordFile("pw", `a:${formatPasswordHash(await hashPassword("right"))}`).users.get("a")!;
  const [right, wrong] = [Buffer.from("right"), Buffer.from("wrong")];
  for (const round of [1, 2]) {
    assert.equal(await check.check(right, hash), "right", `round ${round}`);
    assert.equal(await check.check(wrong, hash), "wrong", `round ${round}`);
    assert.equal(await check.check(right, null, hash), "wrong", `round ${round}: nobody has that password`);
  }
});

test("many checks at once all get their answer, and too many are told so", async () => {
  const check = new PasswordCheck();
  const hash = await hashPassword("right", "sha512-pbkdf2", 1);
  const asked = Array.from({ length: 10_050 }, (_, i) => check.check(Buffer.from(`wrong ${i}`), hash));
  const answers = await Promise.all(asked);
  assert.equal(answers.filter((answer) => answer === "busy").length, 10_050 - 10_002);
  assert.equal(answers.includes("right"), false);
  assert.equal(await check.check(Buffer.from("right"), hash), "right");
});
