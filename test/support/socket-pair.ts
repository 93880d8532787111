// A connection of the loopback of which a test has both ends.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** Both ends of one. */
export async function socketPair(context: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const here = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[there]] = (await Promise.all([once(server, "connection"), once(here, "connect")])) as [[Socket], unknown];
  server.close();
  context.after(() => {
    here.destroy();
    there.destroy();
  });
  return [here, there];
}
