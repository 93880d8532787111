// What is played at both brokers, and what may differ.
import type { NetConnectOpts } from "node:net";
import { join } from "node:path";
import type { Version } from "../../src/protocol/index.ts";
import type { ConnectOptions } from "../support/test-client.ts";
import type { Difference } from "./difference.ts";
import { Player } from "./player.ts";

/** What each connection saw, by its name. */
export type Outcome = Readonly<Record<string, readonly string[]>>;

/** One situation. */
export interface Situation {
  readonly name: string;
  readonly play: (stage: Stage) => Promise<void>;
  readonly differs?: Difference;
}

/** A configuration file and what is played under it. */
export interface Setting {
  readonly title: string;
  /** Lines of mosquitto.conf. `@NAME` stands for a port of that name, FOLDER for the folder with the files. */
  readonly lines: readonly string[];
  /** Their text by their path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly situations: readonly Situation[];
}

/** A broker as a situation sees it. */
export interface PlayedBroker {
  /** By the names in the configuration. */
  readonly ports: Readonly<Record<string, number>>;
  readonly folder: string;
  signal(signal: NodeJS.Signals): void;
  /** Writes one of its files anew. */
  write(path: string, text: string): void;
}

/** Who connects, and where. */
export interface PlayedConnect extends Omit<ConnectOptions, "acknowledges"> {
  /** The name in the outcome by default. */
  readonly clientId?: string;
  /** Name of the listener's port; "main" by default. */
  readonly at?: string;
  /** Whether QoS 1 and 2 are answered by themselves; true by default. */
  readonly answers?: boolean;
}

/** 2.0 announces another one to a client of 5.0 that wants none. */
const KEEP_ALIVE_SECONDS = 60;
/** Rounds of packets after which nothing new should come. */
const MOST_ROUNDS = 20;

/** One performance of a situation at one broker. */
export class Stage {
  readonly broker: PlayedBroker;
  readonly #players: Map<string, Player> = new Map();

  constructor(broker: PlayedBroker) {
    this.broker = broker;
  }

  /** Where the listener of that name is; one without a port is a unix socket of that name. */
  to(at: string = "main"): NetConnectOpts {
    if (this.broker.ports[at] === undefined) return { path: join(this.broker.folder, at) };
    return { host: "127.0.0.1", port: this.broker.ports[at] };
  }

  /** Opens a connection that is called `name` in the outcome. */
  async open(name: string, options: { version?: Version; at?: string; answers?: boolean } = {}): Promise<Player> {
    const player = await Player.open(this.to(options.at), options.version, options.answers);
    this.#players.set(name, player);
    return player;
  }

  /** Opens a connection, sends CONNECT and waits for its answer. */
  async connect(name: string, options: PlayedConnect = {}): Promise<Player> {
    const player = await this.open(name, options);
    await player.connect(options.clientId ?? name, { keepAliveSeconds: KEEP_ALIVE_SECONDS, ...options });
    return player;
  }

  /** Waits until no connection hears anything new. */
  async settle(): Promise<void> {
    const count = (): number => [...this.#players.values()].reduce((sum, { transcript }) => sum + transcript.length, 0);
    let before = -1;
    for (let round = 0; round < MOST_ROUNDS && before !== count(); round++) {
      before = count();
      for (const player of this.#players.values()) await player.settle();
    }
  }

  /** Waits until nothing more comes, ends all connections and returns what they saw. */
  async end(): Promise<Outcome> {
    await this.settle();
    const outcome = Object.fromEntries([...this.#players].map(([name, { transcript }]) => [name, [...transcript]]));
    for (const player of this.#players.values()) if (!player.isClosed) await player.disconnect();
    return outcome;
  }
}
