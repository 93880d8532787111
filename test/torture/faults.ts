// Which fault tests there are, what each needs and how it is run: a table. Must not print or parse.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { findPeer } from "../support/peers.ts";
import { lacewing, mosquitto } from "./broker-process.ts";
import { cutAtEachByte } from "./byte-cuts.ts";
import { clockJumps } from "./clock-jumps.ts";
import { noLoopMounts } from "./disk-image.ts";
import { farBrokers } from "./far-brokers.ts";
import { noFarNetworks } from "./far-network.ts";
import { fullDisks } from "./full-disk.ts";
import { halfOpen } from "./half-open.ts";
import { heldLoads } from "./held-load.ts";
import { killRounds } from "./kill-rounds.ts";
import { noMounts } from "./mounts.ts";
import { badNetworks } from "./network.ts";
import { powerCuts } from "./power-cut.ts";
import { countText, type Progress, type Round, roundText } from "./report.ts";
import { restorations } from "./restore.ts";
import { rotations } from "./rotation.ts";

export interface Context {
  readonly rounds: number;
  readonly seed: number;
  /** An empty folder on the disk that is to be tested. */
  readonly folder: string;
  readonly progress: Progress;
}

export interface Fault {
  /** Its number in lower case: "f1". */
  readonly name: string;
  readonly title: string;
  /** It does one round for so many that are asked for, as it takes longer or has less to find; at least one. */
  readonly oneOf: number;
  /** Why it cannot be done here; undefined when it can. */
  missing(folder: string): string | undefined;
  run(context: Context): Promise<Round[]>;
}

/** As many in flight as the client allows: the broker has most to lose then. */
const OURS = lacewing("max_inflight_messages=0");
const UNSAFE = lacewing("max_inflight_messages=0", "lacewing_durability=none");
/** A kill must not lose anything with any of them. */
const KINDS = [
  OURS,
  OURS,
  lacewing("max_inflight_messages=20"),
  lacewing("max_inflight_messages=0", "lacewing_durability=interval:100"),
  UNSAFE,
];
const PAYLOADS = [
  { least: 8, most: 120 },
  { least: 0, most: 0 },
  { least: 0, most: 3000 },
  { least: 10_000, most: 100_000 },
];
const QUIET = lacewing("connection_messages=false");
const MANY = { sessions: 100_000, messages: 1_000_000 };
const STALL_MS = 30_000;
const VANISHING_CLIENTS = 5000;
const TLS_CLIENTS = 1000;
const HELD = { connections: 5000, messagesPerSecond: 2000, seconds: 600 };
/** It tells of its heap each second. */
const TELLING = lacewing("connection_messages=false", "sys_interval=1");
const WEATHER_MS = 4000;
/** What is lost does not come, however long one waits. */
const CONTROL_QUIET_MS = 5000;
const FAR_CUTS_SECONDS = [1, 5, 30, 120];
const FAR_WORK_MS = 20_000;

