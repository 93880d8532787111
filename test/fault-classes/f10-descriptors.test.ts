// F10: a broker without file descriptors: it stays up, says so, serves those it has completely, turns others away at once, and takes new
// ones when it can again.
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { test } from "node:test";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";
import { WireClient } from "../support/wire-client.ts";
import { untilClosed } from "../transport/listener-rig.ts";

const LIMIT = 256;
const CONNECTS = 500;
const MESSAGES = 100;

/** Connects and waits until it is let in or closed. */
function tried(port: number): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    void untilClosed(socket).then(() => resolve(socket));
  });
}

/** Each of `clients` gets what is published meanwhile, all of it and in order. */
async function serve(publisher: WireClient, clients: readonly WireClient[], from: number): Promise<void> {
  for (let i = from; i < from + MESSAGES; i++) await publisher.publish("t", `${i}`, { qos: 1 });
  for (const client of clients) {
    for (let i = from; i < from + MESSAGES; i++) {
      const { payload, packetId } = await client.expect("PUBLISH");
      assert.equal(Buffer.from(payload).toString(), `${i}`);
      client.acknowledge("PUBACK", packetId);
    }
  }
}

for (const persistence of [false, true]) {
  test(`${CONNECTS} connections to a broker of ${LIMIT} descriptors, persistence ${persistence}`, async (context) => {
    const folder = temporaryFolder(context);
    const command = `ulimit -n ${LIMIT}; exec "$@"`;
    const options = ["-p", "0", "--host", "127.0.0.1", "--set", `persistence=${persistence}`];
    const settings = [
      "--set",
      `persistence_location=${folder}`,
      "--set",
      "connection_messages=false",
      "--set",
      "sys_interval=1",
    ];
    const program = [process.execPath, MAIN, ...options, ...settings];
    const broker = new Program("/bin/sh", ["-c", command, "sh", ...program]);
    context.after(() => broker.stop());
    const [, text] = await broker.printed(/running: 127\.0\.0\.1:(\d+)/);
    const port = Number(text);
    const to = { host: "127.0.0.1", port };
    const durable = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
    const clients = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const client = await WireClient.connect(to, `c${i}`, persistence ? durable : {});
        await client.subscribe("t", { qos: 1 });
        return client;
      }),
    );
    context.after(() => Promise.all(clients.map((client) => client.drop())));
    const publisher = await WireClient.connect(to, "publisher");
    await serve(publisher, clients, 0);
    const sockets: Socket[] = [];
    while (sockets.length < CONNECTS) sockets.push(...(await Promise.all([1, 2, 3, 4, 5].map(() => tried(port)))));
    await broker.printed(
      /Unable to accept new connection, system socket count has been exceeded\. Try increasing "ulimit -n"/,
    );
    // What the broker does now and then goes on without one, too.
    const watcher = clients[0]!;
    await watcher.subscribe("$SYS/broker/uptime", { qos: 0 });
    for (let updates = 0; updates < 3; updates++) await watcher.expect("PUBLISH");
    await watcher.unsubscribe("$SYS/broker/uptime");
    await watcher.settled();
    watcher.taken("PUBLISH");
    await serve(publisher, clients, MESSAGES);
    const late = await tried(port);
    await untilClosed(late);
    for (const socket of sockets) socket.destroy();
    await broker.printed(/There are file descriptors again: new connections are taken\./);
    const again = await WireClient.connect(to, "again");
    await serve(again, clients, 2 * MESSAGES);
    assert.equal(broker.errors.match(/has been exceeded/g)?.length, 1, "it is said once");
    for (const client of [...clients, publisher, again]) await client.drop();
    assert.equal((await broker.stop()).code, 0);
  });
}
