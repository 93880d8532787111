/**
 * mosquitto 2.1's HTTP API of one listener (`protocol http_api`): what the broker counts and where it listens, to read only. Whoever asks
 * comes in as clients of that listener do, with user and password by HTTP's Basic scheme, and needs read access to the path where there are rules.
 */
import type { Applicant, Authenticator, Broker, Entrance, Policy, Verdict } from "../core/index.ts";
import { type Connect, encodeUtf8, NO_PROPERTIES, topicNameFault } from "../protocol/index.ts";
import type { HttpAnswer, HttpRequest, HttpService } from "../transport/index.ts";
import type { AdminLog } from "./admin-log.ts";
import { hasTls, type OpenListener } from "./open-listener.ts";

/** By this name rules and authenticators know those who ask, as in mosquitto. */
const CLIENT_ID = "http-api";

/** What the broker knows of itself. */
export interface BrokerFacts {
  /** As "1.0.0". */
  readonly version: string;
  /** What it counts, by topic below `$SYS/broker/`. */
  figures(): Iterable<readonly [name: string, value: number]>;
  /** Those that are open now. */
  listeners(): readonly OpenListener[];
}

/** What asks are judged by. */
export interface HttpReception {
  readonly broker: Broker;
  readonly authenticator: Authenticator;
  readonly entrance: Entrance;
}

/** Numbers that mosquitto only gives as messages, as they are others by a second name. */
const ALIASES: ReadonlySet<string> = new Set([
  "clients/active",
  "clients/inactive",
  "messages/inflight",
  "store/messages/count",
]);

/** What begins so mosquitto does not count: whoever compares the names finds those of mosquitto alone at its path. */
const OURS = "lacewing/";

/** By `protocol`, in mosquitto's words. */
const PROTOCOLS = { mqtt: "mqtt", websockets: "websockets", http_api: "httpapi" } as const;

const NOT_AUTHORISED = {
  kind: "refused",
  status: 401,
  text: "Not authorised\n",
  headers: { "WWW-Authenticate": 'Basic realm="Lacewing API", charset="UTF-8"' },
} as const;

/** Answers at one listener. */
export class HttpApi implements HttpService {
  readonly #reception: HttpReception;
  readonly #facts: BrokerFacts;
  readonly #tell: AdminLog;

  constructor(reception: HttpReception, facts: BrokerFacts, tell: AdminLog) {
    this.#reception = reception;
    this.#facts = facts;
    this.#tell = tell;
  }

  refused(remoteAddress: string, what: string): void {
    this.#tell("notice", `HTTP request from ${remoteAddress} is refused: ${what}.`);
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const refusal = await this.#refusalOf(request);
    if (refusal !== null) return refusal;
    const { path } = request;
    if (!path.toLowerCase().startsWith("/api/")) return { kind: "file" };
    switch (path) {
      case "/api/v1/version":
        return { kind: "content", mediaType: "text/plain; charset=utf-8", text: this.#facts.version };
      case "/api/v1/listeners":
        return json({ listeners: this.#facts.listeners().map(listenerOf) });
      case "/api/v1/systree":
        return json(this.#systree((name) => !name.startsWith(OURS)));
      case "/api/v1/lacewing":
        return json(this.#systree((name) => name.startsWith(OURS)));
      default:
        return { kind: "refused", status: 404, text: "Not found.\n", why: "there is no such request" };
    }
  }

  #systree(isWanted: (name: string) => boolean): Readonly<Record<string, number>> {
    const told = [...this.#facts.figures()].filter(([name]) => isWanted(name) && !ALIASES.has(name));
    return Object.fromEntries(told.map(([name, value]) => [`$SYS/broker/${name}`, value]));
  }

  /** Why the request is not answered; null: it is. */
  async #refusalOf({ path, authorization, facts }: HttpRequest): Promise<HttpAnswer | null> {
    const { broker, entrance } = this.#reception;
    const { remoteAddress, localPort, peer } = facts;
    const waitMs = broker.admission.backOffMs(entrance, remoteAddress, broker.clock.nowMs());
    if (waitMs > 0) {
      const headers = { "Retry-After": String(Math.ceil(waitMs / 1000)) };
      const why = "log-ins from this address failed too often";
      return { kind: "refused", status: 429, text: "Too many log-ins have failed.\n", headers, why };
    }
    const connect = connectOf(authorization);
    const verdict = await this.#judge({ connect, clientId: CLIENT_ID, remoteAddress, localPort, peer });
    if (verdict === null) {
      const why = "those who know its users did not answer";
      return { kind: "refused", status: 503, text: "Service unavailable.\n", headers: { "Retry-After": "1" }, why };
    }
    if (verdict.kind !== "accepted") {
      // Browsers first ask without, to hear that they must.
      if (connect.username !== null) broker.admission.loginFailed(entrance, remoteAddress, broker.clock.nowMs());
      return { ...NOT_AUTHORISED, why: connect.username === null ? "no user is named" : "the log-in has failed" };
    }
    return mayRead(verdict.policy, path) ? null : { ...NOT_AUTHORISED, why: "the rules do not let it read that path" };
  }

  /** null: there is no answer, or none in time. Nobody is let in by that. */
  async #judge(applicant: Applicant): Promise<Verdict | null> {
    const { broker, authenticator } = this.#reception;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), broker.options.authenticatorTimeoutMs);
    });
    try {
      const verdict = await Promise.race([authenticator.authenticate(applicant), late]);
      const isBusy =
        verdict?.kind === "refused" && (verdict.reason === "server-busy" || verdict.reason === "server-unavailable");
      return isBusy ? null : verdict;
    } catch (error) {
      this.#tell("error", `The authenticator failed for an HTTP request from ${applicant.remoteAddress}: ${error}.`);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A path as a topic, which is how rules know it. What can be none is denied where there are rules. */
function mayRead(policy: Policy, path: string): boolean {
  return policy.allowsAll || (topicNameFault(path) === null && policy.canReceive(path));
}

/** What a client of MQTT would say. An Authorization that cannot be read names nobody. */
function connectOf(authorization: string | null): Connect {
  const [, encoded = ""] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? "") ?? [];
  const text = Buffer.from(encoded, "base64").toString();
  const end = text.indexOf(":");
  return {
    type: "CONNECT",
    version: 4,
    bridge: false,
    cleanStart: true,
    keepAliveSeconds: 0,
    clientId: CLIENT_ID,
    will: null,
    username: end < 0 ? null : text.slice(0, end),
    password: end < 0 ? null : encodeUtf8(text.slice(end + 1)),
    properties: NO_PROPERTIES,
  };
}

function json(value: unknown): HttpAnswer {
  return { kind: "content", mediaType: "application/json", text: JSON.stringify(value, null, "\t") };
}

function listenerOf(listener: OpenListener): Readonly<Record<string, unknown>> {
  const { config, current, port } = listener;
  return {
    ...(config.unixPath === null ? { port } : { path: config.unixPath }),
    protocol: PROTOCOLS[config.protocol],
    tls: hasTls(listener),
    mtls: config.tls?.requireCertificate ?? false,
    allow_anonymous: current.allowAnonymous,
  };
}
