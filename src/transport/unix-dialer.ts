/** Opens connections to a unix socket. */
import { connect, type Socket } from "node:net";
import { type Dialer, untilReady } from "./dialer.ts";

/** The way to a server on this machine by a file. */
export class UnixDialer implements Dialer {
  readonly address: string;

  /** @param path of the socket */
  constructor(path: string) {
    this.address = path;
  }

  dial(signal: AbortSignal): Promise<Socket> {
    return untilReady(connect({ path: this.address }), "connect", signal);
  }
}
