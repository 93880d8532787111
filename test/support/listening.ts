// A server of raw sockets on the loopback, for one test.
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Ending } from "./ending.ts";

/** Listens on a free port until the test ends, and its connections end with it. */
export async function startListening(context: Ending): Promise<Server> {
  const server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, "listening");
  return server;
}
