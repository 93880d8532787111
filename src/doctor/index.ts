/** The active checks of the way to a broker: name, route, port, protocol, TLS, clock, CONNECT, messages. */
export { type Diagnosis, type Finding, LAYERS, type Layer, type State } from "./diagnosis.ts";
export { examine, type OnFinding } from "./examine.ts";
export { systemSurroundings } from "./surroundings.ts";
export type { Surroundings, Target } from "./target.ts";
