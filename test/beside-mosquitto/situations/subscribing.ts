// Subscriptions: filters, options, shared ones, identifiers, and retained messages.
import { asLater, type Difference, ours } from "../difference.ts";
import type { Setting, Situation } from "../situation.ts";

const GRANTED = ["SUBACK m1 0x00"];
const BAD_SHARE = {
  4: asLater("$share without name or filter", { at: "client", mosquitto: GRANTED, lacewing: ["closed"] }),
  5: asLater("$share without name or filter", {
    at: "client",
    mosquitto: GRANTED,
    lacewing: ["DISCONNECT 0x82", "closed"],
  }),
};

/** A client that asks for `topicFilter`; another one publishes to `topicNames`. */
function matching(topicFilter: string, ...topicNames: readonly string[]): Situation {
  return {
    name: `${topicFilter} and ${topicNames.join(", ")}`,
    play: async (stage) => {
      const subscriber = await stage.connect("subscriber", { clientId: `matching ${topicFilter}` });
      await subscriber.subscribe(topicFilter, { qos: 0 });
      const publisher = await stage.connect("publisher", { clientId: `matching publisher ${topicFilter}` });
      for (const topicName of topicNames) await publisher.publish(topicName, "x");
    },
  };
}

/** A SUBSCRIBE as bytes: after its identifier and properties. */
function asked(
  name: string,
  firstByte: string,
  body: string,
  differences: { readonly [version: number]: Difference } = {},
): readonly Situation[] {
  return ([4, 5] as const).map((version) => ({
    name: `${name}: version ${version}`,
    ...(differences[version] !== undefined && { differs: differences[version] }),
    play: async (stage) => {
      const client = await stage.connect("client", { version, clientId: `${name} ${version}` });
      const bytes = body.replace("|", version === 5 ? "00" : "").replaceAll(" ", "");
      client.bytes(firstByte + (bytes.length / 2).toString(16).padStart(2, "0") + bytes);
    },
  }));
}

