/** The running broker, asked over MQTT and HTTP. */
export type { AdminLog } from "./admin-log.ts";
export { BrokerControl } from "./broker-control.ts";
export { ControlService } from "./control-service.ts";
export { type BrokerFacts, HttpApi, type HttpReception } from "./http-api.ts";
export type { OpenListener } from "./open-listener.ts";
export {
  type Answer,
  type BusyClient,
  type ClientState,
  REQUEST_TOPIC,
  RESPONSE_TOPIC,
  type RequestName,
  type Requests,
  TAP_TOPIC,
  type TapEvent,
} from "./requests.ts";
export { Taps } from "./taps.ts";
