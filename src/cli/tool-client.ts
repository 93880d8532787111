/** The client of a tool: as its arguments say, and as mosquitto's tools have theirs. */
import {
  Client,
  type ClientListener,
  type ClientOptions,
  DEFAULT_SESSION_LIMITS,
  PacketLog,
  type ReconnectPolicy,
} from "../client/index.ts";
import type { Connector } from "../transport/index.ts";
import type { ConnectionArguments } from "./options/connection-options.ts";
import type { Output } from "./output.ts";

/** Time between a lost connection and the next attempt, in milliseconds: libmosquitto's. */
const RECONNECT_MS = 1000;

/** Exit code when the time of -W is over: MOSQ_ERR_TIMEOUT. */
export const TIMED_OUT = 27;

/** Gives up. */
export const neverReconnect: ReconnectPolicy = () => null;

/** Connects again when the network has failed, and not when the server has said no. */
export const reconnectLikeMosquitto: ReconnectPolicy = ({ code }) => {
  const saidNo = code === "connection-refused" || code === "disconnected-by-server" || code === "protocol-error";
  return saidNo ? null : RECONNECT_MS;
};

/**
 * The client that the arguments describe, by the way that `connector` is; -d shows its packets on `out`.
 * @param more for those who have many clients
 */
export function toolClient(
  args: ConnectionArguments & { readonly debug: boolean },
  connector: Connector,
  out: Output,
  reconnect: ReconnectPolicy,
  listener: ClientListener,
  more: Pick<ClientOptions, "pool" | "retriesFirst"> = {},
): Client {
  const { maximumInflightMessages, receiveMaximum, debug, ...rest } = args;
  const { version, clientId, cleanStart, keepAliveSeconds, will, username, password, properties } = rest;
  const log = debug ? new PacketLog(clientId, (line) => out.write(`${line}\n`)) : null;
  return new Client(
    {
      connector,
      ...{ version, clientId, cleanStart, keepAliveSeconds, will, username, password, properties, reconnect },
      limits: { ...DEFAULT_SESSION_LIMITS, maximumInflightMessages, receiveMaximum },
      ...more,
      ...(log !== null && { observer: () => log }),
    },
    listener,
  );
}
