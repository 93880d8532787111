/** -L: user, password, host, port and topic in one. */
import { CommandLineError, type Given } from "../command-line.ts";

/** Schemes, and the port that each means. */
const SCHEMES: Readonly<Record<string, number>> = { mqtt: 1883 };

/**
 * What a URL says, by the names of the rows of the tables. As in mosquitto's tools nothing is decoded, and the topic is all after
 * the first "/".
 * @throws CommandLineError when it is not one
 */
export function urlParts(url: string): Given {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/is.exec(url) ?? [];
  const port = scheme === undefined ? undefined : SCHEMES[scheme.toLowerCase()];
  if (rest === undefined || port === undefined) {
    throw new CommandLineError(
      `Unsupported URL scheme in '${url}'; the form is mqtt://[user[:password]@]host[:port]/topic.`,
    );
  }
  const slash = rest.indexOf("/");
  if (slash < 0) throw new CommandLineError("Invalid URL for -L argument specified - topic missing.");
  const authority = rest.slice(0, slash);
  const at = authority.indexOf("@");
  return {
    port,
    ...hostOf(authority.slice(at + 1)),
    ...(at >= 0 && userOf(authority.slice(0, at))),
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
