// Sends one command to a device and waits for its response, at topics that both know, so that any version of MQTT will do.
//
//     node examples/command-sender.mjs [URL] [DEVICE] [COMMAND]
import { ClientError, connect } from "lacewing/client";

const [url = "mqtt://127.0.0.1:1883", device = "device-1", command = '{"run":true}'] = process.argv.slice(2);

try {
  const client = await connect(url);
  const response = await client.request(`command/${device}/req/reqid-7`, command, {
    responseTopic: `command/${device}/res/reqid-7`,
    qos: 2,
    timeoutMs: 10_000,
  });
  console.log(response.text);
  await client.disconnect();
} catch (error) {
  if (!(error instanceof ClientError)) throw error;
  console.error(`${error.code} (rc ${error.rc}): ${error.message}`);
  process.exitCode = 1;
}
