// A broker that is stopped with SIGSTOP: the system still takes its connections and nobody answers. What mosquitto's tools and ours print
// then, how they end or go on, and that `lacewing explain` finds the lost keep-alive in it.
import assert from "node:assert/strict";
import { describe } from "node:test";
import { explain } from "../../src/explain/index.ts";
import { startConfigured } from "../beside-mosquitto/broker-pair.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { Program } from "../support/program.ts";
import { startBroker } from "./failing-brokers.ts";

/** The shortest keep-alive that mosquitto's tools take. */
const KEEP_ALIVE = ["-k", "5", "-t", "t", "-d"];
const IS_CONNECTED = /received CONNACK \(0\)/;
const GAVE_UP = /sending PINGREQ\n.* sending CONNECT\n/;
const IS_BACK = /sending PINGREQ\n(?:.* sending CONNECT\n)+.* received CONNACK \(0\)/;

// Side by side, as each waits for two keep-alives.
describe("a frozen broker", { concurrency: true }, () => {
  for (const name of ["mosquitto", "lacewing"] as const)
    testWithPeers(
      `tools at a frozen ${name} give it up, come back, and explain the lost keep-alive`,
      [...(name === "mosquitto" ? (["mosquitto"] as const) : []), "mosquitto_pub", "mosquitto_sub"],
      async (context) => {
        const lines = ["user root", "log_dest stderr", "listener @plain 127.0.0.1", "allow_anonymous true"];
        const running = name === "mosquitto" ? /running$/m : /running: /;
        const folder = temporaryFolder(context);
        const broker = await startConfigured(folder, { lines }, (file) => startBroker(name, file), running);
        const { program, ports } = broker;
        const args = ["-h", "127.0.0.1", "-p", String(ports.plain), ...KEEP_ALIVE];
        const ours = (tool: string, ...more: string[]): Program =>
          new Program(process.execPath, [MAIN, tool, ...args, ...more], { keepsInput: true });
        const tools = [
          startPeer("mosquitto_sub", args),
          startPeer("mosquitto_pub", [...args, "-l"], { keepsInput: true }),
          ours("sub"),
          ours("pub", "-l"),
        ];
        context.after(async () => {
          program.signal("SIGCONT");
          await Promise.all([...tools, program].map((one) => one.stop("SIGKILL")));
        });
        await Promise.all(tools.map((tool) => tool.printed(IS_CONNECTED)));

        program.signal("SIGSTOP");
        const late = [
          startPeer("mosquitto_pub", [...args, "-m", "x"]).end(),
          ...tools.map((tool) => tool.printed(GAVE_UP)),
        ] as const;
        const [{ code, out, errors }] = await Promise.all(late);
        assert.deepEqual([code, explain("19", { from: "exit" }).explanations[0]?.key], [19, "keep-alive-timeout"]);
        assert.match(errors, /^Error: Unknown error\.$/m);
        assert.equal(explain(out + errors).explanations[0]?.key, "connack-timeout");
        for (const tool of tools) {
          const [first] = explain(tool.out + tool.errors).explanations;
          assert.equal(first?.key, "keep-alive-timeout", tool.out + tool.errors);
          const frozen = first.causes.find(({ why }) => /frozen or overloaded/.test(why));
          assert.match(frozen?.fix ?? "", /mend the broker's machine/);
        }

        program.signal("SIGCONT");
        await Promise.all(tools.map((tool) => tool.printed(IS_BACK)));
      },
    );
});
