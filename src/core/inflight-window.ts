/** How many messages may be under way to a client at once. */
import { MAXIMUM_PACKET_ID } from "../protocol/index.ts";
import type { Connection } from "./connection.ts";

/** What the client takes and the operator allows, whichever is less: 1..65,535. */
export function inflightWindow({ receiveMaximum, broker }: Connection): number {
  const { maximumInflightMessages } = broker.options;
  return Math.min(receiveMaximum, maximumInflightMessages === 0 ? MAXIMUM_PACKET_ID : maximumInflightMessages);
}
