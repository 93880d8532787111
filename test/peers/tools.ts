// The two pairs of command-line clients.
import { startPeer } from "../support/peers.ts";
import { Program } from "../support/program.ts";
import { MAIN } from "./broker-process.ts";
import type { Tools } from "./tools-suite.ts";

export const mosquittoTools: Tools = {
  needs: ["mosquitto_pub", "mosquitto_sub"],
  startPub: (args, options) => startPeer("mosquitto_pub", args, options),
  startSub: (args, options) => startPeer("mosquitto_sub", args, options),
};

export const lacewingTools: Tools = {
  needs: [],
  startPub: (args, options) => new Program(process.execPath, [MAIN, "pub", ...args], options),
  startSub: (args, options) => new Program(process.execPath, [MAIN, "sub", ...args], options),
};
