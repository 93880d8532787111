/** A way in that is open, as requests are told of it. */
import type { ListenerConfig } from "../config/index.ts";

/** One listener, in the order of the configuration. */
export interface OpenListener {
  /** What it was opened with. */
  readonly config: ListenerConfig;
  /** What is in force by the last reload. */
  readonly current: Pick<ListenerConfig, "allowAnonymous" | "security">;
  /** The port in use; 0: a unix socket. */
  readonly port: number;
}

/** Whether it speaks TLS, with certificates or with keys. */
export function hasTls({ config: { tls, psk } }: OpenListener): boolean {
  return tls !== null || psk !== null;
}
