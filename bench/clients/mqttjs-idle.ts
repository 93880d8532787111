// One client of MQTT.js.
import { connect, type Socket } from "node:net";
import mqtt from "mqtt";

export function openIdle(url: string, from: string): Promise<unknown> {
  const { hostname, port } = new URL(url);
  const open = (): Socket => connect({ host: hostname, port: Number(port), localAddress: from });
  return new Promise((resolve, reject) => {
    const client = new mqtt.MqttClient(open, {});
    client.once("connect", () => resolve(client)).once("error", reject);
  });
}
