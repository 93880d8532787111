/** Enhanced authentication [5.0 §4.12] on one connection after another: asks the application, answers the server. */
import { type Auth, type Properties, ReasonCode } from "../protocol/index.ts";
import { ConnectionError, RequestError } from "./errors.ts";
import type { Authentication } from "./options.ts";
import { MOSQ_ERR } from "./rc.ts";
import { Settled } from "./settled.ts";

const NOTHING = new Uint8Array(0);

/** What the authentication needs of its client. */
export interface AuthenticatingHost {
  /** Sends AUTH. */
  authenticate(reasonCode: ReasonCode, properties: Properties): void;
  /** Ends the connection. */
  drop(error: ConnectionError): void;
}

/** The authentication of one client. */
export class Authenticating {
  readonly #authentication: Authentication;
  readonly #host: AuthenticatingHost;
  /** Counts connections: an answer that comes late belongs to none. */
  #attempt = 0;
  #again: Settled<void> | null = null;

  constructor(authentication: Authentication, host: AuthenticatingHost) {
    this.#authentication = authentication;
    this.#host = host;
  }

  /** Whether an answer of the server is missing. */
  get isPending(): boolean {
    return this.#again !== null;
  }

  /** The properties of the CONNECT. */
  async begin(): Promise<Properties> {
    this.#attempt++;
    return this.#properties(await this.#authentication.start?.());
  }

  #properties(data: Uint8Array | undefined): Properties {
    const { method } = this.#authentication;
    return { authenticationMethod: method, ...(data !== undefined && { authenticationData: data }) };
  }

  /** The server sent AUTH. */
  received({ reasonCode, properties }: Auth): void {
    const data = properties.authenticationData ?? NOTHING;
    if (reasonCode !== ReasonCode.ContinueAuthentication) return this.#finish(data);
    this.#step(async () => this.#authentication.answer(data)).then((answer) => {
      if (answer !== GONE) this.#host.authenticate(ReasonCode.ContinueAuthentication, this.#properties(answer));
    });
  }

  /** The server has let us in. */
  accepted({ authenticationData }: Properties): void {
    if (authenticationData !== undefined) this.#finish(authenticationData);
  }

  #finish(data: Uint8Array): void {
    const again = this.#again;
    this.#again = null;
    this.#step(async () => this.#authentication.finish?.(data)).then((result) => {
      if (result !== GONE) again?.resolve();
    });
  }

  /** Runs a step of the application, unless the connection has gone by the time it is done. */
  async #step<Result>(run: () => Promise<Result>): Promise<Result | typeof GONE> {
    const attempt = this.#attempt;
    try {
      const result = await run();
      return attempt === this.#attempt ? result : GONE;
    } catch (cause) {
      if (attempt !== this.#attempt) return GONE;
      const message = `the authentication failed: ${cause instanceof Error ? cause.message : cause}`;
      this.#host.drop(new ConnectionError({ code: "authentication-failed", rc: MOSQ_ERR.AUTH, message, cause }));
      return GONE;
    }
  }

  /** Authenticates again on the connection that there is. */
  async again(): Promise<void> {
    if (this.#again !== null) return this.#again.promise;
    this.#again = new Settled();
    const { promise } = this.#again;
    const data = await this.#step(async () => this.#authentication.start?.());
    if (data !== GONE) this.#host.authenticate(ReasonCode.ReAuthenticate, this.#properties(data));
    return promise;
  }

  /** The connection is over. */
  ended(): void {
    this.#attempt++;
    this.#again?.reject(
      new RequestError({
        code: "connection-lost",
        rc: MOSQ_ERR.CONN_LOST,
        message: "the connection was lost during the authentication",
      }),
    );
    this.#again = null;
  }
}

const GONE = Symbol("gone");
