// A listener for WebSocket, and clients of it that say exactly what they are told.
import { connect as connectTcp, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type ClientOptions, WebSocket } from "ws";
import { encodePacket } from "../../src/protocol/index.ts";
import type { Listener, WebSocketOptions } from "../../src/transport/index.ts";
import { connectOf } from "../support/test-client.ts";
import { ListenerRig, untilClosed } from "./listener-rig.ts";

/** A broker that listens. */
export async function open(
  context: TestContext,
  webSocket: WebSocketOptions = {},
  connectTimeoutMs: number = 15_000,
): Promise<{ rig: ListenerRig; listener: Listener; port: number }> {
  const rig = new ListenerRig(context, { connectTimeoutMs });
  const listener = await rig.listen({ webSocket });
  return { rig, listener, port: listener.port };
}

/** A WebSocket of `ws`. */
export function socketTo(
  context: TestContext,
  port: number,
  protocols: string | string[] = "mqtt",
  options: ClientOptions = {},
) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, protocols, options);
  socket.on("error", () => {});
  context.after(() => socket.terminate());
  return socket;
}

/** A raw HTTP request, and everything that comes back until the connection ends. */
export async function ask(port: number, lines: readonly string[], body: string = ""): Promise<string> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  return textOf(socket);
}

/** Everything that comes until the connection ends, as text. */
export async function textOf(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  await untilClosed(socket);
  return text;
}

/** A request for a WebSocket. */
export const UPGRADE = [
  "GET /mqtt HTTP/1.1",
  "Host: test",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol: mqtt",
];

/** A CONNECT of 5.0. */
export const CONNECT = encodePacket(connectOf(5, "c"), 5);

/** The socket below a WebSocket. */
export function rawOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket;
}
