/** Why an address could not be listened on, in words that say what to do. */
import { formatAddress } from "../transport/index.ts";

/** An address could not be had: the broker does not start. */
export class ListenError extends Error {
  override readonly name: string = "ListenError";
  /** The system's name of the error, as EADDRINUSE. */
  readonly code: string;

  constructor(host: string, port: number, cause: unknown) {
    const code = codeOf(cause);
    const where = formatAddress(host, port);
    super(`Cannot listen on ${where}: ${explanation(code, port) ?? String(cause)}`, { cause });
    this.code = code;
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
}

function explanation(code: string, port: number): string | null {
  switch (code) {
    case "EADDRINUSE":
      return `another program has the port (often a mosquitto that runs already: "ss -ltnp 'sport = :${port}'" shows it). Stop it, or choose another port with -p.`;
    case "EACCES":
      return `the system does not allow ports below 1024 to this user. Choose another port with -p, or allow it.`;
    case "EADDRNOTAVAIL":
      return "this machine does not have that address (ip addr shows those it has).";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name has no address.";
    case "EAFNOSUPPORT":
      return "this machine does not speak that version of IP.";
    default:
      return null;
  }
}
