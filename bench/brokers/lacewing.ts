// Our own broker, as built in dist/.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../root.ts";
import type { BrokerKind } from "./broker.ts";
import { CERTIFICATE } from "./certificate.ts";

const MAIN = join(ROOT, "dist/cli/main.js");
const SERVER = fileURLToPath(new URL("./lacewing-server.js", import.meta.url));
const FAIR = ["max_inflight_messages=0", "max_queued_messages=0"];

export const lacewing: BrokerKind = {
  name: "lacewing",
  versions: [3, 4, 5],
  settings: ["fair", "defaults", "durable", "synced", "tls", "websocket"],
  find() {
    if (!existsSync(MAIN)) return undefined;
    return (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
  },
  command(port, settings, folder) {
    if (settings === "tls" || settings === "websocket")
      return [process.execPath, SERVER, String(port), settings, CERTIFICATE.certFile, CERTIFICATE.keyFile];
    const isDurable = settings === "durable" || settings === "synced";
    const chosen = [
      ...(isDurable ? ["persistence=true", `persistence_location=${join(folder, "data")}`] : ["persistence=false"]),
      ...(settings === "defaults" ? [] : FAIR),
    ].flatMap((setting) => ["--set", setting]);
    return [process.execPath, MAIN, "-p", String(port), "--host", "127.0.0.1", "--allow-anonymous", ...chosen];
  },
};
