/** The client library in browsers. */
export { type ConnectOptions, connect, MqttClient, type MqttClientOptions } from "./browser-client.ts";
export * from "./face.ts";
