/** Reaches a server by WebSocket, in Node: with `ws`, over whatever opens the socket. */
import type { Connector, LinkSeeker } from "./connector.ts";
import type { Dialer } from "./dialer.ts";
import { TimedAttempt } from "./socket-connector.ts";
import { TransportError } from "./transport-error.ts";
import { type AnyWebSocket, errorOf, WebSocketLink } from "./web-socket-link.ts";

/** How a WebSocket is opened. */
export interface WebSocketConnectorOptions {
  /** ws:// or wss://, with host and path: what the server is asked for. */
  readonly url: string;
  /** More headers of the request, as cookies or a token. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** From the look-up of the name to the open WebSocket, in milliseconds. */
  readonly timeoutMs: number;
}

/** Subprotocol of MQTT [5.0 MQTT-6.0.0-3] [3.1.1 MQTT-6.0.0-3]. */
const SUBPROTOCOL = "mqtt";

/** The way to a server by WebSocket. */
export class WebSocketConnector implements Connector {
  readonly #dialer: Dialer;
  readonly #options: WebSocketConnectorOptions;

  /** @param dialer opens the socket, TLS included */
  constructor(dialer: Dialer, options: WebSocketConnectorOptions) {
    this.#dialer = dialer;
    this.#options = options;
  }

  get address(): string {
    return this.#dialer.address;
  }

  connect(seeker: LinkSeeker): () => void {
    const attempt = new TimedAttempt(this.address, this.#options.timeoutMs);
    this.#open(attempt.signal).then(
      (socket) => {
        attempt.end();
        if (attempt.isGivenUp) return socket.close();
        const link = new WebSocketLink(socket, this.address);
        link.attach(seeker);
        seeker.opened(link);
      },
      (error: Error) => {
        attempt.end();
        if (!attempt.isGivenUp) seeker.closed(true, error);
      },
    );
    return () => attempt.giveUp();
  }

  async #open(signal: AbortSignal): Promise<AnyWebSocket> {
    // Only who needs it loads it.
    const { WebSocket } = await import("ws");
    const below = await this.#dialer.dial(signal);
    const { url, headers = {} } = this.#options;
    const socket = new WebSocket(url, SUBPROTOCOL, {
      createConnection: () => below,
      perMessageDeflate: false,
      headers,
    });
    return new Promise((resolve, reject) => {
      const stop = (): void => signal.removeEventListener("abort", giveUp);
      const giveUp = (): void => {
        stop();
        socket.onerror = (): void => {};
        socket.terminate();
        reject(signal.reason);
      };
      socket.onopen = (): void => {
        stop();
        resolve(socket as unknown as AnyWebSocket);
      };
      socket.onerror = (event): void => {
        stop();
        const error = errorOf(event);
        reject(error instanceof TransportError ? error : new TransportError("websocket", error.message, error));
      };
      if (signal.aborted) giveUp();
      else signal.addEventListener("abort", giveUp);
    });
  }
}
