// Who comes in, by user name and password, under mosquitto and under Lacewing: the same CONNACK.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatPasswordHash, hashPassword } from "../../src/security/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import type { ConnectOptions } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { type GuardedBroker, startGuarded, startGuardedMosquitto } from "./guarded-broker.ts";

const CREDENTIALS: readonly ConnectOptions[] = [
  {},
  { username: "alice" },
  { username: "alice", password: "right" },
  { username: "alice", password: "wrong" },
  { username: "alice", password: "" },
  { username: "alice ", password: "right" },
  { username: "Alice", password: "right" },
  { username: "bob", password: "bob's" },
  { username: "nobody", password: "right" },
  { username: "" },
  { username: "", password: "right" },
];

async function codes({ port }: GuardedBroker): Promise<string[]> {
  const found: string[] = [];
  for (const version of [3, 4, 5] as const) {
    for (const options of CREDENTIALS) {
      const reasonCode = await WireClient.reasonCode({ port, host: "127.0.0.1" }, `c${version}`, {
        ...options,
        version,
      });
      found.push(`${version} ${JSON.stringify(options)}: ${reasonCode}`);
    }
  }
  return found;
}

for (const allowAnonymous of [true, false]) {
  for (const passwords of ["no", "an empty", "a"] as const) {
    const title = `allow_anonymous ${allowAnonymous} and ${passwords} password file: as mosquitto`;
    testWithPeers(title, ["mosquitto", "mosquitto_passwd"], async (context) => {
      const folder = temporaryFolder(context);
      const passwordFile = join(folder, "passwords");
      writeFileSync(passwordFile, "", { mode: 0o600 });
      if (passwords === "a") await addUsers(passwordFile);
      const settings = { allowAnonymous, ...(passwords !== "no" && { passwordFile }) };
      const [theirs, ours] = await Promise.all([startGuardedMosquitto(folder, settings), startGuarded(settings)]);
      context.after(() => Promise.all([theirs.stop(), ours.stop()]));
      const [expected, found] = await Promise.all([codes(theirs), codes(ours)]);
      assert.deepEqual(found, expected);
    });
  }
}

/** One user by mosquitto_passwd, one by us. */
async function addUsers(path: string): Promise<void> {
  await startPeer("mosquitto_passwd", ["-b", path, "alice", "right"]).end();
  const hash = formatPasswordHash(await hashPassword("bob's", "sha512"));
  writeFileSync(path, `bob:${hash}\n`, { flag: "a" });
}
