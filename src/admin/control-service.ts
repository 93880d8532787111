/** Answers the requests of `requests.ts`. A request that cannot be understood is answered with what is allowed. */
import { type Broker, type ControlRequest, respond, type TraceQuestion, trace } from "../core/index.ts";
import type { FlightRecorder } from "../observe/index.ts";
import { encodeUtf8, type Properties } from "../protocol/index.ts";
import type { AdminLog } from "./admin-log.ts";
import { Activity, pageOf, stateOf } from "./client-states.ts";
import { field, RequestError } from "./fields.ts";
import { type Answer, REQUEST_TOPIC, RESPONSE_TOPIC, type RequestName, type Requests } from "./requests.ts";
import type { Taps } from "./taps.ts";
import { refusalLine, refusalOf } from "./who-may-ask.ts";

const MOST_CLIENTS = 1000;
const MOST_BUSY = 100;
const LONGEST_TOP_SECONDS = 3600;
/** Requests for the busiest that wait at once: each remembers a number for every connection. */
const MOST_ACTIVITIES = 16;
const MOST_CONNECTIONS = 50;
const MOST_SIMILAR = 5;
const LARGEST_REQUEST_BYTES = 65_536;
const LONGEST_TAP_SECONDS = 86_400;
const LARGEST_PAYLOAD_BYTES = 268_435_455;

type Answerers = {
  readonly [Name in RequestName]: (
    ask: unknown,
    request: ControlRequest,
  ) => Requests[Name]["answer"] | Promise<Requests[Name]["answer"]>;
};

/** The service of one broker. */
export class ControlService {
  readonly #broker: Broker;
  readonly #recorder: FlightRecorder;
  readonly #sinceMs: number;
  readonly #taps: Taps;
  readonly #tell: AdminLog;
  #activities = 0;

  constructor(broker: Broker, recorder: FlightRecorder, taps: Taps, tell: AdminLog) {
    this.#broker = broker;
    this.#recorder = recorder;
    this.#sinceMs = broker.clock.wallMs();
    this.#taps = taps;
    this.#tell = tell;
    broker.controls.handle(REQUEST_TOPIC, (request) => this.#receive(request), mayReadAnswer);
  }

  readonly #answerers: Answerers = {
    clients: (ask) => {
      const after = field.optionalText(ask, "after") ?? "";
      const limit = field.integer(ask, "limit", 1, MOST_CLIENTS, MOST_CLIENTS);
      const { sessions } = this.#broker;
      return {
        clients: pageOf(sessions, after, limit).map((session) => stateOf(session, this.#broker)),
        all: sessions.count,
      };
    },
    top: (ask) => {
      const seconds = field.integer(ask, "seconds", 1, LONGEST_TOP_SECONDS);
      const limit = field.integer(ask, "limit", 1, MOST_BUSY, MOST_BUSY);
      if (this.#activities >= MOST_ACTIVITIES)
        throw new RequestError(`${MOST_ACTIVITIES} clients look at the busiest already, the most at once`);
      this.#activities++;
      const activity = new Activity(this.#broker);
      return new Promise((resolve) => {
        this.#broker.deadlines.add(this.#broker.clock.nowMs() + seconds * 1000, () => {
          this.#activities--;
          resolve(activity.until(limit));
        });
      });
    },
    why: (ask) => {
      const clientId = field.text(ask, "clientId");
      const limit = field.integer(ask, "limit", 1, MOST_CONNECTIONS, MOST_CONNECTIONS);
      const connections = this.#recorder.connectionsOf(clientId).slice(-limit);
      const session = this.#broker.sessions.get(clientId);
      return {
        connections,
        losses: session === undefined ? [] : this.#recorder.lossesOf(session),
        sinceMs: this.#sinceMs,
        similar: connections.length === 0 ? this.#similarTo(clientId) : [],
      };
    },
    "why-not": (ask) => {
      const question = questionOf(ask);
      const session = this.#broker.sessions.get(question.to);
      const losses = session === undefined ? [] : this.#recorder.lossesOf(session);
      return {
        trace: trace(this.#broker, question),
        losses: losses.filter(({ topic }) => topic === question.topicName),
        similar: session === undefined ? this.#similarTo(question.to) : [],
      };
    },
    tap: (ask, request) => {
      const clientId = field.text(ask, "clientId");
      const seconds = field.integer(ask, "seconds", 1, LONGEST_TAP_SECONDS);
      this.#taps.begin(clientId, seconds, request);
      return { isConnected: this.#broker.sessions.get(clientId)?.connection != null, seconds };
    },
    untap: (ask, request) => ({ events: this.#taps.end(field.text(ask, "clientId"), request.connection) }),
  };

  #receive(request: ControlRequest): void {
    const answered = this.#answer(request);
    if (answered instanceof Promise) void answered.then((answer) => this.#respond(request, answer));
    else this.#respond(request, answered);
  }

  #respond(request: ControlRequest, answer: Answer): void {
    const { responseTopic = RESPONSE_TOPIC, correlationData } = request.properties;
    const properties: Properties = correlationData === undefined ? {} : { correlationData };
    respond(request, responseTopic, encodeUtf8(JSON.stringify(answer)), 1, properties);
  }

  #answer(request: ControlRequest): Answer | Promise<Answer> {
    let command: string | null = null;
    try {
      const refusal = refusalOf(request);
      if (refusal !== null) {
        this.#tell("notice", refusalLine(request));
        throw new RequestError(refusal);
      }
      const ask = parsed(request.payload);
      const name = field.text(ask, "command");
      command = name;
      if (!Object.hasOwn(this.#answerers, name))
        throw new RequestError(`unknown command "${name}"; there are ${Object.keys(this.#answerers).join(", ")}`);
      const data = this.#answerers[name as RequestName](ask, request);
      if (data instanceof Promise) return data.then((later) => ({ command: name, data: later }) as Answer);
      return { command: name, data } as Answer;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return { command, error: error.message };
    }
  }

  #similarTo(clientId: string): readonly string[] {
    const wanted = clientId.toLowerCase();
    const known = [
      ...new Set([...this.#recorder.knownClients(), ...[...this.#broker.sessions].map((s) => s.clientId)]),
    ];
    const isLike = (name: string): boolean => name.includes(wanted) || (name !== "" && wanted.includes(name));
    return known.filter((name) => isLike(name.toLowerCase())).slice(0, MOST_SIMILAR);
  }
}

/** Who may write here and not read the answers would wait for one in vain. */
function mayReadAnswer({ connection, properties }: ControlRequest): boolean {
  return connection.policy.canReceive(properties.responseTopic ?? RESPONSE_TOPIC);
}

function parsed(payload: Uint8Array): unknown {
  if (payload.length > LARGEST_REQUEST_BYTES)
    throw new RequestError(`the request has ${payload.length} bytes; at most ${LARGEST_REQUEST_BYTES} are allowed`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw new RequestError('the request is not JSON, as in {"command": "clients"}');
  }
}

function questionOf(ask: unknown): TraceQuestion {
  return {
    topicName: field.text(ask, "topicName"),
    to: field.text(ask, "to"),
    from: field.optionalText(ask, "from"),
    qos: field.integer(ask, "qos", 0, 2, 0) as 0 | 1 | 2,
    retain: field.flag(ask, "retain"),
    payloadBytes: field.integer(ask, "payloadBytes", 0, LARGEST_PAYLOAD_BYTES, 0),
  };
}
