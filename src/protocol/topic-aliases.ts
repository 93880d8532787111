/** Topic aliases [5.0 §3.3.2.3.4]: one table for each direction of a connection, forgotten with it. */

/** What an incoming alias means. */
export class InboundAliases {
  readonly #names: (string | undefined)[] = [];
  readonly #maximum: number;

  /** @param maximum what we announced, 0..65,535; 0 allows none */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * The Topic Name of a PUBLISH that carries `alias`: its own, which the alias stands for from now on, or the one that the alias
   * stands for; empty when it stands for nothing, null when it is out of range [5.0 §3.3.4] [5.0 MQTT-3.3.2-9].
   */
  resolve(alias: number, topicName: string): string | null {
    if (alias < 1 || alias > this.#maximum) return null;
    if (topicName === "") return this.#names[alias] ?? "";
    this.#names[alias] = topicName;
    return topicName;
  }
}

/** What the sender does with a topic: `isNew` asks for the name to be sent beside the alias. */
export interface OutboundAlias {
  readonly alias: number;
  isNew: boolean;
}

/** The aliases we give out: the first topics get them, and keep them until the connection ends. */
export class OutboundAliases {
  readonly #aliases: Map<string, OutboundAlias> = new Map();
  readonly #maximum: number;

  /** @param maximum what the peer allows, and not more than we wish to use, 1..65,535 */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias for `topicName`, or null when all are given out. The caller clears `isNew` once the packet is certain to go. */
  for(topicName: string): OutboundAlias | null {
    const known = this.#aliases.get(topicName);
    if (known !== undefined) return known;
    if (this.#aliases.size >= this.#maximum) return null;
    const alias = { alias: this.#aliases.size + 1, isNew: true };
    this.#aliases.set(topicName, alias);
    return alias;
  }
}
