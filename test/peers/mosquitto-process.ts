// Eclipse mosquitto as a broker in a process of its own, on a free port of the loopback interface.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeer, startPeer } from "../support/peers.ts";
import type { BrokerProcess } from "./tools-suite.ts";

/** Starts it, when it is installed; else what needs it is skipped. */
export async function startMosquitto(): Promise<BrokerProcess> {
  if (findPeer("mosquitto") === undefined) return { port: 0, stop: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), "lacewing-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  const port = await freePort();
  // Only what is written to a log file, standard error included, comes at once.
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\n`);
  const program = startPeer("mosquitto", ["-c", file]);
  await program.printed(/running$/m);
  const stop = async () => {
    await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, stop };
}

/** A port that was free a moment ago: mosquitto cannot choose one by itself. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
