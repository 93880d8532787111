/** How a stream of bytes to a server is opened: one kind for each layer of the way, which may stand on another. */
import type { Socket } from "node:net";

/** Opens sockets to one place. */
export interface Dialer {
  /** The place, as messages show it. */
  readonly address: string;
  /**
   * Opens one, ready to be written to and with nobody listening to it.
   * @param signal gives up; the promise then rejects with its reason
   */
  dial(signal: AbortSignal): Promise<Socket>;
}

/** Waits until `socket` says `ready`, or fails; destroys it when `signal` gives up. */
export function untilReady(socket: Socket, ready: "connect" | "secureConnect", signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      signal.removeEventListener("abort", giveUp);
      socket.off(ready, done).off("error", failed).off("close", closed);
    };
    const done = (): void => {
      stop();
      resolve(socket);
    };
    const failed = (error: Error): void => {
      stop();
      // Another error may follow the first, and has nothing to add.
      socket.on("error", ignore).destroy();
      reject(error);
    };
    const closed = (): void => failed(Object.assign(new Error("the other side closed the connection"), CLOSED));
    const giveUp = (): void => failed(signal.reason as Error);
    socket.on(ready, done).on("error", failed).on("close", closed);
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp);
  });
}

const CLOSED = { code: "ECONNRESET" };

function ignore(): void {}
