/** What of a configuration that can be used is likely not meant, or dangerous. */
import { stat } from "node:fs/promises";
import type { SecurityFile } from "../../security/index.ts";
import { type Config, DEFAULT_CONFIG, isLocal } from "../config.ts";
import type { ListenerConfig } from "../listener-config.ts";
import { rightsOf } from "./file-rights.ts";
import { type Finding, finding } from "./finding.ts";

/** Clients send this unless told otherwise, in seconds; one of 3.1 or 3.1.1 with a longer one than allowed is refused. */
const USUAL_KEEP_ALIVE_SECONDS = 60;

/** Of one way in. */
export function dangersOfListener(listener: ListenerConfig): readonly Finding[] {
  return [...ofStrangers(listener), ...ofReaders(listener), ...withoutUse(listener)];
}

/** Who could come in without being asked. */
function ofStrangers(listener: ListenerConfig): readonly Finding[] {
  const { allowAnonymous, security, place, entrance, protocol } = listener;
  const where = entrance.name;
  const isAsked = asksForProof(listener);
  if (!allowAnonymous && !isAsked) {
    const text = `Nobody can connect to ${where}: allow_anonymous is false, and there are no users.`;
    const advice = "Set password_file, require_certificate with use_identity_as_username, or allow_anonymous true.";
    return [finding("warning", place, text, advice)];
  }
  if (!allowAnonymous || isLocal(listener) || provesIdentity(listener)) return [];
  const everything = protocol === "http_api" ? "what it tells of the broker" : "and write everything";
  const may = !hasRules(security) ? ` and may read ${everything}` : "";
  const text = `Everybody who reaches ${where} comes in without a password${may}: allow_anonymous is true.`;
  return [finding("warning", place, text, "Set allow_anonymous false and password_file, or bind it to 127.0.0.1.")];
}

/** Whether nobody comes in without a certificate or key. */
function provesIdentity({ tls, psk, proxyRequiresCertificate }: ListenerConfig): boolean {
  return psk !== null || proxyRequiresCertificate || tls?.requireCertificate === true;
}

function asksForProof({ security, entrance, psk }: ListenerConfig): boolean {
  return knowsUsers(security) || entrance.identityAsUsername !== null || psk !== null;
}

function knowsUsers({ passwordFile, plugins }: ListenerConfig["security"]): boolean {
  return passwordFile !== null || plugins.some(({ kind }) => kind !== "acl-file");
}

function hasRules({ aclFile, plugins }: ListenerConfig["security"]): boolean {
  return aclFile !== null || plugins.length > 0;
}

/** Who could read along. */
function ofReaders(listener: ListenerConfig): readonly Finding[] {
  const { tls, psk, proxyProtocol, security, place, entrance } = listener;
  if (tls !== null || psk !== null || proxyProtocol !== 0 || isLocal(listener) || !knowsUsers(security)) return [];
  const text = `Passwords for ${entrance.name} travel readable: it has no TLS.`;
  return [finding("warning", place, text, "Set certfile and keyfile, or bind it to 127.0.0.1 behind what speaks TLS.")];
}

/** What is set and does nothing here. */
function withoutUse({ entrance, security, psk, tls, place, protocol, webSocket }: ListenerConfig): readonly Finding[] {
  const found: Finding[] = [];
  if (entrance.identityAsUsername !== null && security.passwordFile !== null) {
    const text = `password_file does nothing for ${entrance.name}: who comes in there is named by its certificate or key.`;
    found.push(finding("note", place, text));
  }
  if (security.pskFile !== null && psk === null) {
    const text = `psk_file does nothing for ${entrance.name}, which has no psk_hint.`;
    found.push(finding("note", place, text));
  }
  if (tls !== null && !tls.requireCertificate && entrance.identityAsUsername === null && tls.crlFile !== null) {
    const text = `crlfile keeps out revoked certificates on ${entrance.name}, but who shows none comes in: require_certificate is false.`;
    found.push(finding("warning", place, text, "Set require_certificate true."));
  }
  if (protocol === "websockets" && webSocket.origins.length === 0 && entrance.identityAsUsername !== null) {
    const text = `Pages of any origin may use the certificate of a browser's user at ${entrance.name}.`;
    found.push(finding("warning", place, text, "Set websockets_origin."));
  }
  return found;
}

