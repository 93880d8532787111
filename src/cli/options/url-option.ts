/** -L: user, password, host, port and topic in one, and the transport. */
import { CommandLineError, type Given } from "../command-line.ts";

/** What a scheme says. */
interface Scheme {
  readonly port: number;
  readonly isSafe: boolean;
  readonly isWebSocket: boolean;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  mqtt: { port: 1883, isSafe: false, isWebSocket: false },
  mqtts: { port: 8883, isSafe: true, isWebSocket: false },
  ws: { port: 1883, isSafe: false, isWebSocket: true },
  wss: { port: 8883, isSafe: true, isWebSocket: true },
};

/**
 * What a URL says, by the names of the rows of the tables. As in mosquitto's tools nothing is decoded, and the topic is all after
 * the first "/", for a WebSocket too, whose path is another option's.
 * @throws CommandLineError when it is not one
 */
export function urlParts(url: string): Given {
  const [, name, rest] = /^([a-z]+):\/\/(.*)$/is.exec(url) ?? [];
  const scheme =
    name === undefined || !Object.hasOwn(SCHEMES, name.toLowerCase()) ? undefined : SCHEMES[name.toLowerCase()];
  if (rest === undefined || scheme === undefined) {
    throw new CommandLineError(
      `Unsupported URL scheme in '${url}'; there are mqtt, mqtts, ws and wss, as in mqtt://[user[:password]@]host[:port]/topic.`,
    );
  }
  const { port, isSafe, isWebSocket } = scheme;
  const slash = rest.indexOf("/");
  if (slash < 0) throw new CommandLineError("Invalid URL for -L argument specified - topic missing.");
  const authority = rest.slice(0, slash);
  const at = authority.indexOf("@");
  return {
    port,
    unix: "",
    ...hostOf(authority.slice(at + 1)),
    ...(at >= 0 && userOf(authority.slice(0, at))),
    ...(isSafe && { tlsUseOsCerts: true }),
    ...(isWebSocket && { usesWebSocket: true }),
    topic: rest.slice(slash + 1),
  };
}

function userOf(text: string): Given {
  const colon = text.indexOf(":");
  return colon < 0 ? { username: text } : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function hostOf(text: string): Given {
  // An address of IPv6 stands in brackets.
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (host === undefined || host === "")
    throw new CommandLineError("Invalid URL for -L argument specified - host missing.");
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  if (port === undefined) return { host: bare };
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return { host: bare, port: number };
  throw new CommandLineError(`Invalid port given: ${port}; allowed is 1 to 65535.`);
}
