/** What `connect` does, whatever the client's transports are. */
import type { MqttClientBase } from "./mqtt-client-base.ts";
import type { SharedClientOptions } from "./options.ts";

/** Makes a client and waits until a server has let it in; its options come with the servers in them, or beside them. */
export async function connectClient<Client extends MqttClientBase, Options extends SharedClientOptions>(
  first: string | readonly string[] | (Options & { readonly servers: string | readonly string[] }),
  second: Options,
  create: (servers: string | readonly string[], options: Options) => Client,
): Promise<Client> {
  const isOptions = typeof first === "object" && first !== null && "servers" in first;
  const [servers, options] = isOptions ? [first.servers, first] : [first, second];
  const client = create(servers, { waitForServer: false, ...options } as Options);
  await client.connected;
  return client;
}
