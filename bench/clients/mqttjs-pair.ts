// MQTT.js, as its README shows it. It bounds no messages in flight itself before 5.0: the window of the run does.
import mqtt from "mqtt";
import type { Pair, PairOptions } from "./pair.ts";

export async function openPair({ url, topicName, qos, onMessage }: PairOptions): Promise<Pair> {
  const subscriber = await mqtt.connectAsync(url);
  subscriber.on("message", onMessage);
  await subscriber.subscribeAsync(topicName, { qos });
  const publisher = await mqtt.connectAsync(url);
  return {
    publish: (payload) => publisher.publish(topicName, payload as Buffer, { qos }),
    close: async () => {
      await publisher.endAsync();
      await subscriber.endAsync();
    },
  };
}
