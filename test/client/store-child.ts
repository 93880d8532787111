// Started by kills.test.ts and killed at any moment: publishes numbered messages with a durable store, takes others, and says
// what it may promise. Arguments: URL, store file, round; in the round "silent" it publishes nothing new.
import { writeSync } from "node:fs";
import { connect, openFileStore } from "../../src/client/index.ts";

const [url = "", path = "", round = ""] = process.argv.slice(2);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const store = await openFileStore(path);
const client = await connect<string>(url, { version: 5, clientId: "child", cleanStart: false, store });
const taken = client.subscribe("to-child", {
  qos: 2,
  onMessage: ({ text, sequence }) => say(`got ${sequence} ${text}`),
});
await taken.granted;
say("ready");
for (let i = 0; round !== "silent"; i++) {
  const qos = i % 2 === 0 ? 2 : 1;
  const publication = client.publish(`from-child/${qos}`, `${round}-${i}`, { qos });
  await publication.stored;
  say(`stored ${qos} ${round}-${i}`);
}
