/** What mosquitto's clients say, and end with, when a connection fails; and a line that says what to do. */
import { getSystemErrorMap } from "node:util";
import type { ClientError } from "../client/index.ts";
import { reasonCodeName, type Version } from "../protocol/index.ts";
import { refusalAdvice } from "./refusal-advice.ts";

/** What the user is told. */
export interface Failure {
  readonly exitCode: number;
  /** Lines for standard error, as mosquitto's tools have them. */
  readonly lines: readonly string[];
  /** What it means and what to do, where there is more to say. */
  readonly advice: readonly string[];
}

/** Where the tool wanted to connect to. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly version: Version;
}

const RETURN_CODES: readonly string[] = [
  "Connection Accepted.",
  "Connection Refused: unacceptable protocol version.",
  "Connection Refused: identifier rejected.",
  "Connection Refused: broker unavailable.",
  "Connection Refused: bad user name or password.",
  "Connection Refused: not authorised.",
];

const PROTOCOL_ERROR = "Error: A network protocol error occurred when communicating with the broker.";

/** The end of a connection as an exit code and lines of text. */
export function failureOf(error: ClientError, target: Target): Failure {
  switch (error.code) {
    case "connection-refused": {
      const code = error.reasonCode!;
      const advice = refusalAdvice(code, target.version);
      return failure(code, refusalLines(code, target.version), advice);
    }
    case "disconnected-by-server":
      return failure(4, ["Error: The client is not currently connected."], `${capital(error.message)}.`);
    case "keep-alive-timeout": {
      const advice = `${target.host} takes connections and says nothing: is it a broker, and does it listen for MQTT on port ${target.port}?`;
      return failure(error.rc, [`Error: ${capital(error.message)} within the keep-alive.`], advice);
    }
    case "protocol-error":
      return failure(error.rc, [PROTOCOL_ERROR], `What the broker sent is wrong: ${error.message}.`);
    case "lookup-failed":
      return failure(
        1,
        ["Unable to connect (Lookup error.)."],
        `No address was found for the name '${target.host}': see -h.`,
      );
    case "network-error":
      return failure(1, [`Error: ${systemText(error)}`], hint(error, target));
    default:
      return failure(
        error.rc,
        ["Error: The connection was lost."],
        "The broker, or something on the way to it, closed the connection: the broker's log may say why.",
      );
  }
}

function failure(exitCode: number, lines: readonly string[], advice: string | null): Failure {
  return { exitCode, lines, advice: advice === null ? [] : [advice] };
}

function refusalLines(code: number, version: Version): string[] {
  if (version !== 5) {
    const text = RETURN_CODES[code] ?? "Connection Refused: unknown reason.";
    return [`Connection error: ${text}`, code <= 5 ? "Error: The connection was refused." : PROTOCOL_ERROR];
  }
  const name = reasonCodeName(code, "CONNACK");
  const advice = code === 0x84 ? ". Try connecting to an MQTT v5 broker, or use MQTT v3.x mode." : "";
  return [`Connection error: ${name}${advice}`, PROTOCOL_ERROR];
}

/** The system's text for an error, worded as by the C library. */
function systemText(error: ClientError): string {
  const { errno } = error;
  if (errno === "EHOSTUNREACH") return "No route to host";
  for (const [name, text] of getSystemErrorMap().values()) if (name === errno) return capital(text);
  return error.message;
}

function hint({ errno }: ClientError, { host, port }: Target): string | null {
  switch (errno) {
    case "ECONNREFUSED":
      return `Nothing listens on port ${port} of ${host}: is the broker running, and is it there? See -h and -p.`;
    case "ETIMEDOUT":
      return `${host} did not answer on port ${port}: a firewall may be in between, or the address is wrong.`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return `There is no way to ${host} from here: is this machine on the network?`;
    default:
      return null;
  }
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
