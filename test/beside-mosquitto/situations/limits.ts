// Bounds and switches of the configuration: what a client meets that goes beyond.
import { asLater, ours } from "../difference.ts";
import type { Setting, Situation } from "../situation.ts";

const WELCOME = "CONNACK 0x00 maximumPacketSize=2000000 receiveMaximum=2 retainAvailable=false topicAliasMaximum=10";
const EMPTY_IDENTIFIER = "100c00044d51545404020000 0000";

export const LIMITS: Setting = {
  title: "limits",
  lines: [
    "max_keepalive 100",
    "max_inflight_messages 2",
    "max_queued_messages 3",
    "message_size_limit 50",
    "retain_available false",
    "upgrade_outgoing_qos true",
    "queue_qos0_messages true",
    "allow_anonymous true",
    "allow_zero_length_clientid false",
    "persistent_client_expiration 1h",
    "listener @main 127.0.0.1",
    "listener @qos 127.0.0.1",
    "max_qos 1",
    "listener @mounted 127.0.0.1",
    "mount_point below/",
    "listener @few 127.0.0.1",
    "max_connections 1",
    "listener @named 127.0.0.1",
    "use_username_as_clientid true",
    "listener @aliases 127.0.0.1",
    "max_topic_alias 0",
    "listener @four 127.0.0.1",
    "socket_domain ipv4",
    "listener 0 socket",
  ],
  situations: [
    {
      name: "max_keepalive",
      play: async (stage) => {
        for (const [name, version, keepAliveSeconds] of [
          ["longer, 3.1.1", 4, 101],
          ["none, 3.1.1", 4, 0],
          ["allowed, 3.1.1", 4, 100],
          ["longer, 5.0", 5, 101],
          ["none, 5.0", 5, 0],
          ["allowed, 5.0", 5, 100],
        ] as const)
          await stage.connect(name, { version, clientId: `keep-alive ${name}`, keepAliveSeconds });
      },
      differs: asLater(
        "`max_keepalive` before 5.0",
        { at: "longer, 3.1.1", mosquitto: ["CONNACK 0x00"], lacewing: ["CONNACK 0x02", "closed"] },
        { at: "none, 3.1.1", mosquitto: ["CONNACK 0x00"], lacewing: ["CONNACK 0x02", "closed"] },
      ),
    },
    {
      name: "max_inflight_messages and max_queued_messages",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "bounded", answers: false });
        await subscriber.subscribe("bounded", { qos: 1 });
        const publisher = await stage.connect("publisher", { clientId: "bounded publisher" });
        for (let n = 1; n <= 8; n++) await publisher.publish("bounded", String(n), { qos: 1 });
        await stage.settle();
        subscriber.answers = true;
        subscriber.acknowledge("PUBACK", 1);
        subscriber.acknowledge("PUBACK", 2);
      },
    },
    {
      name: "message_size_limit",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "sized" });
        await subscriber.subscribe("sized", { qos: 0 });
        for (const version of [4, 5] as const) {
          const publisher = await stage.connect(`publisher ${version}`, { version, clientId: `sized ${version}` });
          await publisher.publish("sized", "x".repeat(50), { qos: 1 });
          await publisher.publish("sized", "y".repeat(51), { qos: 1 });
          await publisher.publish("sized", "z".repeat(51), { qos: 2 });
          await publisher.publish("sized", "z".repeat(51));
        }
      },
    },
    ...([4, 5] as const).map(
      (version): Situation => ({
        name: `retain_available false: version ${version}`,
        play: async (stage) => {
          const client = await stage.connect("client", { version, clientId: `retain ${version}` });
          await client.publish("retain", "x", { qos: 1, retain: true });
          await stage.connect("will", {
            version,
            clientId: `retained will ${version}`,
            will: { topicName: "retain", retain: true },
          });
        },
      }),
    ),
    {
      name: "upgrade_outgoing_qos",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "upgraded" });
        await subscriber.subscribe("upgraded", { qos: 2 });
        const publisher = await stage.connect("publisher", { clientId: "upgraded publisher" });
        await publisher.publish("upgraded", "x");
        await stage.settle();
        await publisher.publish("upgraded", "y", { qos: 1 });
      },
    },
    {
      name: "queue_qos0_messages",
      play: async (stage) => {
        const options = { clientId: "away", cleanStart: false };
        const first = await stage.connect("first", options);
        await first.subscribe("away", { qos: 0 });
        await first.disconnect();
        const publisher = await stage.connect("publisher", { clientId: "away publisher" });
        await publisher.publish("away", "x");
        await publisher.publish("away", "y", { qos: 1 });
        await stage.connect("second", options);
      },
    },
    {
      name: "allow_zero_length_clientid false",
      play: async (stage) => {
        const older = await stage.open("older");
        older.bytes(EMPTY_IDENTIFIER);
        await older.settle();
        await stage.connect("newer", { version: 5, clientId: "" });
      },
    },
    {
      name: "persistent_client_expiration and a 5.0 client that stays longer",
      play: async (stage) => {
        await stage.connect("client", {
          version: 5,
          clientId: "stays",
          cleanStart: false,
          properties: { sessionExpirySeconds: 100_000 },
        });
      },
      differs: ours("`persistent_client_expiration` of a 5.0 client", {
        at: "client",
        mosquitto: [WELCOME],
        lacewing: [WELCOME.replace("topicAlias", "sessionExpirySeconds=3600 topicAlias")],
      }),
    },
    ...([4, 5] as const).map(
      (version): Situation => ({
        name: `max_qos: version ${version}`,
        play: async (stage) => {
          const subscriber = await stage.connect("subscriber", {
            version,
            at: "qos",
            clientId: `qos subscriber ${version}`,
          });
          await subscriber.subscribe("qos", { qos: 2 });
          const publisher = await stage.connect("publisher", {
            version,
            at: "qos",
            clientId: `qos publisher ${version}`,
          });
          await publisher.publish("qos", "x", { qos: 1 });
          await publisher.publish("qos", "y", { qos: 2 });
          await stage.connect("will", {
            version,
            at: "qos",
            clientId: `qos will ${version}`,
            will: { topicName: "qos", qos: 2 },
          });
        },
        ...(version === 5 && {
          differs: ours("Properties of a refusal", {
            at: "will",
            mosquitto: ["CONNACK 0x9b maximumQos=1"],
            lacewing: ["CONNACK 0x9b"],
          }),
        }),
      }),
    ),
    {
      name: "mount_point",
      play: async (stage) => {
        const outside = await stage.connect("outside", { clientId: "outside" });
        await outside.subscribe("#", { qos: 0 });
        const inside = await stage.connect("inside", { at: "mounted", clientId: "inside" });
        await inside.subscribe(["#", "$SYS/broker/uptime"], { qos: 0 });
        await inside.publish("a", "from inside");
        await outside.publish("below/b", "from outside");
        await outside.publish("c", "not below");
        const dying = await stage.connect("dying", { at: "mounted", clientId: "dying", will: { topicName: "will" } });
        await dying.drop();
        await outside.packets(1);
      },
      differs: asLater(
        "`mount_point` and what its clients receive",
        ...["a=from inside", "b=from outside", "will=gone"].map((text) => ({
          at: "inside",
          mosquitto: [`PUBLISH below/${text} q0`],
          lacewing: [`PUBLISH ${text} q0`],
        })),
      ),
    },
    {
      name: "max_connections",
      play: async (stage) => {
        const first = await stage.connect("first", { at: "few", clientId: "few first" });
        const second = await stage.connect("second", { at: "few", clientId: "few second" });
        await second.closed();
        await first.disconnect();
        await stage.connect("third", { at: "few", clientId: "few third" });
      },
    },
    {
      name: "use_username_as_clientid",
      play: async (stage) => {
        await stage.connect("nameless, 3.1.1", { at: "named", clientId: "nameless" });
        await stage.connect("nameless, 5.0", { version: 5, at: "named", clientId: "nameless" });
        const first = await stage.connect("first", { at: "named", clientId: "one", username: "same", password: "x" });
        await stage.connect("second", { at: "named", clientId: "other", username: "same", password: "x" });
        await first.closed();
      },
    },
    {
      name: "max_topic_alias 0",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, at: "aliases", clientId: "no aliases" });
        await client.publish("alias", "x", { properties: { topicAlias: 1 } });
      },
    },
    {
      name: "socket_domain, and a unix socket",
      play: async (stage) => {
        await stage.connect("ipv4", { at: "four", clientId: "ipv4" });
        await stage.connect("unix", { at: "socket", clientId: "unix" });
      },
    },
  ],
};

