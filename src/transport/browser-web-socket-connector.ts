/** Reaches a server by the WebSocket of the browser, or any other that is global. */
import type { Connector, LinkSeeker } from "./connector.ts";
import { Patience } from "./patience.ts";
import { TransportError } from "./transport-error.ts";
import { type AnyWebSocket, WebSocketLink } from "./web-socket-link.ts";

declare const WebSocket: new (url: string, protocol: string) => AnyWebSocket;

/** The way to a server by WebSocket. */
export class BrowserWebSocketConnector implements Connector {
  readonly address: string;
  readonly #timeoutMs: number;

  /**
   * @param url ws:// or wss://
   * @param timeoutMs until the WebSocket is open, in milliseconds
   */
  constructor(url: string, timeoutMs: number) {
    this.address = url;
    this.#timeoutMs = timeoutMs;
  }

  connect(seeker: LinkSeeker): () => void {
    const socket = new WebSocket(this.address, "mqtt");
    const stop = (): void => {
      patience.cancel();
      socket.onopen = socket.onerror = socket.onclose = null;
    };
    const failed = (message: string): void => {
      stop();
      socket.close();
      seeker.closed(true, new TransportError("websocket", message));
    };
    const patience = new Patience(this.#timeoutMs, () => failed(`no connection within ${this.#timeoutMs / 1000} s`));
    socket.onopen = (): void => {
      stop();
      const link = new WebSocketLink(socket, this.address);
      link.attach(seeker);
      seeker.opened(link);
    };
    // A page is not told why.
    socket.onerror = (): void => failed(`no WebSocket to ${this.address}: is it there, and may this page use it?`);
    socket.onclose = (): void => failed(`the WebSocket to ${this.address} closed before it was open`);
    return () => {
      stop();
      socket.close();
    };
  }
}
