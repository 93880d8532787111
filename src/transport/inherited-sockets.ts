/**
 * Listening sockets that whoever started the process has opened for it, as systemd does for a .socket unit (sd_listen_fds(3)): the broker
 * can be on a port below 1024 without being root, and no connection is refused while it restarts.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { formatAddress } from "./listener.ts";
import type { ListenTarget } from "./listener-options.ts";

/** The first of them; the others follow. */
const FIRST_DESCRIPTOR = 3;

/** One socket that listens. What came before somebody wanted it waits in `waiting`. */
export interface InheritedSocket {
  readonly server: Server;
  /** As logs show it. */
  readonly address: string;
  /** 0: a unix socket. */
  readonly port: number;
  readonly waiting: Socket[];
}

/** Those of this process that no listener has taken yet. */
export class InheritedSockets {
  readonly #sockets: InheritedSocket[];

  private constructor(sockets: InheritedSocket[]) {
    this.#sockets = sockets;
  }

  /**
   * Takes over what the environment announces, which then says so no more, for child processes.
   * @throws the system's error when one of them is no listening socket
   */
  static async take(environment: NodeJS.ProcessEnv): Promise<InheritedSockets> {
    const { LISTEN_PID: pid, LISTEN_FDS: count } = environment;
    const isForUs = pid === String(process.pid);
    if (isForUs) for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
    const sockets: InheritedSocket[] = [];
    for (let i = 0; isForUs && i < Number(count); i++) sockets.push(await opened(FIRST_DESCRIPTOR + i));
    return new InheritedSockets(sockets);
  }

  /** Those at `target`, which are its listener's from now on. */
  claim(target: ListenTarget): readonly InheritedSocket[] {
    const claimed = this.#sockets.filter((socket) => isAt(socket, target));
    for (const socket of claimed) this.#sockets.splice(this.#sockets.indexOf(socket), 1);
    return claimed;
  }

  /** Closes those that nobody wanted, and returns where they were. */
  closeUnclaimed(): readonly string[] {
    const left = this.#sockets.splice(0);
    for (const { server, waiting } of left) {
      server.close();
      for (const socket of waiting) socket.destroy();
    }
    return left.map(({ address }) => address);
  }
}

function isAt({ address, port }: InheritedSocket, target: ListenTarget): boolean {
  if (target.kind === "unix") return address === target.path;
  return target.port !== 0 && target.port === port && (target.host === null || isHost(address, target.host));
}

function isHost(address: string, host: string): boolean {
  const bound = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return bound === host || (host === "localhost" && ["127.0.0.1", "::1"].includes(bound));
}

function opened(descriptor: number): Promise<InheritedSocket> {
  const waiting: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => waiting.push(socket));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd: descriptor }, () => {
      server.off("error", reject);
      const bound = server.address() as AddressInfo | string;
      const [address, port] =
        typeof bound === "string" ? [bound, 0] : [formatAddress(bound.address, bound.port), bound.port];
      resolve({ server, address, port, waiting });
    });
  });
}
