/** Reaches a server by plain TCP. */
import { connect } from "node:net";
import type { Connector, LinkSeeker } from "./connector.ts";
import { formatAddress } from "./listener.ts";
import { TcpLink } from "./tcp-link.ts";

/** How long one of several addresses of a name may take before the next one is tried, in milliseconds. */
const NEXT_ADDRESS_MS = 3000;

/** Where to connect to. */
export interface TcpConnectorOptions {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** From the look-up of the name to the open connection, in milliseconds. */
  readonly timeoutMs: number;
}

/** The way to a server by TCP. */
export class TcpConnector implements Connector {
  readonly address: string;
  readonly #options: TcpConnectorOptions;

  constructor(options: TcpConnectorOptions) {
    this.#options = options;
    this.address = formatAddress(options.host, options.port);
  }

  connect(seeker: LinkSeeker): () => void {
    const { host, port, timeoutMs } = this.#options;
    const socket = connect({
      host,
      port,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: Math.min(NEXT_ADDRESS_MS, timeoutMs),
    });
    const timer = setTimeout(() => socket.destroy(timedOut(this.address, timeoutMs)), timeoutMs);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      seeker.closed(true, error);
    };
    socket.once("error", failed);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", failed);
      const link = new TcpLink(socket);
      link.attach(seeker);
      seeker.opened(link);
    });
    return () => {
      clearTimeout(timer);
      socket.destroy();
    };
  }
}

function timedOut(address: string, timeoutMs: number): Error {
  return Object.assign(new Error(`no connection to ${address} within ${timeoutMs / 1000} s`), { code: "ETIMEDOUT" });
}
