/**
 * The trace that mosquitto's clients, and ours, print with -d, read by its order: where it stops says more than its last line, which is
 * the same for many reasons. Lines go in one after the other, without their times.
 */
import type { MeaningKey } from "./catalogue/meanings.ts";

/** What of a line matters here; the first that fits counts. */
const LINES: readonly (readonly [RegExp, (trace: TraceState) => MeaningKey | null])[] = [
  [/^Client .{1,200} sending CONNECT$/, connecting],
  [/^Client .{1,200} received CONNACK \(/, (trace) => to(trace, "connected")],
  [/^Client .{1,200} sending PUBLISH \(/, (trace) => (trace.stage === "idle" ? null : to(trace, "published"))],
  [
    /^Client .{1,200} received (?:PUBACK|PUBREC) \(/,
    (trace) => (trace.stage === "idle" ? null : to(trace, "connected")),
  ],
  [/^OpenSSL Error/, (trace) => to(trace, "idle")],
  [/^Error: The connection was lost\.$/, lost],
  [/^Error: A network protocol error occurred/, (trace) => (trace.stage === "connecting" ? "port-not-mqtt" : null)],
];

interface TraceState {
  /** Nothing is known; CONNECT is not answered; it is; a PUBLISH is not. */
  stage: "idle" | "connecting" | "connected" | "published";
}

function to(trace: TraceState, stage: TraceState["stage"]): null {
  trace.stage = stage;
  return null;
}

/** A second CONNECT, and the first was never answered: the client is thrown out and tries again. */
function connecting(trace: TraceState): MeaningKey | null {
  if (trace.stage === "connecting") return "port-closes";
  return to(trace, "connecting");
}

function lost(trace: TraceState): MeaningKey | null {
  const { stage } = trace;
  trace.stage = "idle";
  if (stage === "connecting") return "port-closes";
  return stage === "published" ? "publish-closes" : null;
}

/** Reads one trace. */
export class ClientTrace {
  readonly #state: TraceState = { stage: "idle" };

  /** Takes the next line, and returns what its place in the trace says that the line does not; else null. */
  next(line: string): MeaningKey | null {
    for (const [pattern, act] of LINES) if (pattern.test(line)) return act(this.#state);
    return null;
  }
}
