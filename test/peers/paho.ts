// Eclipse paho 1.6 for Python.
import { join } from "node:path";
import { startPeer } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";
import { type ClientKind, type Heard, pick } from "./client-kind.ts";

/** Not compiled, so it is in the sources only. */
const SCRIPT = join(ROOT, "test/peers/paho-client.py");

export const paho: ClientKind = {
  name: "paho",
  needs: ["paho"],
  versions: ["3.1", "3.1.1", "5.0"],
  async subscribe({ port, version, topicFilter }) {
    const program = startPeer("paho", [SCRIPT, "sub", "127.0.0.1", String(port), version, topicFilter]);
    await program.printed(/^subscribed$/m);
    const messages = () => {
      const lines = program.out.split("\n").slice(0, -1); // the last is not complete, or empty
      return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Heard);
    };
    return {
      heard: (count, prefix) => program.when(() => pick(messages(), count, prefix), `${count} on ${prefix}`),
      async end() {
        await program.stop("SIGKILL"); // it has no end of its own
      },
    };
  },
  async publish({ port, version, topicName, payloads, qos }) {
    const args = [SCRIPT, "pub", "127.0.0.1", String(port), version, topicName, String(qos), "0"];
    const { code, errors } = await startPeer("paho", args, { input: `${payloads.join("\n")}\n` }).end();
    if (code !== 0) throw new Error(`paho ended with ${code}: ${errors}`);
  },
};
