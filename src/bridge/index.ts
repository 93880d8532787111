/** Broker to broker. */
export { Bridge } from "./bridge.ts";
export type { BridgedTopic, BridgeLog, BridgeOptions, RestartDelay } from "./bridge-options.ts";
