// MQTT.js, in this process.
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { type ClientKind, type Heard, pick, type Qos, type Subscriber, type VersionName } from "./client-kind.ts";

const PROTOCOL: Readonly<Record<VersionName, Pick<IClientOptions, "protocolVersion" | "protocolId">>> = {
  "3.1": { protocolVersion: 3, protocolId: "MQIsdp" },
  "3.1.1": { protocolVersion: 4 },
  "5.0": { protocolVersion: 5 },
};
const LIMIT_MS = 20_000;

export interface Connected {
  readonly client: MqttClient;
  /** Resolves with all that came when `count` have come on topic names that begin with `prefix`. */
  readonly heard: Subscriber["heard"];
}

/** Connects; a connection that is lost is not made again. */
export async function connectMqttJs(
  port: number,
  version: VersionName,
  options: IClientOptions = {},
): Promise<Connected> {
  const fixed = { host: "127.0.0.1", port, protocol: "mqtt", reconnectPeriod: 0, ...PROTOCOL[version] } as const;
  const client = connect({ ...fixed, ...options });
  // Messages of a Session may come together with the CONNACK.
  const heard = collect(client);
  await new Promise((resolve, reject) => {
    client.once("connect", resolve);
    client.once("error", reject);
  });
  return { client, heard };
}

function collect(client: MqttClient): Subscriber["heard"] {
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
    const { client, heard } = await connectMqttJs(port, version);
    await client.subscribeAsync(topicFilter, { qos: 2 });
    return { heard, end: () => client.endAsync() };
  },
  async publish({ port, version, topicName, payloads, qos }) {
    const { client } = await connectMqttJs(port, version);
    await Promise.all(payloads.map((payload) => client.publishAsync(topicName, payload, { qos })));
    await client.endAsync();
  },
};
