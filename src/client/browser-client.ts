/** The client in browsers, and wherever else WebSocket is global: ws:// and wss:// only. */
import { BrowserWebSocketConnector, type Connector } from "../transport/browser.ts";
import { connectClient } from "./connect-client.ts";
import { ArgumentError } from "./errors.ts";
import { MqttClientBase } from "./mqtt-client-base.ts";
import type { SharedClientOptions } from "./options.ts";
import { type Server, serverName, serverOf } from "./servers.ts";
import type { ServerUrls, Texts, WithWillTopic } from "./topic-types.ts";

/** Everything that a client can be set to. */
export type MqttClientOptions = SharedClientOptions;

/** As options and the servers in one. */
export type ConnectOptions = MqttClientOptions & {
  /** Their URLs, in the order in which they are tried. */
  readonly servers: string | readonly string[];
};

/** Time for an open WebSocket unless asked otherwise, in milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;

/** An MQTT client: connects by itself, and again when the connection is lost. See docs/client.md. */
export class MqttClient extends MqttClientBase {
  /**
   * Begins to connect and does not wait: `connected` does.
   * @throws ArgumentError when a URL or an option is not allowed
   */
  constructor(servers: string | readonly string[], options: MqttClientOptions = {}) {
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS, connector } = options;
    if (connector === undefined) for (const url of [servers].flat()) checkScheme(serverOf(url));
    super(servers, options, (server: Server): Connector => {
      return new BrowserWebSocketConnector(serverName(server), connectTimeoutMs);
    });
  }
}

function checkScheme(server: Server): void {
  if (server.scheme === "ws" || server.scheme === "wss") return;
  throw new ArgumentError(`${serverName(server)}: in a browser there is only ws:// and wss://`);
}

/**
 * Connects, and resolves when a server has let us in.
 * @param servers URLs, as wss://example.org/mqtt; several are tried in their order
 * @throws ArgumentError when a URL or an option is not allowed, ConnectionError when none lets us in
 */
export function connect<const Urls extends Texts, const WillTopic extends string = string>(
  servers: Urls & ServerUrls<Urls>,
  options?: MqttClientOptions & WithWillTopic<WillTopic>,
): Promise<MqttClient>;
export function connect<const Urls extends Texts, const WillTopic extends string = string>(
  options: ConnectOptions & { readonly servers: Urls & ServerUrls<Urls> } & WithWillTopic<WillTopic>,
): Promise<MqttClient>;
export async function connect(
  first: string | readonly string[] | ConnectOptions,
  second: MqttClientOptions = {},
): Promise<MqttClient> {
  return connectClient(first, second, (servers, options) => new MqttClient(servers, options));
}
