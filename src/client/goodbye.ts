/** What an application asks for when it says goodbye. */
import {
  disconnectFault,
  encodePacket,
  NO_PROPERTIES,
  type Properties,
  ReasonCode,
  type Version,
} from "../protocol/index.ts";
import { checkNames } from "./known-names.ts";

/** Options of a goodbye. */
export interface DisconnectOptions {
  /** What the server is told; 5.0 only. DisconnectWithWill (4) has it publish the will. */
  readonly reasonCode?: ReasonCode;
  /** 5.0 only. */
  readonly properties?: Readonly<Pick<Properties, "sessionExpirySeconds" | "reasonString" | "userProperties">>;
  /** How long to wait at most for the outcome of what has been published, in milliseconds; 5000. 0 says goodbye at once. */
  readonly drainMs?: number;
  /** Stops waiting and says goodbye. */
  readonly signal?: AbortSignal;
}

/** The same with all that was left out. */
interface Goodbye {
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
  readonly drainMs: number;
}

/** How long a goodbye waits for messages that are under way, in milliseconds. */
const DRAIN_MS = 5000;

/**
 * Checks a goodbye before anything is done for it: afterwards there is no way back.
 * @throws ArgumentError or MqttError for what a client may not say
 */
export function goodbyeOf(options: DisconnectOptions, version: Version): Goodbye {
  checkNames("disconnect", options);
  const { reasonCode = ReasonCode.NormalDisconnection, properties = NO_PROPERTIES, drainMs = DRAIN_MS } = options;
  if (version === 5) {
    const fault = disconnectFault(reasonCode, properties, "client");
    if (fault !== null) throw new RangeError(`DISCONNECT: ${fault}`);
    encodePacket({ type: "DISCONNECT", reasonCode, properties }, version);
  }
  return { reasonCode, properties, drainMs };
}
