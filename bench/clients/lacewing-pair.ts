// Our own library, as docs/client.md shows it.
import { connect } from "../../src/client/index.ts";
import type { Pair, PairOptions } from "./pair.ts";

export async function openPair({ url, topicName, qos, window, onMessage }: PairOptions): Promise<Pair> {
  const options = { maximumInflightMessages: window, receiveMaximum: window };
  const subscriber = await connect<string>(url, options);
  await subscriber.subscribe<string>(topicName, { qos, onMessage }).granted;
  const publisher = await connect<string>(url, options);
  return {
    publish: (payload) => void publisher.publish<string>(topicName, payload, { qos }),
    close: async () => {
      await publisher.disconnect();
      await subscriber.disconnect();
    },
  };
}
