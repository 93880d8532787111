// The client libraries that are measured: which are here, and by which programs.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../root.ts";

/** A client library. */
export interface Library {
  readonly name: string;
  readonly version: string;
  /** The command that measures a pair; PORT, QOS, WINDOW, SECONDS, WARM-UP and PAYLOAD-BYTES follow. */
  readonly pair: readonly string[];
  /** The command that measures idle clients; PORT, FEWER and MORE follow. Empty: there is none. */
  readonly idle: readonly string[];
}

/** All that can be measured here; `say` is told of those that cannot. */
export function findLibraries(say: (text: string) => void): readonly Library[] {
  const own = programOf("lacewing", versionIn("package.json"));
  const mqttjs = programOf("mqttjs", versionIn("node_modules/mqtt/package.json"));
  const libmosquitto = findLibmosquitto(say);
  return libmosquitto === null ? [own, mqttjs] : [own, mqttjs, libmosquitto];
}

function programOf(name: string, version: string): Library {
  const pair = [process.execPath, fileURLToPath(new URL("./run-pair.js", import.meta.url)), name];
  const idle = [process.execPath, fileURLToPath(new URL("./run-idle.js", import.meta.url)), name];
  return { name, version, pair, idle };
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(join(ROOT, path), "utf8")) as { readonly version: string }).version;
}

function findLibmosquitto(say: (text: string) => void): Library | null {
  const folder = join(ROOT, "build/bench");
  mkdirSync(folder, { recursive: true });
  const program = join(folder, "libmosquitto-pair");
  const source = join(ROOT, "bench/clients/libmosquitto-pair.c");
  const compiler = process.env.CC ?? "cc";
  // Renamed when it is whole: another run may be using the program right now.
  const fresh = `${program}-${process.pid}`;
  const compiled = spawnSync(compiler, ["-O2", "-o", fresh, source, "-lmosquitto", "-lpthread"]);
  if (compiled.status !== 0) {
    say("libmosquitto is left out: it needs a C compiler and libmosquitto-dev.");
    return null;
  }
  renameSync(fresh, program);
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return { name: "libmosquitto", version: stdout.trim(), pair: [program], idle: [] };
}
