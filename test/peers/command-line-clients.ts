// mosquitto_pub and mosquitto_sub, and our own tools, which have the same options and print the same lines.
import type { Program } from "../support/program.ts";
import {
  type ClientKind,
  type Heard,
  pick,
  type Qos,
  type Subscriber,
  VERSIONS,
  type VersionName,
} from "./client-kind.ts";
import { lacewingTools, mosquittoTools } from "./tools.ts";
import type { Tools } from "./tools-suite.ts";

const VERSION_OPTION: Readonly<Record<VersionName, string>> = { "3.1": "31", "3.1.1": "311", "5.0": "5" };

function client(name: string, { needs, startPub, startSub }: Tools): ClientKind {
  const fixed = (port: number, version: VersionName) => {
    const option = VERSION_OPTION[version];
    return ["-h", "127.0.0.1", "-p", String(port), "-V", option];
  };
  return {
    name,
    needs,
    versions: VERSIONS,
    async subscribe({ port, version, topicFilter }) {
      const program = startSub([...fixed(port, version), "-t", topicFilter, "-q", "2", "-v", "-d"]);
      await program.printed(/^Subscribed \(mid: 1\): 2$/m);
      return subscriber(program);
    },
    async publish({ port, version, topicName, payloads, qos }) {
      const args = [...fixed(port, version), "-t", topicName, "-q", String(qos), "-l"];
      const { code, out, errors } = await startPub(args, { input: `${payloads.join("\n")}\n` }).end();
      if (code !== 0 || errors !== "") throw new Error(`${name} ended with ${code}: ${out} ${errors}`);
    },
  };
}

function subscriber(program: Program): Subscriber {
  return {
    heard: (count, prefix) => program.when(() => pick(messagesIn(program.out), count, prefix), `${count} on ${prefix}`),
    async end() {
      const { code, errors } = await program.stop();
      if (code !== 0 || errors !== "") throw new Error(`The subscriber ended with ${code}: ${errors}`);
    },
  };
}

/** Messages are "TOPIC PAYLOAD" among the lines of -d, which tell the QoS of each in the same order. */
function messagesIn(out: string): readonly Heard[] {
  const lines = out.split("\n").slice(0, -1); // the last is not complete, or empty
  const granted = new Map<string, Qos[]>();
  const messages: Heard[] = [];
  for (const line of lines) {
    const [, qos, topicName = ""] = /^Client \S+ received PUBLISH \(d0, q(\d), r\d, m\d+, '(.*)', /.exec(line) ?? [];
    if (qos !== undefined) granted.set(topicName, [...(granted.get(topicName) ?? []), Number(qos) as Qos]);
    if (/^(?:Client \S+ (?:sending|received) |Subscribed )/.test(line)) continue;
    const [topic = "", payload = ""] = line.split(/ (.*)/);
    const next = granted.get(topic)?.shift();
    if (next === undefined) throw new Error(`A message without its line of -d: ${line}`);
    messages.push({ topicName: topic, payload, qos: next });
  }
  return messages;
}

export const mosquittoClients: ClientKind = client("mosquitto_pub/sub", mosquittoTools);
export const lacewingClients: ClientKind = client("lacewing pub/sub", lacewingTools);
