/** How bytes travel: the transports of both ends. */
export type { Connector, LinkSeeker } from "./connector.ts";
export type { LinkOwner } from "./link-owner.ts";
export { formatAddress, type Listener, type Reception } from "./listener.ts";
export { Pump, type Pumped } from "./pump.ts";
export { TcpConnector, type TcpConnectorOptions } from "./tcp-connector.ts";
export { listenTcp, type TcpListenerOptions } from "./tcp-listener.ts";
