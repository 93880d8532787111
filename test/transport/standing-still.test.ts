// A broker that stands still for longer than it would wait for a client (SIGSTOP, a machine that is moved or has no time) reads what came
// meanwhile before it ends anybody for having been silent.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { encodePacket } from "../../src/protocol/index.ts";
import { standStill } from "../support/stand-still.ts";
import { connectOf } from "../support/test-client.ts";
import { ListenerRig, type RigListener } from "./listener-rig.ts";

const TIMEOUT_MS = 50;
/** Connections of MQTT are looked at twice a second. */
const STILL_MS = TIMEOUT_MS + 550;
const CONNECT = encodePacket(connectOf(5, "c"), 5);
const UPGRADE = [
  ...["GET /mqtt HTTP/1.1", "Host: test", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
  ...["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: mqtt", "", ""],
].join("\r\n");

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

for (const [what, listener, sent, answer] of [
  ["CONNECT", {}, CONNECT, /^20/],
  ["a request for a WebSocket", { webSocket: {} }, Buffer.from(UPGRADE), new RegExp(`^${hexOf("HTTP/1.1 101 ")}`)],
  [
    "a PROXY header",
    { proxy: { version: 1 } },
    Buffer.concat([Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 50000 1883\r\n"), CONNECT]),
    /^20/,
  ],
] as const satisfies readonly (readonly [string, RigListener, Uint8Array, RegExp])[])
  test(`${what} that came while the broker stood still came in time`, async (context) => {
    const rig = new ListenerRig(context, { connectTimeoutMs: TIMEOUT_MS });
    const { port } = await rig.listen(listener);
    // Those of the test before.
    while (sockets() > 0) await new Promise((resolve) => setImmediate(resolve));
    const socket = connectTcp(port, "127.0.0.1");
    context.after(() => socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(sent);
    // It is accepted in one turn of the loop and read in another: no time for it comes in between.
    while (sockets() < 2) await new Promise((resolve) => setImmediate(resolve));
    standStill(STILL_MS);
    const heard = await Promise.race([once(socket, "data"), once(socket, "close").then(() => [Buffer.alloc(0)])]);
    assert.match((heard[0] as Buffer).toString("hex"), answer, rig.log);
  });

function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}
