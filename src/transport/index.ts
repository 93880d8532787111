/** How bytes travel: the transports of both ends. */
export { formatAddress, type Listener, type Reception } from "./listener.ts";
export { listenTcp, type TcpListenerOptions } from "./tcp-listener.ts";
