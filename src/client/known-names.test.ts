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
    [{ clientID: "x" }, /no option "clientID": did you mean "clientId"\? There are .*clientId/],
    [{ zzzzzzzz: "x" }, /no option "zzzzzzzz": there are authentication, /],
    [{ will: { topic: "t", payload: "x" } }, /no option of will "topic": here it is topicName/],
    [{ will: { payload: "x" } }, /will: topicName is missing/],
    [
      { version: 5, will: { topicName: "t", payload: "x", properties: { willDelaySecond: 1 } } },
      /"willDelaySeconds"\?/,
    ],
    [
      { version: 5, properties: { sessionExpiryInterval: 9 } },
      /property of CONNECT .*: here it is sessionExpirySeconds/,
    ],
    [{ queue: { maximumMessage: 9 } }, /no option of queue "maximumMessage": did you mean "maximumMessages"\?/],
    [{ reconnect: { minDelayMs: 9 } }, /no option of reconnect "minDelayMs"/],
    [{ tls: { rejectUnauthorized: false } }, /no option of tls "rejectUnauthorized": here it is insecure/],
  ] as const) {
    assert.throws(() => client(options), { code: "invalid-argument", message: why });
  }
});

test("options of calls: with the nearest name, and nothing is sent", async () => {
  const mqtt = client({ version: 5 });
  const publish = (options: object) => mqtt.publish("t", "x", options);
  for (const [call, why] of [
    [() => publish({ Qos: 1 }), /no option of publish "Qos": did you mean "qos"\? There are qos, retain, /],
    [() => publish({ qos: 1, retained: true }), /did you mean "retain"\?/],
    [() => publish({ dup: true }), /here it is the client's own affair/],
    [
      () => publish({ properties: { contentTyp: "x" } }),
      /no property of a message "contentTyp": did you mean "contentType"/,
    ],
    [() => mqtt.subscribe("t", { nl: true } as object), /no option of subscribe "nl": here it is noLocal/],
    [() => mqtt.subscribe("t", { onMesage: () => {} } as object), /did you mean "onMessage"\?/],
    [() => mqtt.on("close", () => {}, { onec: true } as object), /no option of on "onec": did you mean "once"\?/],
  ] as const) {
    assert.throws(call, { code: "invalid-argument", message: why });
  }
  const request = mqtt.request("t", "x", { timeoutMS: 1 } as object);
  await assert.rejects(request, { code: "invalid-argument", message: /did you mean "timeoutMs"\?/ });
  await assert.rejects(mqtt.disconnect({ drainMS: 0 } as object), { message: /did you mean "drainMs"\?/ });
  assert.equal(mqtt.unacknowledgedMessages, 0);
  await mqtt.disconnect();
});

test("events: MQTT.js's names, and what nobody knows", async () => {
  const mqtt = client({});
  const on = mqtt.on.bind(mqtt) as unknown as (name: string, listener: () => void) => () => void;
  assert.throws(() => on("error", () => {}), {
    code: "invalid-argument",
    message: /no event "error": here it is disconnect/,
  });
  assert.throws(() => on("mesage", () => {}), /did you mean "message"\? There are connect, /);
  on("close", () => {})();
  await mqtt.closed;
});
