// Our own broker, as built in dist/.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../root.ts";
import type { BrokerKind } from "./broker.ts";

const MAIN = join(ROOT, "dist/cli/main.js");
/** Figures of the broker itself; durable ones have scenarios of their own. */
const IN_MEMORY = ["--set", "persistence=false"];
const FAIR = ["--set", "max_inflight_messages=0", "--set", "max_queued_messages=0"];

export const lacewing: BrokerKind = {
  name: "lacewing",
  versions: [3, 4, 5],
  find() {
    if (!existsSync(MAIN)) return undefined;
    return (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
  },
  command(port, settings) {
    const fixed = [
      process.execPath,
      MAIN,
      "-p",
      String(port),
      "--host",
      "127.0.0.1",
      "--allow-anonymous",
      ...IN_MEMORY,
    ];
    return settings === "fair" ? [...fixed, ...FAIR] : fixed;
  },
};
