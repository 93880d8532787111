// Type=notify of systemd, with a socket of the test's own: READY=1 when the broker listens, STOPPING=1 when it is told to end.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startBrokerProcess } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";

/** Prints each datagram to a unix socket, which Node cannot have. */
const LISTENER = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True: print(s.recv(4096).decode().strip(), flush=True)`;

testWithPeers(
  "systemd is told when the broker is ready and when it stops",
  ["python3", "systemd-notify"],
  async (context) => {
    const path = join(temporaryFolder(context), "notify");
    const listener = startPeer("python3", ["-c", LISTENER, path]);
    context.after(() => listener.stop());
    await listener.printed(/bound/);
    process.env.NOTIFY_SOCKET = path;
    const broker = await startBrokerProcess().finally(() => delete process.env.NOTIFY_SOCKET);
    await listener.printed(/^READY=1$/m);
    assert.doesNotMatch(listener.out, /STOPPING/);
    await broker.stop();
    await listener.printed(/^STOPPING=1$/m);
  },
);

test("the unit waits for what the broker says, and lets systemd-notify say it", () => {
  const unit = readFileSync(join(ROOT, "contrib/systemd/lacewing.service"), "utf8");
  for (const line of ["Type=notify", "NotifyAccess=all", "LimitNOFILE=1048576", "After=network-online.target"])
    assert.ok(unit.split("\n").includes(line), line);
});
