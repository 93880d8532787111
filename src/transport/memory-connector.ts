/** A client in the same process: bytes go from one end to the other without a network, each piece in a turn of its own. */
import type { Link } from "../core/index.ts";
import type { Taken } from "../protocol/index.ts";
import type { Connector, LinkSeeker } from "./connector.ts";
import type { LinkOwner } from "./link-owner.ts";

/** One end: what is written here comes out of the other. */
class MemoryLink implements Link {
  readonly remoteAddress: string;
  readonly #owner: LinkOwner;
  #other: MemoryLink | null = null;
  readonly #incoming: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isPlanned = false;
  #isClosing = false;
  #isClosed = false;

  constructor(owner: LinkOwner, remoteAddress: string) {
    this.#owner = owner;
    this.remoteAddress = remoteAddress;
  }

  /** Joins two ends. */
  static join(a: MemoryLink, b: MemoryLink): void {
    a.#other = b;
    b.#other = a;
  }

  write({ segments, spent }: Taken): number {
    const other = this.#other!;
    // The buffers go back to their pool while the bytes may still wait.
    const bytes = new Uint8Array(segments.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const segment of segments) {
      bytes.set(segment, at);
      at += segment.length;
    }
    if (spent !== null) this.#owner.recycle(spent);
    if (this.#isClosed || other.#isClosed) return 0;
    other.#incoming.push(bytes);
    other.#waitingBytes += bytes.length;
    other.#plan();
    return other.#waitingBytes;
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#other!.#plan();
    this.#plan();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      this.#run();
    });
  }

  #run(): void {
    if (this.#isClosed) return;
    const other = this.#other!;
    while (this.#incoming.length > 0 && !this.#isPaused && !this.#isClosing) {
      const bytes = this.#incoming.shift()!;
      this.#waitingBytes -= bytes.length;
      this.#owner.receive(bytes);
    }
    if (this.#incoming.length === 0 && !other.#isClosed) other.#owner.drained();
    // What the other end wrote before it closed is still read.
    const isOver = this.#isClosing || (other.#isClosing && (this.#incoming.length === 0 || this.#isPaused));
    if (!isOver) return;
    this.#isClosed = this.#isClosing = true;
    this.#owner.closed(false);
    other.#plan();
  }
}

/** The way to a server in this process. */
export class MemoryConnector implements Connector {
  readonly address: string;
  readonly #accept: (link: Link) => LinkOwner;

  /**
   * @param address what the server's log calls the client's address
   * @param accept takes the server's end, as `broker.accept`
   */
  constructor(address: string, accept: (link: Link) => LinkOwner) {
    this.address = address;
    this.#accept = accept;
  }

  connect(seeker: LinkSeeker): () => void {
    let isGivenUp = false;
    setImmediate(() => {
      if (isGivenUp) return;
      // The server's end needs its owner, who needs the link.
      let server: LinkOwner | null = null;
      const owner: LinkOwner = {
        receive: (chunk) => server?.receive(chunk),
        drained: () => server?.drained(),
        recycle: (spent) => server?.recycle(spent),
        closed: (isError, error) => server?.closed(isError, error),
      };
      const serversEnd = new MemoryLink(owner, this.address);
      const clientsEnd = new MemoryLink(seeker, this.address);
      MemoryLink.join(serversEnd, clientsEnd);
      server = this.#accept(serversEnd);
      seeker.opened(clientsEnd);
    });
    return () => {
      isGivenUp = true;
    };
  }
}
