"""A client on Eclipse paho 1.6 that tests drive.

paho-client.py sub HOST PORT VERSION FILTER             prints "subscribed", then a line of JSON for each message
paho-client.py pub HOST PORT VERSION TOPIC QOS RETAIN   publishes each line of standard input, waits for all acknowledgements

The environment may have PAHO_TRANSPORT=websockets, and in PAHO_CA a file of CAs for TLS.
"""
import json
import os
import sys

import paho.mqtt.client as mqtt

VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}
WAIT_SECONDS = 15


def check(code, what):
    if code != 0:
        sys.exit(f"{what}: {code}")


def subscribe(client, topic_filter):
    # With 5.0 there is one more argument, and codes have a type of their own.
    def on_connect(client, _data, _flags, code, *_properties):
        check(getattr(code, "value", code), "CONNECT refused")
        client.subscribe(topic_filter, qos=2)

    def on_subscribe(_client, _data, _mid, granted, *_properties):
        check(0 if [getattr(code, "value", code) for code in granted] == [2] else 1, "QoS 2 not granted")
        print("subscribed", flush=True)

    def on_message(_client, _data, message):
        heard = {"topicName": message.topic, "payload": message.payload.decode(), "qos": message.qos}
        print(json.dumps(heard), flush=True)

    def on_disconnect(_client, _data, code, *_properties):
        print(f"connection lost: {code}", file=sys.stderr, flush=True)
        os._exit(1)

    client.on_connect, client.on_subscribe = on_connect, on_subscribe
    client.on_message, client.on_disconnect = on_message, on_disconnect


def publish(client, topic, qos, retain):
    client.loop_start()
    published = [client.publish(topic, line.rstrip("\n"), qos, retain) for line in sys.stdin]
    for info in published:
        info.wait_for_publish(WAIT_SECONDS)
        check(0 if info.is_published() else 1, "not acknowledged")
    check(client.disconnect(), "DISCONNECT")
    client.loop_stop()


def main(role, host, port, version, topic, *rest):
    # 3.1 has no empty client identifier.
    name = f"paho-{os.getpid()}" if version == "3.1" else ""
    transport = os.environ.get("PAHO_TRANSPORT", "tcp")
    client = mqtt.Client(client_id=name, protocol=VERSIONS[version], transport=transport)
    if "PAHO_CA" in os.environ:
        client.tls_set(os.environ["PAHO_CA"])
    if role == "sub":
        subscribe(client, topic)
    client.connect(host, int(port))
    if role == "sub":
        client.loop_forever(retry_first_connection=False)
    else:
        publish(client, topic, int(rest[0]), rest[1] == "1")


main(*sys.argv[1:])
