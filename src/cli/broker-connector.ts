/** The way to the broker that the command line asks for. */
import { isIP } from "node:net";
import { type Connector, TcpConnector } from "../transport/index.ts";
import type { ServerArguments } from "./options/server-options.ts";
import type { ToolIo } from "./output.ts";

/** How long a connection may take, in milliseconds: that of Linux's first four attempts and a bit. */
export const CONNECT_TIMEOUT_MS = 60_000;

/**
 * The Connector for the arguments of a tool.
 * @throws SetUpError when they cannot be followed
 */
export async function connectorOf(server: ServerArguments, io: ToolIo): Promise<Connector> {
  const { host, port, unixPath, bindAddress, proxy, usesSrv, webSocketPath, tls } = server;
  const isPlain = unixPath === null && proxy === null && !usesSrv && webSocketPath === null && tls === null;
  if (isPlain && (bindAddress === null || isIP(bindAddress) !== 0)) {
    return new TcpConnector({ host, port, bindAddress: bindAddress ?? undefined, timeoutMs: CONNECT_TIMEOUT_MS });
  }
  // Loaded when it is asked for: most need nothing of it, and a tool is to start at once.
  return (await import("./layered-connector.ts")).layeredConnector(server, io);
}
