// A program for libmosquitto, ported with its callbacks. What it was in C stands beside it.
//
//     node examples/libmosquitto-port.mjs [URL]
import { MqttClient, strerror } from "lacewing/client";

const [url = "mqtt://127.0.0.1:1883"] = process.argv.slice(2);

// mosq = mosquitto_new("port-1", true, NULL);
// mosquitto_connect_async(mosq, host, port, 60);
// mosquitto_loop_start(mosq);
const mosq = new MqttClient(url, { clientId: "port-1", keepAliveSeconds: 60 });

// void on_connect(struct mosquitto *mosq, void *obj, int rc)
mosq.onConnect = (rc) => {
  console.log(`on_connect rc = ${rc}`);
  if (rc !== 0) return;
  // mosquitto_subscribe(mosq, &mid, "port/#", 1);
  const { mid } = mosq.subscribe("port/#", { qos: 1 });
  console.log(`subscribe mid = ${mid}`);
};

// void on_disconnect(struct mosquitto *mosq, void *obj, int rc)
mosq.onDisconnect = (rc, { willReconnect }) => {
  console.log(`on_disconnect rc = ${rc} (${strerror(rc)})${willReconnect ? ", reconnecting" : ""}`);
};

// void on_subscribe(struct mosquitto *mosq, void *obj, int mid, int qos_count, const int *granted_qos)
mosq.onSubscribe = (mid, grantedQos) => {
  console.log(`on_subscribe mid = ${mid}, qos_count = ${grantedQos.length}, granted_qos = ${grantedQos}`);
  // mosquitto_publish(mosq, &mid, "port/hello", 5, "hello", qos, false);
  for (const qos of [0, 1, 2]) {
    const publication = mosq.publish("port/hello", `hello ${qos}`, { qos });
    console.log(`publish mid = ${publication.mid}, qos = ${qos}`);
  }
};

// void on_publish(struct mosquitto *mosq, void *obj, int mid)
mosq.onPublish = (mid) => console.log(`on_publish mid = ${mid}`);

let messages = 0;
// void on_message(struct mosquitto *mosq, void *obj, const struct mosquitto_message *message)
mosq.onMessage = (message) => {
  console.log(`on_message ${message.topicName}: ${message.text}`);
  // mosquitto_unsubscribe(mosq, &mid, "port/#");
  if (++messages === 3) mosq.unsubscribe("port/#");
};

// void on_unsubscribe(struct mosquitto *mosq, void *obj, int mid)
mosq.onUnsubscribe = (mid) => {
  console.log(`on_unsubscribe mid = ${mid}`);
  // mosquitto_disconnect(mosq);
  mosq.disconnect();
};

// void on_log(struct mosquitto *mosq, void *obj, int level, const char *str)
if (process.env.VERBOSE) mosq.onLog = (level, text) => console.log(`on_log ${level}: ${text}`);

// mosquitto_loop_stop(mosq, false); return rc;
const error = await mosq.closed;
process.exitCode = error === null ? 0 : 1;
