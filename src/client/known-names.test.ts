// An option or event that is not known is told, with what takes its place for those who come from MQTT.js.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MqttClient, type MqttClientOptions } from "./mqtt-client.ts";

/** As JavaScript calls it. */
function client(options: object): MqttClient {
  return new MqttClient("mqtt://127.0.0.1:1", { reconnect: false, ...options } as MqttClientOptions);
}

test("options: MQTT.js's names, and what nobody knows", () => {
  for (const [options, why] of [
    [{ keepalive: 30 }, /no option "keepalive": here it is keepAliveSeconds/],
    [{ clean: false }, /here it is cleanStart/],
    [{ protocolVersion: 5 }, /here it is version/],
    [{ clientID: "x" }, /no option "clientID": there are .*clientId/],
    [{ will: { topic: "t", payload: "x" } }, /will: topicName is missing/],
  ] as const) {
    assert.throws(() => client(options), { code: "invalid-argument", message: why });
  }
});

test("events: MQTT.js's names, and what nobody knows", async () => {
  const mqtt = client({});
  const on = mqtt.on.bind(mqtt) as unknown as (name: string, listener: () => void) => () => void;
  assert.throws(() => on("error", () => {}), {
    code: "invalid-argument",
    message: /no event "error": here it is disconnect/,
  });
  assert.throws(() => on("mesage", () => {}), /there are connect, .*message/);
  on("close", () => {})();
  await mqtt.closed;
});
