/** Finds the broker of a domain by its SRV records [RFC 2782]. */
import dns from "node:dns/promises";
import type { Socket } from "node:net";
import type { Dialer } from "../transport/index.ts";

/** The way to whichever broker the records name, the one that is to be asked first. */
export class SrvDialer implements Dialer {
  readonly address: string;
  readonly #dialerTo: (host: string, port: number) => Dialer;

  /**
   * @param domain whose broker is wanted
   * @param dialerTo makes the way to one of them
   */
  constructor(domain: string, isSafe: boolean, dialerTo: (host: string, port: number) => Dialer) {
    this.address = `${isSafe ? "_secure-mqtt" : "_mqtt"}._tcp.${domain}`;
    this.#dialerTo = dialerTo;
  }

  async dial(signal: AbortSignal): Promise<Socket> {
    let failure: unknown = noRecord(this.address);
    for (const { name, port } of await this.#records()) {
      try {
        return await this.#dialerTo(name, port).dial(signal);
      } catch (error) {
        if (signal.aborted) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** In the order in which they are to be tried. */
  async #records(): Promise<readonly { readonly name: string; readonly port: number }[]> {
    try {
      const records = await dns.resolveSrv(this.address);
      const places = records.map(({ name, port, priority, weight }) => {
        // The greater its weight, the earlier one comes among those of the same priority, by chance.
        return { name, port, priority, turn: -Math.log(1 - Math.random()) / (weight + 1e-3) };
      });
      return places.sort((one, other) => one.priority - other.priority || one.turn - other.turn);
    } catch (error) {
      throw noRecord(this.address, error);
    }
  }
}

function noRecord(address: string, cause?: unknown): Error {
  return Object.assign(new Error(`no SRV record for ${address}`, { cause }), { code: "ENOTFOUND" });
}
