// A network of its own for a broker: a network namespace, and between it and us a link that loses, delays, narrows and cuts IP packets
// (weather-link.py). What TCP makes of that is the kernel's. As root on Linux; taken down whatever happens.
import { spawnSync } from "node:child_process";
import { accessSync } from "node:fs";
import { join } from "node:path";
import { startPeer } from "../support/peers.ts";
import type { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { runTool } from "./mounts.ts";

/** What becomes of packets, in both directions; what is left out is fair. */
export interface FarWeather {
  /** Share of packets lost, 0 to 1. */
  readonly loss?: number;
  readonly delayMs?: number;
  /** Up to so much later: packets may overtake each other. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Nothing arrives, and nobody is told. */
  readonly cut?: boolean;
}

const TUN = "/dev/net/tun";
const LINK = join(ROOT, "test/torture/weather-link.py");
/** Addresses for tests of networks [RFC 2544]: of each network the first half is here, the second there. */
const FIRST_ADDRESS = [198, 18] as const;
const NETWORKS = 128 * 256;

const names = new Set<string>();
process.on("exit", () => {
  for (const name of names) spawnSync("ip", ["netns", "del", name]);
});
let made = 0;

export class FarNetwork {
  /** Address of whoever runs there. */
  readonly host: string;
  readonly #name: string;
  readonly #link: Program;

  private constructor(name: string, host: string, link: Program) {
    this.#name = name;
    this.host = host;
    this.#link = link;
  }

  static async make(seed: number): Promise<FarNetwork> {
    const number = (process.pid * 8 + made++) % NETWORKS;
    const prefix = [...FIRST_ADDRESS, number >> 7].join(".");
    const [here, there] = [0, 1].map((half) => `${prefix}.${(number & 127) * 2 + half}`) as [string, string];
    const name = `lacewing-${number}`;
    const [deviceHere, deviceThere] = [`lw${number}a`, `lw${number}b`];
    runTool("ip", "netns", "add", name);
    names.add(name);
    const args = [LINK, `/var/run/netns/${name}`, deviceHere, deviceThere, `${seed}`];
    const link = startPeer("python3", args, { keepsInput: true });
    await link.printed(/^ready$/m);
    runTool("ip", "address", "add", here, "peer", there, "dev", deviceHere);
    runTool("ip", "link", "set", deviceHere, "up");
    runTool("ip", "-n", name, "address", "add", there, "peer", here, "dev", deviceThere);
    runTool("ip", "-n", name, "link", "set", deviceThere, "up");
    return new FarNetwork(name, there, link);
  }

  /** The words before a command that is to run there. */
  get command(): readonly string[] {
    return ["ip", "netns", "exec", this.#name];
  }

  /** From now on, also for what is on its way. */
  set weather(weather: FarWeather) {
    this.#link.write(`${JSON.stringify(weather)}\n`);
  }

  async remove(): Promise<void> {
    await this.#link.stop("SIGKILL");
    runTool("ip", "netns", "del", this.#name);
    names.delete(this.#name);
  }
}

/** Why this process can make no network; undefined when it can. */
export function noFarNetworks(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are those of Linux";
  if (process.getuid?.() !== 0) return "a network namespace needs root";
  try {
    accessSync(TUN);
  } catch {
    return `${TUN} is not there`;
  }
  const name = `lacewing-look-${process.pid}`;
  const { status, stderr } = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (status !== 0) return `no network namespace can be made: ${stderr?.trim()}`;
  spawnSync("ip", ["netns", "del", name]);
  return undefined;
}