export const FAULTS: readonly Fault[] = [
  {
    name: "f1",
    title: "the broker is killed under load at QoS 1",
    oneOf: 1,
    missing: () => undefined,
    run: async (context) => [
      ...(await killControl(context)),
      ...(await killRounds({ ...context, name: "f1", kinds: KINDS, payloads: PAYLOADS, qos: 1, killsPeers: false })),
    ],
  },
  {
    name: "f2",
    title: "broker, publishers and subscribers are killed at QoS 2",
    oneOf: 1,
    missing: () => undefined,
    run: (context) =>
      killRounds({ ...context, name: "f2", kinds: KINDS, payloads: PAYLOADS, qos: 2, killsPeers: true }),
  },
  {
    name: "f3",
    title: "the power goes",
    oneOf: 5,
    missing: noLoopMounts,
    run: async (context) => [
      ...(await powerControl(context)),
      ...(await powerCuts({ ...context, name: "f3", kind: OURS })),
    ],
  },
  {
    name: "f5",
    title: "the disk is full, and is emptied again",
    oneOf: 25,
    missing: noMounts,
    run: (context) => fullDisks({ ...context, name: "f5", kind: OURS, what: "full" }),
  },
  {
    name: "f5b",
    title: "the disk fails and is read-only",
    oneOf: 25,
    missing: noLoopMounts,
    run: (context) => fullDisks({ ...context, name: "f5b", kind: OURS, what: "broken" }),
  },
  {
    name: "f5c",
    title: "the disk does not answer for a while",
    oneOf: 25,
    missing: () => undefined,
    run: (context) => fullDisks({ ...context, name: "f5c", kind: OURS, what: "hanging", staysMs: STALL_MS }),
  },
  {
    name: "restore",
    title: `the broker is killed with ${countText(MANY.messages)} messages and ${countText(MANY.sessions)} sessions, and started again`,
    oneOf: 500,
    missing: () => undefined,
    run: (context) => restorations({ ...context, ...MANY, name: "restore", kind: QUIET }),
  },
  {
    name: "f6",
    title: "the network is slow, narrow, crumbles packets and breaks",
    oneOf: 5,
    missing: () => undefined,
    run: (context) => badNetworks({ ...context, name: "f6", kind: OURS, workMs: WEATHER_MS }),
  },
  {
    name: "f6b",
    title: "a connection is cut after each byte of an exchange",
    oneOf: 100,
    missing: () => undefined,
    run: byteCuts,
  },
  {
    name: "f6c",
    title: "the network is cut for 1 to 120 s, loses packets, is narrow, late and out of order",
    oneOf: 100,
    missing: noFarNetworks,
    run: (context) =>
      farBrokers({ ...context, name: "f6c", kind: OURS, cutsSeconds: FAR_CUTS_SECONDS, workMs: FAR_WORK_MS }),
  },
  {
    name: "f7",
    title: "peers vanish without a word",
    oneOf: 25,
    missing: () => undefined,
    run: (context) => halfOpen({ ...context, name: "f7", kind: OURS, clients: VANISHING_CLIENTS }),
  },
  {
    name: "f8",
    title: "the wall clock jumps",
    oneOf: 25,
    missing: () => (findPeer("libfaketime") === undefined ? "libfaketime is not installed" : undefined),
    run: (context) => clockJumps({ ...context, name: "f8", kind: OURS }),
  },
  {
    name: "f14",
    title: `certificates are renewed while ${countText(TLS_CLIENTS)} clients are connected`,
    oneOf: 100,
    missing: () => (findPeer("openssl") === undefined ? "openssl is not installed" : undefined),
    run: (context) => rotations({ ...context, name: "f14", clients: TLS_CLIENTS }),
  },
  {
    name: "f15",
    title: `${countText(HELD.connections)} connections and ${countText(HELD.messagesPerSecond)} messages a second for ${HELD.seconds} s`,
    oneOf: 500,
    missing: () => undefined,
    run: (context) => heldLoads({ ...context, ...HELD, name: "f15", kind: TELLING }),
  },
];

async function byteCuts({ rounds, folder, progress }: Context): Promise<Round[]> {
  const found: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    for (const qos of [1, 2] as const) {
      for (const direction of ["up", "down"] as const) {
        const round = await cutAtEachByte({ name: `f6b-${number}`, kind: OURS, folder, qos, direction });
        found.push(round);
        progress(roundText("f6b", number + 1, rounds, round));
      }
    }
  }
  return found;
}

/** What must lose, or else the test would not see a loss. */
async function control(name: string, context: Context, lose: (own: Context) => Promise<Round[]>): Promise<Round[]> {
  const folder = join(context.folder, "control");
  mkdirSync(folder, { recursive: true });
  const [round] = await lose({ ...context, folder, rounds: 1, progress: () => {} });
  const lost = Number(round?.figures.lost ?? 0);
  const faults = lost > 0 ? [] : [`${name} lost nothing: what is found here means nothing`];
  const found: Round = { figures: { "as control": name, "acked and lost": lost }, faults };
  context.progress(roundText("control", 1, 1, found));
  return [found];
}

async function killControl(context: Context): Promise<Round[]> {
  if (findPeer("mosquitto") === undefined) return [];
  const kind = mosquitto();
  return control(kind.name, context, (own) =>
    killRounds({ ...own, name: "f1-control", kinds: [kind], qos: 1, killsPeers: false, quietMs: CONTROL_QUIET_MS }),
  );
}

function powerControl(context: Context): Promise<Round[]> {
  return control(UNSAFE.name, context, (own) =>
    powerCuts({ ...own, name: "f3-control", kind: UNSAFE, quietMs: CONTROL_QUIET_MS }),
  );
}
