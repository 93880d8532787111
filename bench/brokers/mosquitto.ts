// Eclipse mosquitto as the system has it installed.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrokerKind } from "./broker.ts";
import { CERTIFICATE } from "./certificate.ts";
import { rulesIn } from "./rules.ts";

/** Debian's place first: a plain user's PATH often lacks sbin. */
const PROGRAMS = ["/usr/sbin/mosquitto", "mosquitto"];
const FAIR = "set_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\n";

/** Its user as long as it is root, who alone may write to a folder of root and read what only root may. */
const AS_ROOT = process.getuid?.() === 0 ? "user root\n" : "";

let program = "mosquitto";

export const mosquitto: BrokerKind = {
  name: "mosquitto",
  versions: [3, 4, 5],
  settings: ["fair", "defaults", "durable", "synced", "tls", "websocket", "users"],
  find() {
    for (const candidate of PROGRAMS) {
      const { stdout, error } = spawnSync(candidate, ["-h"], { encoding: "utf8" });
      const version = /mosquitto version (\S+)/.exec(stdout ?? "")?.[1];
      if (error !== undefined || version === undefined) continue;
      program = candidate;
      return version;
    }
    return undefined;
  },
  command(port, settings, folder) {
    const file = join(folder, "mosquitto.conf");
    const general = settings === "defaults" ? "" : FAIR;
    const user = settings === "fair" || settings === "defaults" ? "" : AS_ROOT;
    const durable =
      settings === "durable" || settings === "synced" ? `persistence true\npersistence_location ${folder}/\n` : "";
    const synced = settings === "synced" ? "autosave_on_changes true\nautosave_interval 1\n" : "";
    const way =
      settings === "tls"
        ? `certfile ${CERTIFICATE.certFile}\nkeyfile ${CERTIFICATE.keyFile}\n`
        : settings === "websocket"
          ? // A listener of WebSocket alone is none to it.
            `protocol websockets\nlistener 0 ${folder}/unused.sock\n`
          : "";
    const who = settings === "users" ? rulesIn(folder) : "allow_anonymous true\n";
    writeFileSync(file, `${user}${general}${durable}${synced}${who}listener ${port} 127.0.0.1\n${way}`);
    return [program, "-c", file];
  },
};
