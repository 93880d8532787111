// Hashes of passwords: mosquitto_passwd's own, ours, and text that is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPasswordHash, hashPassword, parsePasswordHash, verifyPassword } from "./password-hash.ts";

/** Made by mosquitto_passwd 2.0.11. */
const THEIRS = [
  [
    "p",
    "$7$101$//sqcw/XTdQvKqLJ$oxAJT7ffczOtN9Lk+rAKBmIlbDJ/+3JZnp1I84YBt8WnKHmO32DAIWGb4cPIT2YuUHYvshVQWK7lKTK0NypLKg==",
  ],
  [
    "p3",
    "$6$HXRCQDtxW2moR/vD$ZU/VdHSZ0qD6mhXIrCHpPiG3VHguMCILkJc2NcFXslANdTkWurkG63jcBVSkgszStHG55WfZq3p6ShsUbPALMQ==",
  ],
] as const;

for (const [password, text] of THEIRS) {
  test(`mosquitto's ${text.slice(0, 3)} is read, verified, and written as it was`, async () => {
    const hash = parsePasswordHash(text)!;
    assert.equal(await verifyPassword(password, hash), true);
    assert.equal(await verifyPassword(`${password} `, hash), false);
    assert.equal(await verifyPassword("", hash), false);
    assert.equal(formatPasswordHash(hash), text);
  });
}

for (const algorithm of ["sha512", "sha512-pbkdf2"] as const) {
  test(`${algorithm}: each hash has a salt of its own`, async () => {
    const [first, second] = await Promise.all([
      hashPassword("pässword", algorithm, 3),
      hashPassword("pässword", algorithm),
    ]);
    assert.equal(await verifyPassword("pässword", parsePasswordHash(formatPasswordHash(first))!), true);
    assert.notDeepEqual(first.salt, second.salt);
    assert.equal(first.salt.length, 12);
    assert.equal(first.iterations, algorithm === "sha512" ? 1 : 3);
  });
}

const SALT = Buffer.alloc(12).toString("base64");
const HASH = Buffer.alloc(64).toString("base64");

for (const [text, why] of [
  ["", "nothing"],
  ["plain", "a plain password"],
  [`$5$${SALT}$${HASH}`, "another algorithm"],
  [`$6$${SALT}`, "no hash"],
  [`$6$${SALT}$${HASH}$`, "more behind it"],
  [`$6$$${HASH}`, "no salt"],
  [`$6$${SALT}$${HASH.slice(4)}`, "a short hash"],
  [`$6$${SALT}$!${HASH.slice(1)}`, "what is not base64"],
  [`$6$${Buffer.alloc(65).toString("base64")}$${HASH}`, "a long salt"],
  [`$7$0$${SALT}$${HASH}`, "no rounds"],
  [`$7$99999999$${SALT}$${HASH}`, "too many rounds"],
  [`$7$-1$${SALT}$${HASH}`, "a negative number of rounds"],
] as const) {
  test(`not a hash: ${why}`, () => assert.equal(parsePasswordHash(text), null));
}
