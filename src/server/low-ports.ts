/** The ports that only root may open: opened for the listeners before the process becomes another user. */
import type { ListenerConfig } from "../config/index.ts";
import { closeSockets, type InheritedSocket, reserveSockets } from "../transport/index.ts";
import { ListenError } from "./listen-error.ts";
import { placeOf, targetOf } from "./listener-options.ts";

const LOWEST_FREE_PORT = 1024;

/**
 * Opens the sockets of those listeners that are on such a port; `startServer` gives them to their listeners.
 * @throws ListenError when one cannot be had
 */
export async function reserveLowPorts(listeners: readonly ListenerConfig[]): Promise<readonly InheritedSocket[]> {
  const sockets: InheritedSocket[] = [];
  for (const listener of listeners) {
    const { port, isOptional } = listener;
    const target = targetOf(listener);
    if (target.kind === "unix" || port === 0 || port >= LOWEST_FREE_PORT) continue;
    try {
      sockets.push(...(await reserveSockets(target)));
    } catch (error) {
      if (isOptional) continue;
      closeSockets(sockets);
      throw new ListenError(placeOf(listener, port), port, error);
    }
  }
  return sockets;
}
