// npm's aedes, a broker for Node.js, in a process of its own.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BrokerKind } from "./broker.ts";

const SERVER = fileURLToPath(new URL("./aedes-server.js", import.meta.url));

export const aedes: BrokerKind = {
  name: "aedes",
  versions: [3, 4],
  settings: ["fair", "defaults"],
  find() {
    try {
      const manifest = new URL("package.json", import.meta.resolve("aedes"));
      return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
    } catch {
      return undefined;
    }
  },
  command(port, settings) {
    return [process.execPath, SERVER, String(port), settings];
  },
};
