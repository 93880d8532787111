// Our own broker, as built in dist/.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../root.ts";
import type { BrokerKind } from "./broker.ts";
import { CERTIFICATE } from "./certificate.ts";
import { rulesIn } from "./rules.ts";

const MAIN = join(ROOT, "dist/cli/main.js");
const SERVER = fileURLToPath(new URL("./lacewing-server.js", import.meta.url));
const FAIR = ["max_inflight_messages=0", "max_queued_messages=0"];

export const lacewing: BrokerKind = {
  name: "lacewing",
  versions: [3, 4, 5],
  settings: ["fair", "defaults", "durable", "synced", "tls", "websocket", "users"],
  find() {
    if (!existsSync(MAIN)) return undefined;
    return (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
  },
  command(port, settings, folder) {
    if (settings === "tls" || settings === "websocket")
      return [process.execPath, SERVER, String(port), settings, CERTIFICATE.certFile, CERTIFICATE.keyFile];
    if (settings === "users") return underFile(port, folder, rulesIn(folder));
    const isDurable = settings === "durable" || settings === "synced";
    const chosen = [
      ...(isDurable ? ["persistence=true", `persistence_location=${join(folder, "data")}`] : ["persistence=false"]),
      ...(settings === "defaults" ? [] : FAIR),
    ].flatMap((setting) => ["--set", setting]);
    return [process.execPath, MAIN, "-p", String(port), "--host", "127.0.0.1", "--allow-anonymous", ...chosen];
  },
};

function underFile(port: number, folder: string, who: string): readonly string[] {
  const file = join(folder, "lacewing.conf");
  const bounds = FAIR.map((setting) => setting.replace("=", " ")).join("\n");
  writeFileSync(file, `${bounds}\nlistener ${port} 127.0.0.1\n${who}`);
  return [process.execPath, MAIN, "-c", file];
}

/** The same broker that lets anybody do anything: what users and rules cost is the difference. */
export const OPEN_LACEWING: BrokerKind = {
  ...lacewing,
  name: "lacewing-open",
  settings: ["users"],
  command: (port, _settings, folder) => underFile(port, folder, "allow_anonymous true\n"),
};

/** The same broker without its flight recorder: what that costs is the difference. */
export const UNRECORDED_LACEWING: BrokerKind = {
  ...lacewing,
  name: "lacewing-unrecorded",
  settings: ["fair"],
  command: (port) => [process.execPath, SERVER, String(port), "unrecorded"],
};
