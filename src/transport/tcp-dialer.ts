/** Opens plain TCP connections. */
import { connect, isIP, type Socket } from "node:net";
import { type Dialer, untilReady } from "./dialer.ts";
import { formatAddress } from "./listener.ts";

/** How long one of several addresses of a name may take before the next one is tried, in milliseconds. */
const NEXT_ADDRESS_MS = 3000;

/** Where to connect to. */
export interface TcpDialerOptions {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** Address of this machine to connect from. */
  readonly bindAddress?: string | undefined;
}

/** The way to a server by TCP. */
export class TcpDialer implements Dialer {
  readonly address: string;
  readonly #options: TcpDialerOptions;

  constructor(options: TcpDialerOptions) {
    this.#options = options;
    this.address = formatAddress(options.host, options.port);
  }

  dial(signal: AbortSignal): Promise<Socket> {
    const { host, port, bindAddress } = this.#options;
    const socket = connect({
      ...{ host, port, noDelay: true, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS },
      // Only addresses of the same kind can be reached from it.
      ...(bindAddress !== undefined && { localAddress: bindAddress, family: isIP(bindAddress) }),
    });
    return untilReady(socket, "connect", signal);
  }
}
