// The flight recorder of the client library: who ended each connection, by which rule, and what passed before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, connect, MqttClient } from "../../src/client/index.ts";
import { NO_PROPERTIES } from "../../src/protocol/index.ts";
import { closedPort } from "../support/ports.ts";
import { type ScriptedPeer, type ScriptedServer, startScripted } from "./scripted-server.ts";

/** The trail as words, without times. */
function words({ trail }: Pick<MqttClient, "trail">): string[] {
  return trail.map(({ direction, packet, count, firstPacketId, lastPacketId }) => {
    const ids =
      firstPacketId === 0 ? "" : ` ${firstPacketId}${firstPacketId === lastPacketId ? "" : `-${lastPacketId}`}`;
    return `${direction === "sent" ? "->" : "<-"} ${packet}${count === 1 ? "" : ` x ${count}`}${ids}`;
  });
}

async function opened(
  server: ScriptedServer,
  keepAliveSeconds = 60,
): Promise<{ client: MqttClient; peer: ScriptedPeer }> {
  const connecting = connect<string>(server.url, { version: 5, clientId: "c", reconnect: false, keepAliveSeconds });
  const peer = await server.next();
  await peer.accept();
  return { client: await connecting, peer };
}

test("the trail shows what passed on the connection, packets of one kind together", async (context) => {
  const { client, peer } = await opened(await startScripted(context, 5));
  const published = [1, 2, 3].map((n) => client.publish("t", `${n}`, { qos: 1 }));
  for (const _ of published) await peer.expect("PUBLISH");
  for (const packetId of [1, 2, 3]) peer.acknowledge("PUBACK", packetId);
  await Promise.all(published);
  const before = Date.now();
  assert.deepEqual(words(client).slice(0, 3), ["-> CONNECT", "<- CONNACK", "-> PUBLISH q1 x 3 1-3"]);
  assert.match(words(client)[3]!, /^<- PUBACK/);
  for (const { firstMs, lastMs } of client.trail)
    assert.ok(firstMs <= lastMs && lastMs <= before && before - firstMs < 60_000);
  assert.equal(client.lastEnding, null);
  await client.disconnect();
  const { endedBy, reason, wasAccepted, sentPackets, receivedPackets, clientId, version } = client.lastEnding!;
  assert.deepEqual([endedBy, reason, wasAccepted], ["client", "client-disconnected", true]);
  assert.deepEqual([sentPackets, receivedPackets, clientId, version], [5, 4, "c", 5]);
  assert.equal(words(client.lastEnding!).at(-1), "-> DISCONNECT");
  assert.deepEqual(client.trail, client.lastEnding!.trail, "of the last one, when there is none");
});

test("each way to end names who did it, and the rule", async (context) => {
  const server = await startScripted(context, 5);
  const ways: readonly [string, (peer: ScriptedPeer) => void, RegExp][] = [
    [
      "server session-taken-over",
      (peer) => peer.send({ type: "DISCONNECT", reasonCode: 0x8e, properties: NO_PROPERTIES }),
      /Session taken over/,
    ],
    ["server connection-closed", (peer) => peer.drop(), /the connection was lost/],
    ["client protocol-error", (peer) => peer.sendHex("20030000" + "00"), /a second CONNACK \[5\.0 MQTT-3\.2\.0-2\]/],
    ["client malformed-packet", (peer) => peer.sendHex("30ffffffffff"), /Remaining Length/],
  ];
  for (const [expected, end, detail] of ways) {
    const { client, peer } = await opened(server);
    end(peer);
    const error = await client.closed;
    assert.ok(error instanceof ConnectionError);
    const { ending } = error;
    assert.equal(`${ending!.endedBy} ${ending!.reason}`, expected);
    assert.match(ending!.detail, detail);
    assert.equal(ending, client.lastEnding);
    assert.equal(words(ending!)[0], "-> CONNECT");
    assert.ok(ending!.startedMs <= ending!.openedMs! && ending!.openedMs! <= ending!.endedMs);
  }
});

test("an attempt that came to nothing has an ending too, and the disconnect event has it", async (context) => {
  const port = await closedPort();
  const error = await connect<string>(`mqtt://127.0.0.1:${port}`, { reconnect: false }).catch((e: unknown) => e);
  assert.ok(error instanceof ConnectionError);
  const { endedBy, wasAccepted, openedMs, lastReceivedMs, address, trail, detail } = error.ending!;
  assert.deepEqual([endedBy, wasAccepted, openedMs, lastReceivedMs, trail], ["network", false, null, null, []]);
  assert.equal(address, `127.0.0.1:${port}`);
  assert.match(detail, /ECONNREFUSED/);

  const { client, peer } = await opened(await startScripted(context, 5));
  const told = new Promise((resolve) => client.on("disconnect", ({ ending }) => resolve(ending)));
  peer.drop();
  assert.equal(await told, client.lastEnding);
});

test("an error explains itself with what passed, in English and Chinese", async (context) => {
  const { client, peer } = await opened(await startScripted(context, 5));
  client.publish("secret", "x", { qos: 1 });
  await peer.expect("PUBLISH");
  peer.drop();
  const error = await client.closed;
  const { evidence, text } = await error!.explain();
  assert.match(evidence[0]!, /^The connection to 127\.0\.0\.1:\d+ ended after .*: the server's side ended it/);
  assert.match(evidence[1]!, /^The server's last packet came .* before the end\.$/);
  assert.match(evidence.at(-1)!, /^ {2}-\d+\.\d{3} s {2}-> PUBLISH q1 \(\d+ bytes\)$/);
  assert.ok(text.startsWith(evidence.join("\n")));
  const chinese = await error!.explain("zh");
  assert.match(chinese.evidence[0]!, /^与 127\.0\.0\.1:\d+ 的连接持续了.*：服务器一侧断开/);
});

test("what is remembered is bounded", async (context) => {
  const { client, peer } = await opened(await startScripted(context, 5));
  // Each is an entry of its own, as the other direction comes in between.
  for (let i = 0; i < 100; i++) {
    const published = client.publish("t", "x", { qos: 1 });
    const { packetId } = await peer.expect("PUBLISH");
    peer.acknowledge("PUBACK", packetId);
    await published;
  }
  assert.equal(client.trail.length, 64);
  await client.disconnect();
  assert.equal(client.lastEnding!.trail.length, 16);
  assert.equal(client.lastEnding!.sentPackets, 102);
});

test("the last eight endings are remembered", async () => {
  const port = await closedPort();
  let attempts = 0;
  const stopsOn = (): boolean => ++attempts === 12;
  const client = new MqttClient(`mqtt://127.0.0.1:${port}`, {
    reconnect: { minimumDelayMs: 0, maximumDelayMs: 0, stopsOn },
  });
  const error = await client.closed;
  assert.equal(attempts, 12);
  assert.equal(client.endings.length, 8);
  assert.equal(client.endings.at(-1), (error as ConnectionError).ending);
  const times = client.endings.map(({ endedMs }) => endedMs);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});
