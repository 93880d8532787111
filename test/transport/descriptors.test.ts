// A broker without file descriptors: it stays up, says so, serves those it has, and takes new ones when it can again.
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { test } from "node:test";
import { connect } from "../../src/client/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { Program } from "../support/program.ts";
import { untilClosed } from "./listener-rig.ts";

const LIMIT = 100;

/** Connects and waits until it is let in or closed. */
function tried(port: number): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    void untilClosed(socket).then(() => resolve(socket));
  });
}

test("without file descriptors new clients are closed, and nothing else changes", async () => {
  const command = `ulimit -n ${LIMIT}; exec "$@"`;
  const options = ["-p", "0", "--host", "127.0.0.1", "--set", "persistence=false"];
  const broker = new Program("/bin/sh", ["-c", command, "sh", process.execPath, MAIN, ...options]);
  const [, text] = await broker.printed(/running: 127\.0\.0\.1:(\d+)/);
  const port = Number(text);
  await using client = await connect<string>(`mqtt://127.0.0.1:${port}`);
  const subscription = client.subscribe("t", { qos: 1 });
  await subscription.granted;
  const sockets: Socket[] = [];
  for (let i = 0; i < LIMIT; i++) sockets.push(await tried(port));
  await broker.printed(
    /Unable to accept new connection, system socket count has been exceeded\. Try increasing "ulimit -n"/,
  );
  await client.publish("t", "still served", { qos: 1 });
  for await (const message of subscription) {
    assert.equal(Buffer.from(message.payload).toString(), "still served");
    break;
  }
  const late = await tried(port);
  await untilClosed(late);
  for (const socket of sockets) socket.destroy();
  await broker.printed(/There are file descriptors again: new connections are taken\./);
  await using again = await connect(`mqtt://127.0.0.1:${port}`);
  await again.publish("t", "x", { qos: 1 });
  await again.disconnect();
  await client.disconnect();
  assert.equal((await broker.stop()).code, 0);
});
