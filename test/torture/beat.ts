// A pair of clients that pass a message at QoS 0 every few milliseconds: while it goes on, the broker serves what needs no disk.
import { type Address, Link, type LinkOwner } from "./link.ts";
import * as wire from "./wire.ts";

const PERIOD_MS = 20;

export class Beat {
  readonly #links: Link[];
  readonly #timer: NodeJS.Timeout;
  /** Messages sent, fewer where this process gets little time, and received. */
  sent = 0;
  received = 0;
  /** Why a connection was lost, if one was. */
  lost: string | undefined;

  private constructor(links: Link[], send: () => void) {
    this.#links = links;
    this.#timer = setInterval(send, PERIOD_MS);
  }

  static async begin(address: Address, name: string): Promise<Beat> {
    let beat: Beat | undefined;
    let onReady: () => void = () => {};
    const isReady = new Promise<void>((resolve) => {
      onReady = resolve;
    });
    const owner: LinkOwner = {
      onPacket(head) {
        if (head >> 4 === wire.SUBACK) onReady();
        if (head >> 4 === wire.PUBLISH && beat !== undefined) beat.received++;
      },
      onTurn() {},
      onGone(reason) {
        if (beat !== undefined) beat.lost = reason;
      },
    };
    const [from, to] = [new Link(address, owner), new Link(address, owner)];
    from.write(wire.encodeConnect({ version: 4, clientId: `${name}-from`, isClean: true }));
    to.write(wire.encodeConnect({ version: 4, clientId: `${name}-to`, isClean: true }));
    to.write(wire.encodeSubscribe(4, 1, `${name}-beat`, 0));
    from.flush();
    to.flush();
    await isReady;
    const message = { version: 4, topicName: `${name}-beat`, qos: 0, packetId: 0, payload: Buffer.alloc(8) } as const;
    beat = new Beat([from, to], () => {
      if (beat !== undefined) beat.sent++;
      from.write(wire.encodePublish(message));
      from.flush();
    });
    return beat;
  }

  end(): void {
    clearInterval(this.#timer);
    for (const link of this.#links) link.cut();
  }
}
