// MQTT.js, in this process.
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { type ClientKind, type Heard, pick, type Qos, type VersionName } from "./client-kind.ts";

const PROTOCOL: Readonly<Record<VersionName, Pick<IClientOptions, "protocolVersion" | "protocolId">>> = {
  "3.1": { protocolVersion: 3, protocolId: "MQIsdp" },
  "3.1.1": { protocolVersion: 4 },
  "5.0": { protocolVersion: 5 },
};
const LIMIT_MS = 20_000;

/** Connects; a connection that is lost is not made again. */
export function connectMqttJs(port: number, version: VersionName, options: IClientOptions = {}): Promise<MqttClient> {
  const fixed = { host: "127.0.0.1", port, protocol: "mqtt", reconnectPeriod: 0, ...PROTOCOL[version] } as const;
  return connectAsync({ ...fixed, ...options });
}

/** All messages that come from now on, and a way to wait for some. */
export function collect(client: MqttClient): (count: number, prefix: string) => Promise<readonly Heard[]> {
  const all: Heard[] = [];
  const listeners = new Set<() => void>();
  client.on("message", (topicName, payload, { qos }) => {
    all.push({ topicName, payload: payload.toString(), qos: qos as Qos });
    for (const listener of [...listeners]) listener();
  });
  return (count, prefix) =>
    new Promise((resolve, reject) => {
      const late = () => reject(new Error(`MQTT.js: not ${count} but ${pick(all, 0, prefix)?.length} on ${prefix}`));
      const timer = setTimeout(late, LIMIT_MS);
      const listener = () => {
        const found = pick(all, count, prefix);
        if (found === null) return;
        listeners.delete(listener);
        clearTimeout(timer);
        resolve(found);
      };
      listeners.add(listener);
      listener();
    });
}

export const mqttJs: ClientKind = {
  name: "MQTT.js",
  needs: ["mqtt"],
  versions: ["3.1", "3.1.1", "5.0"],
  async subscribe({ port, version, topicFilter }) {
    const client = await connectMqttJs(port, version);
    const heard = collect(client);
    await client.subscribeAsync(topicFilter, { qos: 2 });
    return { heard, end: () => client.endAsync() };
  },
  async publish({ port, version, topicName, payloads, qos }) {
    const client = await connectMqttJs(port, version);
    await Promise.all(payloads.map((payload) => client.publishAsync(topicName, payload, { qos })));
    await client.endAsync();
  },
};
