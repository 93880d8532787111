// Started by clock.test.ts with a clock that is wrong: connects by TLS, says each end of an attempt, and what the clock is.
// Arguments: URL, file of the CA.
import { MqttClient } from "../../src/client/index.ts";

const [url = "", caFile = ""] = process.argv.slice(2);

const client = new MqttClient(url, { tls: { caFile }, reconnect: { minimumDelayMs: 20, maximumDelayMs: 50 } });
client.onDisconnect = (rc, { error, willReconnect }) =>
  console.log(`disconnected ${rc} ${error?.errno} ${willReconnect} ${new Date().getFullYear()}`);
await client.connected;
console.log(`connected ${new Date().getFullYear()}`);
await client.publish("t", "x", { qos: 1 });
await client.disconnect();
