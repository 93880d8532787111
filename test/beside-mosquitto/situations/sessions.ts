// Sessions and wills: what is kept for whom, who takes whose place, and what is said of the dead.
import { asLater, type Difference, ours, saysWhy } from "../difference.ts";
import type { Setting, Situation } from "../situation.ts";

const WELCOME = "CONNACK 0x00 maximumPacketSize=2000000 receiveMaximum=20 topicAliasMaximum=10";

/** A client with a will that ends by `end`; somebody listens for it. */
function will(
  name: string,
  will: { readonly qos?: 0 | 1 | 2; readonly retain?: boolean; readonly properties?: { willDelaySeconds?: number } },
  end: "drop" | "disconnect" | "disconnect with will" | "protocol error",
  awaited: number,
  differs?: Difference,
): Situation {
  return {
    name: `will: ${name}`,
    ...(differs !== undefined && { differs }),
    play: async (stage) => {
      const topicName = `will/${name}`;
      const heir = await stage.connect("heir", { version: 5, clientId: `heir ${name}` });
      await heir.subscribe(topicName, { retainAsPublished: true });
      const client = await stage.connect("client", { version: 5, clientId: topicName, will: { topicName, ...will } });
      if (end === "drop") await client.drop();
      else if (end === "protocol error") client.bytes("82 00");
      else await client.disconnect(end === "disconnect" ? 0 : 0x04);
      await client.closed();
      await heir.packets(awaited);
      await stage.settle();
      const late = await stage.connect("late", { version: 5, clientId: `late heir ${name}` });
      await late.subscribe(topicName);
    },
  };
}

