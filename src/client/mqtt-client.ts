/** The client in Node: with every transport there is. */
import { connectClient } from "./connect-client.ts";
import { MqttClientBase } from "./mqtt-client-base.ts";
import { type NodeClientOptions, NodeConnectors } from "./node-connectors.ts";
import type { Server } from "./servers.ts";
import type { ServerUrls, Texts, WithWillTopic } from "./topic-types.ts";

/** Everything that a client can be set to. */
export type MqttClientOptions = NodeClientOptions;

/** As options and the servers in one. */
export type ConnectOptions = MqttClientOptions & {
  /** Their URLs, in the order in which they are tried. */
  readonly servers: string | readonly string[];
};

/** An MQTT client: connects by itself, and again when the connection is lost. See docs/client.md. */
export class MqttClient extends MqttClientBase {
  /**
   * Begins to connect and does not wait: `connected` does.
   * @throws ArgumentError when a URL or an option is not allowed
   */
  constructor(servers: string | readonly string[], options: MqttClientOptions = {}) {
    const connectors = new NodeConnectors(options);
    super(servers, options, (server: Server) => connectors.of(server));
  }
}

/**
 * Connects, and resolves when a server has let us in.
 * @param servers URLs, as mqtt://example.org:1883; several are tried in their order
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
