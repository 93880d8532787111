// Ports of the loopback interface for programs that cannot choose one by themselves, and ports where nobody listens. Files of tests run
// beside each other, so "free a moment ago" is not enough: the system gives a port that was free to the next socket that asks for any.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Below those that Linux, macOS and Windows give to sockets that take any: a listener of another test or an outgoing connection. */
const FIRST = 20_000;
const AFTER_LAST = 32_768;
/** Of these ports each process begins with others than the one that was started before it. */
const STRIDE = 37;

let next = (process.pid * STRIDE) % (AFTER_LAST - FIRST);

/** Ports that are free and stay so, whatever tests run beside this one; also while a broker is down that is to come back there. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + next;
    next = (next + 1) % (AFTER_LAST - FIRST);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** One of `freePorts`. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** They keep the ports of `closedPort` from everybody else until this process ends. */
const holding: Socket[] = [];

/** A port where nobody listens, nor will: it is this end of a connection. */
export async function closedPort(): Promise<number> {
  const server = createServer((socket) => holding.push(socket.unref())).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await Promise.all([once(socket, "connect"), once(server, "connection")]);
  holding.push(socket.unref());
  server.close();
  return socket.localPort ?? 0;
}
