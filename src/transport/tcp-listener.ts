/** Listens for MQTT over plain TCP. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { formatAddress, type Listener, type Reception } from "./listener.ts";
import { TcpLink } from "./tcp-link.ts";

/** Connections that the kernel holds until they are accepted; it may cut this. */
const BACKLOG_CONNECTIONS = 4096;

/** What to listen on. */
export interface TcpListenerOptions {
  /** An address of this machine, "0.0.0.0" or "::" for all of them, or a name. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/**
 * Begins to listen.
 * @throws the system's error, with its `code`, when the address cannot be had
 */
export function listenTcp(options: TcpListenerOptions, reception: Reception): Promise<Listener> {
  const { broker, authenticator, entrance, onAcceptError } = reception;
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    // A peer that has gone before we looked has no address any more.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const link = new TcpLink(socket);
    link.attach(broker.accept(link, authenticator, entrance));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, backlog: BACKLOG_CONNECTIONS }, () => {
      server.off("error", reject).on("error", onAcceptError);
      resolve(new TcpListener(server));
    });
  });
}

class TcpListener implements Listener {
  readonly #server: Server;
  readonly address: string;
  readonly port: number;

  constructor(server: Server) {
    const { address, port } = server.address() as AddressInfo;
    this.#server = server;
    this.address = formatAddress(address, port);
    this.port = port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
