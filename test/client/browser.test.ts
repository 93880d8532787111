// The face for browsers, with a WebSocket that can do what a browser's can and no more.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { ArgumentError, connect, MqttClient } from "../../src/client/browser.ts";
import { closedPort } from "../support/ports.ts";
import { webSocketFront } from "./fronts.ts";
import { startBroker } from "./test-broker.ts";

/** It cannot stop reading and is not told why something failed. */
class BrowserLikeWebSocket extends WebSocket {
  declare pause: never;
  declare resume: never;
  declare terminate: never;

  constructor(url: string, protocol: string) {
    super(url, protocol, { perMessageDeflate: false });
    for (const name of ["pause", "resume", "terminate"]) Object.defineProperty(this, name, { value: undefined });
  }
}

async function front(context: TestContext): Promise<string> {
  const before = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
  Object.defineProperty(globalThis, "WebSocket", { value: BrowserLikeWebSocket, configurable: true });
  context.after(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, "WebSocket");
    else Object.defineProperty(globalThis, "WebSocket", before);
  });
  const { port } = await startBroker(context);
  return `ws://127.0.0.1:${(await webSocketFront(context, port)).port}/mqtt`;
}

test("messages there and back, and a consumer that is slow", async (context) => {
  const url = await front(context);
  await using client = await connect<string>(url, { version: 5 });
  const subscription = client.subscribe("t", { maximumMessages: 5 });
  await subscription.granted;
  for (let i = 0; i < 1000; i++) client.publish("t", `${i}`);
  const got: string[] = [];
  for await (const { text } of subscription) {
    if (got.push(text) % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (got.length === 1000) break;
  }
  assert.deepEqual(
    got,
    Array.from({ length: 1000 }, (_, i) => `${i}`),
  );
});

test("what is not there, and what a page cannot reach", async (context) => {
  await front(context);
  const error = await new MqttClient(`ws://127.0.0.1:${await closedPort()}`, { reconnect: false }).closed;
  assert.deepEqual([error?.code, error?.rc], ["network-error", 14]);
  assert.throws(() => new MqttClient("mqtt://127.0.0.1"), ArgumentError);
});