/** More of the same that needs another value of an option. */
export const OTHER_LIMITS: Setting = {
  title: "packet sizes, copies and no bounds",
  lines: [
    "max_packet_size 100",
    "allow_duplicate_messages true",
    "max_queued_messages 0",
    "max_inflight_messages 0",
    "allow_anonymous true",
    "auto_id_prefix made-",
    "clientid_prefixes made-",
    "listener @main 127.0.0.1",
  ],
  situations: [
    ...([4, 5] as const).map(
      (version): Situation => ({
        name: `max_packet_size: version ${version}`,
        play: async (stage) => {
          const client = await stage.connect("client", { version, clientId: `made-large-${version}` });
          await client.publish("large", "x".repeat(80), { qos: 1 });
          client.bytes("32ff01");
          await client.closed();
        },
      }),
    ),
    {
      name: "auto_id_prefix and clientid_prefixes",
      play: async (stage) => {
        await stage.connect("made up", { version: 5, clientId: "" });
        await stage.connect("allowed", { clientId: "made-by-me" });
        await stage.connect("refused, 3.1.1", { clientId: "other" });
        await stage.connect("refused, 5.0", { version: 5, clientId: "other" });
      },
    },
    {
      name: "allow_duplicate_messages true",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "made-copies" });
        await client.subscribe("copies/#", { id: 1, qos: 1 });
        await client.subscribe("copies/a", { id: 2, qos: 0 });
        const publisher = await stage.connect("publisher", { clientId: "made-copies-publisher" });
        await publisher.publish("copies/a", "x", { qos: 1 });
      },
      differs: ours(
        "Copies for overlapping subscriptions",
        { at: "client", mosquitto: ["PUBLISH copies/a=x q0 subscriptionIdentifiers=[2]"], lacewing: [] },
        {
          at: "client",
          mosquitto: ["PUBLISH copies/a=x q1 m1 subscriptionIdentifiers=[1]"],
          lacewing: [
            "PUBLISH copies/a=x q1 m1 subscriptionIdentifiers=[1]",
            "PUBLISH copies/a=x q0 subscriptionIdentifiers=[2]",
          ],
        },
      ),
    },
    {
      name: "no bound of messages in flight",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "made-unbounded", answers: false });
        await subscriber.subscribe("unbounded", { qos: 1 });
        const publisher = await stage.connect("publisher", { version: 5, clientId: "made-unbounded-publisher" });
        for (let n = 1; n <= 30; n++) await publisher.publish("unbounded", String(n), { qos: 1 });
      },
    },
  ],
};
