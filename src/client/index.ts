/** The client library in Node; `browser.ts` is the same without what only Node has. */
export * from "./face.ts";
export { type FileStoreOptions, openFileStore, openPairStore } from "./file-store.ts";
export { type ConnectOptions, connect, MqttClient, type MqttClientOptions } from "./mqtt-client.ts";
export type { NodeClientOptions, NodeTransportOptions } from "./node-connectors.ts";
