// What users say without a number finds its meaning first, in both languages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../explain.ts";
import type { MeaningKey } from "./meanings.ts";

const ASKED: readonly (readonly [words: string, meaning: MeaningKey])[] = [
  ["Client x already connected, closing old connection again and again", "session-taken-over"],
  ["has exceeded timeout, disconnecting", "client-silent"],
  ["disconnects at exactly 60 s, 96 s, 5 min", "idle-limit"],
  ["subscribed but nothing arrives", "nothing-arrives"],
  ["messages lost over a restart", "lost-over-restart"],
  ["broker stops answering for seconds at intervals", "broker-stalls"],
  ["retained message will not go", "retained-stays"],
  ["bridge sends everything twice", "bridge-loop"],
  ["bridge never comes up after boot", "bridge-down"],
  ["dynsec changes vanish after restart", "dynsec-not-saved"],
  ["configuration ignored", "configuration-ignored"],
  ["MQTT.js reconnects but publishes nothing", "mqttjs-publishes-nothing"],
  ["MQTT.js QoS 1/2 messages lost on disconnect or restart", "mqttjs-loses-messages"],
  ["MQTT.js Keepalive timeout", "keep-alive-timeout"],
  ["Aedes: one slow subscriber stops everybody", "aedes-stalls"],
  ["Aedes: client count only grows", "aedes-clients-grow"],
  ["Aedes: no such packet", "aedes-packet-unknown"],
  ["AWS IoT closes right after connect with no code", "aws-iot-closes"],
  ["works in one tool, fails in another", "one-tool-works"],
  ["protocol version not acceptable", "protocol-version-refused"],
  ["implementation specific", "implementation-specific"],
  ["packet id in use", "packet-id-in-use"],
  ["packet id not found", "packet-id-unknown"],
  ["subscription ids not supported", "subscription-kind-refused"],
  ["1408F10B", "not-tls"],
  ["0A0000C7 peer did not return a certificate", "client-certificate-missing"],
  ["the port accepts connections and closes them immediately", "port-closes"],
  ["HTTP answers on the MQTT port", "port-not-mqtt"],
  ["disconnected when publishing a message", "publish-closes"],
  ["一发布就掉线", "publish-closes"],
  ["什么是 mid", "publish-trace"],
  ["mid 有什么用", "publish-trace"],
  ["端口能连上但马上被关闭", "port-closes"],
  ["订阅成功但收不到消息", "nothing-arrives"],
  ["dynsec 修改重启后丢失", "dynsec-not-saved"],
  ["AWS IoT 连接后立即断开", "aws-iot-closes"],
  ["一个工具能连另一个不能", "one-tool-works"],
];

for (const [words, meaning] of ASKED)
  test(`${words}: ${meaning}`, () => {
    const keys = explain(words).explanations.map(({ key }) => key);
    assert.equal(keys[0], meaning, keys.join());
  });
