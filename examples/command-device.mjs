// A device that takes commands: each comes as `command/DEVICE/req/reqid-7` and is answered at `command/DEVICE/res/reqid-7`. A sender of
// MQTT 5.0 may name another topic for the response, and data that it wants to see again.
//
//     node examples/command-device.mjs [URL] [DEVICE]
import { connect } from "lacewing/client";

const [url = "mqtt://127.0.0.1:1883", device = "device-1"] = process.argv.slice(2);

const client = await connect(url, { version: 5, clientId: device, fallBack: true, waitForServer: true });

const commands = client.subscribe(`command/${device}/req/+`, { qos: 1 });
const { reasonCodes } = await commands.granted;
console.log(`waiting for commands at QoS ${reasonCodes[0]}`);

process.once("SIGINT", () => client.disconnect());

// One command at a time. It is acknowledged when the next one is asked for: should the program die before, it comes again.
for await (const command of commands) {
  console.log(`${command.topicName}: ${command.text}`);
  const response = JSON.stringify(run(command));
  if (command.properties.responseTopic !== undefined) client.respond(command, response, { qos: 1 });
  else client.publish(command.topicName.replace("/req/", "/res/"), response, { qos: 1 });
}
console.log("goodbye");

function run(command) {
  try {
    return { ok: true, done: command.json() };
  } catch {
    return { ok: false, why: "a command is JSON" };
  }
}
