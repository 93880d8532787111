/** What an error of the client means, from the catalogue. It is large, and so loaded only when somebody asks. */
import {
  clientEndLines,
  type Explanation,
  explanationOf,
  explanationText,
  type Language,
  type Space,
} from "../explain/index.ts";
import type { ReasonPacket } from "../protocol/index.ts";
import type { ConnectionEnding } from "./ending.ts";
import { type ClientError, ConnectionError } from "./errors.ts";

/** Columns of the text. */
const WIDTH = 100;

/** What an error means: in parts, and as text to be shown. */
export interface ErrorExplanation extends Explanation {
  /** Of the end of a connection: who ended it, by which rule, and what passed before, line by line. */
  readonly evidence: readonly string[];
  /** All of it, in lines of at most 100 columns. */
  readonly text: string;
}

interface Place {
  readonly space: Space;
  readonly code: number | string;
  readonly packet?: ReasonPacket;
}

/** The explanation of `error`: of what the server or the system said, when it said something, else of its code. */
export function explanationOfError(error: ClientError, language: Language): ErrorExplanation {
  for (const place of [...placesOf(error), { space: "client", code: error.code } as const]) {
    const explanation = explanationOf(place, language);
    if (explanation === null) continue;
    const said = { ...explanation, says: error.message };
    const ending = error instanceof ConnectionError ? error.ending : null;
    const evidence = ending === null ? [] : clientEndLines(factsOf(ending), language);
    const text = explanationText(said, { width: WIDTH });
    return { ...said, evidence, text: evidence.length === 0 ? text : `${evidence.join("\n")}\n\n${text}` };
  }
  throw new Error(`${error.code} is missing in the catalogue of errors`);
}

/** Packets that carry the reason code of an answer. */
const ANSWERS: Readonly<Record<string, readonly ReasonPacket[]>> = {
  "connection-refused": ["CONNACK"],
  "disconnected-by-server": ["DISCONNECT"],
  "publish-refused": ["PUBACK", "PUBREC"],
  "subscribe-refused": ["SUBACK"],
  "unsubscribe-refused": ["UNSUBACK"],
};

function placesOf({ code, errno, reasonCode }: ClientError): readonly Place[] {
  const packets = Object.hasOwn(ANSWERS, code) ? ANSWERS[code]! : [];
  if (reasonCode !== null && packets.length > 0) {
    // Before 5.0 there are return codes, 1 to 5, and no reason code of 5.0 for a refusal is below 0x80.
    if (code === "connection-refused" && reasonCode < 0x80) return [{ space: "connack", code: reasonCode }];
    return packets.map((packet) => ({ space: "reason", code: reasonCode, packet }));
  }
  if (errno === null) return [];
  const spaces: readonly Space[] = code === "tls-failed" ? ["tls", "x509", "errno"] : ["errno"];
  return spaces.map((space) => ({ space, code: errno }));
}

function factsOf(ending: ConnectionEnding) {
  const { address, endedBy, reason, detail, keepAliveSeconds, wasAccepted, trail } = ending;
  const { startedMs, endedMs, lastReceivedMs } = ending;
  return {
    ...{ address, endedBy, reason, detail, keepAliveSeconds, wasAccepted },
    seconds: (endedMs - startedMs) / 1000,
    silentSeconds: lastReceivedMs === null ? null : (endedMs - lastReceivedMs) / 1000,
    trail: trail.map((entry) => ({ ...entry, beforeSeconds: (endedMs - entry.lastMs) / 1000 })),
  };
}
