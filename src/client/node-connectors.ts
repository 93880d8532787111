/** Which transport reaches a server, in Node. */
import { type Connector, TcpConnector } from "../transport/index.ts";
import { ArgumentError } from "./errors.ts";
import type { SharedClientOptions } from "./options.ts";
import type { Server } from "./servers.ts";

/** Options that only Node has a use for. */
export type NodeClientOptions = SharedClientOptions;

/** Time for an open connection unless asked otherwise, in milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;

/** The way to `server`. */
export function connectorOf({ scheme, host, port }: Server, options: NodeClientOptions): Connector {
  const { connectTimeoutMs: timeoutMs = CONNECT_TIMEOUT_MS } = options;
  switch (scheme) {
    case "mqtt":
      return new TcpConnector({ host, port, timeoutMs });
    default:
      throw new ArgumentError(`${scheme}:// is not there yet`);
  }
}
