// A device whose clock is wrong at boot: it refuses every certificate, and is let in when the clock has been put right, without being
// started again.

import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder.ts";
import { libfaketimePath, testWithPeers } from "../support/peers.ts";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { certified, fixture, portOf, tlsFront } from "./fronts.ts";
import { startBroker } from "./test-broker.ts";

for (const [date, errno] of [
  ["@2000-01-01 00:00:00", "CERT_NOT_YET_VALID"],
  ["@2150-01-01 00:00:00", "CERT_HAS_EXPIRED"],
] as const) {
  testWithPeers(`a clock at ${date.slice(1, 5)} is 8 with ${errno}, and heals`, ["libfaketime"], async (context) => {
    const { port } = await startBroker(context);
    const server = portOf(await tlsFront(context, port, certified("server.pem")));
    const folder = temporaryFolder(context);
    const clock = join(folder, "clock");
    writeFileSync(clock, date);
    const env = {
      ...{ LD_PRELOAD: libfaketimePath(), FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: "1" },
      ...{ FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1" },
    };
    const args = [join(ROOT, "build/test/client/clock-child.js"), `mqtts://localhost:${server}`, fixture("ca.pem")];
    const child = new Program(process.execPath, args, { env });
    context.after(() => child.signal("SIGKILL"));
    await child.printed(new RegExp(`(disconnected 8 ${errno} true ${date.slice(1, 5)}\n){3}`));
    // By another file, so that it is never half written.
    writeFileSync(join(folder, "right"), "+0");
    renameSync(join(folder, "right"), clock);
    await child.printed(/connected 20[2-9]\d\n/);
    const { code, out } = await child.end();
    assert.equal(code, 0);
    assert.match(out, /\nconnected \d{4}\ndisconnected 0 undefined false \d{4}\n$/);
  });
}
