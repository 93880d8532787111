/** Reaches a server by plain TCP. */
import { SocketConnector } from "./socket-connector.ts";
import { TcpDialer, type TcpDialerOptions } from "./tcp-dialer.ts";

/** Where to connect to. */
export interface TcpConnectorOptions extends TcpDialerOptions {
  /** From the look-up of the name to the open connection, in milliseconds. */
  readonly timeoutMs: number;
}

/** The way to a server by TCP. */
export class TcpConnector extends SocketConnector {
  constructor(options: TcpConnectorOptions) {
    super(new TcpDialer(options), options.timeoutMs);
  }
}
