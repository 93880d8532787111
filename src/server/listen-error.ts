/** Why an address could not be listened on, in words that say what to do. */
import { TransportError } from "../transport/index.ts";

/** An address could not be had: the broker does not start. */
export class ListenError extends Error {
  override readonly name: string = "ListenError";
  /** The system's name of the error, as EADDRINUSE. */
  readonly code: string;

  /** @param where as logs show it; `port` 0: a unix socket */
  constructor(where: string, port: number, cause: unknown) {
    const code = codeOf(cause);
    super(`Cannot listen on ${where}: ${explanation(code, port, cause) ?? messageOf(cause)}`, { cause });
    this.code = code;
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
}

function messageOf(cause: unknown): string {
  if (cause instanceof TransportError) return cause.message;
  return cause instanceof Error ? `${cause.message}.` : String(cause);
}

function explanation(code: string, port: number, cause: unknown): string | null {
  switch (code) {
    case "EADDRINUSE":
      if (port === 0) return "another program listens there already. Stop it, or choose another path.";
      return `another program has the port (often a mosquitto that runs already: "ss -ltnp 'sport = :${port}'" shows it). Stop it, or choose another port with -p.`;
    case "EACCES":
      if (port === 0) return "its folder is not there, or does not allow this user to make a socket in it.";
      return `the system does not allow ports below 1024 to this user. Choose another port with -p, or allow it.`;
    case "EADDRNOTAVAIL":
      if (cause instanceof Error && cause.message.startsWith("bind_interface")) return null;
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
