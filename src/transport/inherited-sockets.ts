/**
 * Listening sockets that are open before the broker is: whoever started the process has opened them for it, as systemd does for a .socket
 * unit (sd_listen_fds(3)), or the process itself while it was root. The broker can be on a port below 1024 without being root, and no
 * connection is refused while it restarts.
 */
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { bindAddresses, isFamilyMissing } from "./listen-addresses.ts";
import { formatAddress } from "./listener.ts";
import type { ListenTarget } from "./listener-options.ts";

/** The first of them; the others follow. */
const FIRST_DESCRIPTOR = 3;

/** Connections that the kernel holds until they are accepted; it may cut this. */
export const BACKLOG_CONNECTIONS = 4096;

/** One socket that listens. What came before somebody wanted it waits in `waiting`. */
export interface InheritedSocket {
  readonly server: Server;
  /** As logs show it. */
  readonly address: string;
  /** 0: a unix socket. */
  readonly port: number;
  readonly waiting: Socket[];
  /** The only target that it is for; null: all that it fits. */
  readonly target: ListenTarget | null;
}

/** Those of this process that no listener has taken yet. */
export class InheritedSockets {
  readonly #sockets: InheritedSocket[];

  private constructor(sockets: InheritedSocket[]) {
    this.#sockets = sockets;
  }

  /**
   * Takes over what the environment announces, which then says so no more, for child processes.
   * @param reserved those that this process has opened before
   * @throws the system's error when one of them is no listening socket
   */
  static async take(
    environment: NodeJS.ProcessEnv,
    reserved: readonly InheritedSocket[] = [],
  ): Promise<InheritedSockets> {
    const { LISTEN_PID: pid, LISTEN_FDS: count } = environment;
    const isForUs = pid === String(process.pid);
    if (isForUs) for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
    const sockets = [...reserved];
    for (let i = 0; isForUs && i < Number(count); i++) sockets.push(await opened({ fd: FIRST_DESCRIPTOR + i }, null));
    return new InheritedSockets(sockets);
  }

  /** Whether one is at `target`. */
  has(target: ListenTarget): boolean {
    return this.#sockets.some((socket) => isAt(socket, target));
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
    closeSockets(left);
    return left.map(({ address }) => address);
  }
}

/** Closes sockets that no listener is to have, and ends those who wait there. One that is closed already stays so. */
export function closeSockets(sockets: readonly InheritedSocket[]): void {
  for (const { server, waiting } of sockets) {
    server.close();
    for (const socket of waiting) socket.destroy();
  }
}

/**
 * Opens the sockets of a target, for its listener to claim later, when this process may not open them any more.
 * @throws the system's error, with its `code`, when an address cannot be had
 */
export async function reserveSockets(
  target: Extract<ListenTarget, { kind: "network" }>,
): Promise<readonly InheritedSocket[]> {
  const sockets: InheritedSocket[] = [];
  for (const { host, isIpv6, isOptional } of await bindAddresses(target)) {
    try {
      sockets.push(await opened({ host, port: target.port, ipv6Only: isIpv6, backlog: BACKLOG_CONNECTIONS }, target));
    } catch (error) {
      if (isOptional && isFamilyMissing(error)) continue;
      closeSockets(sockets);
      throw error;
    }
  }
  return sockets;
}

function isAt({ address, port, target: only }: InheritedSocket, target: ListenTarget): boolean {
  if (only !== null) return JSON.stringify(only) === JSON.stringify(target);
  if (target.kind === "unix") return address === target.path;
  return target.port !== 0 && target.port === port && (target.host === null || isHost(address, target.host));
}

function isHost(address: string, host: string): boolean {
  const bound = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return bound === host || (host === "localhost" && ["127.0.0.1", "::1"].includes(bound));
}

function opened(where: ListenOptions & { fd?: number }, target: ListenTarget | null): Promise<InheritedSocket> {
  const waiting: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => waiting.push(socket));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      const bound = server.address() as AddressInfo | string;
      const [address, port] =
        typeof bound === "string" ? [bound, 0] : [formatAddress(bound.address, bound.port), bound.port];
      resolve({ server, address, port, waiting, target });
    });
  });
}
