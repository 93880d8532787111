// A sensor: measures every second and publishes at QoS 1. While there is no connection, measurements wait; with a file for them they
// also outlive the program. Ctrl-C ends it.
//
//     node examples/sensor.mjs [URL] [NAME] [FILE]
import { connect, openFileStore } from "lacewing/client";

const [url = "mqtt://127.0.0.1:1883", name = "sensor-1", file] = process.argv.slice(2);

// A device is often there before its network is: `waitForServer` tries until it comes.
const client = await connect(url, {
  version: 5,
  clientId: name,
  cleanStart: false,
  properties: { sessionExpirySeconds: 86_400 },
  will: { topicName: `sensor/${name}/online`, payload: "false", retain: true },
  // The newest measurements are worth most: the oldest that may be lost gives way.
  queue: { maximumMessages: 10_000, policy: "drop-oldest-qos-0" },
  waitForServer: true,
  ...(file !== undefined && { store: await openFileStore(file) }),
});
console.log(`connected to ${client.connection?.server}`);

client.on("disconnect", ({ error, willReconnect, delayMs }) => {
  if (error !== null) console.log(`${error.code} (rc ${error.rc}): ${error.message}`);
  if (willReconnect) console.log(`trying again in ${delayMs} ms`);
});
client.on("undelivered", ({ topicName }, { message }) => console.log(`${topicName} was not delivered: ${message}`));
client.publish(`sensor/${name}/online`, "true", { retain: true });

let count = 0;
const timer = setInterval(() => {
  const number = ++count;
  const measured = { celsius: 20 + Math.sin(number / 10), at: new Date().toISOString() };
  const publication = client.publish(`sensor/${name}/temperature`, JSON.stringify(measured), {
    qos: 1,
    properties: { contentType: "application/json", messageExpirySeconds: 3600 },
  });
  // Nobody has to wait for the outcome; this program shows it.
  publication.then(
    () => console.log(`measurement ${number} arrived`),
    (error) => console.log(`measurement ${number}: ${error.message}`),
  );
}, 1000);

process.once("SIGINT", async () => {
  clearInterval(timer);
  client.publish(`sensor/${name}/online`, "false", { retain: true });
  // Waits until everything has arrived, five seconds at most.
  await client.disconnect();
  console.log("goodbye");
});
