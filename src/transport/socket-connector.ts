/** Reaches a server by a socket, however that is opened. */
import { UNKNOWN_PEER } from "../core/index.ts";
import type { Connector, LinkSeeker } from "./connector.ts";
import type { Dialer } from "./dialer.ts";
import { Patience } from "./patience.ts";
import { TcpLink } from "./tcp-link.ts";

/** The way to a server whose bytes are MQTT and nothing else. */
export class SocketConnector implements Connector {
  readonly #dialer: Dialer;
  readonly #timeoutMs: number;

  /** @param timeoutMs from the look-up of the name to the open connection, in milliseconds */
  constructor(dialer: Dialer, timeoutMs: number) {
    this.#dialer = dialer;
    this.#timeoutMs = timeoutMs;
  }

  get address(): string {
    return this.#dialer.address;
  }

  connect(seeker: LinkSeeker): () => void {
    const attempt = new TimedAttempt(this.#dialer.address, this.#timeoutMs);
    this.#dialer.dial(attempt.signal).then(
      (socket) => {
        attempt.end();
        if (attempt.isGivenUp) {
          socket.destroy();
          return;
        }
        const link = new TcpLink(socket, { remoteAddress: this.#dialer.address, localPort: 0, peer: UNKNOWN_PEER });
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
}

/** An attempt to connect that ends after some time. */
export class TimedAttempt {
  readonly #controller: AbortController = new AbortController();
  readonly #patience: Patience;
  /** Whether the caller wants nothing more. */
  isGivenUp = false;

  constructor(address: string, timeoutMs: number) {
    this.#patience = new Patience(timeoutMs, () => this.#controller.abort(timedOut(address, timeoutMs)));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  giveUp(): void {
    this.isGivenUp = true;
    this.end();
    this.#controller.abort(new Error("given up"));
  }

  /** It is decided. */
  end(): void {
    this.#patience.cancel();
  }
}

function timedOut(address: string, timeoutMs: number): Error {
  return Object.assign(new Error(`no connection to ${address} within ${timeoutMs / 1000} s`), { code: "ETIMEDOUT" });
}
