// Clients whose Sessions begin and end all the time: one that a CONNACK promised to keep is there after a kill, one that a later
// CONNACK ended is not; only of one whose CONNECT was not answered either may be.
import { Errand } from "./errand.ts";
import type { Address } from "./link.ts";
import type { Random } from "./random.ts";

const CLIENTS = 10;

type State = "there" | "gone" | "unknown";

export class SessionChurner {
  readonly #name: string;
  readonly #random: Random;
  readonly #states: State[] = new Array<State>(CLIENTS).fill("gone");
  #isAtWork = false;
  #work: Promise<void> = Promise.resolve();

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  #clientId(client: number): string {
    return `${this.#name}-${client}`;
  }

  begin(address: Address): void {
    this.#isAtWork = true;
    this.#work = this.#churn(address);
  }

  async #churn(address: Address): Promise<void> {
    while (this.#isAtWork) {
      const client = this.#random.integer(0, CLIENTS - 1);
      const isClean = this.#random.chance(0.5);
      this.#states[client] = "unknown";
      const own = { version: this.#random.pick([4, 5] as const), clientId: this.#clientId(client), isClean };
      const connected = await Errand.connect(address, own).catch(() => null);
      if (connected === null) return;
      this.#states[client] = isClean ? "gone" : "there";
      connected.cut();
    }
  }

  /** The broker is gone: resolves when that is noticed. */
  async end(): Promise<void> {
    this.#isAtWork = false;
    await this.#work;
  }

  /** Says after the kill which Sessions are not as they were acknowledged. They are there afterwards. */
  async faults(address: Address): Promise<string[]> {
    const faults: string[] = [];
    for (const [client, state] of this.#states.entries()) {
      const clientId = this.#clientId(client);
      const connected = await Errand.connect(address, { version: 4, clientId, isClean: false });
      const is = connected.isSessionPresent ? "there" : "gone";
      connected.cut();
      if (state !== "unknown" && state !== is)
        faults.push(`the Session ${clientId} is ${is}, ${state} was acknowledged`);
      this.#states[client] = "there";
    }
    return faults;
  }
}
