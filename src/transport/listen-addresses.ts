/** The addresses that a listener's name, interface and version of IP stand for. */
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import type { ListenTarget } from "./listener-options.ts";

/** An address to bind. */
export interface BindAddress {
  readonly host: string;
  readonly isIpv6: boolean;
  /** Whether the program can do without it, as without IPv6 where all addresses are meant. */
  readonly isOptional: boolean;
}

const FAMILIES = { ipv4: 4, ipv6: 6 } as const;

/** Whether an address could not be had because of the version of IP: it can be done without, where others were meant too. */
export function isFamilyMissing(error: unknown): boolean {
  return ["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** @throws an error with the system's `code` when there is none */
export async function bindAddresses(
  target: Extract<ListenTarget, { kind: "network" }>,
): Promise<readonly BindAddress[]> {
  const found = await hostsOf(target);
  // Node asks the same when it binds one: the first time takes it milliseconds, which would then lie between two listeners.
  return found.map((each) => ({ ...each, isIpv6: isIPv6(each.host) }));
}

type Host = Omit<BindAddress, "isIpv6">;

async function hostsOf({
  host,
  family,
  interfaceName,
}: Extract<ListenTarget, { kind: "network" }>): Promise<readonly Host[]> {
  if (interfaceName !== undefined) return ofInterface(interfaceName, host, family);
  if (host === null) {
    const all = [
      { family: "ipv4", host: "0.0.0.0", isOptional: false },
      { family: "ipv6", host: "::", isOptional: family === undefined },
    ] as const;
    return all.filter((each) => family === undefined || each.family === family);
  }
  const found = await lookup(host, { all: true, family: family === undefined ? 0 : FAMILIES[family] });
  return [...new Set(found.map(({ address }) => address))].map((address, at) => ({
    host: address,
    isOptional: at > 0,
  }));
}

function ofInterface(name: string, host: string | null, family: "ipv4" | "ipv6" | undefined): readonly Host[] {
  const addresses = networkInterfaces()[name];
  if (addresses === undefined) {
    const known = Object.keys(networkInterfaces()).join(", ");
    throw notAvailable(`bind_interface: there is no interface ${name} with an address; there are ${known}`);
  }
  const bound = addresses
    .filter((each) => family === undefined || each.family.toLowerCase() === family)
    .map((each) => scoped(each, name))
    .filter((address) => host === null || address === host);
  if (bound.length > 0) return bound.map((address, at) => ({ host: address, isOptional: at > 0 }));
  throw notAvailable(
    `bind_interface: ${name} has ${addresses.map(({ address }) => address).join(", ")}, and not ${host ?? family ?? "any"}`,
  );
}

/** An address of IPv6 that counts on one link only needs the link's name. */
function scoped({ address, family, scopeid }: NetworkInterfaceInfo, name: string): string {
  return family === "IPv6" && scopeid !== undefined && scopeid > 0 ? `${address}%${name}` : address;
}

function notAvailable(message: string): Error {
  return Object.assign(new Error(message), { code: "EADDRNOTAVAIL" });
}
