// Sockets handed over as systemd does: opened by another program before the broker, which takes them by its settings.
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { connect } from "../../src/client/index.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { MAIN } from "./broker-process.ts";

/** Listens on two ports, lets a client wait at the first, and becomes the broker for that one. */
const SCRIPT = `
import os, socket, sys
sockets = [socket.socket(), socket.socket()]
for one in sockets:
    one.bind(("127.0.0.1", 0))
    one.listen(16)
ports = [str(one.getsockname()[1]) for one in sockets]
print("listening on", *ports, flush=True)
sys.stdin.readline()
for at, one in enumerate(sockets):
    os.dup2(one.fileno(), 13 + at)
for at in range(2):
    os.dup2(13 + at, 3 + at)
    os.set_inheritable(3 + at, True)
os.environ.update(LISTEN_FDS="2", LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[1], [ports[0] if word == "PORT" else word for word in sys.argv[1:]])
`;

testWithPeers("a client that came before the broker is served by the socket it came to", ["paho"], async () => {
  const options = ["-p", "PORT", "--host", "127.0.0.1", "--set", "persistence=false"];
  const broker = startPeer("paho", ["-c", SCRIPT, process.execPath, MAIN, ...options], { input: "go\n" });
  const [, port = "", other = ""] = await broker.printed(/listening on (\d+) (\d+)/);
  const early = connectTcp(Number(port), "127.0.0.1");
  early.write(Buffer.from("100d00044d5154540402003c000161", "hex"));
  const answer = await new Promise<Buffer>((resolve) => early.once("data", resolve));
  assert.equal(answer.toString("hex"), "20020000");
  await using client = await connect(`mqtt://127.0.0.1:${port}`);
  await client.publish("t", "x", { qos: 1 });
  await broker.printed(
    new RegExp(`The socket 127\\.0\\.0\\.1:${other} was handed over to the broker, but no listener is set for it`),
  );
  early.destroy();
  await client.disconnect();
  assert.equal((await broker.stop()).code, 0);
});
