/** How bytes travel: the transports of both ends. */
export type { Connector, LinkSeeker } from "./connector.ts";
export { watchDescriptors } from "./descriptor-watch.ts";
export type { Dialer } from "./dialer.ts";
export type { HttpAnswer, HttpRequest, HttpService } from "./http-service.ts";
export { closeSockets, type InheritedSocket, InheritedSockets, reserveSockets } from "./inherited-sockets.ts";
export type { LinkOwner } from "./link-owner.ts";
export { formatAddress, type Listener, type Reception } from "./listener.ts";
export type {
  HttpOptions,
  ListenerOptions,
  ListenTarget,
  ProxyOptions,
  WebSocketOptions,
} from "./listener-options.ts";
export { MemoryConnector } from "./memory-connector.ts";
export { type PreparedListener, prepareListener } from "./network-listener.ts";
export { Patience } from "./patience.ts";
export { Pump, type Pumped } from "./pump.ts";
export { readServerTlsFiles } from "./server-tls-files.ts";
export type { PskOptions, ServerCertificate, ServerTlsOptions } from "./server-tls-options.ts";
export { SocketConnector } from "./socket-connector.ts";
export { Socks5Dialer, type Socks5DialerOptions } from "./socks5-dialer.ts";
export { TcpConnector, type TcpConnectorOptions } from "./tcp-connector.ts";
export { TcpDialer, type TcpDialerOptions } from "./tcp-dialer.ts";
export { type Pem, TlsDialer, type TlsOptions } from "./tls-dialer.ts";
export { TransportError, type TransportPart } from "./transport-error.ts";
export { UnixDialer } from "./unix-dialer.ts";
export { WebSocketConnector, type WebSocketConnectorOptions } from "./web-socket-connector.ts";
export { type AnyWebSocket, WebSocketLink } from "./web-socket-link.ts";