export const SESSIONS: Setting = {
  title: "sessions and wills",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true", "max_queued_messages 5"],
  situations: [
    ...([3, 4, 5] as const).map(
      (version): Situation => ({
        name: `a Session that is kept: version ${version}`,
        play: async (stage) => {
          const options = {
            version,
            clientId: `kept ${version}`,
            cleanStart: false,
            ...(version === 5 && { properties: { sessionExpirySeconds: 100 } }),
          };
          const first = await stage.connect("first", options);
          await first.subscribe(`kept/${version}`, { qos: 1 });
          await first.disconnect();
          const publisher = await stage.connect("publisher", { clientId: `kept publisher ${version}` });
          for (const qos of [0, 1, 2] as const) await publisher.publish(`kept/${version}`, `at ${qos}`, { qos });
          await stage.settle();
          await stage.connect("second", options);
          await stage.settle();
          await stage.connect("third", { ...options, cleanStart: true });
        },
        ...(version === 5 && { differs: asLater("Takeover in 5.0", saysWhy("0x8e", "second")) }),
      }),
    ),
    {
      name: "unacknowledged messages come again with DUP, in order",
      play: async (stage) => {
        const options = { clientId: "unacknowledged", cleanStart: false, answers: false };
        const first = await stage.connect("first", options);
        await first.subscribe("unacknowledged");
        const publisher = await stage.connect("publisher", { clientId: "unacknowledged publisher" });
        for (const qos of [1, 2, 1] as const) await publisher.publish("unacknowledged", "x", { qos });
        await stage.settle();
        first.acknowledge("PUBREC", 2);
        await first.settle();
        await first.drop();
        await stage.connect("second", options);
      },
    },
    {
      name: "more in flight than allowed, and the oldest is acknowledged",
      play: async (stage) => {
        const client = await stage.connect("client", { clientId: "window", answers: false });
        await client.subscribe("window", { qos: 1 });
        const publisher = await stage.connect("publisher", { clientId: "window publisher" });
        for (let n = 1; n <= 23; n++) await publisher.publish("window", String(n), { qos: 1 });
        await stage.settle();
        client.acknowledge("PUBACK", 1);
      },
      differs: ours("Messages in flight", {
        at: "client",
        mosquitto: ["PUBLISH window=21 q1 m21", "PUBLISH window=22 q1 m22", "PUBLISH window=23 q1 m23"],
        lacewing: ["PUBLISH window=21 q1 m21"],
      }),
    },
    {
      name: "more than the queue holds",
      play: async (stage) => {
        const options = { clientId: "full", cleanStart: false, answers: true };
        const first = await stage.connect("first", options);
        await first.subscribe("full", { qos: 1 });
        await first.disconnect();
        const publisher = await stage.connect("publisher", { clientId: "full publisher" });
        for (let n = 1; n <= 8; n++) await publisher.publish("full", String(n), { qos: 1 });
        await stage.connect("second", options);
      },
    },
    {
      name: "messages that expire in the queue",
      play: async (stage) => {
        const options = {
          version: 5 as const,
          clientId: "expire",
          cleanStart: false,
          properties: { sessionExpirySeconds: 100 },
        };
        const first = await stage.connect("first", options);
        await first.subscribe("expire", { qos: 1 });
        await first.disconnect();
        const publisher = await stage.connect("publisher", { version: 5, clientId: "expire publisher" });
        await publisher.publish("expire", "short", { qos: 1, properties: { messageExpirySeconds: 1 } });
        await publisher.publish("expire", "long", { qos: 1, properties: { messageExpirySeconds: 1000 } });
        await new Promise((resolve) => setTimeout(resolve, 2100));
        await stage.connect("second", options);
      },
    },
    {
      name: "an expiry of 0 ends the Session with the connection",
      play: async (stage) => {
        const first = await stage.connect("first", { version: 5, clientId: "short", cleanStart: false });
        await first.subscribe("short");
        await first.disconnect();
        await stage.connect("second", { version: 5, clientId: "short", cleanStart: false });
      },
    },
    {
      name: "an expiry that is set when the client goes",
      play: async (stage) => {
        const options = {
          version: 5 as const,
          clientId: "changed",
          cleanStart: false,
          properties: { sessionExpirySeconds: 100 },
        };
        const first = await stage.connect("first", options);
        await first.disconnect(0, { sessionExpirySeconds: 0 });
        const second = await stage.connect("second", options);
        await second.disconnect(0, { sessionExpirySeconds: 50 });
        await stage.connect("third", options);
      },
    },
    {
      name: "a Session of 3.1.1 goes on in 5.0, and back",
      play: async (stage) => {
        const old = await stage.connect("old", { clientId: "moved", cleanStart: false });
        await old.subscribe("moved", { qos: 1 });
        await old.disconnect();
        const properties = { sessionExpirySeconds: 100 };
        const current = await stage.connect("current", {
          version: 5,
          clientId: "moved",
          cleanStart: false,
          properties,
        });
        await current.publish("moved", "x", { qos: 1 });
        await stage.settle();
        await current.disconnect();
        await stage.connect("old again", { clientId: "moved", cleanStart: false });
      },
    },
    ...([4, 5] as const).map(
      (version): Situation => ({
        name: `another one with the same identifier: version ${version}`,
        play: async (stage) => {
          const first = await stage.connect("first", { version, clientId: `taken ${version}` });
          await first.subscribe("taken");
          await stage.connect("second", { version, clientId: `taken ${version}` });
          await first.closed();
        },
        ...(version === 5 && { differs: asLater("Takeover in 5.0", saysWhy("0x8e", "first")) }),
      }),
    ),
    {
      name: "another one with the same identifier takes a Session that is kept",
      play: async (stage) => {
        const first = await stage.connect("first", { clientId: "taken kept", cleanStart: false, answers: false });
        await first.subscribe("taken/kept", { qos: 1 });
        const publisher = await stage.connect("publisher", { clientId: "taken kept publisher" });
        await publisher.publish("taken/kept", "x", { qos: 1 });
        await stage.settle();
        await stage.connect("second", { clientId: "taken kept", cleanStart: false });
        await first.closed();
      },
    },
    {
      name: "PUBREL comes after a new connection",
      play: async (stage) => {
        const subscriber = await stage.connect("subscriber", { clientId: "released reader" });
        await subscriber.subscribe("released");
        const options = { clientId: "released", cleanStart: false, answers: false };
        const first = await stage.connect("first", options);
        await first.publish("released", "x", { qos: 2, packetId: 9 });
        await first.drop();
        const second = await stage.connect("second", options);
        await second.publish("released", "x", { qos: 2, packetId: 9, dup: true });
        second.acknowledge("PUBREL", 9);
      },
    },
    will("QoS 0, the network goes", { qos: 0 }, "drop", 1),
    will("QoS 1, the network goes", { qos: 1 }, "drop", 1),
    will("QoS 2, retained", { qos: 2, retain: true }, "drop", 1),
    will("goodbye", { qos: 1 }, "disconnect", 0),
    will("goodbye with will", { qos: 1 }, "disconnect with will", 1),
    will("protocol error", { qos: 1 }, "protocol error", 1),
    will("delay, and the Session has ended", { qos: 1, properties: { willDelaySeconds: 100 } }, "drop", 0),
    {
      name: "will: of one whose place is taken",
      play: async (stage) => {
        const heir = await stage.connect("heir", { clientId: "heir of taken" });
        await heir.subscribe("will/taken");
        await stage.connect("first", { clientId: "will taken", will: { topicName: "will/taken" } });
        await stage.connect("second", { clientId: "will taken" });
        await heir.packets(1);
      },
    },
    {
      name: "will: delayed, and the client is back in time",
      play: async (stage) => {
        const heir = await stage.connect("heir", { version: 5, clientId: "heir of delayed" });
        await heir.subscribe("will/delayed");
        const options = {
          version: 5 as const,
          clientId: "will delayed",
          cleanStart: false,
          properties: { sessionExpirySeconds: 100 },
        };
        const first = await stage.connect("first", {
          ...options,
          will: { topicName: "will/delayed", properties: { willDelaySeconds: 1 } },
        });
        await first.drop();
        // Of this one nothing is kept but the will.
        const fleeting = { version: 5, clientId: "will fleeting" } as const;
        const third = await stage.connect("third", {
          ...fleeting,
          will: { topicName: "will/delayed", properties: { willDelaySeconds: 1 } },
        });
        await third.drop();
        await stage.connect("second", options);
        await stage.connect("fourth", fleeting);
        await new Promise((resolve) => setTimeout(resolve, 1600));
      },
    },
    {
      name: "will: delayed, and the client is not back",
      play: async (stage) => {
        const heir = await stage.connect("heir", { version: 5, clientId: "heir of late" });
        await heir.subscribe("will/late");
        const first = await stage.connect("first", {
          version: 5,
          clientId: "will late",
          properties: { sessionExpirySeconds: 100 },
          will: {
            topicName: "will/late",
            properties: { willDelaySeconds: 1, contentType: "text/plain", messageExpirySeconds: 100 },
          },
        });
        await first.drop();
        await heir.packets(1);
      },
    },
    {
      name: "will: keep-alive is over",
      play: async (stage) => {
        const heir = await stage.connect("heir", { version: 5, clientId: "heir of silent" });
        await heir.subscribe("will/silent");
        const silent = await stage.connect("silent", {
          version: 5,
          clientId: "silent",
          keepAliveSeconds: 1,
          will: { topicName: "will/silent" },
        });
        await silent.closed();
        await heir.packets(1);
      },
      differs: asLater("A reason in words and codes", saysWhy("0x8d", "silent")),
    },
    {
      name: "will: below $SYS",
      play: async (stage) => {
        await stage.connect("client", { version: 5, clientId: "will of $SYS", will: { topicName: "$SYS/a" } });
      },
      differs: ours("A will below `$SYS`", {
        at: "client",
        mosquitto: [WELCOME],
        lacewing: ["CONNACK 0x87", "closed"],
      }),
    },
    {
      name: "will: below $CONTROL",
      play: async (stage) => {
        await stage.connect("client", { version: 5, clientId: "will of $CONTROL", will: { topicName: "$CONTROL/a" } });
      },
      differs: asLater("A will below `$CONTROL`", {
        at: "client",
        mosquitto: [WELCOME],
        lacewing: ["closed"],
      }),
    },
    {
      name: "will: empty",
      play: async (stage) => {
        const heir = await stage.connect("heir", { clientId: "heir of nothing" });
        await heir.subscribe("will/empty");
        const client = await stage.connect("client", {
          clientId: "will empty",
          will: { topicName: "will/empty", payload: "" },
        });
        await client.drop();
        await heir.packets(1);
      },
    },
  ],
};