export const SUBSCRIBING: Setting = {
  title: "subscribing",
  lines: ["listener @main 127.0.0.1", "allow_anonymous true", "sys_interval 0"],
  situations: [
    matching("m/+/b", "m/a/b", "m//b", "m/a/c/b", "m/b", "m/a/b/c"),
    matching("n/#", "n", "n/", "n/a", "n/a/b", "no", "$n/a"),
    matching("#", "o/a", "/o", "$own/a"),
    matching("+/p", "a/p", "/p", "$a/p", "a/b/p"),
    matching("$own/#", "$own", "$own/a", "own/a"),
    matching("$own/+/b", "$own/a/b", "$own/b"),
    matching("/", "/", "//"),
    matching("+", "q", "/q", "q/"),
    matching("r//s", "r//s", "r/s", "r/a/s"),
    matching("+/+/t", "//t", "a/b/t", "/t"),
    matching("größe/+", "größe/日本", "grösse/a"),
    ...asked("a filter with # in the middle", "82", "0001 | 0005 612f232f62 00"),
    ...asked("a filter with + beside letters", "82", "0001 | 0003 612b62 00"),
    ...asked("an empty filter", "82", "0001 | 0000 00"),
    ...asked("a filter with U+0000", "82", "0001 | 0003 610062 00"),
    ...asked("no filter at all", "82", "0001 |"),
    ...asked("QoS 3 asked for", "82", "0001 | 0001 61 03"),
    ...asked("a reserved option", "82", "0001 | 0001 61 40"),
    ...asked("retain handling 3", "82", "0001 | 0001 61 30"),
    ...asked("packet identifier 0", "82", "0000 | 0001 61 00"),
    ...asked("SUBSCRIBE with other flags", "80", "0001 | 0001 61 00"),
    ...asked("UNSUBSCRIBE with other flags", "a0", "0001 | 0001 61"),
    ...asked("UNSUBSCRIBE of an empty filter", "a2", "0001 | 0000"),
    ...asked("UNSUBSCRIBE of nothing", "a2", "0001 |"),
    ...asked("UNSUBSCRIBE of a bad filter", "a2", "0001 | 0003 612b62"),
    ...asked("$share without filter", "82", "0001 | 0008 2473686172652f61 00", BAD_SHARE),
    ...asked("$share without name", "82", "0001 | 0009 2473686172652f2f61 00", BAD_SHARE),
    ...asked("$share with a wildcard as name", "82", "0001 | 000a 2473686172652f2b2f61 00", BAD_SHARE),
    {
      name: "no local on a shared subscription",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "shared no local" });
        client.bytes("82 12 0001 00 000c 2473686172652f672f746f70 05");
      },
      differs: asLater("No local on a shared subscription", {
        at: "client",
        mosquitto: ["SUBACK m1 0x01"],
        lacewing: ["DISCONNECT 0x82", "closed"],
      }),
    },
    {
      name: "a subscription identifier of 0",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "identifier 0" });
        client.bytes("82 09 0001 02 0b00 0001 61 00");
      },
    },
    {
      name: "several filters in one SUBSCRIBE, and UNSUBSCRIBE of known and unknown ones",
      play: async (stage) => {
        for (const version of [3, 4, 5] as const) {
          const client = await stage.connect(`client ${version}`, { version, clientId: `several ${version}` });
          await client.subscribe(["u/a", "u/b", "u/+"], { qos: 1 });
          await client.unsubscribe("u/a", "u/c", "u/+");
        }
      },
    },
    {
      name: "the same filter again with another QoS",
      play: async (stage) => {
        const client = await stage.connect("client", { clientId: "again with another" });
        await client.subscribe("v/a", { qos: 2 });
        await client.subscribe("v/a", { qos: 0 });
        const publisher = await stage.connect("publisher", { clientId: "again with another publisher" });
        await publisher.publish("v/a", "x", { qos: 2 });
      },
    },
    {
      name: "nothing more after UNSUBSCRIBE",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "unsubscribed" });
        await client.subscribe(["w/a", "w/#"]);
        await client.unsubscribe("w/#");
        await client.publish("w/b", "x");
        await client.publish("w/a", "x");
      },
    },
    {
      name: "no local and what the client itself had retained",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "retained local" });
        await client.publish("x/kept", "own", { retain: true });
        await client.subscribe("x/kept", { noLocal: true });
      },
      differs: ours("No local and retained messages", {
        at: "client",
        mosquitto: ["SUBACK m1 0x02", "PUBLISH x/kept=own q0 retain"],
        lacewing: ["SUBACK m1 0x02"],
      }),
    },
    {
      name: "the options of a Subscription that is replaced",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "replaced options" });
        await client.subscribe("x/replaced", { noLocal: true, retainAsPublished: true, qos: 1, id: 1 });
        await client.subscribe("x/replaced", { qos: 0, id: 2 });
        await client.publish("x/replaced", "own", { qos: 1 });
        const other = await stage.connect("other", { version: 5, clientId: "replaced other" });
        await other.publish("x/replaced", "other's", { qos: 1, retain: true });
      },
      differs: ours("Options of a subscription that is replaced", {
        at: "client",
        mosquitto: ["PUBACK m3", "PUBLISH x/replaced=other's q0 retain subscriptionIdentifiers=[2]"],
        lacewing: [
          "PUBLISH x/replaced=own q0 subscriptionIdentifiers=[2]",
          "PUBACK m3",
          "PUBLISH x/replaced=other's q0 subscriptionIdentifiers=[2]",
        ],
      }),
    },
    {
      name: "no local",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "no local" });
        await client.subscribe("x/local", { noLocal: true });
        const other = await stage.connect("other", { version: 5, clientId: "no local other" });
        await client.publish("x/local", "own", { qos: 1 });
        await other.publish("x/local", "other's", { qos: 1 });
      },
    },
    {
      name: "retain as published",
      play: async (stage) => {
        const plain = await stage.connect("plain", { version: 5, clientId: "as usual" });
        await plain.subscribe("y/retain");
        const kept = await stage.connect("kept", { version: 5, clientId: "as published" });
        await kept.subscribe("y/retain", { retainAsPublished: true });
        const publisher = await stage.connect("publisher", { clientId: "as published publisher" });
        await publisher.publish("y/retain", "x", { retain: true });
        await publisher.publish("y/retain", "y");
      },
    },
    {
      name: "subscription identifiers",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "identified" });
        await client.subscribe("z/id", { id: 268_435_455, qos: 1 });
        await client.publish("z/id", "x", { qos: 1 });
        await client.subscribe("z/id", { id: 2, qos: 1 });
        await client.publish("z/id", "y", { qos: 1 });
        await client.subscribe("z/id", { qos: 1 });
        await client.publish("z/id", "z", { qos: 1 });
      },
    },
    {
      name: "overlapping subscriptions",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "overlapping" });
        await client.subscribe("overlap/#", { id: 1, qos: 1 });
        await client.subscribe("overlap/a", { id: 2, qos: 2 });
        await client.publish("overlap/a", "x", { qos: 2 });
      },
      differs: ours("Overlapping subscriptions", {
        at: "client",
        mosquitto: [
          "PUBLISH overlap/a=x q2 m1 subscriptionIdentifiers=[2]",
          "PUBLISH overlap/a=x q1 m2 subscriptionIdentifiers=[1]",
        ],
        lacewing: ["PUBLISH overlap/a=x q2 m1 subscriptionIdentifiers=[1,2]"],
      }),
    },
    ...([0, 1, 2] as const).map(
      (retainHandling): Situation => ({
        name: `retain handling ${retainHandling}`,
        play: async (stage) => {
          const topicName = `handling/${retainHandling}`;
          const publisher = await stage.connect("publisher", { clientId: `${topicName} publisher` });
          await publisher.publish(topicName, "kept", { qos: 1, retain: true });
          const client = await stage.connect("client", { version: 5, clientId: topicName });
          await client.subscribe(topicName, { retainHandling });
          await client.subscribe(topicName, { retainHandling });
        },
      }),
    ),
    {
      name: "retained messages: replaced, cleared, at the lower QoS, by a wildcard",
      play: async (stage) => {
        const publisher = await stage.connect("publisher", { version: 5, clientId: "retaining" });
        await publisher.publish("kept/a", "old", { qos: 2, retain: true });
        await publisher.publish("kept/a", "new", { qos: 2, retain: true });
        await publisher.publish("kept/b", "gone soon", { retain: true });
        await publisher.publish("kept/b", "", { retain: true });
        await stage.settle();
        const client = await stage.connect("client", { clientId: "retained reader" });
        await client.subscribe("kept/+", { qos: 1 });
        await client.subscribe("kept/#", { qos: 0 });
      },
    },
    {
      name: "an empty retained message reaches who has subscribed",
      play: async (stage) => {
        const client = await stage.connect("client", { clientId: "empty reader" });
        await client.subscribe("empty/a");
        const publisher = await stage.connect("publisher", { clientId: "empty writer" });
        await publisher.publish("empty/a", "", { retain: true });
      },
    },
    {
      name: "no retained message for a shared subscription",
      play: async (stage) => {
        const publisher = await stage.connect("publisher", { clientId: "shared retaining" });
        await publisher.publish("shared/kept", "x", { retain: true });
        const client = await stage.connect("client", { version: 5, clientId: "shared reader" });
        await client.subscribe("$share/g/shared/kept");
      },
      differs: asLater("Retained messages for a shared subscription", {
        at: "client",
        mosquitto: ["PUBLISH shared/kept=x q0 retain"],
        lacewing: [],
      }),
    },
    {
      name: "a retained message's expiry counts down for who comes later",
      play: async (stage) => {
        const publisher = await stage.connect("publisher", { version: 5, clientId: "expiring" });
        await publisher.publish("expiring/a", "x", { retain: true, properties: { messageExpirySeconds: 1000 } });
        const client = await stage.connect("client", { version: 5, clientId: "expiring reader" });
        await client.subscribe("expiring/a");
      },
    },
    {
      name: "$ topics are not retained's wildcard business",
      play: async (stage) => {
        const publisher = await stage.connect("publisher", { clientId: "dollar retaining" });
        await publisher.publish("$own/kept", "x", { retain: true });
        const client = await stage.connect("client", { clientId: "dollar reader" });
        await client.subscribe(["+/kept", "$own/+"], { qos: 0 });
      },
    },
    {
      name: "a shared subscription gives each message to one member",
      play: async (stage) => {
        for (const name of ["one", "two"]) {
          const member = await stage.connect(name, { version: 5, clientId: `member ${name}` });
          await member.subscribe("$share/pair/work", { qos: 1 });
        }
        const outside = await stage.connect("outside", { clientId: "outside" });
        await outside.subscribe("work", { qos: 1 });
        const publisher = await stage.connect("publisher", { clientId: "work publisher" });
        for (const payload of ["1", "2", "3", "4"]) await publisher.publish("work", payload, { qos: 1 });
      },
    },
    {
      name: "shared subscriptions before 5.0",
      play: async (stage) => {
        const member = await stage.connect("member", { version: 4, clientId: "older member" });
        await member.subscribe("$share/older/work");
        const publisher = await stage.connect("publisher", { clientId: "older work publisher" });
        await publisher.publish("work", "x");
      },
    },
    {
      name: "a shared subscription and a plain one of the same client",
      play: async (stage) => {
        const client = await stage.connect("client", { version: 5, clientId: "twice" });
        await client.subscribe(["$share/g/twice", "twice"], { qos: 1 });
        const publisher = await stage.connect("publisher", { clientId: "twice publisher" });
        await publisher.publish("twice", "x", { qos: 1 });
        await stage.settle();
        await client.unsubscribe("$share/g/twice", "$share/g/twice", "$share/h/twice");
      },
    },
  ],
};
