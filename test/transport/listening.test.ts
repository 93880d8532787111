// Where listeners are: addresses, names, versions of IP, interfaces, unix sockets; and how many connections they take.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "../../src/client/index.ts";
import { DEFAULT_ENTRANCE } from "../../src/core/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { ListenerRig, untilClosed } from "./listener-rig.ts";

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

async function works(url: string): Promise<void> {
  await using client = await connect(url);
  await client.publish("t", "x", { qos: 1 });
}

test("all addresses, of both versions of IP or one, with one port", async (context) => {
  const rig = new ListenerRig(context);
  const both = await rig.listen({ target: { kind: "network", host: null, port: 0 } });
  await works(`mqtt://127.0.0.1:${both.port}`);
  const addresses = [`0.0.0.0:${both.port}`, ...(HAS_IPV6 ? [`[::]:${both.port}`] : [])];
  assert.deepEqual(both.addresses, addresses);
  if (HAS_IPV6) await works(`mqtt://[::1]:${both.port}`);
  // A client of IPv4 goes by its address of IPv4.
  assert.match(rig.applicants[0]?.remoteAddress ?? "", /^127\.0\.0\.1:\d+$/);
  const one = await rig.listen({ target: { kind: "network", host: null, port: 0, family: "ipv4" } });
  assert.deepEqual(one.addresses, [`0.0.0.0:${one.port}`]);
});

test("a name, and the addresses of an interface", async (context) => {
  const rig = new ListenerRig(context);
  const named = await rig.listen({ target: { kind: "network", host: "localhost", port: 0 } });
  await works(`mqtt://localhost:${named.port}`);
  const loopback = Object.entries(networkInterfaces()).find(([, all]) =>
    all?.some(({ address }) => address === "127.0.0.1"),
  );
  const interfaceName = loopback?.[0] ?? "lo";
  const bound = await rig.listen({ target: { kind: "network", host: null, port: 0, family: "ipv4", interfaceName } });
  assert.deepEqual(bound.addresses, [`127.0.0.1:${bound.port}`]);
  await works(`mqtt://127.0.0.1:${bound.port}`);
  for (const [target, words] of [
    [{ host: null, interfaceName: "nonesuch0" }, /there is no interface nonesuch0 with an address; there are .*lo/],
    [{ host: "192.0.2.1", interfaceName }, /has .*127\.0\.0\.1.*, and not 192\.0\.2\.1/],
    [{ host: "192.0.2.1" }, /EADDRNOTAVAIL/],
    [{ host: "no-such-name.invalid" }, /ENOTFOUND|EAI_AGAIN/],
  ] as const)
    await assert.rejects(rig.listen({ target: { kind: "network", port: 0, ...target } }), words);
});

test("a port that is taken", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({});
  await assert.rejects(rig.listen({ target: { kind: "network", host: "127.0.0.1", port } }), { code: "EADDRINUSE" });
});

function socketPath(context: TestContext): string {
  return join(temporaryFolder(context), "mqtt.sock");
}

test("a unix socket, its mode, and its end", async (context) => {
  const rig = new ListenerRig(context);
  const path = socketPath(context);
  const listener = await rig.listen({ target: { kind: "unix", path } });
  assert.equal(statSync(path).mode & 0o777, 0o660);
  await works(`unix://${path}`);
  assert.deepEqual([rig.applicants[0]?.remoteAddress, rig.applicants[0]?.localPort], [path, 0]);
  assert.ok(rig.log.includes(`New connection from ${path} on port 0.`));
  await listener.close();
  assert.equal(existsSync(path), false);
  await rig.listen({ target: { kind: "unix", path, mode: 0o600 } });
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("the file of a socket is taken over from who is gone, not from who listens, and no other file is", async (context) => {
  const rig = new ListenerRig(context);
  const path = socketPath(context);
  const other = createServer().listen(path);
  await once(other, "listening");
  const target = { kind: "unix", path } as const;
  await assert.rejects(rig.listen({ target }), { code: "EADDRINUSE" });
  // A process that is killed leaves the file behind.
  const code = `require("net").createServer().listen(${JSON.stringify(`${path}2`)}, () => process.kill(process.pid, "SIGKILL"))`;
  const { spawnSync } = await import("node:child_process");
  spawnSync(process.execPath, ["-e", code]);
  assert.ok(existsSync(`${path}2`));
  await rig.listen({ target: { kind: "unix", path: `${path}2` } });
  await works(`unix://${path}2`);
  other.close();
  writeFileSync(`${path}3`, "precious");
  await assert.rejects(rig.listen({ target: { kind: "unix", path: `${path}3` } }), { code: "EEXIST" });
  await assert.rejects(rig.listen({ target: { kind: "unix", path: `/${"x".repeat(107)}` } }), { code: "ENAMETOOLONG" });
});

testWithPeers(
  "mosquitto_pub and mosquitto_sub by a unix socket",
  ["mosquitto_pub", "mosquitto_sub"],
  async (context) => {
    const rig = new ListenerRig(context);
    const path = socketPath(context);
    await rig.listen({ target: { kind: "unix", path } });
    const subscriber = startPeer("mosquitto_sub", ["--unix", path, "-t", "t", "-C", "1"]);
    while (rig.loop.broker.connectedClients === 0) await new Promise((resolve) => setImmediate(resolve));
    const publisher = startPeer("mosquitto_pub", ["--unix", path, "-t", "t", "-m", "hello", "-r", "-q", "1"]);
    assert.equal((await publisher.end()).code, 0);
    assert.equal((await subscriber.end()).out, "hello\n");
  },
);

test("no more connections than allowed, those at a handshake included", async (context) => {
  const rig = new ListenerRig(context);
  const entrance = { ...DEFAULT_ENTRANCE, maximumConnections: 2 };
  const { port } = await rig.listen({ webSocket: {} }, entrance);
  const first = connectTcp(port, "127.0.0.1");
  const second = connectTcp(port, "127.0.0.1");
  await Promise.all([once(first, "connect"), once(second, "connect")]);
  const third = connectTcp(port, "127.0.0.1");
  await untilClosed(third);
  await rig.logged(/Client connection from 127\.0\.0\.1:\d+ denied: max_connections exceeded\./);
  first.destroy();
  await untilClosed(first);
  second.destroy();
  await untilClosed(second);
  await works(`ws://127.0.0.1:${port}`);
});

test("whoever has left before another came takes no room from it", async (context) => {
  const rig = new ListenerRig(context);
  const { broker } = rig.loop;
  const { port } = await rig.listen({}, { ...DEFAULT_ENTRANCE, maximumConnections: 1 });
  const first = connectTcp(port, "127.0.0.1");
  await rig.logged(/New connection/);
  const answered = new Promise((resolve) => {
    const accept = broker.accept.bind(broker);
    context.mock.method(broker, "accept", (...accepted: Parameters<typeof accept>) => {
      context.mock.restoreAll();
      // In the turn in which somebody came, the system tells of the next one before it tells of an end.
      first.destroy();
      const third = connectTcp(port, "127.0.0.1");
      third.once("data", resolve).once("end", () => resolve("nothing"));
      third.end(Buffer.from("100c00044d5154540402003c0000", "hex"));
      return accept(...accepted);
    });
  });
  await untilClosed(connectTcp(port, "127.0.0.1"));
  assert.deepEqual(await answered, Buffer.from("20020000", "hex"));
});
