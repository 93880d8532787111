// Opens the connections of a run and holds what all modes share: the target, the fault that ends a run early.
import { type Listener, LoadConnection, type Target } from "./connection.ts";

/** More CONNECTs at once would overflow the broker's accept queue, which costs a second each. */
const CONNECTS_AT_ONCE = 50;
let swarms = 0;

export interface SessionKind {
  /** Clean Session, in 5.0 Clean Start; true unless told. */
  readonly clean?: boolean;
  /** The Session outlives the connection; false unless told. */
  readonly durable?: boolean;
  /** Hears even what comes along with the CONNACK. */
  readonly listener?: Listener;
}

export class Swarm {
  readonly target: Target;
  /** Rejects when the broker closes a connection or refuses something; never resolves. */
  readonly fault: Promise<never>;
  readonly connections: LoadConnection[] = [];
  readonly #id: string;
  #raise: (error: Error) => void = () => {};

  constructor(target: Target) {
    this.target = target;
    this.#id = `${process.pid.toString(36)}${(swarms++).toString(36)}`;
    this.fault = new Promise((_, reject) => {
      this.#raise = reject;
    });
    this.fault.catch(() => {}); // whoever awaits it hears of it; nobody may
  }

  /** A client identifier of at most 23 characters, the same for the same letter and index. */
  clientId(letter: string, index: number): string {
    return `${letter}${this.#id}-${index}`;
  }

  /** Opens `count` connections, numbered from 0, and resolves when all have their CONNACK. */
  async connect(letter: string, count: number, kind: SessionKind = {}): Promise<LoadConnection[]> {
    const opened: LoadConnection[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const index = next++;
        const connection = new LoadConnection(this.target, index, (error) => this.#raise(error));
        this.connections.push(connection);
        if (kind.listener !== undefined) connection.listener = kind.listener;
        opened[index] = connection;
        await connection.connect(this.clientId(letter, index), kind.clean ?? true, kind.durable ?? false);
      }
    };
    await this.orFault(Promise.all(Array.from({ length: CONNECTS_AT_ONCE }, worker)));
    return opened;
  }

  /** Awaits `work`, or throws the fault that comes first. */
  orFault<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.fault]);
  }

  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }
}

/** Rejects with "TIMEOUT ..." when `work` takes longer. */
export async function within<Result>(seconds: number, what: string, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`TIMEOUT after ${seconds} s: ${what}`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
