// URLs of -L.
import assert from "node:assert/strict";
import { test } from "node:test";
import { urlParts } from "./url-option.ts";

for (const [url, parts] of [
  ["mqtt://h/t", { host: "h", port: 1883, unix: "", topic: "t" }],
  ["MQTT://h:5/a/b/", { host: "h", port: 5, unix: "", topic: "a/b/" }],
  ["mqtt://u@h/t", { host: "h", port: 1883, unix: "", topic: "t", username: "u" }],
  ["mqtt://u:p:q@h:7//", { host: "h", port: 7, unix: "", topic: "/", username: "u", password: "p:q" }],
  ["mqtt://u:@h/t", { host: "h", port: 1883, unix: "", topic: "t", username: "u", password: "" }],
  ["mqtt://[::1]:7/t@x", { host: "::1", port: 7, unix: "", topic: "t@x" }],
  ["mqtts://h/t", { host: "h", port: 8883, unix: "", tlsUseOsCerts: true, topic: "t" }],
  ["ws://h:1/t", { host: "h", port: 1, unix: "", usesWebSocket: true, topic: "t" }],
  ["ws://h/t", { host: "h", port: 1883, unix: "", usesWebSocket: true, topic: "t" }],
  [
    "WSS://u@h/a?b",
    { host: "h", port: 8883, unix: "", username: "u", tlsUseOsCerts: true, usesWebSocket: true, topic: "a?b" },
  ],
] as const) {
  test(`-L ${url}`, () => assert.deepEqual(urlParts(url), parts));
}

for (const [url, message] of [
  ["http://h/t", /^Unsupported URL scheme/],
  ["h/t", /^Unsupported URL scheme/],
  ["mqtt://h", /topic missing/],
  ["wss://h:1", /topic missing/],
  ["mqtt:///t", /host missing/],
  ["mqtt://h:0/t", /^Invalid port given: 0/],
  ["mqtt://h:x/t", /^Invalid port given: x/],
] as const) {
  test(`-L ${url} is refused`, () => assert.throws(() => urlParts(url), { name: "CommandLineError", message }));
}
