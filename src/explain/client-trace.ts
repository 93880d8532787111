/**
 * The trace that mosquitto's clients, and ours, print with -d, read by its order: where it stops says more than its last line, which is
 * the same for many reasons. Lines go in one after the other, without their times.
 */
import type { MeaningKey } from "./catalogue/meanings.ts";

/** What of a line matters here; the first that fits counts. */
const LINES: readonly (readonly [RegExp, (trace: TraceState) => MeaningKey | null])[] = [
  [/^Client .{1,200} sending CONNECT$/, connecting],
  [/^Client .{1,200} received CONNACK \(/, connected],
  [/^Client .{1,200} sending PINGREQ$/, (trace) => heard(trace, "awaited")],
  [/^Client .{1,200} received PINGRESP$/, (trace) => heard(trace, "heard")],
  [/^Client .{1,200} sending PUBLISH \(/, (trace) => (trace.stage === "idle" ? null : to(trace, "published"))],
  [
    /^Client .{1,200} received (?:PUBACK|PUBREC) \(/,
    (trace) => (trace.stage === "idle" ? null : to(trace, "connected")),
  ],
  [/^OpenSSL Error/, (trace) => to(trace, "idle")],
  [/^Error: The connection was lost\.$/, lost],
  [/^Error: Unknown error\.$/, unknown],
  [/^Error: A network protocol error occurred/, (trace) => (trace.stage === "connecting" ? "port-not-mqtt" : null)],
];

interface TraceState {
  /** Nothing is known; CONNECT is not answered; it is; a PUBLISH is not. */
  stage: "idle" | "connecting" | "connected" | "published";
  /** Of the broker: nothing is amiss; PINGREQ is not answered; nor was it before the client gave the connection up. */
  broker: "heard" | "awaited" | "silent";
}

function to(trace: TraceState, stage: TraceState["stage"]): null {
  trace.stage = stage;
  return null;
}

function heard(trace: TraceState, broker: TraceState["broker"]): null {
  trace.broker = broker;
  return null;
}

function connected(trace: TraceState): null {
  heard(trace, "heard");
  return to(trace, "connected");
}

/**
 * A second CONNECT, and the first was never answered: the client is thrown out and tries again. After a PINGREQ without an answer it was
 * the client that gave up, and as long as no CONNACK comes the broker is as silent as before.
 */
function connecting(trace: TraceState): MeaningKey | null {
  if (trace.broker !== "heard") {
    trace.stage = "connecting";
    trace.broker = "silent";
    return "keep-alive-timeout";
  }
  if (trace.stage === "connecting") return "port-closes";
  return to(trace, "connecting");
}

/** mosquitto 2.0 has no text for 19, with which its tools end when CONNECT is not answered within the keep-alive. */
function unknown(trace: TraceState): MeaningKey | null {
  const { stage } = trace;
  trace.stage = "idle";
  return stage === "connecting" ? "connack-timeout" : null;
}

function lost(trace: TraceState): MeaningKey | null {
  const { stage } = trace;
  trace.stage = "idle";
  if (stage === "connecting") return "port-closes";
  return stage === "published" ? "publish-closes" : null;
}

/** Reads one trace. */
export class ClientTrace {
  readonly #state: TraceState = { stage: "idle", broker: "heard" };

  /** Takes the next line, and returns what its place in the trace says that the line does not; else null. */
  next(line: string): MeaningKey | null {
    for (const [pattern, act] of LINES) if (pattern.test(line)) return act(this.#state);
    return null;
  }
}
