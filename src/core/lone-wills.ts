/**
 * Wills whose Session has ended with its connection, before their delay is over: they wait all the same, as in mosquitto. The
 * specification lets them go at once or later, and has a new connection of the client delete them [5.0 MQTT-3.1.2-8].
 */
import type { Deadlines } from "./deadlines.ts";
import type { PendingWill } from "./wills.ts";

/** Most that they may take together; beyond it a will does not wait. */
const MAXIMUM_BYTES = 16_777_216;
/** What a will takes besides its topic and payload, in bytes; about. */
const OVERHEAD_BYTES = 512;

/** Wills by the client identifier that they are of. */
export class LoneWills {
  readonly #deadlines: Deadlines;
  readonly #publish: (clientId: string, will: PendingWill) => void;
  readonly #byId: Map<string, PendingWill> = new Map();
  #bytes = 0;

  constructor(deadlines: Deadlines, publish: (clientId: string, will: PendingWill) => void) {
    this.#deadlines = deadlines;
    this.#publish = publish;
  }

  /** Has `will` published at `dueAtMs`. false: there is no room for it. */
  add(clientId: string, will: PendingWill, dueAtMs: number): boolean {
    const bytes = bytesOf(will);
    if (this.#bytes + bytes > MAXIMUM_BYTES) return false;
    this.#bytes += bytes;
    this.#byId.set(clientId, will);
    will.deadline = this.#deadlines.add(dueAtMs, () => {
      this.take(clientId);
      this.#publish(clientId, will);
    });
    return true;
  }

  /** The will that waits for this client, which does so no more. */
  take(clientId: string): PendingWill | undefined {
    const will = this.#byId.get(clientId);
    if (will === undefined) return undefined;
    this.#byId.delete(clientId);
    this.#bytes -= bytesOf(will);
    will.deadline?.cancel();
    return will;
  }

  /** Has all of them published now: the process ends, and no store keeps them. */
  publishAll(): void {
    for (const [clientId, will] of this.#byId) {
      this.take(clientId);
      this.#publish(clientId, will);
    }
  }
}

function bytesOf({ fields: { topicName, payload } }: PendingWill): number {
  return OVERHEAD_BYTES + 2 * topicName.length + payload.length;
}
