/** What of the transports runs in a browser too: no file that is reached from here imports anything of Node. */
export { BrowserWebSocketConnector } from "./browser-web-socket-connector.ts";
export type { Connector, LinkSeeker } from "./connector.ts";
export type { LinkOwner } from "./link-owner.ts";
export { Patience } from "./patience.ts";
export { Pump, type Pumped } from "./pump.ts";
export { TransportError, type TransportPart } from "./transport-error.ts";
export { type AnyWebSocket, WebSocketLink } from "./web-socket-link.ts";