/** Of the broker as a whole. */
export function dangersOfBroker(config: Config): readonly Finding[] {
  const { broker, persistence, listeners, log } = config;
  const found: Finding[] = [];
  const isPublic = listeners.some((listener) => !isLocal(listener));
  const { maximumKeepAliveSeconds } = broker;
  if (maximumKeepAliveSeconds === 0 && isPublic) {
    const text = "Clients may connect without keep-alive: one whose network is gone then stays until TCP gives up.";
    found.push(finding("note", null, text, "max_keepalive 3600 bounds it; 0 is mosquitto's default too."));
  } else if (maximumKeepAliveSeconds > 0 && maximumKeepAliveSeconds < USUAL_KEEP_ALIVE_SECONDS) {
    const text = `max_keepalive ${maximumKeepAliveSeconds} refuses clients of 3.1 and 3.1.1 with the usual keep-alive of ${USUAL_KEEP_ALIVE_SECONDS} s, which cannot be told a shorter one.`;
    found.push(
      finding("warning", null, text, `Set it to ${USUAL_KEEP_ALIVE_SECONDS} or more, or all clients to less.`),
    );
  }
  if (config.enableControlApi && listeners.some(({ security }) => !hasRules(security))) {
    const text = "enable_control_api answers only clients on this machine where no rules say who may ask.";
    const advice = 'Set acl_file, with "topic readwrite $CONTROL/broker/#" below a user, for others.';
    found.push(finding("note", null, text, advice));
  }
  if (config.process.user === "root") {
    const text = "user root: started as root, the broker stays root, and so may do everything on this machine.";
    found.push(finding("warning", null, text, "Name another user, who then needs the right to the broker's files."));
  }
  if (!persistence.enabled && persistence.location !== DEFAULT_CONFIG.persistence.location)
    found.push(finding("note", null, "persistence_location does nothing: persistence is false."));
  if (broker.maximumQueuedMessages === 0 && broker.maximumQueuedBytes === 0 && !persistence.enabled) {
    const text = "The queues of clients that are away have no bound, and all of them are in memory.";
    found.push(finding("warning", null, text, "Set max_queued_messages or max_queued_bytes, or memory_limit."));
  }
  if (log.destinations.length === 0 || log.types.length === 0)
    found.push(finding("note", null, "Nothing is logged: who looks for a mistake later will find no line."));
  return found;
}

/** Of the folder whose files a listener gives out. */
export async function dangersOfFolder({ protocol, webSocket, place }: ListenerConfig): Promise<readonly Finding[]> {
  const { httpDir } = webSocket;
  if (httpDir === null || protocol === "mqtt") return [];
  try {
    if ((await stat(httpDir)).isDirectory()) return [];
    return [finding("error", place, `http_dir ${httpDir} is no folder.`)];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [finding("error", place, `http_dir ${httpDir}: ${code}.`, "Make the folder, or remove the line.")];
  }
}

/** Of a file of users, rules or keys. */
export async function dangersOfFile(file: SecurityFile): Promise<readonly Finding[]> {
  const { option, path, holds, count, isSecret, warnings, error } = file;
  if (error !== null) return [finding("error", path, `${option}: ${error}`)];
  const found = warnings.map((text) => finding("warning", path, text));
  if (count === 0) {
    const meaning = { users: "nobody is known by it", keys: "nobody has a key", rules: "it allows nothing" } as const;
    const why = holds === "code" ? "" : `: ${meaning[holds]}`;
    found.push(finding("warning", path, `${option} ${path} is empty${why}.`));
  }
  return [...found, ...(await rightsOf(path, `the file of ${holds}`, isSecret))];
}
